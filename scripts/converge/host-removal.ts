/** An uninstall on one host: what there is of ours is planned as absent, shown, confirmed and taken away, in the reverse order of the recipe. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { changeCommand, scriptCommand } from '../core/command.ts'
import type { Removal, Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import type { LeftBehind } from '../output/event.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import { converge } from './converge.ts'
import { lockFact } from './host-lock.ts'
import { lockHolderOf } from './host-run.ts'
import { assertUnlocked, withLock } from './lock-lease.ts'
import { hostResultOf } from './locked-run.ts'
import { planAll, plannedChanges } from './plan.ts'

/** What no uninstall takes away, and why it is right so. Nothing else is left. */
export const LEFT_ALWAYS: readonly LeftBehind[] = [
  {
    what: 'entries in the journal, /var/log/apt and /var/log/dpkg.log',
    why: 'what happened is on record, and the operator keeps it',
  },
  { what: 'apt’s package lists and caches', why: 'they are renewed by themselves, and hold nothing of ours' },
  {
    what: '/etc/passwd-, group-, shadow-, subuid- …',
    why: 'the copies that useradd and userdel keep of the version before',
  },
  { what: '/var/lib/systemd/credential.secret', why: 'what else is sealed on this host is sealed with it' },
]

/** What stays with the data, besides. */
const LEFT_WITH_DATA: LeftBehind = {
  what: `${HOST_PATH.stateFolder}, the log of runs in ${HOST_PATH.historyFolder}, the secrets in ${HOST_PATH.encryptedCredentialsFolder}, and the accounts that own them`,
  why: 'the data and what they are read with; uninstall --data takes them away',
}

/** On a server that is older than the record. */
const LEFT_UNKNOWN: LeftBehind = {
  what: 'packages, Docker’s repository, images, and the deploy user',
  why: `the server was set up before ${HOST_PATH.madeRecord} was kept: nobody knows whether they were there`,
}

/** What stays of which kind of host. Pure. */
export function leftBehind(
  had: Readonly<{ hasData: boolean; hasSettings: boolean; hasRecord: boolean }>,
): readonly LeftBehind[] {
  return [
    ...LEFT_ALWAYS,
    ...(had.hasData ? [LEFT_WITH_DATA] : []),
    ...(had.hasSettings && !had.hasRecord ? [LEFT_UNKNOWN] : []),
  ]
}

/** The folder with the settings and the record goes last: a run that goes on after a killed one needs both. */
const LAST_ID = `directory:${HOST_PATH.configFolder}`

/** Returns the resources as they are to go: the last made first. A kind that does not say how it goes is a defect. */
export function resourcesAbsent(resources: readonly Resource[], removal: Removal): readonly Resource[] {
  const reversed = resources.toReversed().map(({ id, role, absent }): Resource => {
    if (absent === undefined) throw new Error(`${id} does not say how it goes`)
    return { id, ...(role === undefined ? {} : { role }), plan: (getFact) => absent(getFact, removal) }
  })
  return [...reversed.filter(({ id }) => id !== LAST_ID), ...reversed.filter(({ id }) => id === LAST_ID)]
}

/** The toolkit's own folders go with the last run, unless another one has begun; a run that a reboot ended has left files that it was sent. */
const REMOVE_LOCK_FOLDER = scriptCommand('[ -e "$1/lock" ] || rm -rf -- "$1" "$2"', [
  HOST_PATH.convergeFolder,
  HOST_PATH.sentFilesFolder,
])

/** The log of runs is data, too: it goes when this run has been noted in it. */
const REMOVE_HISTORY = changeCommand('rm', '-rf', '--', HOST_PATH.historyFolder)

/** Takes all away. `confirm` asks for the host's name. Throws a `Failure` when the host is locked or unreachable, or the removal cannot be confirmed. */
export async function removeFromHost(
  invocation: Invocation,
  host: HostSession,
  resources: readonly Resource[],
  removal: Removal,
  confirm: (host: HostSession, changes: number) => Promise<boolean>,
): Promise<HostResult> {
  const absent = resourcesAbsent(resources, removal)
  const getFact = host.freshFacts()
  const [lock, plan, state, settings, record] = await Promise.all([
    getFact(lockFact),
    planAll(absent, getFact),
    ...[HOST_PATH.stateFolder, HOST_PATH.configFolder, HOST_PATH.madeRecord].map((path) => getFact(pathFact(path))),
  ])
  if (plan.refusals.length > 0) {
    host.emit({ event: 'refused', reasons: plan.refusals })
    return { outcome: 'refused', applied: 0, remaining: 0 }
  }
  const holder = lockHolderOf(invocation, host)
  assertUnlocked(holder, lock)
  const changes = plannedChanges(plan)
  host.emit({ event: 'plan', resources: absent.length, changes })
  if (changes.length === 0) return { outcome: 'up-to-date', applied: 0, remaining: 0 }
  if (!(await confirm(host, changes.length))) return { outcome: 'declined', applied: 0, remaining: plan.planned.length }
  const result = await withLock(holder, (isLost) =>
    converge(absent, {
      ...host,
      freshFacts: () => host.freshFacts(),
      nowMs: invocation.nowMs,
      shouldStop: () => invocation.interrupt.aborted || isLost(),
      retryCommand: holder.retryCommand,
    }),
  )
  if (result.status === 'up-to-date') {
    await host.run(REMOVE_LOCK_FOLDER)
    if (removal.isWithData) await host.run(REMOVE_HISTORY)
    await host.run(changeCommand('systemctl', 'daemon-reload'))
    const isThere = (found: typeof state) => found !== undefined && found.kind !== 'absent'
    const had = {
      hasData: !removal.isWithData && isThere(state),
      hasSettings: isThere(settings),
      hasRecord: isThere(record),
    }
    host.emit({ event: 'left', left: leftBehind(had) })
  }
  return hostResultOf(result, host)
}
