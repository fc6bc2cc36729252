/** What `upgrade` and `rollback` do on each host. */
import { type Invocation, textOption } from '../command-line/invocation.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import { isOwnRelease, moveToInstalled } from './release-delegation.ts'
import { type MoveContext, moveToOwnRelease } from './release-move.ts'

/** Returns what moves a host: to the release of this toolkit, or with `--to`, and on the way back, to one that is on the host. */
export function createMove(invocation: Invocation, context: MoveContext): (host: HostSession) => Promise<HostResult> {
  const typed = textOption(invocation, 'to')
  const isToInstalled = typed !== undefined || invocation.verb.name === 'rollback'
  return (host) => {
    const isOwn = typed !== undefined && host.target.address === undefined && isOwnRelease(invocation, typed)
    return isToInstalled && !isOwn
      ? moveToInstalled(invocation, host, typed)
      : moveToOwnRelease(invocation, host, context)
  }
}

/** Returns the command line for what all hosts have in common: without batches `--soak` is about the instances of each host alone. */
export function withoutSoak(invocation: Invocation): Invocation {
  const { soak: _, ...options } = invocation.options
  return { ...invocation, options }
}
