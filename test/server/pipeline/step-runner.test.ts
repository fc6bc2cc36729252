/** Running steps: whatever becomes of one is an outcome. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Step, StepContext } from '../../../server/core/step.ts'
import { runSteps } from '../../../server/pipeline/step-runner.ts'
import { callOf } from './call-fixture.ts'

const tools = {} as StepContext
const clock = { nowMs: () => 0, elapsedMs: () => 0 }
const stepOf = (name: string, inspect: Step['inspect'], more: Partial<Step> = {}): Step => ({
  name,
  position: 1,
  category: 'test',
  stages: ['request'],
  timeoutMs: 20,
  inspect,
  ...more,
})

class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly code = 'ECONNREFUSED'
}

const ROWS: readonly (readonly [what: string, inspect: Step['inspect'], outcome: object])[] = [
  ['finds nothing', () => [], { status: 'done', findings: [] }],
  ['finds nothing, later', async () => [], { status: 'done', findings: [] }],
  [
    'throws, with text of the call in its message',
    () => {
      throw new TypeError('cannot read "my secret"')
    },
    { status: 'failed', reason: 'TypeError' },
  ],
  [
    'rejects',
    () => Promise.reject(new Unreachable('at 10.0.0.1')),
    { status: 'failed', reason: 'Unreachable ECONNREFUSED' },
  ],
  ['rejects with what is no error', () => Promise.reject('my secret'), { status: 'failed', reason: 'threw' }],
  ['never answers', () => new Promise(() => {}), { status: 'failed', reason: 'StepTimeout' }],
]

for (const [what, inspect, outcome] of ROWS) {
  test(`a step that ${what}`, async () => {
    assert.deepEqual(await runSteps([stepOf('one', inspect)], callOf({}), tools, clock), [
      { step: 'one', ms: 0, ...outcome },
    ])
  })
}

test('outcomes come in the order of the steps, of the stage only', async () => {
  const steps = [
    stepOf('slow', () => new Promise((resolve) => setTimeout(resolve, 5, []))),
    stepOf('other', () => [], { stages: ['response'] }),
    stepOf('fast', () => []),
  ]
  const outcomes = await runSteps(steps, callOf({}), tools, clock)
  assert.deepEqual(
    outcomes.map(({ step }) => step),
    ['slow', 'fast'],
  )
})

const GATES: readonly (readonly [what: string, gate: Step['inspect'], isOpen: boolean])[] = [
  ['finds nothing', async () => [], true],
  [
    'refuses',
    async () => [{ kind: 'rate.exceeded', severity: 'low', pointer: '', span: [0, 0], confidence: 1 }],
    false,
  ],
  ['fails', () => Promise.reject(new Unreachable()), false],
]
for (const [what, inspect, isOpen] of GATES) {
  test(`a gate that ${what} ${isOpen ? 'lets the other steps look' : 'spares the other steps their work'}`, async () => {
    let looks = 0
    const look = (): [] => {
      looks += 1
      return []
    }
    const gate = stepOf('gate', inspect, { isGate: true })
    const outcomes = await runSteps([gate, stepOf('other', look)], callOf({}), tools, clock)
    assert.equal(looks, isOpen ? 1 : 0)
    const other = { step: 'other', ms: 0 }
    const expected = isOpen ? { status: 'done', findings: [] } : { status: 'skipped', reason: 'refused_before' }
    assert.deepEqual(outcomes[1], { ...other, ...expected })
  })
}

test('an answer that has come in is heard although the event loop was busy past the limit', async () => {
  const step = stepOf('waits', () => new Promise((resolve) => setTimeout(resolve, 1, [])))
  const outcomes = runSteps([step], callOf({}), tools, clock)
  const endMs = performance.now() + 60
  while (performance.now() < endMs);
  assert.equal((await outcomes)[0]?.status, 'done')
})
