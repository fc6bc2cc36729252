/** How long a dependency is waited for, and what is not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWaitOut } from '../../../server/core/outage.ts'

/** A dependency that is away between two moments, in milliseconds, and a clock that goes on by each pause. */
function createDependency(fromMs: number, toMs: number) {
  let nowMs = 0
  let asked = 0
  const waitOut = createWaitOut({
    elapsedMs: () => nowMs,
    pause: async (ms) => {
      nowMs += ms
    },
    ...{ waitMs: 1000, everyMs: 100 },
  })
  const isAway = (error: unknown): boolean => error === 'away'
  const ask = async (): Promise<string> => {
    asked += 1
    if (nowMs >= fromMs && nowMs < toMs) throw 'away'
    return `answered at ${nowMs}`
  }
  return {
    ask: () => waitOut(ask, isAway).catch((error) => `${error} at ${nowMs}`),
    fail: () => waitOut(() => Promise.reject('wrong'), isAway).catch((error) => `${error} at ${nowMs}`),
    /** Of a piece of work that is never done, while others are answered after each of its tries. */
    askBesideOthers: () =>
      waitOut(async () => {
        await waitOut(async () => 'answered', isAway)
        throw 'away'
      }, isAway).catch((error) => `${error} at ${nowMs}`),
    goTo: (ms: number) => {
      nowMs = ms
    },
    count: () => asked,
  }
}

const rows: readonly Readonly<{ name: string; away: readonly [number, number]; said: string; count: number }>[] = [
  { name: 'one that answers is asked once', away: [5000, 5000], said: 'answered at 0', count: 1 },
  { name: 'a short outage is waited out', away: [0, 350], said: 'answered at 400', count: 5 },
  { name: 'a long one is not', away: [0, 5000], said: 'away at 1000', count: 11 },
]
for (const { name, away, said, count } of rows)
  test(name, async () => {
    const dependency = createDependency(...away)
    assert.equal(await dependency.ask(), said)
    assert.equal(dependency.count(), count)
  })

test('in a long outage later calls fail at once; after it the next outage is waited out again', async () => {
  const dependency = createDependency(0, 5000)
  await dependency.ask()
  dependency.goTo(4000)
  assert.equal(await dependency.ask(), 'away at 4000')
  dependency.goTo(5000)
  assert.equal(await dependency.ask(), 'answered at 5000')
  dependency.goTo(4900)
  assert.equal(await dependency.ask(), 'answered at 5000')
})

test('what is no outage is passed on at once', async () => {
  assert.equal(await createDependency(0, 0).fail(), 'wrong at 0')
})

test('work that is never done waits no longer, though others are answered meanwhile', async () => {
  assert.equal(await createDependency(0, 0).askBesideOthers(), 'away at 1000')
})
