/** A host that is watched: how often it is looked at, what counts, and when it is over. The clock is the test's own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure, interruptedFailure } from '../../../scripts/core/failure.ts'
import { soakHost } from '../../../scripts/session/soak.ts'

type Answer = readonly string[] | Error
const well: Answer = []
const ill: Answer = ['tappass@1.service']
const dark = new Failure({ what: 'cannot connect' }, 6)

/** Gives the answers in turn, the last one for ever; each probe takes a second. */
const watch = async (seconds: number, answers: readonly Answer[], endAtMs = Number.POSITIVE_INFINITY) => {
  let [now, looks] = [0, 0]
  const ended = new AbortController()
  const pass = (ms: number) => {
    now += ms
    if (now >= endAtMs) ended.abort()
  }
  const result = await soakHost({
    probe: async () => {
      pass(1000)
      const answer = answers[Math.min(looks++, answers.length - 1)] ?? well
      if (answer instanceof Error) throw answer
      return answer
    },
    soakMs: seconds * 1000,
    nowMs: () => now,
    signal: ended.signal,
    pause: async (ms) => pass(ms),
  })
  return { result, looks, now }
}

type Expected = Awaited<ReturnType<typeof watch>>
const rows: readonly (readonly [name: string, seconds: number, answers: readonly Answer[], expected: Expected])[] = [
  ['no time: one probe', 0, [well], { result: undefined, looks: 1, now: 1000 }],
  ['well to the end: every ten seconds, and at the end', 30, [well], { result: undefined, looks: 4, now: 31_000 }],
  ['not well for a moment', 0, [ill, ill, well], { result: undefined, looks: 3, now: 7000 }],
  ['not well, and it stays so', 30, [well, ill], { result: ill, looks: 4, now: 18_000 }],
  ['not reached for a moment', 0, [dark, well], { result: undefined, looks: 2, now: 4000 }],
  ['not reached', 30, [dark], { result: dark, looks: 3, now: 7000 }],
  [
    'interrupted: the host is what it was',
    30,
    [interruptedFailure('here')],
    { result: undefined, looks: 4, now: 31_000 },
  ],
]

for (const [name, seconds, answers, expected] of rows) {
  test(`soak: ${name}`, async () => assert.deepEqual(await watch(seconds, answers), expected))
}

test('soak: when it is over for all, no further probe is taken', async () => {
  assert.deepEqual(await watch(3600, [well], 20_000), { result: undefined, looks: 2, now: 22_000 })
})

test('soak: a defect is not swallowed', async () => {
  await assert.rejects(watch(0, [new TypeError('defect')]), TypeError)
})
