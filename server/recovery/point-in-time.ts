/** The database as it was at a moment: a base backup is started beside it, goes through the archived log up to then, and becomes a set like any other. */
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { backupName } from '../../contract/backup-name.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { LOG_TOO_SHORT } from '../adapters/container/postgres-archive.ts'
import type { DumpTool } from '../adapters/container/postgres-container.ts'
import type { BackupManifest } from '../backups/manifest.ts'
import { type BaseBackup, baseFor, isAtOrAfter, type JudgedBaseBackup, reachOf } from '../backups/wal.ts'
import { type BackupHost, backupFolderOf, pathOn } from './backup-host.ts'
import { checkBaseSpace, gapOf, listBaseBackups, segmentsOf, withBaseBackup } from './base-backup.ts'
import { createSet } from './create-set.ts'
import { readNote, wasAway } from './move-note.ts'

/** Why a moment can't be gone back to. */
export class UnreachableTime extends Error {}

function rangeText(bases: readonly JudgedBaseBackup[]): string {
  const first = bases.find(({ problem }) => problem === undefined)
  if (first === undefined) return 'there is no base backup yet: tappass backup create'
  return `the first moment that can be gone back to is ${first.endedAt}; for an earlier one restore a set: tappass backup list`
}

/** Returns the base from which that moment is reached. Throws an `UnreachableTime` when there is none. */
export async function baseAt(host: BackupHost, time: Date): Promise<JudgedBaseBackup> {
  if (time.getTime() > host.clock.nowMs()) throw new UnreachableTime(`${time.toISOString()} is not over yet`)
  const note = await readNote(host)
  if (note !== undefined && wasAway(note, time.getTime()))
    throw new UnreachableTime(
      `${time.toISOString()} can't be gone back to: the data were in ${note.address} until ${note.movedAt}, and its provider has that time`,
    )
  const bases = await listBaseBackups(host)
  const base = baseFor(bases, time.getTime())
  if (base === undefined) throw new UnreachableTime(`${time.toISOString()} can't be gone back to: ${rangeText(bases)}`)
  await assertMajor(host, base, time.toISOString())
  return base
}

/** A copy of a cluster is started by the major version that has made it, and by no other one. */
async function assertMajor(host: BackupHost, { name, postgres }: BaseBackup, what: string): Promise<void> {
  const own = await host.archiveTool.major()
  if (postgres === undefined || postgres === own) return
  throw new UnreachableTime(
    `${what} can't be gone back to: ${name}, the copy before it, is of PostgreSQL ${postgres}, and this server runs ${own}, which can't start it
    next: a set from before the move, which every version takes: tappass backup list, tappass backup restore SET
    or: the release that runs PostgreSQL ${postgres}, if it was not yet finished: tappass rollback, then the same command`,
  )
}

const ARCHIVED_MS_MAX = 60_000
const PAUSE_MS = 200

/** Everything up to now is archived then. Throws when that takes too long, or a segment between is missing. */
async function archiveAll(host: BackupHost, { firstWal, systemId, name }: JudgedBaseBackup): Promise<void> {
  const last = await host.archiveTool.switchSegment()
  const until = host.clock.elapsedMs() + ARCHIVED_MS_MAX
  for (;;) {
    const segments = await segmentsOf(host, systemId)
    const reach = reachOf(firstWal, segments)
    if (reach !== undefined && isAtOrAfter(reach, last)) return
    if (host.clock.elapsedMs() > until) {
      const reason = (await gapOf(host))?.text ?? 'the archive is behind'
      host.log(`note: from ${name} on the log is whole up to ${reach ?? 'nothing'}, and not up to now (${reason})`)
      return
    }
    await sleep(PAUSE_MS)
  }
}

/** Makes the set of that moment, which does not count before it is proven. Throws an `UnreachableTime` before anything is done. */
export async function setAt(host: BackupHost, time: Date, recipient: string | undefined): Promise<BackupManifest> {
  const base = await baseAt(host, time)
  const name = backupName(time)
  if (existsSync(join(backupFolderOf(host), name)))
    throw new UnreachableTime(`there is a set of that second already: tappass backup restore ${name}`)
  await checkBaseSpace(host)
  await archiveAll(host, base)
  host.log(`going from ${base.name} through the log to ${time.toISOString()}`)
  return await withBaseBackup(host, base, { kind: 'time', time }, (dumpTool) =>
    createSet({ ...host, dumpTool }, recipient, time),
  )
}

const LAST_COMMIT = `SELECT to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** When the last commit was that the log has; undefined: it has none. */
async function lastCommit({ openSnapshot }: DumpTool): Promise<Date | undefined> {
  const snapshot = await openSnapshot()
  try {
    const [text = ''] = await snapshot.query(LAST_COMMIT)
    return text === '' ? undefined : new Date(text)
  } finally {
    await snapshot.close()
  }
}

/** What a lost server has left of a moment: the name of its base backup, which was brought here with its log; without a time it is the end of that. */
export type LostPoint = Readonly<{ base: string; time: Date | undefined }>

/** Makes the set of a moment of a server that was lost. `founding` is the set that this host is being made from; what a cut run has made of the moment is made anew. */
export async function setOfLost(
  host: BackupHost,
  { base: named, time }: LostPoint,
  founding: string,
  recipient: string | undefined,
): Promise<BackupManifest> {
  const base = (await listBaseBackups(host)).find(({ name }) => name === named)
  if (base === undefined || base.problem !== undefined)
    throw new Error(`${named} was brought to this host, and ${base?.problem ?? 'is not whole'}`)
  await assertMajor(host, base, time?.toISOString() ?? 'the end of the log')
  await checkBaseSpace(host)
  const target = time === undefined ? ({ kind: 'end' } as const) : ({ kind: 'time', time } as const)
  host.log(`going from ${base.name} through the log to ${time?.toISOString() ?? 'its end'}`)
  const made = withBaseBackup(host, base, target, async (dumpTool) => {
    const found = time ?? (await lastCommit(dumpTool)) ?? new Date(base.endedAt)
    const at = backupName(found) === founding ? new Date(found.getTime() + 1000) : found
    await rm(join(backupFolderOf(host), backupName(at)), { recursive: true, force: true })
    return await createSet({ ...host, dumpTool }, recipient, at)
  })
  return await made.catch((error: Error) => {
    if (time === undefined || !LOG_TOO_SHORT.test(error.message)) throw error
    throw new UnreachableTime(
      `${time.toISOString()} is behind the end of the log in the store: the same command with --to latest goes to that`,
    )
  })
}

/** Takes away what was brought: the store has it, and this host has a cluster of its own. */
export async function removeLost(host: BackupHost, named: string): Promise<void> {
  const base = (await listBaseBackups(host)).find(({ name }) => name === named)
  await rm(join(backupFolderOf(host), named), { recursive: true, force: true })
  if (base !== undefined)
    await rm(join(pathOn(host, HOST_PATH.walFolder), base.systemId), { recursive: true, force: true })
}
