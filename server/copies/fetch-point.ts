/**
 * Fetches what a moment of a lost server is made from: the newest base backup before it, and the log from there on. Nothing but the store, the private half of the recovery key and the
 * key that the host has signed with is needed.
 */
import { appendFile, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isSignedBy } from '../backups/manifest.ts'
import { fileDigest } from '../backups/set-file.ts'
import { BASE_FILE, type BaseBackup, baseProblem, parseBaseBackup } from '../backups/wal.ts'
import { fetchSet, listSets, readSound } from './fetch-set.ts'
import { type BackupStore, StoreFailure } from './store.ts'
import { type Batch, batchesFrom, isOfBatch, openBatch, packSegments, parseBatch, walBeginning } from './wal-batch.ts'

/** What fetching needs. `keys` are those that have to have signed the base backup; without a time it is the end of the log. */
export type PointWork = Readonly<{
  store: BackupStore
  identity: string
  folder: string
  keys: readonly Uint8Array[]
  time: Date | undefined
}>

/** The name of the file with the log, beside those of the base backup: a tar of what was archived, in which the first of a name counts. */
export const LOG_FILE = 'wal.tar'

/** Fetches the note of a base backup. Throws for one that no key has signed. */
async function fetchNote(work: PointWork, name: string): Promise<BaseBackup> {
  const folder = join(work.folder, name)
  await fetchSet({ ...work, set: name, folder }, [BASE_FILE.note, BASE_FILE.signature])
  const [text, signature] = await Promise.all(
    [BASE_FILE.note, BASE_FILE.signature].map((file) => readFile(join(folder, file), 'utf8')),
  )
  const base = parseBaseBackup(text ?? '')
  if (base?.name === name && isSignedBy(work.keys, name, text ?? '', signature ?? '')) return base
  throw new Error(`the note of ${name} is not signed by the key of the set, or was changed`)
}

/** The newest base backup that ended before the moment. */
async function baseOf(work: PointWork): Promise<BaseBackup> {
  const bases = (await listSets(work.store, 'base-')).filter(({ copiedAt }) => copiedAt !== undefined)
  let oldest: BaseBackup | undefined
  for (const { set } of bases) {
    const base = await fetchNote(work, set)
    if (work.time === undefined || Date.parse(base.endedAt) <= work.time.getTime()) return base
    await rm(join(work.folder, set), { recursive: true })
    oldest = base
  }
  if (oldest === undefined) throw new StoreFailure('failed', 'the store has no base backup: no moment can be gone to')
  throw new StoreFailure('failed', `the first moment that the store has is ${oldest.endedAt}`)
}

/** Fetches the log from the segment on that the base needs first. Returns the names of the segments. */
async function fetchLog(work: PointWork, { name, systemId, firstWal }: BaseBackup): Promise<readonly string[]> {
  const { store, identity, folder } = work
  const path = join(folder, name, LOG_FILE)
  await rm(path, { force: true })
  // Whoever has the credentials of the host could add a batch later: of a segment that stands twice the first counts.
  const objects = (await store.list(walBeginning(systemId))).toSorted((a, b) => a.modifiedMs - b.modifiedMs)
  const batches = objects.map((object) => parseBatch(object.name)).filter((batch) => batch !== undefined)
  const names = new Set<string>()
  for (const batch of batchesFrom(batches, firstWal)) {
    const sealed = await readSound(store, batch.name, (bytes) => (isOfBatch(batch, bytes) ? bytes : undefined))
    if (sealed === undefined) throw changed(batch)
    const segments = (await openBatch(identity, sealed)).filter((segment) => !names.has(segment.name))
    for (const segment of segments) names.add(segment.name)
    await appendFile(path, await packSegments(segments), { mode: 0o600 })
  }
  return [...names]
}

function changed({ name }: Batch): StoreFailure {
  return new StoreFailure('changed', `${name} in the store is missing, or has other bytes than were copied there`)
}

/** Fetches both into `folder/BASE`. Returns the base. Throws when they lead to no whole cluster. */
export async function fetchPoint(work: PointWork): Promise<BaseBackup> {
  const base = await baseOf(work)
  const folder = join(work.folder, base.name)
  await fetchSet({ ...work, set: base.name, folder })
  if ((await fileDigest(join(folder, BASE_FILE.tar))) !== base.sha256)
    throw new StoreFailure('changed', `${BASE_FILE.tar} of ${base.name} is not what its signed note says`)
  const problem = baseProblem(base, await fetchLog(work, base))
  if (problem !== undefined) throw new StoreFailure('failed', `${base.name} in the store can't be started: ${problem}`)
  return base
}
