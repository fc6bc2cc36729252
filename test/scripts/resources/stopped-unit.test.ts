/** A unit that is prepared and does not run: rows of facts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unitFact } from '../../../scripts/facts/unit.ts'
import { stoppedUnit } from '../../../scripts/resources/stopped-unit.ts'
import { factRow, planLines } from '../known-host.ts'

const options = { name: 'tappass-caddy.service', reason: 'the setting ingress.live is tunnel' } as const
const stopped = ['stop and disable tappass-caddy.service, because the setting ingress.live is tunnel']

const rows = [
  ['inactive', '', []],
  ['inactive', 'disabled', []],
  ['inactive', 'enabled', stopped],
  ['deactivating', 'disabled', []],
  ['active', 'enabled', stopped],
  ['active', 'disabled', stopped],
  ['failed', 'disabled', stopped],
] as const

for (const [active, enabled, changes] of rows) {
  test(`stopped unit: ${active} and ${enabled || 'not there'}`, async () => {
    const state = { ...unitFact(options.name).parse({ code: 0, stdout: '', stderr: '' }), active, enabled }
    assert.deepEqual(await planLines(stoppedUnit(options), [factRow(unitFact(options.name), state)]), changes)
  })
}
