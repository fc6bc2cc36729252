/** Writes the tables of docs/reference/detectors.md: `node test/server/rules/write-reference.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withTables } from './reference-page.ts'

const page = join(import.meta.dirname, '../../../docs/reference/detectors.md')

if (import.meta.main) writeFileSync(page, withTables(readFileSync(page, 'utf8')))
