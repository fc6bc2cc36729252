/** The database as it was at a moment: a base backup is started beside it, goes through the archived log up to then, and becomes a set like any other. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { backupName } from '../../contract/backup-name.ts'
import type { BackupManifest } from '../backups/manifest.ts'
import { baseFor, isAtOrAfter, type JudgedBaseBackup, reachOf } from '../backups/wal.ts'
import { type BackupHost, backupFolderOf } from './backup-host.ts'
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
  if (base !== undefined) return base
  throw new UnreachableTime(`${time.toISOString()} can't be gone back to: ${rangeText(bases)}`)
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
