/** How a host does: what counts as well, and the table. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact, GetFact } from '../../../scripts/core/host.ts'
import { targetFact } from '../../../scripts/facts/path.ts'
import { type UnitState, unitsFact } from '../../../scripts/facts/unit.ts'
import { gatherHealth, renderHealth } from '../../../scripts/output/host-health.ts'

const running: UnitState = {
  name: 'tappass@1.service',
  load: 'loaded',
  active: 'active',
  sub: 'running',
  enabled: 'enabled',
  result: 'success',
  isReloadNeeded: false,
  mainPid: 1,
  sinceSeconds: Date.parse('2026-11-24T03:00:00Z') / 1000,
  revision: 'aaaa',
  status: '',
}
const backup: UnitState = {
  ...running,
  name: 'tappass-backup.service',
  active: 'inactive',
  sub: 'dead',
  sinceSeconds: 0,
  revision: undefined,
}
const manifest = '{"takenAt":"2026-11-24T03:17:00.000Z","bytes":123}'

type Host = Readonly<{ units?: readonly UnitState[]; health?: string; current?: string; manifest?: string }>

/** Units and the link are said; the two other facts are read from what the host would print. */
const knowOf =
  ({
    units = [running, backup],
    health = '{"status":"healthy"}',
    current = '/opt/tappass/releases/1.2.3',
    manifest: last,
  }: Host): GetFact =>
  async <T>(fact: Fact<T>): Promise<T> => {
    const is = (other: Fact<unknown>) => JSON.stringify(other.query) === JSON.stringify(fact.query)
    if (is(unitsFact('tappass*'))) return units as T
    if (is(targetFact('/opt/tappass/current'))) return current as T
    if (fact.query.argv[0] !== 'curl')
      return fact.parse({ code: last === undefined ? 1 : 0, stdout: last ?? '', stderr: '' })
    return fact.parse(
      health.startsWith('{') ? { code: 0, stdout: health, stderr: '' } : { code: 7, stdout: '', stderr: health },
    )
  }

const rows: readonly Readonly<{ name: string; host: Host; isHealthy: boolean; gateway: string }>[] = [
  { name: 'all is well', host: { manifest }, isHealthy: true, gateway: 'healthy' },
  { name: 'no backup yet is no illness', host: {}, isHealthy: true, gateway: 'healthy' },
  {
    name: 'the gateway says it is not',
    host: { health: '{"status": "degraded"}' },
    isHealthy: false,
    gateway: 'degraded',
  },
  {
    name: 'the gateway does not answer',
    host: { health: 'curl: (7) refused\n' },
    isHealthy: false,
    gateway: 'curl: (7) refused',
  },
  {
    name: 'a unit failed',
    host: { units: [{ ...running, active: 'failed' }, backup] },
    isHealthy: false,
    gateway: 'healthy',
  },
  {
    name: 'a backup failed',
    host: { units: [running, { ...backup, result: 'exit-code', active: 'failed' }] },
    isHealthy: false,
    gateway: 'healthy',
  },
  {
    name: 'nothing is installed',
    host: { units: [], health: 'curl: (7) refused' },
    isHealthy: false,
    gateway: 'curl: (7) refused',
  },
]

for (const { name, host, isHealthy, gateway } of rows) {
  test(`health: ${name}`, async () => {
    const health = await gatherHealth(knowOf(host))
    assert.deepEqual([health.isHealthy, health.gateway], [isHealthy, gateway])
  })
}

test('health: the table', async () => {
  const units = [running, { ...running, name: 'tappass-caddy.service', active: 'failed', sub: 'failed' }]
  assert.equal(
    renderHealth(await gatherHealth(knowOf({ units, manifest }))),
    `UNIT                     STATE             SINCE                     REVISION
tappass-caddy.service !  failed (failed)   2026-11-24T03:00:00.000Z  aaaa
tappass@1.service        active (running)  2026-11-24T03:00:00.000Z  aaaa

release      1.2.3
gateway      healthy
last backup  2026-11-24T03:17:00.000Z (123 bytes)
`,
  )
})
