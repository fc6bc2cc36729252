/** When a base backup is taken, and what of the newest one is looked at again. */

import type { JudgedBaseBackup } from '../backups/wal.ts'
import type { BackupHost } from './backup-host.ts'
import { baseDifference, gapOf, listBaseBackups, proveBaseBackup, takeBaseBackup } from './base-backup.ts'

const AGE_MS_MIN = 20 * 3600 * 1000

/** Those of the cluster in force: after a move to another major version of PostgreSQL the ones before it can't be started, and lead to no moment since. */
async function ownBases(host: BackupHost): Promise<readonly JudgedBaseBackup[]> {
  const own = await host.archiveTool.systemId()
  return (await listBaseBackups(host)).filter(({ systemId }) => systemId === own)
}

/** Takes one a night: runs in between, as before an upgrade, take none. After a gap in the log nothing else makes later moments reachable. */
export async function takeDueBaseBackup(host: BackupHost): Promise<void> {
  const newest = (await ownBases(host)).findLast(({ problem }) => problem === undefined)
  const ageMs = host.clock.nowMs() - Date.parse(newest?.takenAt ?? '1970-01-01')
  if (ageMs < AGE_MS_MIN && (await gapOf(host)) === undefined) return
  const { name, bytes, rows } = await takeBaseBackup(host)
  host.log(`made ${name} (${bytes} bytes): started beside the server, ${rows} rows`)
}

/** Looks at the newest: its bytes, whether its log is there, and whether it starts. Throws for what is not good; does nothing where there is none. */
export async function verifyBaseBackup(host: BackupHost): Promise<void> {
  const base = (await ownBases(host)).at(-1)
  if (base === undefined) return
  const problem = (await baseDifference(host, base)) ?? base.problem ?? (await gapOf(host))?.text
  if (problem !== undefined) throw new Error(`${base.name} is not good: ${problem}`)
  const rows = await proveBaseBackup(host, base)
  host.log(
    `verified ${base.name}: started beside the server, ${rows} rows; any moment since ${base.endedAt} can be gone back to`,
  )
}
