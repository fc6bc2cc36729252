/** Holds the lock of a host during a run: acquires it or fails with its owner, sends heartbeats, releases it. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { Command, GetFact, Runner } from '../core/host.ts'
import type { Emit } from '../output/event.ts'
import {
  acquireLockCommand,
  decideLock,
  HEARTBEAT_MS,
  heartbeatCommand,
  type LockDecision,
  type LockFile,
  type LockObserver,
  type LockState,
  lockFact,
  releaseLockCommand,
} from './host-lock.ts'

/** This run, as the lock file describes it; the boot id of the host is added later. */
export type LockOwner = Omit<LockFile, 'hostBoot'>

/** What a run needs to hold the lock. `stateOfOwner` tells what is known of a process that can be seen from here; `retryCommand` is the command line of this run. `begin` is run on the host with the lock, before any change. */
export type LockHolder = Readonly<{
  run: Runner
  freshFacts: () => GetFact
  emit: Emit
  owner: LockOwner
  stateOfOwner: LockObserver['stateOfOwner']
  retryCommand: string
  /** The command line that shows a run which goes on as a unit of the host. */
  attachCommand?: string
  begin?: Command | undefined
  /** The token of the run that this one is a part of, and whose lock it goes on with. */
  predecessor?: string
}>

/** Exit code of a lock command when the lock has changed meanwhile. */
const LOCK_CHANGED_CODE = 75

function lockedFailure(owner: string, { retryCommand, attachCommand }: LockHolder): Failure {
  const watching = attachCommand === undefined ? '' : `; ${attachCommand} shows it`
  return new Failure(
    {
      what: 'another run is changing this host',
      why: `the lock is held by ${owner}`,
      next: `wait until it has finished${watching}, then ${retryCommand}`,
    },
    EXIT_CODE.locked,
  )
}

function decide({ owner: { processSpace }, stateOfOwner }: LockHolder, state: LockState): LockDecision {
  return decideLock(state, { ...(processSpace === undefined ? {} : { processSpace }), stateOfOwner })
}

/** Throws a `Failure` (exit 4) when another run holds the lock and is alive. */
export function assertUnlocked(holder: LockHolder, state: LockState): void {
  const decision = decide(holder, state)
  if (decision.decision === 'locked') throw lockedFailure(decision.owner, holder)
}

async function acquireLock(holder: LockHolder): Promise<void> {
  const { run, freshFacts, emit, owner, retryCommand } = holder
  const state = await freshFacts()(lockFact)
  const isInherited = state.kind === 'held' && state.lockFile.token === holder.predecessor
  const decision: LockDecision = isInherited
    ? { decision: 'acquire', expected: state.lockFile.token }
    : decide(holder, state)
  if (decision.decision === 'locked') throw lockedFailure(decision.owner, holder)
  const lockFile = { ...owner, hostBoot: state.hostBoot }
  const { code, stderr } = await run(acquireLockCommand(decision.expected, lockFile, holder.begin))
  if (code === LOCK_CHANGED_CODE) throw lockedFailure('a run that started at the same moment', holder)
  if (code !== 0)
    throw new Failure({ what: 'cannot acquire the lock of the host', why: stderr.trim(), next: retryCommand })
  if (decision.decision === 'take-over') {
    emit({ event: 'lock-taken-over', owner: decision.owner, reason: decision.reason })
  }
}

/**
 * Runs `work` while holding the lock. `isLost` tells whether the lock was lost (another run saw no heartbeat and took it over). Throws what
 * `work` throws, and a `Failure` (exit 4) when another run holds the lock.
 */
export async function withLock<T>(holder: LockHolder, work: (isLost: () => boolean) => Promise<T>): Promise<T> {
  await acquireLock(holder)
  let isLost = false
  const sendHeartbeat = async () => {
    // Another run has it, or a unit of the host that goes on with this one.
    if (isLost) return
    const { code } = await holder.run(heartbeatCommand(holder.owner.token)).catch(() => ({ code: 0 }))
    isLost ||= code === LOCK_CHANGED_CODE
  }
  const timer = setInterval(sendHeartbeat, HEARTBEAT_MS)
  timer.unref()
  try {
    return await work(() => isLost)
  } finally {
    clearInterval(timer)
    // `work` reports a lost connection itself; the lock is free once its owner's process has ended.
    await holder.run(releaseLockCommand(holder.owner.token)).catch(() => undefined)
  }
}
