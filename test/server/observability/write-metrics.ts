/** Writes the tables of docs/reference/metrics.md from what is registered: `node test/server/observability/write-metrics.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withMetrics } from './metric-page.ts'

const page = join(import.meta.dirname, '../../../docs/reference/metrics.md')

if (import.meta.main) writeFileSync(page, await withMetrics(readFileSync(page, 'utf8')))
