/** Lists the backups in a store, and fetches one with the private half of the recovery key: nothing else of the host that made it is needed. */
import { existsSync } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { recoveryKeyProblem } from '../../contract/recovery-key.ts'
import { sha256 } from '../core/hash.ts'
import { type IndexedFile, indexBeginning, objectOf, parseIndex, type StoreIndex } from './part.ts'
import { openPart } from './sealed-part.ts'
import { type BackupStore, type StoredObject, StoreFailure } from './store.ts'

/** A backup in a store. `missing` are parts that its index names and that are not there; without an index it was never finished. `recipient` is the recovery key that it is sealed to, as far as its index says it. */
export type StoredSet = Readonly<{
  set: string
  copiedAt: string | undefined
  bytes: number
  files: number
  missing: number
  recipient: string | undefined
}>

/** Returns what stands under a name and is sound; of a store that keeps what was overwritten, an earlier version, too. */
export async function readSound<T>(
  store: BackupStore,
  name: string,
  sound: (bytes: Uint8Array) => T | undefined,
): Promise<T | undefined> {
  const bytes = await store.read(name)
  const found = bytes === undefined ? undefined : sound(bytes)
  if (found !== undefined) return found
  for await (const earlier of store.readEarlier(name)) {
    const old = sound(earlier)
    if (old !== undefined) return old
  }
  return undefined
}

/** Of several indexes the oldest counts: who has the credentials of a host could add another one later. */
async function indexOf(store: BackupStore, objects: readonly StoredObject[]): Promise<StoreIndex | undefined> {
  const indexes = objects.filter(({ name }) => objectOf(name)?.isIndex === true)
  for (const { name } of indexes.toSorted((a, b) => a.modifiedMs - b.modifiedMs)) {
    const index = await readSound(store, name, (bytes) => parseIndex(name, bytes))
    if (index !== undefined) return index
  }
  return undefined
}

/** Returns the backups in a store whose name begins so, the newest first. */
export async function listSets(
  store: BackupStore,
  beginning: 'tappass-' | 'base-' = 'tappass-',
): Promise<readonly StoredSet[]> {
  const ours = (await store.list(beginning)).filter(({ name }) => objectOf(name) !== undefined)
  const bySet = Map.groupBy(ours, ({ name }) => objectOf(name)?.set ?? '')
  const sets: StoredSet[] = []
  for (const set of [...bySet.keys()].toSorted().toReversed()) {
    const objects = bySet.get(set) ?? []
    const index = await indexOf(store, objects)
    const there = new Set(objects.map(({ name, bytes }) => `${name} ${bytes}`))
    const parts = index?.files.flatMap((file) => file.parts) ?? []
    const missing = parts.filter(({ name, bytes }) => !there.has(`${name} ${bytes}`)).length
    const bytes = (index === undefined ? objects : parts).reduce((sum, each) => sum + each.bytes, 0)
    sets.push({
      set,
      copiedAt: index?.copiedAt,
      bytes,
      files: index?.files.length ?? 0,
      missing,
      recipient: index?.recipient,
    })
  }
  return sets
}

/** What fetching needs. `into` is the folder that the set's folder will be in. */
export type FetchWork = Readonly<{ store: BackupStore; identity: string; set: string; folder: string }>

async function fetchFile(
  { store, identity, folder }: FetchWork,
  file: IndexedFile,
  partBytes: number,
): Promise<number> {
  const path = join(folder, file.name)
  const size = existsSync(path) ? (await stat(path)).size : 0
  // A power cut may have left the last part as zeros.
  const done = size >= file.bytes && file.bytes > 0 ? file.parts.length : Math.max(0, Math.floor(size / partBytes) - 1)
  await using handle = await open(path, existsSync(path) ? 'r+' : 'wx', 0o600)
  await handle.truncate(Math.min(file.bytes, done * partBytes))
  for (const [index, part] of file.parts.entries()) {
    if (index < done) continue
    const sealed = await readSound(store, part.name, (bytes) => (sha256(bytes) === part.sha256 ? bytes : undefined))
    if (sealed === undefined)
      throw new StoreFailure(
        'changed',
        `${part.name} in the store is missing, or has other bytes than were copied there`,
      )
    await handle.write(await openPart(identity, sealed), 0, undefined, index * partBytes)
  }
  await handle.sync()
  return file.parts.length - done
}

/** Fetches a set or base backup, or the files of it that are named, into a folder, or goes on with it. Returns how many parts were fetched; its digests are not looked at here. */
export async function fetchSet(work: FetchWork, names?: readonly string[]): Promise<number> {
  const { store, set, folder } = work
  const index = await indexOf(store, await store.list(indexBeginning(set)))
  if (index === undefined) throw new StoreFailure('failed', `the store has no finished copy of ${set}`)
  const problem = recoveryKeyProblem(index.recipient, work.identity)
  if (problem !== undefined) throw new StoreFailure('failed', `${set} is ${problem}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  let count = 0
  const files = index.files.filter(({ name }) => names?.includes(name) ?? true)
  for (const file of files) count += await fetchFile(work, file, index.partBytes)
  return count
}
