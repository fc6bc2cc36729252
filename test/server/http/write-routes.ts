/** Writes the tables of docs/reference/http.md from what the routes state: `node test/server/http/write-routes.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withRoutes } from './route-page.ts'
import { statedRoutes } from './stated-routes.ts'

const page = join(import.meta.dirname, '../../../docs/reference/http.md')

if (import.meta.main) writeFileSync(page, withRoutes(readFileSync(page, 'utf8'), (await statedRoutes()).routes))
