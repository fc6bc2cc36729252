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
import type { ProcessState } from '../../../scripts/core/process-identity.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'

const record: LockFile = {
  token: 'f'.repeat(32),
  owner: 'ada',
  verb: 'bootstrap',
  controller: 'desk',
  processSpace: 'space-1',
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
const { processSpace: _, ...fromNowhere } = record
const heldFromNowhere = { kind: 'held', hostBoot: 'host-boot-1', lockFile: fromNowhere, ageSeconds: 60 } as const

const rows: readonly Readonly<{
  name: string
  state: LockState
  space: string | undefined
  owner: ProcessState
  expected: string
  reason?: string
}>[] = [
  { name: 'free', state: { kind: 'free', hostBoot: 'x' }, space: 'space-1', owner: 'ended', expected: 'acquire' },
  { name: 'its process runs here', state: held(), space: 'space-1', owner: 'running', expected: 'locked' },
  {
    name: 'its process runs here, long silent',
    state: held({}, 999),
    space: 'space-1',
    owner: 'running',
    expected: 'locked',
  },
  {
    name: 'its process has ended here',
    state: held(),
    space: 'space-1',
    owner: 'ended',
    expected: 'take-over',
    reason: 'its process has ended',
  },
  {
    name: 'its process is hidden from this account, a recent heartbeat',
    state: held({}, 60),
    space: 'space-1',
    owner: 'unknown',
    expected: 'locked',
  },
  {
    name: 'its process is hidden from this account, silent',
    state: held({}, 61),
    space: 'space-1',
    owner: 'unknown',
    expected: 'take-over',
    reason: 'no heartbeat for 61 s',
  },
  {
    name: 'elsewhere under the same name, and no such process here',
    state: held({}, 3),
    space: 'space-2',
    owner: 'ended',
    expected: 'locked',
  },
  {
    name: 'elsewhere under the same name, and a process with its number here',
    state: held({}, 61),
    space: 'space-2',
    owner: 'running',
    expected: 'take-over',
    reason: 'no heartbeat for 61 s',
  },
  { name: 'elsewhere, a recent heartbeat', state: held({}, 60), space: 'space-2', owner: 'ended', expected: 'locked' },
  {
    name: 'elsewhere, silent',
    state: held({}, 61),
    space: 'space-2',
    owner: 'ended',
    expected: 'take-over',
    reason: 'no heartbeat for 61 s',
  },
  { name: 'where this run is is not known', state: held(), space: undefined, owner: 'ended', expected: 'locked' },
  {
    name: 'neither place is known, as with a lock of an earlier release',
    state: heldFromNowhere,
    space: undefined,
    owner: 'ended',
    expected: 'locked',
  },
  {
    name: 'a lock of an earlier release, silent',
    state: { ...heldFromNowhere, ageSeconds: 61 },
    space: 'space-1',
    owner: 'running',
    expected: 'take-over',
    reason: 'no heartbeat for 61 s',
  },
  {
    name: 'the host was rebooted',
    state: held({ hostBoot: 'host-boot-0' }, 1),
    space: 'space-2',
    owner: 'running',
    expected: 'take-over',
    reason: 'the host was rebooted since',
  },
  {
    name: 'a unit of the host, which runs and is silent',
    state: { ...held({ unit: 'tappass-run.service' }, 999), isUnitActive: true },
    space: 'space-1',
    owner: 'running',
    expected: 'locked',
  },
  {
    name: 'a unit of the host, which has ended a moment ago',
    state: { ...held({ unit: 'tappass-run.service' }, 1), isUnitActive: false },
    space: 'space-2',
    owner: 'unknown',
    expected: 'take-over',
    reason: 'its unit has ended',
  },
  {
    name: 'damaged',
    state: { kind: 'damaged', hostBoot: 'x' },
    space: 'space-1',
    owner: 'running',
    expected: 'take-over',
    reason: 'its lock file is damaged',
  },
]

for (const { name, state, space, owner, expected, reason } of rows) {
  test(`decideLock: ${name}`, () => {
    const decision = decideLock(state, {
      ...(space === undefined ? {} : { processSpace: space }),
      stateOfOwner: () => owner,
    })
    assert.equal(decision.decision, expected)
    assert.equal('reason' in decision ? decision.reason : undefined, reason)
  })
}

test('decideLock: the owner of a held lock is named in full', () => {
  const decision = decideLock(held(), { processSpace: 'space-1', stateOfOwner: () => 'running' })
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
