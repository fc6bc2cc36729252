/** Holding a lock while something is done: taken, kept, given back, whatever becomes of the work. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockFact } from '../../../scripts/converge/host-lock.ts'
import { assertUnlocked, type LockHolder, withLock } from '../../../scripts/converge/lock-lease.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import type { Runner } from '../../../scripts/core/host.ts'
import { createFactReader } from '../../../scripts/facts/fact-reader.ts'
import { historyFact } from '../../../scripts/history/history-fact.ts'
import { beginCommand } from '../../../scripts/history/log-command.ts'
import type { Event } from '../../../scripts/output/event.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'
import { recording } from '../recording.ts'

const holderOn = (run: Runner, isOwnerRunning: boolean, events: Event[] = []): LockHolder => ({
  run,
  freshFacts: () => createFactReader(run, nonce),
  emit: (event) => events.push(event),
  owner: {
    token: nonce(),
    owner: 'ada',
    verb: 'bootstrap',
    controller: 'desk',
    processSpace: 's',
    pid: 1,
    pidStart: '2',
    startedAt: 'now',
  },
  stateOfOwner: () => (isOwnerRunning ? 'running' : 'ended'),
  retryCommand: 'tappass bootstrap',
})

const stateOn = (run: Runner) => createFactReader(run, nonce)(lockFact)

test('withLock: held while the work goes on, free afterwards', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const state = await withLock(holderOn(run, true), async () => await stateOn(run))
  assert.equal(state.kind, 'held')
  assert.equal((await stateOn(run)).kind, 'free')
})

test('withLock: free again though the work failed', async (context) => {
  const run = hereGuardedIn(scratch(context))
  await assert.rejects(
    withLock(holderOn(run, true), async () => await Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal((await stateOn(run)).kind, 'free')
})

test('withLock: a second run is turned away with the name of the first, and does not take its lock away', async (context) => {
  const run = hereGuardedIn(scratch(context))
  await withLock(holderOn(run, true), async () => {
    await assert.rejects(
      withLock(holderOn(run, true), async () => assert.fail('worked beside the first')),
      (error: Error & { code: number; text: { why: string } }) => {
        assert.match(error.text.why, /ada on desk \(process 1, bootstrap, since now\)/)
        return error.code === 4
      },
    )
    const state = await stateOn(run)
    assert.equal(state.kind, 'held')
    assert.throws(() => assertUnlocked(holderOn(run, true), state), { code: 4 })
    assertUnlocked(holderOn(run, false), state)
  })
})

test('withLock: the lock of a dead run is taken over, and that is told', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const events: Event[] = []
  // The first run never gives its lock back: it was killed.
  const killed: Runner = async (command, onLine) => {
    const isRelease = command.argv.some((word) => word.includes('rm -f --'))
    return isRelease ? { code: 0, stdout: '', stderr: '' } : await run(command, onLine)
  }
  await withLock(holderOn(killed, true), async () => {})
  await withLock(holderOn(run, false, events), async () => {})
  assert.deepEqual(
    events.map((event) => event.event === 'lock-taken-over' && event.reason),
    ['its process has ended'],
  )
})

test('withLock: what a run notes at its begin rides with the lock, and an owner reads as before', async (context) => {
  const { run, commands } = recording(hereGuardedIn(scratch(context)))
  const begin = beginCommand({ verb: 'bootstrap' }, 'record\n')
  const count = async (holder: LockHolder) => {
    const before = commands.length
    await withLock(holder, async () => {})
    return commands.length - before
  }
  const without = await count(holderOn(run, true))
  assert.equal(await count({ ...holderOn(run, true), begin }), without)
  const { files, damaged } = await createFactReader(run, nonce)(historyFact)
  assert.deepEqual([files.map(({ name }) => name), damaged], [['000001-begun.json'], []])
  await withLock({ ...holderOn(run, true), begin }, async () => {
    const state = await stateOn(run)
    assert.ok(state.kind === 'held' && state.lockFile.owner === 'ada')
  })
})

test('withLock: a run that can’t note its begin does not start, and leaves the lock free', async (context) => {
  const folder = scratch(context)
  const run = hereGuardedIn(folder)
  writeFileSync(join(folder, 'history'), 'no folder')
  const holder = { ...holderOn(run, true), begin: beginCommand({ verb: 'bootstrap' }, 'record\n') }
  await assert.rejects(
    withLock(holder, async () => assert.fail('worked')),
    (error: Failure) => /mkdir/.test(error.text.why ?? '') && error.code === 1,
  )
  assert.equal((await stateOn(run)).kind, 'free')
})
