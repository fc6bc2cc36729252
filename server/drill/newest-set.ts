/** The newest backup that counts: what is left after a loss, and how old it is. */
import { join } from 'node:path'
import type { BackupManifest } from '../backups/manifest.ts'
import { backupFolderOf } from '../recovery/backup-host.ts'
import { findSource, type RestoreSource } from '../recovery/restore-source.ts'
import { listBackups } from '../recovery/set-list.ts'
import { type DrillContext, NotHere } from './drill.ts'

/** `ageMs`: how long ago it was taken; what came after it would be lost. */
export type NewestSet = Readonly<{
  folder: string
  manifest: BackupManifest
  source: RestoreSource
  ageMs: number
}>

/** Reads it to its end: signature, digests, keys. Throws when it may not be restored, `NotHere` when there is none. */
export async function newestSet({ host, clock }: DrillContext): Promise<NewestSet> {
  const listed = (await listBackups(host)).findLast(({ isVerified, format }) => isVerified && format === 2)
  if (listed === undefined) throw new NotHere('there is no backup that counts: tappass backup create')
  const source = await findSource(host, listed.name, undefined)
  const [problem] = source.problems
  if (source.manifest === undefined || problem !== undefined)
    throw new Error(`${listed.name} can't be restored: ${problem?.what ?? 'it has no manifest'}`)
  const folder = join(backupFolderOf(host), listed.name)
  return { folder, manifest: source.manifest, source, ageMs: Math.max(0, Math.round(clock.nowMs() - listed.takenMs)) }
}
