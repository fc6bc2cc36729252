/** An uninstall on one host: what there is of ours is planned as absent, shown, confirmed and taken away, in the reverse order of the recipe. */
import { HOST_PATH } from '../../contract/path.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { scriptCommand } from '../core/command.ts'
import type { Command, GetFact } from '../core/host.ts'
import type { Removal, Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import type { LeftBehind } from '../output/event.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import { converge } from './converge.ts'
import { lockFact } from './host-lock.ts'
import { lockHolderOf } from './host-run.ts'
import { assertUnlocked, type LockHolder, withLock } from './lock-lease.ts'
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

/**
 * The toolkit's own folders go with the last run, unless another one has begun; a run that a reboot ended has left files that it was sent. The log of runs is data,
 * too.
 */
const LAST_SCRIPT = `systemctl daemon-reload
[ -e "$1/lock" ] || rm -rf -- "$@"`

/** Takes away what a removal needed up to its end. */
export function removeLastCommand({ isWithData }: Removal): Command {
  const folders = [HOST_PATH.convergeFolder, HOST_PATH.sentFilesFolder, HOST_PATH.uninstallFolder]
  return scriptCommand(LAST_SCRIPT, [...folders, ...(isWithData ? [HOST_PATH.historyFolder] : [])])
}

/** A removal that was confirmed: who holds the lock for it, how much goes, and what is told to be left. */
export type ConfirmedRemoval = Readonly<{ holder: LockHolder; removal: Removal; left: readonly LeftBehind[] }>

/** Has a host go on with it by itself: `prepare` returns whether it can, `start` follows it and returns how it ended. */
export type RemovalHandOver = Readonly<{
  prepare: (host: HostSession) => Promise<boolean>
  start: (host: HostSession, confirmed: ConfirmedRemoval) => Promise<HostResult>
}>

/** Takes all away, with the lock held. What it needs itself is left to `removeLastCommand`. */
async function removeLocked(
  { nowMs }: Pick<Invocation, 'nowMs'>,
  host: HostSession,
  absent: readonly Resource[],
  { holder, left }: ConfirmedRemoval,
  shouldStop: () => boolean,
): Promise<HostResult> {
  const { retryCommand } = holder
  const result = await converge(absent, {
    ...host,
    freshFacts: () => host.freshFacts(),
    nowMs,
    shouldStop,
    retryCommand,
  })
  if (result.status === 'up-to-date') host.emit({ event: 'left', left })
  return hostResultOf(result, host)
}

/** Goes on, as a unit of the host, with a removal whose lock it takes over. */
export async function continueRemoval(
  { nowMs, interrupt }: Pick<Invocation, 'nowMs' | 'interrupt'>,
  host: HostSession,
  resources: readonly Resource[],
  confirmed: ConfirmedRemoval,
): Promise<HostResult> {
  const absent = resourcesAbsent(resources, confirmed.removal)
  return await withLock(confirmed.holder, (isLost) =>
    removeLocked({ nowMs }, host, absent, confirmed, () => interrupt.aborted || isLost()),
  )
}

/** What there is, besides what is planned. */
async function inspect(getFact: GetFact, { isWithData }: Removal) {
  const paths = [HOST_PATH.stateFolder, HOST_PATH.configFolder, HOST_PATH.madeRecord, HOST_PATH.uninstallFolder]
  const [state, settings, record, copy] = (await Promise.all(paths.map((path) => getFact(pathFact(path))))).map(
    ({ kind }) => kind !== 'absent',
  )
  const had = { hasData: !isWithData && state === true, hasSettings: settings === true, hasRecord: record === true }
  return { left: leftBehind(had), hasCopy: copy === true }
}

/**
 * Takes all away: as a unit of the host where that can run the toolkit, else from here. `confirm` asks for the host's name. Throws a `Failure` when the host is
 * locked or unreachable, or the removal cannot be confirmed.
 */
export async function removeFromHost(
  invocation: Invocation,
  host: HostSession,
  resources: readonly Resource[],
  removal: Removal,
  confirm: (host: HostSession, changes: number) => Promise<boolean>,
  handOver?: RemovalHandOver,
): Promise<HostResult> {
  const absent = resourcesAbsent(resources, removal)
  const getFact = host.freshFacts()
  const [lock, plan, { left, hasCopy }] = await Promise.all([
    getFact(lockFact),
    planAll(absent, getFact),
    inspect(getFact, removal),
  ])
  if (plan.refusals.length > 0) {
    host.emit({ event: 'refused', reasons: plan.refusals })
    return { outcome: 'refused', applied: 0, remaining: 0 }
  }
  const holder = lockHolderOf(invocation, host)
  assertUnlocked(holder, lock)
  const changes = plannedChanges(plan)
  host.emit({ event: 'plan', resources: absent.length, changes })
  if (changes.length === 0) {
    // Of a run that ended behind its last step, as with a reboot.
    if (hasCopy) await host.run(removeLastCommand(removal))
    return { outcome: 'up-to-date', applied: 0, remaining: 0 }
  }
  if (!(await confirm(host, changes.length))) return { outcome: 'declined', applied: 0, remaining: plan.planned.length }
  const confirmed = { holder, removal, left }
  let isHandedOver = false
  const result = await withLock(holder, async (isLost) => {
    const shouldStop = () => invocation.interrupt.aborted || isLost()
    isHandedOver = (await handOver?.prepare(host)) === true && !shouldStop()
    if (handOver !== undefined && isHandedOver) return await handOver.start(host, confirmed)
    return await removeLocked(invocation, host, absent, confirmed, shouldStop)
  })
  if (result.outcome === 'up-to-date' && !isHandedOver) await host.run(removeLastCommand(removal))
  return result
}
