/** Writes the pages that are made from the table of rooms: `node test/architecture/write-rooms.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { roomReadmes, withDrawing } from './room-page.ts'

const root = join(import.meta.dirname, '../..')
const page = join(root, 'docs/architecture.md')

if (import.meta.main) {
  for (const [path, text] of roomReadmes()) writeFileSync(join(root, path), text)
  writeFileSync(page, withDrawing(readFileSync(page, 'utf8')))
}
