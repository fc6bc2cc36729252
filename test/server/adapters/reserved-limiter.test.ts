/** The reserve of the disk: no call takes it, and calls pass again by themselves. */
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { createMemoryLimiter } from '../../../server/adapters/memory-limiter.ts'
import { createReservedLimiter, type Disk, isReserveReached } from '../../../server/adapters/reserved-limiter.ts'
import { testLimiter } from './limiter-contract.ts'

const MEGABYTE = 1024 ** 2
const disk = (megabytes: number, freeMegabytes: number): Disk => ({
  ...{ blocks: megabytes, bavail: freeMegabytes, bsize: MEGABYTE },
})

testLimiter('reserved', async () => {
  const clock = { elapsedMs: () => 0 }
  return createReservedLimiter(createMemoryLimiter(), tmpdir(), clock, async () => disk(100_000, 50_000))
})

const rows: readonly (readonly [name: string, asked: Disk, isIt: boolean])[] = [
  ['a large disk with room', disk(100_000, 512), false],
  ['a large disk with less than 512 MB', disk(100_000, 511), true],
  ['a small disk with room', disk(400, 20), false],
  ['a small disk with less than a twentieth', disk(400, 19), true],
  ['a full disk', disk(400, 0), true],
]
for (const [name, asked, isIt] of rows)
  test(`${name}: ${isIt ? 'only the reserve is left' : 'there is room'}`, () => {
    assert.equal(isReserveReached(asked), isIt)
  })

test('asked once a second; refused while only the reserve is left, and then no more; a disk that can’t be asked refuses nobody', async () => {
  let [nowMs, asked] = [0, 0]
  let answer: () => Promise<Disk> = async () => disk(400, 100)
  const limiter = createReservedLimiter(createMemoryLimiter(), '/x', { elapsedMs: () => nowMs }, async () => {
    asked += 1
    return await answer()
  })
  const take = () => limiter.take('key', 1000, 60_000, 1)
  for (let call = 0; call < 5; call += 1) assert.ok((await take()).isAllowed)
  assert.equal(asked, 1)
  answer = async () => disk(400, 1)
  nowMs = 1000
  await assert.rejects(take(), /only its reserve left/)
  await assert.rejects(take(), /only its reserve left/)
  answer = async () => disk(400, 100)
  nowMs = 2000
  assert.equal((await take()).remaining, 994)
  answer = () => Promise.reject(new Error('gone'))
  nowMs = 3000
  assert.ok((await take()).isAllowed)
  assert.equal(asked, 4)
})
