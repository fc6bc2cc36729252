/** What a rate limiter promises, for every limiter there is. Time is an argument, so nothing here waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RateLimiter } from '../../../server/core/ports.ts'

/** Now: a bucket in Redis is kept until it is full again by the real clock, and no longer. */
export const START_MS = Date.now()

/**
 * The window of every row. Redis lets a bucket go by the real clock, so it is as long as this: the runner gives a test up
 * before the smallest allowance of a row is full again, and no outcome depends on how fast the machine is.
 */
export const DAY_MS = 86_400_000

/** Tests the limiter that `make` gives, a new one for each row. */
export function testLimiter(name: string, make: () => Promise<RateLimiter>): void {
  const withLimiter = (what: string, check: (limiter: RateLimiter, key: string) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const limiter = await make()
      try {
        await check(limiter, `${name} ${what}`)
      } finally {
        await limiter.close()
      }
    })
  }

  withLimiter('so many calls pass in a burst, and not one more', async (limiter, key) => {
    const answers = []
    for (let call = 0; call < 6; call++) answers.push(await limiter.take(key, 5, DAY_MS, START_MS))
    assert.deepEqual(
      answers.map(({ isAllowed, remaining }) => [isAllowed, remaining]),
      [
        [true, 4],
        [true, 3],
        [true, 2],
        [true, 1],
        [true, 0],
        [false, 0],
      ],
    )
  })

  withLimiter('says how long until the next, and that is true', async (limiter, key) => {
    for (let call = 0; call < 5; call++) await limiter.take(key, 5, DAY_MS, START_MS)
    const refused = await limiter.take(key, 5, DAY_MS, START_MS)
    assert.deepEqual(refused, { isAllowed: false, remaining: 0, resetMs: DAY_MS / 5 })
    assert.equal((await limiter.take(key, 5, DAY_MS, START_MS + DAY_MS / 5 - 10)).isAllowed, false)
    assert.equal((await limiter.take(key, 5, DAY_MS, START_MS + DAY_MS / 5)).isAllowed, true)
    assert.equal((await limiter.take(key, 5, DAY_MS, START_MS + DAY_MS / 5)).isAllowed, false)
  })

  withLimiter('a refused call costs nothing', async (limiter, key) => {
    await limiter.take(key, 1, DAY_MS, START_MS)
    for (let call = 0; call < 20; call++) await limiter.take(key, 1, DAY_MS, START_MS + DAY_MS / 2)
    assert.equal((await limiter.take(key, 1, DAY_MS, START_MS + DAY_MS)).isAllowed, true)
  })

  withLimiter(
    'a clock that is set back refuses nobody for longer than a window, nor one that is set forward',
    async (limiter, key) => {
      const dayBefore = START_MS - 3 * DAY_MS
      for (let call = 0; call < 5; call++) await limiter.take(key, 5, DAY_MS, START_MS)
      // It counts as empty: what was counted by the other time can't be told from more.
      const refused = await limiter.take(key, 5, DAY_MS, dayBefore)
      assert.deepEqual([refused.isAllowed, refused.resetMs], [false, DAY_MS / 5])
      const allowed = await limiter.take(key, 5, DAY_MS, dayBefore + DAY_MS / 5)
      assert.deepEqual([allowed.isAllowed, allowed.remaining], [true, 0])
      const later = await limiter.take(key, 5, DAY_MS, START_MS + 3 * DAY_MS)
      assert.deepEqual([later.isAllowed, later.remaining], [true, 4])
    },
  )

  withLimiter('keys do not share', async (limiter, key) => {
    await limiter.take(`${key} a`, 1, DAY_MS, START_MS)
    assert.equal((await limiter.take(`${key} b`, 1, DAY_MS, START_MS)).isAllowed, true)
  })

  withLimiter('calls side by side are counted one by one', async (limiter, key) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => limiter.take(key, 20, DAY_MS, START_MS)))
    assert.equal(answers.filter(({ isAllowed }) => isAllowed).length, 20)
  })

  withLimiter('many keys side by side are counted each for itself', async (limiter, key) => {
    const takeAll = () =>
      Promise.all(Array.from({ length: 250 }, (_, index) => limiter.take(`${key} ${index}`, 1, DAY_MS, START_MS)))
    const [first, second] = [await takeAll(), await takeAll()]
    assert.ok(first.every(({ isAllowed }) => isAllowed) && second.every(({ isAllowed }) => !isAllowed))
  })

  // 251 parts of a day are no whole milliseconds: sums of fractions must not drift by a call.
  withLimiter('large numbers stay exact', async (limiter, key) => {
    let allowed = 0
    for (let call = 0; call < 300; call++) if ((await limiter.take(key, 251, DAY_MS, START_MS)).isAllowed) allowed += 1
    assert.equal(allowed, 251)
  })

  withLimiter('an allowance that is finer than the clock still counts', async (limiter, key) => {
    assert.equal((await limiter.take(key, 100_000_000, 1000, START_MS)).isAllowed, true)
    assert.equal((await limiter.take(key, 100_000_000, 1000, START_MS)).isAllowed, true)
  })

  withLimiter('ping answers', async (limiter) => limiter.ping())
}
