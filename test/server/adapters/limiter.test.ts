/** What a rate limiter promises, for every limiter there is. Time is an argument, so nothing here waits. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createMemoryLimiter } from '../../../server/adapters/memory-limiter.ts'
import { createRedisLimiter } from '../../../server/adapters/redis.ts'
import type { RateLimiter } from '../../../server/core/ports.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-redis-'))
const socket = join(folder, 'redis.sock')
let server: ChildProcess

async function startRedis(): Promise<void> {
  server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], {
    stdio: 'ignore',
  })
  const probe = createRedisLimiter(`unix://${socket}`, () => {})
  await answering(probe)
  await probe.close()
}

/** Waits until a limiter answers. */
async function answering(limiter: RateLimiter): Promise<void> {
  while (
    !(await limiter.ping().then(
      () => true,
      () => false,
    ))
  )
    await sleep(20)
}

async function stopRedis(): Promise<void> {
  server.kill('SIGKILL')
  await once(server, 'exit')
}

before(startRedis)
after(async () => {
  await stopRedis()
  rmSync(folder, { recursive: true })
})

async function createRedis(): Promise<RateLimiter> {
  const limiter = createRedisLimiter(`unix://${socket}`, () => {})
  await answering(limiter)
  return limiter
}

const LIMITERS: readonly (readonly [name: string, make: () => Promise<RateLimiter>])[] = [
  ['memory', async () => createMemoryLimiter()],
  ['redis', createRedis],
]

/** Now: a bucket in Redis is kept until it is full again by the real clock, and no longer. */
const START_MS = Date.now()

for (const [name, make] of LIMITERS) {
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
    for (let call = 0; call < 6; call++) answers.push(await limiter.take(key, 5, 60_000, START_MS))
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
    for (let call = 0; call < 5; call++) await limiter.take(key, 5, 60_000, START_MS)
    const refused = await limiter.take(key, 5, 60_000, START_MS)
    assert.deepEqual(refused, { isAllowed: false, remaining: 0, resetMs: 12_000 })
    assert.equal((await limiter.take(key, 5, 60_000, START_MS + 11_990)).isAllowed, false)
    assert.equal((await limiter.take(key, 5, 60_000, START_MS + 12_000)).isAllowed, true)
    assert.equal((await limiter.take(key, 5, 60_000, START_MS + 12_000)).isAllowed, false)
  })

  withLimiter('a refused call costs nothing', async (limiter, key) => {
    await limiter.take(key, 1, 10_000, START_MS)
    for (let call = 0; call < 20; call++) await limiter.take(key, 1, 10_000, START_MS + 5_000)
    assert.equal((await limiter.take(key, 1, 10_000, START_MS + 10_000)).isAllowed, true)
  })

  withLimiter('keys do not share', async (limiter, key) => {
    await limiter.take(`${key} a`, 1, 60_000, START_MS)
    assert.equal((await limiter.take(`${key} b`, 1, 60_000, START_MS)).isAllowed, true)
  })

  withLimiter('calls side by side are counted one by one', async (limiter, key) => {
    const answers = await Promise.all(Array.from({ length: 50 }, () => limiter.take(key, 20, 60_000, START_MS)))
    assert.equal(answers.filter(({ isAllowed }) => isAllowed).length, 20)
  })

  withLimiter('many keys side by side are counted each for itself', async (limiter, key) => {
    const takeAll = () =>
      Promise.all(Array.from({ length: 250 }, (_, index) => limiter.take(`${key} ${index}`, 1, 60_000, START_MS)))
    const [first, second] = [await takeAll(), await takeAll()]
    assert.ok(first.every(({ isAllowed }) => isAllowed) && second.every(({ isAllowed }) => !isAllowed))
  })

  withLimiter('large numbers stay exact', async (limiter, key) => {
    let allowed = 0
    for (let call = 0; call < 300; call++) if ((await limiter.take(key, 250, 1000, START_MS)).isAllowed) allowed += 1
    assert.equal(allowed, 250)
  })

  withLimiter('an allowance that is finer than the clock still counts', async (limiter, key) => {
    assert.equal((await limiter.take(key, 100_000_000, 1000, START_MS)).isAllowed, true)
    assert.equal((await limiter.take(key, 100_000_000, 1000, START_MS)).isAllowed, true)
  })

  withLimiter('ping answers', async (limiter) => limiter.ping())
}

test('redis: two gateways share a bucket', async () => {
  const [one, other] = [await createRedis(), await createRedis()]
  await one.take('shared', 2, 60_000, START_MS)
  await other.take('shared', 2, 60_000, START_MS)
  assert.equal((await one.take('shared', 2, 60_000, START_MS)).isAllowed, false)
  await Promise.all([one.close(), other.close()])
})

test('redis: without a server every take throws, and never opens; with one again it counts', async () => {
  const limiter = await createRedis()
  await stopRedis()
  await assert.rejects(limiter.take('gone', 1, 60_000, START_MS))
  await assert.rejects(limiter.take('gone', 1, 60_000, START_MS))
  await assert.rejects(limiter.ping())
  await startRedis()
  await answering(limiter)
  assert.equal((await limiter.take('gone', 1, 60_000, START_MS)).isAllowed, true)
  await limiter.close()
})

test('redis: a server that is silent is a failure, not a wait', async () => {
  const limiter = await createRedis()
  server.kill('SIGSTOP')
  try {
    await assert.rejects(limiter.take('silent', 1, 60_000, START_MS))
  } finally {
    server.kill('SIGCONT')
  }
  await limiter.close()
})
