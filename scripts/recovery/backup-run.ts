/** The process of backups on a host, run with the host's lock and shown as it speaks; and what is looked at after a restoration. */
import { hostname, userInfo } from 'node:os'
import { EXIT_CODE, exitCodeOf } from '../../contract/exit-code.ts'
import { bootstrapHint, hostCommandHint, renderProcessHints } from '../command-line/command-hint.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { untilServing } from '../control/backup-process.ts'
import { processCommand } from '../control/process-target.ts'
import { lockFact } from '../converge/host-lock.ts'
import { lockHolderOf } from '../converge/host-run.ts'
import { assertUnlocked, withLock } from '../converge/lock-lease.ts'
import { Failure } from '../core/failure.ts'
import type { Command, Output } from '../core/host.ts'
import { type HostResult, type HostSession, outcomeOf } from '../session/host-session.ts'

/** Who types, as it stands in the log of runs and in the ledger. */
export function operatorOf(): string {
  return `${userInfo().username}@${hostname()}`
}

/** Shows what the process said. Returns how it ended; throws a `Failure` (exit 4) when another one is under way. */
export function show(invocation: Invocation, { code, stdout, stderr }: Output, { emit }: HostSession): HostResult {
  const lines = stdout.split('\n').filter((line) => line !== '')
  if (isGiven(invocation, 'json')) for (const line of lines) emit({ event: 'output', step: 1, line })
  else invocation.stdout.write(renderProcessHints(invocation, stdout))
  invocation.stderr.write(renderProcessHints(invocation, stderr))
  if (code === EXIT_CODE.locked)
    throw new Failure(
      {
        what: 'another backup or restoration is under way on this host',
        next: hostCommandHint(invocation, 'logs backup'),
      },
      EXIT_CODE.locked,
    )
  const outcome = code === 0 ? 'up-to-date' : outcomeOf(exitCodeOf(code))
  return { outcome, applied: 0, remaining: 0 }
}

/** Runs a command that changes the host, with its lock held. */
export async function runLocked(invocation: Invocation, host: HostSession, command: Command): Promise<Output> {
  const holder = lockHolderOf(invocation, host)
  assertUnlocked(holder, await host.freshFacts()(lockFact))
  return await withLock(holder, () => host.run(command))
}

/** After a restoration: the gateway serves, and the ledger of its database holds. */
export async function lookAfter(invocation: Invocation, host: HostSession): Promise<HostResult> {
  const { code } = await host.run(untilServing)
  if (code !== 0) {
    const next = hostCommandHint(invocation, 'status')
    throw new Failure({ what: 'the database was restored, but the gateway is not healthy', next })
  }
  return show(
    invocation,
    await host.run(processCommand('server/audit.ts', ['verify'], 'read', bootstrapHint(invocation))),
    host,
  )
}
