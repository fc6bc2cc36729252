/** Locks: who lives, who is dead, and that of many who want one at the same moment exactly one gets it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  acquireLockCommand,
  decideLock,
  heartbeatCommand,
  type LockFile,
  type LockState,
  lockFact,
  releaseLockCommand,
} from '../../../scripts/converge/host-lock.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'

const record: LockFile = {
  token: 'f'.repeat(32),
  owner: 'ada',
  verb: 'bootstrap',
  controller: 'desk',
  controllerBoot: 'boot-1',
  pid: 42,
  pidStart: '9',
  hostBoot: 'host-boot-1',
  startedAt: '2026-11-24T03:00:00.000Z',
}
const held = (other: Partial<LockFile> = {}, ageSeconds = 5): LockState => ({
  kind: 'held',
  hostBoot: 'host-boot-1',
  lockFile: { ...record, ...other },
  ageSeconds,
})
const desk = { controller: 'desk', controllerBoot: 'boot-1' }
const elsewhere = { controller: 'laptop', controllerBoot: 'boot-7' }

const rows: readonly Readonly<{
  name: string
  state: LockState
  here: typeof desk
  isOwnerRunning: boolean
  expected: string
  reason?: string
}>[] = [
  { name: 'free', state: { kind: 'free', hostBoot: 'x' }, here: desk, isOwnerRunning: false, expected: 'acquire' },
  { name: 'its process runs here', state: held(), here: desk, isOwnerRunning: true, expected: 'locked' },
  {
    name: 'its process runs here, long silent',
    state: held({}, 999),
    here: desk,
    isOwnerRunning: true,
    expected: 'locked',
  },
  {
    name: 'its process has ended here',
    state: held(),
    here: desk,
    isOwnerRunning: false,
    expected: 'take-over',
    reason: 'its process has ended',
  },
  {
    name: 'this controller was rebooted, and the process number is reused',
    state: held(),
    here: { ...desk, controllerBoot: 'boot-2' },
    isOwnerRunning: true,
    expected: 'take-over',
    reason: 'desk was rebooted since',
  },
  {
    name: 'on another controller, a recent heartbeat',
    state: held({}, 60),
    here: elsewhere,
    isOwnerRunning: false,
    expected: 'locked',
  },
  {
    name: 'on another controller, silent',
    state: held({}, 61),
    here: elsewhere,
    isOwnerRunning: false,
    expected: 'take-over',
    reason: 'no heartbeat for 61 s',
  },
  {
    name: 'the host was rebooted',
    state: held({ hostBoot: 'host-boot-0' }, 1),
    here: elsewhere,
    isOwnerRunning: true,
    expected: 'take-over',
    reason: 'the host was rebooted since',
  },
  {
    name: 'damaged',
    state: { kind: 'damaged', hostBoot: 'x' },
    here: desk,
    isOwnerRunning: true,
    expected: 'take-over',
    reason: 'its lock file is damaged',
  },
]

for (const { name, state, here, isOwnerRunning, expected, reason } of rows) {
  test(`decideLock: ${name}`, () => {
    const decision = decideLock(state, here, () => isOwnerRunning)
    assert.equal(decision.decision, expected)
    assert.equal('reason' in decision ? decision.reason : undefined, reason)
  })
}

test('decideLock: the owner of a held lock is named in full', () => {
  const decision = decideLock(held(), desk, () => true)
  assert.equal(
    'owner' in decision && decision.owner,
    'ada on desk (process 42, bootstrap, since 2026-11-24T03:00:00.000Z)',
  )
})

test('lock: acquired, read, renewed, released', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const readLock = () => createFactReader(run, nonce)(lockFact)
  const { hostBoot, kind } = await readLock()
  assert.equal(kind, 'free')
  const mine = { ...record, hostBoot, owner: `it's "me"\n` }
  assert.equal((await run(acquireLockCommand('', mine))).code, 0)
  const state = await readLock()
  assert.deepEqual(state.kind === 'held' && state.lockFile, mine)
  assert.equal((await run(heartbeatCommand(mine.token))).code, 0)
  assert.equal((await run(heartbeatCommand('0'.repeat(32)))).code, 75)
  assert.equal((await run(releaseLockCommand('0'.repeat(32)))).code, 75)
  assert.equal((await run(releaseLockCommand(mine.token))).code, 0)
  assert.equal((await readLock()).kind, 'free')
})

test('lock: of eight who judged it free at the same moment, one gets it', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const takers = Array.from({ length: 8 }, (_, index) => ({ ...record, token: `${index}`.repeat(32) }))
  const codes = await Promise.all(takers.map(async (taker) => (await run(acquireLockCommand('', taker))).code))
  assert.deepEqual(codes.toSorted(), [0, 75, 75, 75, 75, 75, 75, 75])
})

test('lock: of two who take over from the same dead owner, one gets it', async (context) => {
  const run = hereGuardedIn(scratch(context))
  await run(acquireLockCommand('', record))
  const take = async (token: string) => (await run(acquireLockCommand(record.token, { ...record, token }))).code
  assert.deepEqual((await Promise.all([take('1'.repeat(32)), take('2'.repeat(32))])).toSorted(), [0, 75])
})

test('lock: a damaged lock file is detected', async (context) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  await run({ argv: ['sh', '-c', `mkdir -p ${folder}/run && echo half >${folder}/run/lock`], effect: 'change' })
  assert.equal((await createFactReader(run, nonce)(lockFact)).kind, 'damaged')
  assert.equal((await run(acquireLockCommand('*', record))).code, 0)
})
