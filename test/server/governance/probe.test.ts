/** A governed call of the process itself: answered by the built-in model and recorded, or told what came of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEcho } from '../../../server/adapters/echo.ts'
import type { Ports } from '../../../server/core/ports.ts'
import { PROBE_AGENT, probeCall } from '../../../server/governance/probe.ts'
import { answerOf, createBench } from './gateway-fixture.ts'

const clock = { nowMs: () => 0, elapsedMs: () => 0 }
const { ports: sound } = createBench(() => answerOf([])).gateway
const routes = [{ models: /^echo$/, upstream: createEcho(clock) }, ...sound.routes]
const probe = async (ports: Partial<Ports> = {}) => {
  const bench = createBench(() => answerOf(['{}']), { routes, ...ports })
  return { said: await probeCall(bench.gateway, 'req_1'), ...bench }
}

test('it is answered and recorded as the probe’s, and no other model server is asked', async () => {
  const { said, entries, forwarded } = await probe()
  assert.deepEqual([said, forwarded], [undefined, []])
  assert.ok(entries.length >= 2)
  for (const { agentId, model } of entries) assert.deepEqual([agentId, model], [PROBE_AGENT.id, 'echo'])
})

test('nobody can make an agent of its name', () => assert.doesNotMatch(PROBE_AGENT.id, /^[A-Za-z0-9]/))

const head = { policy: 'f'.repeat(64), decisionId: '1', classification: 'PUBLIC', taint: { all: [], found: [] } }
const failing: readonly Readonly<{ name: string; ports: Partial<Ports>; says: string }>[] = [
  {
    name: 'a policy that refuses everything',
    ports: {
      policy: {
        ...sound.policy,
        decide: async () => ({ ...head, action: 'block', reasons: [{ step: 'policy', kind: 'policy.unrecognised' }] }),
      },
    },
    says: 'policy.unrecognised',
  },
  {
    name: 'a ledger that can not be written',
    ports: { ledger: { ...sound.ledger, append: () => Promise.reject(new Error('away')) } },
    says: 'ledger.unavailable',
  },
  { name: 'a model that is not there', ports: { routes: [] }, says: 'model.unknown' },
]
for (const { name, ports, says } of failing)
  test(`${name}: ${says}`, async () => assert.equal((await probe(ports)).said, says))
