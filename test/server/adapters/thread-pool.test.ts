/** Threads for large bodies: each task ends, whatever it does, and the next one finds a thread. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../../../server/adapters/system.ts'
import { createThreadPool } from '../../../server/adapters/thread-pool.ts'
import type { Inspector } from '../../../server/core/inspection.ts'
import { callOf } from '../pipeline/call-fixture.ts'

const LIMITS = { processorMs: 200, waitMs: 60_000, elapsedMs: 60_000, pendingMax: 4 }
const pools: Inspector[] = []
after(() => Promise.all(pools.map((pool) => pool.close())))

function poolWith(limits: Partial<typeof LIMITS> = {}): Inspector {
  const worker = join(import.meta.dirname, 'odd-worker.ts')
  const pool = createThreadPool({ worker, workerData: {}, clock: systemClock, limits: { ...LIMITS, ...limits } })
  pools.push(pool)
  return pool
}

function ask(pool: Inspector, model: string): ReturnType<Inspector['inspect']> {
  const limits = { callsMax: 1, windowMs: 1, bodyBytesMax: 1 }
  return pool.inspect({ call: callOf({}, { model }), gates: [], detectors: [], limits, isTextWanted: false })
}

const ANSWERED = { status: 'inspected', outcomes: [], seen: { model: 'answer' } }

const ROWS: readonly (readonly [deed: string, limits: Partial<typeof LIMITS>, error: object])[] = [
  ['spin', {}, { name: 'InspectionError', message: /processor time/ }],
  ['eat', { processorMs: 60_000 }, { name: 'InspectionError', message: /memory/ }],
  ['wait', { elapsedMs: 200 }, { name: 'InspectionTimeout' }],
  ['throw', {}, { name: 'TypeError' }],
]

for (const [deed, limits, error] of ROWS) {
  test(`a thread that is to ${deed}: the task fails, others wait for it no longer, and the next one is answered`, async () => {
    const pool = poolWith(limits)
    const [failed, waiting] = [ask(pool, deed), ask(pool, 'answer')]
    await assert.rejects(failed, error)
    assert.deepEqual(await waiting, ANSWERED)
    assert.deepEqual(await ask(pool, 'answer'), ANSWERED)
  })
}

test('this thread goes on while another spins', async () => {
  const failed = ask(poolWith({ processorMs: 500 }), 'spin').catch(({ name }) => name)
  let turns = 0
  const timer = setInterval(() => turns++, 5)
  assert.equal(await failed, 'InspectionError')
  clearInterval(timer)
  assert.ok(turns > 10, String(turns))
})

test('more than may wait are refused at once, and not for ever', async () => {
  const pool = poolWith({ elapsedMs: 300 })
  await ask(pool, 'answer')
  const many = Array.from({ length: 8 }, () => ask(pool, 'wait').catch(({ name }) => name as string))
  const names = await Promise.all(many)
  assert.ok(names.includes('OverloadError') && names.includes('InspectionTimeout'), String(names))
  assert.deepEqual(await ask(pool, 'answer'), ANSWERED)
})

test('what waits too long for a thread is refused', async () => {
  const pool = poolWith({ waitMs: 3_000, elapsedMs: 9_000 })
  const names = await Promise.all([1, 2].map(() => ask(pool, 'wait').catch(({ name }) => name as string)))
  assert.ok(names.includes('OverloadError'), String(names))
})

test('a pool that was never asked has nothing to close', () => poolWith().close())
