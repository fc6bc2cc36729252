/** Holding a lock while something is done: taken, kept, given back, whatever becomes of the work. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lockFact } from '../../../scripts/converge/host-lock.ts'
import { type Keeper, respectLock, underLock } from '../../../scripts/converge/lock-lease.ts'
import type { Runner } from '../../../scripts/core/host.ts'
import { knowing } from '../../../scripts/facts/fact-reader.ts'
import type { Event } from '../../../scripts/output/event.ts'
import { hereGuardedIn, nonce, scratch } from '../known-host.ts'

const keeperOn = (run: Runner, isOwnerRunning: boolean, events: Event[] = []): Keeper => ({
  run,
  look: () => knowing(run, nonce),
  tell: (event) => events.push(event),
  owner: {
    token: nonce(),
    owner: 'ada',
    verb: 'bootstrap',
    controller: 'desk',
    controllerBoot: 'b',
    pid: 1,
    pidStart: '2',
    startedAt: 'now',
  },
  isOwnerRunning: () => isOwnerRunning,
})

const stateOn = (run: Runner) => knowing(run, nonce)(lockFact)

test('underLock: held while the work goes on, free afterwards', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const seen = await underLock(keeperOn(run, true), async () => await stateOn(run))
  assert.equal(seen.kind, 'held')
  assert.equal((await stateOn(run)).kind, 'free')
})

test('underLock: free again though the work failed', async (context) => {
  const run = hereGuardedIn(scratch(context))
  await assert.rejects(
    underLock(keeperOn(run, true), async () => await Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal((await stateOn(run)).kind, 'free')
})

test('underLock: a second run is turned away with the name of the first, and does not take its lock away', async (context) => {
  const run = hereGuardedIn(scratch(context))
  await underLock(keeperOn(run, true), async () => {
    await assert.rejects(
      underLock(keeperOn(run, true), async () => assert.fail('worked beside the first')),
      (error: Error & { code: number; text: { why: string } }) => {
        assert.match(error.text.why, /ada on desk \(process 1, bootstrap, since now\)/)
        return error.code === 4
      },
    )
    const seen = await stateOn(run)
    assert.equal(seen.kind, 'held')
    assert.throws(() => respectLock(keeperOn(run, true), seen), { code: 4 })
    respectLock(keeperOn(run, false), seen)
  })
})

test('underLock: the lock of a dead run is taken over, and that is told', async (context) => {
  const run = hereGuardedIn(scratch(context))
  const events: Event[] = []
  // The first run never gives its lock back: it was killed.
  const killed: Runner = async (command, hear) => {
    const isRelease = command.argv.some((word) => word.includes('rm -f --'))
    return isRelease ? { code: 0, stdout: '', stderr: '' } : await run(command, hear)
  }
  await underLock(keeperOn(killed, true), async () => {})
  await underLock(keeperOn(run, false, events), async () => {})
  assert.deepEqual(
    events.map((event) => event.event === 'lock-taken-over' && event.because),
    ['its process has ended'],
  )
})
