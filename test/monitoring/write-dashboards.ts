/** Writes monitoring/dashboards from what this folder says: `node test/monitoring/write-dashboards.ts`. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatDashboard } from './dashboard.ts'
import { DASHBOARDS } from './dashboards.ts'

const folder = join(import.meta.dirname, '../../monitoring/dashboards')

if (import.meta.main) {
  mkdirSync(folder, { recursive: true })
  for (const [name, dashboard] of Object.entries(DASHBOARDS))
    writeFileSync(join(folder, `${name}.json`), formatDashboard(dashboard))
}
