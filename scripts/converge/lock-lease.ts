/** Holds a host's lock while something is done to it: takes it or says who has it, gives signs of life, gives it back. */

import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { Know, Runner } from '../core/host.ts'
import type { Tell } from '../output/event.ts'
import {
  HEARTBEAT_MS,
  judgeLock,
  type LockRecord,
  type LockState,
  lockFact,
  releaseCommand,
  takeCommand,
  touchCommand,
} from './host-lock.ts'

/** This run, as others will see it; the host adds its own boot. */
export type LockOwner = Omit<LockRecord, 'hostBoot'>

/** `isOwnerRunning` says of a process on this controller whether it still runs. */
export type Keeper = Readonly<{
  run: Runner
  look: () => Know
  tell: Tell
  owner: LockOwner
  isOwnerRunning: (record: LockRecord) => boolean
}>

/** compareAndDo's answer when the lock is not what it was. */
const OTHERWISE = 75

function lockedFailure(owner: string): Failure {
  return new Failure(
    { what: 'another run is changing this host', why: `it is ${owner}`, next: 'wait for it, then run this again' },
    EXIT_CODE.locked,
  )
}

/** Throws a `Failure` (exit 4) when a living run has the lock. */
export function respectLock({ owner, isOwnerRunning }: Keeper, state: LockState): void {
  const judgement = judgeLock(state, owner, isOwnerRunning)
  if (judgement.verdict === 'respect') throw lockedFailure(judgement.owner)
}

async function take(keeper: Keeper): Promise<void> {
  const { run, look, tell, owner } = keeper
  const state = await look()(lockFact)
  const judgement = judgeLock(state, owner, keeper.isOwnerRunning)
  if (judgement.verdict === 'respect') throw lockedFailure(judgement.owner)
  const { code, stderr } = await run(takeCommand(judgement.expected, { ...owner, hostBoot: state.hostBoot }))
  if (code === OTHERWISE) throw lockedFailure('one that began at this very moment')
  if (code !== 0) throw new Failure({ what: 'the lock could not be taken', why: stderr.trim(), next: 'run it again' })
  if (judgement.verdict === 'take-over') {
    tell({ event: 'lock-taken-over', owner: judgement.owner, because: judgement.because })
  }
}

/**
 * Does `work` under the lock. `work` gets a question to ask between steps: whether the lock was lost (taken over by somebody who saw no sign
 * of life). Throws what `work` throws, and a `Failure` (exit 4) when the lock is another's.
 */
export async function underLock<T>(keeper: Keeper, work: (isLost: () => boolean) => Promise<T>): Promise<T> {
  await take(keeper)
  let isLost = false
  const beat = async () => {
    const { code } = await keeper.run(touchCommand(keeper.owner.token)).catch(() => ({ code: 0 }))
    isLost ||= code === OTHERWISE
  }
  const timer = setInterval(beat, HEARTBEAT_MS)
  timer.unref()
  try {
    return await work(() => isLost)
  } finally {
    clearInterval(timer)
    // A connection that is gone is told by `work` itself; the lock then falls with its owner's process.
    await keeper.run(releaseCommand(keeper.owner.token)).catch(() => undefined)
  }
}
