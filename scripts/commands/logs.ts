/** `tappass logs`: what the services of each host write into its journal, by the name of the service; with `--follow` as it is written. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { commandHint, hostCommandHint, typedVerb } from '../command-line/command-hint.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { composeLogs } from '../compose/compose-command.ts'
import { isForCompose } from '../compose/compose-file.ts'
import { Failure, usageFailure } from '../core/failure.ts'
import { printable } from '../core/printable.ts'
import { readTargets, type Target } from '../inventory/target.ts'
import { parseJournalEntry } from '../journal/journal-entry.ts'
import { journalCommand, readJournalRequest } from '../journal/journal-query.ts'
import { servicesOf, unitsOfService } from '../journal/service.ts'
import { connectors } from '../runners/connectors.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { HOSTS_AT_ONCE_MAX } from '../session/side-by-side.ts'

/** What is followed never ends by itself: a host beyond the last place would never be asked. */
function assertPlaces(invocation: Invocation, targets: readonly Target[]): void {
  if (targets.length <= HOSTS_AT_ONCE_MAX) return
  const what = `${targets.length} hosts are more than can be followed at a time (${HOSTS_AT_ONCE_MAX})`
  throw usageFailure(what, commandHint(invocation, typedVerb(invocation), '--limit', targets[0]?.name ?? 'HOST'))
}

/** A promise that ends with the first interrupt. */
function untilInterrupted({ interrupt }: Invocation): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (interrupt.aborted) resolve()
  interrupt.addEventListener('abort', () => resolve(), { once: true })
  return promise
}

/** Returns 0 all shown, 1 the journal can't be read, 5 no root privileges, 6 unreachable, 64 no such service, 130 interrupted. */
export async function run(invocation: Invocation): Promise<number> {
  if (isForCompose(invocation)) return await composeLogs(invocation)
  const units = unitsOfService(invocation, servicesOf(readdirSync(join(invocation.root, 'units'))))
  const request = readJournalRequest(invocation)
  const targets = await readTargets(invocation)
  if (request.isFollowing) assertPlaces(invocation, targets)
  const work = async ({ run: asRoot, target, emit }: HostSession): Promise<HostResult> => {
    let shown = 0
    const notices: string[] = []
    const onLine = (line: string) => {
      const entry = parseJournalEntry(line)
      if (entry === undefined) return void notices.push(printable(line))
      shown++
      emit({ event: 'log', ...entry })
    }
    const command = journalCommand(request, units, untilInterrupted(invocation))
    const { code } = await asRoot(command, onLine).catch((error: unknown) => {
      if (invocation.interrupt.aborted) return { code: 0 }
      throw error
    })
    if (invocation.interrupt.aborted) return { outcome: 'interrupted', applied: 0, remaining: 0 }
    if (code !== 0) {
      const why = notices.at(-1) ?? `journalctl ended with ${code}`
      throw new Failure({
        what: 'cannot read the journal',
        where: target.name,
        why,
        next: 'journalctl -n 1   (on the host)',
      })
    }
    if (shown > 0) return { outcome: 'shown', applied: 0, remaining: 0 }
    const what = `nothing was written by ${invocation.operands[0] ?? 'the services of TapPass'} on this host in that time`
    emit({ event: 'warning', warning: { what, next: hostCommandHint(invocation, 'status') } })
    return { outcome: 'shown', applied: 0, remaining: 0 }
  }
  return await forEachHost(invocation, connectors, targets, { work })
}
