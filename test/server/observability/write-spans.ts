/** Writes the tables of docs/reference/traces.md: `node test/server/observability/write-spans.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withSpans } from './span-page.ts'

const page = join(import.meta.dirname, '../../../docs/reference/traces.md')

if (import.meta.main) writeFileSync(page, withSpans(readFileSync(page, 'utf8')))
