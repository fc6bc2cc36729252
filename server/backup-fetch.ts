/**
 * Lists the backups in a store, and fetches one, on any machine: a process of its own that gets the store, its credentials and the private half of
 * the recovery key on its standard input, so that none of it is in an argument, in an environment or in a file. What it fetches is held against the signed manifest.
 */
import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { takenMsOf } from '../contract/backup-name.ts'
import { type StoreSecrets, type StoreSettings, storeLabel } from '../contract/backup-store.ts'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { shortRecipient } from '../contract/recovery-key.ts'
import { fetchPoint } from './copies/fetch-point.ts'
import { fetchSet, listSets, type StoredSet } from './copies/fetch-set.ts'
import type { BackupStore } from './copies/store.ts'
import { unsealSet } from './copies/unseal-set.ts'
import { signingKeys, verifySet } from './copies/verify-set.ts'
import { openStore } from './process/backup-store.ts'

/**
 * What standard input says. `set` and the rest are for fetching; without them the store is listed. `isForHost`: what a new host needs of the set is printed as one
 * JSON, secrets in the clear, for the process that has started this one; an empty `set` is then the newest, or with `to` (ISO, or `latest`) the newest before that moment, and what the
 * moment is made from is fetched, too.
 */
type Request = Readonly<{
  store: StoreSettings
  secrets: StoreSecrets
  set?: string
  identity?: string
  into?: string
  keys?: readonly string[]
  isJson?: boolean
  isForHost?: boolean
  to?: string
}>

function listText(sets: readonly StoredSet[], label: string): string {
  if (sets.length === 0) return `there is no backup in ${label}\n`
  const rows = sets.map(({ set, copiedAt, bytes, files, missing, recipient }) => {
    const state =
      copiedAt === undefined
        ? 'not finished: no index'
        : missing === 0
          ? `copied ${copiedAt}, ${files} files`
          : `${missing} parts are missing`
    const sealed = recipient === undefined ? '' : `, sealed to ${shortRecipient(recipient)}`
    return `${set}  ${String(bytes).padStart(14)} bytes  ${state}${sealed}\n`
  })
  return rows.join('')
}

async function fetchInto(
  store: BackupStore,
  { set = '', identity = '', into = '', keys = [] }: Request,
): Promise<string> {
  const target = join(into, set)
  if (existsSync(target)) return `${target} is there already: nothing was fetched\n`
  const folder = `${target}.partial`
  const parts = await fetchSet({ store, identity, set, folder })
  const files = await verifySet(folder, set, identity, keys)
  renameSync(folder, target)
  return `fetched ${target}: ${parts} parts, ${files} files as its signed manifest says\n`
}

/** Also one whose parts were overwritten since: their earlier bytes are fetched, and whoever overwrites the newest must not bring an older one into force. */
async function newestSet(store: BackupStore, label: string, time: Date | undefined): Promise<string> {
  const isBefore = (set: string) => time === undefined || (takenMsOf(set) ?? 0) <= time.getTime()
  const newest = (await listSets(store)).find(({ set, copiedAt }) => copiedAt !== undefined && isBefore(set))
  const which = time === undefined ? '' : ` and taken before ${time.toISOString()}`
  if (newest === undefined) throw new Error(`there is no backup in ${label} that was copied to its end${which}`)
  return newest.set
}

/** The name of the base backup that the moment is made from, in a folder beside that of the set. */
async function fetchBase(store: BackupStore, set: string, request: Request, time: Date | undefined): Promise<string> {
  const { identity = '', into = '', keys = [] } = request
  const known = await signingKeys(join(into, set), identity, keys)
  const { name } = await fetchPoint({ store, identity, folder: into, keys: known, time })
  return name
}

async function contentForHost(store: BackupStore, request: Request): Promise<string> {
  const { identity = '', into = '', to } = request
  const time = to === undefined || to === 'latest' ? undefined : new Date(to)
  const set = request.set || (await newestSet(store, storeLabel(request.store), time))
  await fetchInto(store, { ...request, set })
  const base = to === undefined ? undefined : await fetchBase(store, set, request, time)
  const { manifest, settings, secrets, spire } = await unsealSet(join(into, set), identity)
  const base64 = [...spire].map(([name, bytes]) => [name, bytes.toString('base64')])
  return JSON.stringify({
    ...{ set, settings, release: manifest.release, schema: Number(manifest.schema), takenAt: manifest.takenAt },
    secrets: Object.fromEntries([...secrets].map(([id, bytes]) => [id, bytes.toString()])),
    spire: Object.fromEntries(base64),
    base,
  })
}

async function main(): Promise<void> {
  const request = JSON.parse(await text(process.stdin)) as Request
  const store = openStore(request.store, request.secrets)
  try {
    if (request.isForHost) process.stdout.write(await contentForHost(store, request))
    else if (request.set !== undefined) process.stdout.write(await fetchInto(store, request))
    else {
      const sets = await listSets(store)
      process.stdout.write(request.isJson ? `${JSON.stringify(sets)}\n` : listText(sets, storeLabel(request.store)))
    }
  } finally {
    await store.close()
  }
}

if (import.meta.main) {
  await main().catch((error: Error) => {
    process.stderr.write(`tappass backup: ${error.message}\n`)
    process.exitCode = EXIT_CODE.failed
  })
}
