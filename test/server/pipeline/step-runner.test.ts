/** Running steps: whatever becomes of one is an outcome. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LocalStep, RemoteStep, Step, StepOutcome } from '../../../server/core/step.ts'
import { runSteps } from '../../../server/pipeline/step-runner.ts'
import { callOf, runnerOf } from './call-fixture.ts'

const STEP = { position: 1, category: 'test', stages: ['request'] } as const
const localStep = (name: string, inspect: LocalStep['inspect'], more: Partial<LocalStep> = {}): Step => ({
  ...STEP,
  name,
  inspect,
  ...more,
})
const remoteStep = (name: string, inspect: RemoteStep['inspect'], more: Partial<RemoteStep> = {}): Step => ({
  ...STEP,
  name,
  timeoutMs: 20,
  inspect,
  ...more,
})

const outcomesOf = async (steps: readonly Step[]): Promise<readonly StepOutcome[]> =>
  (await runSteps(runnerOf(steps), callOf({}))).outcomes

const NOTHING = { findings: [] }

class Unreachable extends Error {
  override readonly name = 'Unreachable'
  readonly code = 'ECONNREFUSED'
}

const ROWS: readonly (readonly [what: string, step: Step, outcome: object])[] = [
  ['finds nothing', localStep('one', () => []), { status: 'done', findings: [] }],
  ['finds nothing, later', remoteStep('one', async () => NOTHING), { status: 'done', findings: [] }],
  [
    'throws, with text of the call in its message',
    localStep('one', () => {
      throw new TypeError('cannot read "my secret"')
    }),
    { status: 'failed', reason: 'TypeError' },
  ],
  [
    'rejects',
    remoteStep('one', () => Promise.reject(new Unreachable('at 10.0.0.1'))),
    { status: 'failed', reason: 'Unreachable ECONNREFUSED' },
  ],
  [
    'rejects with what is no error',
    remoteStep('one', () => Promise.reject('my secret')),
    { status: 'failed', reason: 'threw' },
  ],
  ['never answers', remoteStep('one', () => new Promise(() => {})), { status: 'failed', reason: 'StepTimeout' }],
]

for (const [what, step, outcome] of ROWS) {
  test(`a step that ${what}`, async () => {
    assert.deepEqual(await outcomesOf([step]), [{ step: 'one', ms: 0, ...outcome }])
  })
}

test('outcomes of the stage only, local steps before remote ones', async () => {
  const steps = [
    remoteStep('slow', () => new Promise((resolve) => setTimeout(resolve, 5, NOTHING))),
    localStep('other', () => [], { stages: ['response'] }),
    localStep('fast', () => []),
    localStep('next', () => []),
  ]
  const outcomes = await outcomesOf(steps)
  assert.deepEqual(
    outcomes.map(({ step }) => step),
    ['fast', 'next', 'slow'],
  )
})

test('remote steps wait while local ones compute', async () => {
  const order: string[] = []
  const steps = [
    localStep('local', () => {
      order.push('local')
      return []
    }),
    remoteStep('remote', async () => {
      order.push('asked')
      await new Promise(setImmediate)
      order.push('answered')
      return NOTHING
    }),
  ]
  await outcomesOf(steps)
  assert.deepEqual(order, ['asked', 'local', 'answered'])
})

const EXCEEDED = { kind: 'rate.exceeded', severity: 'low', pointer: '', span: [0, 0], confidence: 1 } as const
const GATES: readonly (readonly [what: string, gate: Step, isOpen: boolean])[] = [
  ['finds nothing', remoteStep('gate', async () => NOTHING, { isGate: true }), true],
  ['refuses', remoteStep('gate', async () => ({ findings: [EXCEEDED] }), { isGate: true }), false],
  ['refuses at once', localStep('gate', () => [EXCEEDED], { isGate: true }), false],
  ['fails', remoteStep('gate', () => Promise.reject(new Unreachable()), { isGate: true }), false],
]
for (const [what, gate, isOpen] of GATES) {
  test(`a gate that ${what} ${isOpen ? 'lets the other steps look' : 'spares the other steps their work'}`, async () => {
    let looks = 0
    const look = (): [] => {
      looks += 1
      return []
    }
    const outcomes = await outcomesOf([gate, localStep('other', look)])
    assert.equal(looks, isOpen ? 1 : 0)
    const other = { step: 'other', ms: 0 }
    const expected = isOpen ? { status: 'done', findings: [] } : { status: 'skipped', reason: 'refused_before' }
    assert.deepEqual(outcomes[1], { ...other, ...expected })
  })
}

test('an answer that has come in is heard although the event loop was busy past the limit', async () => {
  const step = remoteStep('waits', () => new Promise((resolve) => setTimeout(resolve, 1, NOTHING)))
  const outcomes = outcomesOf([step])
  const endMs = performance.now() + 60
  while (performance.now() < endMs);
  assert.equal((await outcomes)[0]?.status, 'done')
})

test('what a gate asked of the limiter comes back as a value, whether it admits the call or not', async () => {
  for (const findings of [[], [EXCEEDED]]) {
    const allowance = { isAllowed: findings.length === 0, remaining: 0, resetMs: 7 }
    const gate = remoteStep('gate', async () => ({ findings, allowance }), { isGate: true })
    const run = await runSteps(runnerOf([gate, localStep('other', () => [])]), callOf({}))
    assert.equal(run.allowance, allowance)
  }
  assert.equal((await runSteps(runnerOf([]), callOf({}))).allowance, undefined)
})
