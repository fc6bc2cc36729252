/** Metrics that jobs of a host have left: read from their files, and nothing else. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readHostMetrics } from '../../../server/adapters/host-metrics.ts'
import { judgeBackups } from '../../../server/housekeeping/finding.ts'
import { metricsText } from '../../../server/housekeeping/report.ts'
import { formatFamilies } from '../../../server/observability/exposition.ts'

test('what the check has written comes out as it was; what is no gauge of ours, or not there, does not', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'host-metrics-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const [check, other] = [join(folder, 'check.prom'), join(folder, 'other.prom')]
  const nowMs = Date.UTC(2026, 10, 27)
  const sets = [{ name: 'tappass-20261126T020000Z', takenMs: Date.UTC(2026, 10, 26, 2), isProven: true }]
  const findings = [
    ...judgeBackups('/var/lib/tappass/backup', sets, nowMs),
    { check: 'disk', subject: 'a "b" \\ c', level: 'failed', state: '', freeBytes: 5 },
  ] as const
  const written = metricsText(findings, nowMs)
  writeFileSync(check, written)
  writeFileSync(other, '# HELP up x\nup 1\ntappass_check_well{check="x"} 7\ntappass_drift_findings NaN\nnonsense {\n')
  const families = await readHostMetrics([join(folder, 'none.prom'), check, other])
  const shown = await formatFamilies(families, 'text')
  assert.deepEqual(shown.split('\n').filter(Boolean), written.split('\n').filter(Boolean))
})
