/** What stops a rollout: a unit or a gateway that is not well, an ingress that does not answer from here. Needs: openssl. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Fact, GetFact } from '../../../scripts/core/host.ts'
import { answerProblem } from '../../../scripts/diagnosis/outside.ts'
import { probeForRollout } from '../../../scripts/diagnosis/rollout-probe.ts'
import { contentFact } from '../../../scripts/facts/path.ts'
import { type UnitState, unitsFact } from '../../../scripts/facts/unit.ts'
import { conditionsFact } from '../../../scripts/output/host-condition.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { makeCertificate } from '../../localhost-certificate.ts'
import { scratch } from '../known-host.ts'
import { RUNNING_UNIT } from '../running-unit.ts'

const SETTINGS = 'instances: 1\ningress: none\nstorage: { database: external, redis: external }\nfirewall: none\n'

const readerOf =
  (units: readonly UnitState[], gateway: string): GetFact =>
  async <T>(fact: Fact<T>): Promise<T> => {
    const is = (other: Fact<unknown>) => JSON.stringify(other.query) === JSON.stringify(fact.query)
    if (is(unitsFact('tappass*'))) return units as T
    if (is(contentFact('/etc/tappass/tappass.yaml'))) return (units.length === 0 ? undefined : SETTINGS) as T
    if (is(contentFact('/etc/tappass/gateway.env'))) return undefined as T
    // A disk that is nearly full, and no backup ever: both are told elsewhere.
    if (is(conditionsFact)) return fact.parse({ code: 0, stdout: 'NOW=1\nDISK=x 1 1 0 100% /\n', stderr: '' })
    if (fact.query.argv[0] === 'curl') return fact.parse({ code: 0, stdout: gateway, stderr: '' })
    return fact.parse({ code: 1, stdout: '', stderr: '' })
  }

const units = [
  ...['tappass.target', 'tappass.socket', 'tappass-migrate.service', 'tappass@1.service'],
  ...['tappass-check.timer', 'tappass-drift.timer', 'tappass-backup.timer', 'tappass-drill.timer'],
].map((name): UnitState => ({ ...RUNNING_UNIT, name, mainPid: 1, replacedLibraries: [], sinceSeconds: 1 }))

const done = { active: 'inactive', sub: 'dead', sinceSeconds: 0, revision: undefined }
const all = [
  ...units,
  ...['check', 'drift', 'drill', 'guard'].map(
    (name): UnitState => ({ ...RUNNING_UNIT, ...done, name: `tappass-${name}.service` }),
  ),
]
const failed = all.map((unit) => (unit.name === 'tappass@1.service' ? { ...unit, active: 'failed' } : unit))
const healthy = '{"status":"healthy"}'
const target = { address: { user: 'root', name: '10.0.0.1', port: 22 } }

const rows: readonly (readonly [
  name: string,
  units: readonly UnitState[],
  gateway: string,
  unwell: readonly string[],
])[] = [
  ['a host that does what it should, whatever is to be done on it some time', all, healthy, []],
  ['a unit that failed', failed, healthy, ['tappass@1.service']],
  ['a gateway that is not well', all, '{"status":"degraded"}', ['gateway (degraded)']],
  ['a host without TapPass, of which a part only was asked for', [], '', []],
]

for (const [name, of, gateway, unwell] of rows) {
  test(`rollout: ${name}`, async () => {
    assert.deepEqual(await probeForRollout(undefined, target, readerOf(of, gateway)), unwell)
    const spec = parseHostSpec({}, 'the test')
    assert.deepEqual(
      await probeForRollout(spec, target, readerOf(of, gateway)),
      unwell,
      'a private address says nothing',
    )
  })
}

test('rollout: an ingress that is not reached from here', async () => {
  const spec = parseHostSpec({ domain: 'gateway.invalid' }, 'the test')
  const [unwell, ...others] = await probeForRollout(spec, target, readerOf(all, healthy))
  assert.match(unwell ?? '', /^ingress from here \(gateway\.invalid port 443: .+\)$/)
  assert.deepEqual(others, [])
})

test('rollout: who answers from outside has to be a healthy gateway', async (context) => {
  let answer = healthy
  const path = join(scratch(context), 'tls')
  makeCertificate(path)
  const pair = { key: readFileSync(`${path}.key`), cert: readFileSync(`${path}.crt`) }
  const server = createServer(pair, (_, response) => response.end(answer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const address = { host: '127.0.0.1', port }
  assert.equal(await answerProblem(address), undefined)
  answer = '{"status":"degraded"}'
  assert.equal(await answerProblem(address), `ingress from here (127.0.0.1 port ${port}: degraded)`)
  answer = 'a page'
  assert.equal(await answerProblem(address), `ingress from here (127.0.0.1 port ${port}: HTTP 200)`)
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
  assert.match((await answerProblem(address)) ?? '', /ECONNREFUSED/)
})
