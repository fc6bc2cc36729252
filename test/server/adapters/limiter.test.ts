/** The limiter in Redis, over a real one: what every limiter promises, and what happens when the server goes. Needs: redis. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisLimiter } from '../../../server/adapters/redis.ts'
import type { RateLimiter } from '../../../server/core/ports.ts'
import { DAY_MS, START_MS, testLimiter } from './limiter-contract.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-redis-'))
const socket = join(folder, 'redis.sock')
let server: ChildProcess

/** Throws when the server can't be started, or ends before it answers. */
async function startRedis(): Promise<void> {
  server = spawn('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder], {
    stdio: 'ignore',
  })
  const ended = once(server, 'exit').then(([code]) => Promise.reject(new Error(`redis-server ended with ${code}`)))
  const probe = createRedisLimiter(`unix://${socket}`, () => {})
  const answered = new AbortController()
  try {
    await Promise.race([ended, answering(probe, answered.signal)])
  } finally {
    answered.abort()
    ended.catch(() => {})
    await probe.close()
  }
}

/** Waits until a limiter answers, or nobody waits any more. */
async function answering(limiter: RateLimiter, given?: AbortSignal): Promise<void> {
  const isThere = () =>
    limiter.ping().then(
      () => true,
      () => false,
    )
  while (given?.aborted !== true && !(await isThere())) await sleep(20)
}

async function stopRedis(): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return
  server.kill('SIGKILL')
  await once(server, 'exit')
}

before(startRedis)
after(async () => {
  await stopRedis()
  rmSync(folder, { recursive: true })
})

async function makeRedis(): Promise<RateLimiter> {
  const limiter = createRedisLimiter(`unix://${socket}`, () => {})
  await answering(limiter)
  return limiter
}

testLimiter('redis', makeRedis)

test('redis: two gateways share a bucket', async () => {
  const [one, other] = [await makeRedis(), await makeRedis()]
  await one.take('shared', 2, DAY_MS, START_MS)
  await other.take('shared', 2, DAY_MS, START_MS)
  assert.equal((await one.take('shared', 2, DAY_MS, START_MS)).isAllowed, false)
  await Promise.all([one.close(), other.close()])
})

test('redis: while it restarts, calls wait, and each is counted once', async () => {
  const limiter = await makeRedis()
  await stopRedis()
  const takes = [1, 2, 3].map(() => limiter.take('restarting', 3, DAY_MS, START_MS))
  await startRedis()
  const allowances = await Promise.all(takes)
  assert.deepEqual(allowances.map(({ remaining }) => remaining).toSorted(), [0, 1, 2])
  await limiter.close()
})

test('redis: without a server every take throws after a while, and never opens; with one again it counts', async () => {
  const limiter = await makeRedis()
  await stopRedis()
  await assert.rejects(limiter.take('gone', 1, DAY_MS, START_MS))
  const later = limiter.take('gone', 1, DAY_MS, START_MS).then(
    () => 'counted',
    () => 'refused',
  )
  assert.equal(await Promise.race([later, sleep(2000).then(() => 'waits')]), 'refused', 'the outage is known by now')
  await assert.rejects(limiter.ping())
  await startRedis()
  await answering(limiter)
  assert.equal((await limiter.take('gone', 1, DAY_MS, START_MS)).isAllowed, true)
  await limiter.close()
})

test('redis: a server that is silent is a failure, not a wait', async () => {
  const limiter = await makeRedis()
  server.kill('SIGSTOP')
  try {
    await assert.rejects(limiter.take('silent', 1, DAY_MS, START_MS))
  } finally {
    server.kill('SIGCONT')
  }
  await limiter.close()
})
