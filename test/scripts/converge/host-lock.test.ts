/** Locks: who lives, who is dead, and that of many who want one at the same moment exactly one gets it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  judgeLock,
  type LockRecord,
  type LockState,
  lockFact,
  releaseCommand,
  takeCommand,
  touchCommand,
} from '../../../scripts/converge/host-lock.ts'
import { knowing } from '../../../scripts/facts/fact-reader.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'

const record: LockRecord = {
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
const held = (other: Partial<LockRecord> = {}, ageSeconds = 5): LockState => ({
  kind: 'held',
  hostBoot: 'host-boot-1',
  record: { ...record, ...other },
  ageSeconds,
})
const desk = { controller: 'desk', controllerBoot: 'boot-1' }
const elsewhere = { controller: 'laptop', controllerBoot: 'boot-7' }

const rows: readonly Readonly<{
  name: string
  state: LockState
  here: typeof desk
  isOwnerRunning: boolean
  verdict: string
  because?: string
}>[] = [
  { name: 'free', state: { kind: 'free', hostBoot: 'x' }, here: desk, isOwnerRunning: false, verdict: 'take' },
  { name: 'its process runs here', state: held(), here: desk, isOwnerRunning: true, verdict: 'respect' },
  {
    name: 'its process runs here, long silent',
    state: held({}, 999),
    here: desk,
    isOwnerRunning: true,
    verdict: 'respect',
  },
  {
    name: 'its process has ended here',
    state: held(),
    here: desk,
    isOwnerRunning: false,
    verdict: 'take-over',
    because: 'its process has ended',
  },
  {
    name: 'this controller was started anew, and the number is used again',
    state: held(),
    here: { ...desk, controllerBoot: 'boot-2' },
    isOwnerRunning: true,
    verdict: 'take-over',
    because: 'desk was started anew since',
  },
  {
    name: 'on another controller, a sign of life just now',
    state: held({}, 60),
    here: elsewhere,
    isOwnerRunning: false,
    verdict: 'respect',
  },
  {
    name: 'on another controller, silent',
    state: held({}, 61),
    here: elsewhere,
    isOwnerRunning: false,
    verdict: 'take-over',
    because: 'it gave no sign of life for 61 s',
  },
  {
    name: 'the host was started anew',
    state: held({ hostBoot: 'host-boot-0' }, 1),
    here: elsewhere,
    isOwnerRunning: true,
    verdict: 'take-over',
    because: 'the host was started anew since',
  },
  {
    name: 'damaged',
    state: { kind: 'damaged', hostBoot: 'x' },
    here: desk,
    isOwnerRunning: true,
    verdict: 'take-over',
    because: 'its record is damaged',
  },
]

for (const { name, state, here, isOwnerRunning, verdict, because } of rows) {
  test(`judgeLock: ${name}`, () => {
    const judgement = judgeLock(state, here, () => isOwnerRunning)
    assert.equal(judgement.verdict, verdict)
    assert.equal('because' in judgement ? judgement.because : undefined, because)
  })
}

test('judgeLock: a respected owner is named in full', () => {
  const judgement = judgeLock(held(), desk, () => true)
  assert.equal(
    'owner' in judgement && judgement.owner,
    'ada on desk (process 42, bootstrap, since 2026-11-24T03:00:00.000Z)',
  )
})

test('lock: taken, seen, touched, given back', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const look = () => knowing(run, nonce)(lockFact)
  const { hostBoot, kind } = await look()
  assert.equal(kind, 'free')
  const mine = { ...record, hostBoot, owner: `it's "me"\n` }
  assert.equal((await run(takeCommand('', mine))).code, 0)
  const seen = await look()
  assert.deepEqual(seen.kind === 'held' && seen.record, mine)
  assert.equal((await run(touchCommand(mine.token))).code, 0)
  assert.equal((await run(touchCommand('0'.repeat(32)))).code, 75)
  assert.equal((await run(releaseCommand('0'.repeat(32)))).code, 75)
  assert.equal((await run(releaseCommand(mine.token))).code, 0)
  assert.equal((await look()).kind, 'free')
})

test('lock: of eight who judged it free at the same moment, one gets it', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const takers = Array.from({ length: 8 }, (_, index) => ({ ...record, token: `${index}`.repeat(32) }))
  const codes = await Promise.all(takers.map(async (taker) => (await run(takeCommand('', taker))).code))
  assert.deepEqual(codes.toSorted(), [0, 75, 75, 75, 75, 75, 75, 75])
})

test('lock: of two who take over from the same dead owner, one gets it', async (context) => {
  const run = hereGuardedIn(scratch(context))
  await run(takeCommand('', record))
  const take = async (token: string) => (await run(takeCommand(record.token, { ...record, token }))).code
  assert.deepEqual((await Promise.all([take('1'.repeat(32)), take('2'.repeat(32))])).toSorted(), [0, 75])
})

test('lock: a damaged record is seen as such', async (context) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  await run({ argv: ['sh', '-c', `mkdir -p ${folder}/run && echo half >${folder}/run/lock`], effect: 'change' })
  assert.equal((await knowing(run, nonce)(lockFact)).kind, 'damaged')
  assert.equal((await run(takeCommand('*', record))).code, 0)
})
