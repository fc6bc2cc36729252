/** The backups of a host: sets, and those of releases before 0.13 (a dump with a manifest beside it). Told by their names, sizes and proofs; nothing is read to its end. */
import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { takenMsOf } from '../../contract/backup-name.ts'
import { type BackupProof, parseManifest, SET_FILE } from '../backups/manifest.ts'
import { expiredBackups, type RetentionPolicy } from '../backups/retention.ts'
import { flushFolder } from '../backups/set-file.ts'
import { sha256 } from '../core/hash.ts'
import { type BackupHost, backupFolderOf } from './backup-host.ts'

/** `state` is `verified` or why it does not count. `files` are names in the folder of the backups. */
export type ListedBackup = Readonly<{
  name: string
  format: 1 | 2
  takenAt: string
  takenMs: number
  bytes: number
  release: string
  schema: string
  state: string
  isVerified: boolean
  verifiedAt: string | undefined
  recipient: string | null
  files: readonly string[]
}>

async function textAt(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined)
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
}

function parseProof(text: string | undefined): BackupProof | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as BackupProof)
  } catch {
    return undefined
  }
}

type Described = Pick<ListedBackup, 'bytes' | 'release' | 'schema' | 'state' | 'verifiedAt' | 'recipient'>

const UNKNOWN = { bytes: 0, release: '', schema: '', verifiedAt: undefined, recipient: null }

async function describeSet(folder: string): Promise<Described> {
  const text = await textAt(join(folder, SET_FILE.manifest))
  const manifest = text === undefined ? undefined : parseManifest(text)
  if (text === undefined || manifest === undefined) return { ...UNKNOWN, state: 'its manifest cannot be read' }
  const { release, schema, recipient } = manifest
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
  const sizes = await Promise.all(manifest.files.map(async ({ name }) => await sizeOf(join(folder, name))))
  const wrong = manifest.files.find((file, at) => sizes[at] !== file.bytes)
  const proof = parseProof(await textAt(join(folder, SET_FILE.proof)))
  const isOfThis = proof?.manifest === sha256(text)
  const state =
    wrong === undefined ? (isOfThis ? 'verified' : 'not verified') : `${wrong.name} is missing or has another size`
  return { bytes, release, schema, recipient, state, verifiedAt: isOfThis ? proof?.verifiedAt : undefined }
}

async function describeDump(folder: string, name: string): Promise<Described> {
  const [text, bytes = 0] = await Promise.all([
    textAt(join(folder, `${name}.json`)),
    sizeOf(join(folder, `${name}.dump`)),
  ])
  try {
    const manifest = JSON.parse(text ?? '') as Readonly<{
      bytes: number
      release: string
      schema: string
      takenAt: string
    }>
    const state = manifest.bytes === bytes ? 'verified' : 'its dump is missing or has another size'
    return { ...UNKNOWN, bytes, release: manifest.release, schema: manifest.schema, state }
  } catch {
    return { ...UNKNOWN, bytes, state: 'it was never finished' }
  }
}

/** Returns all backups, the oldest first. */
export async function listBackups(host: BackupHost): Promise<readonly ListedBackup[]> {
  const folder = backupFolderOf(host)
  const names = await readdir(folder)
  const listed = names.map(async (entry): Promise<readonly ListedBackup[]> => {
    const name = entry.replace(/\.dump$/, '')
    const takenMs = takenMsOf(name)
    if (takenMs === undefined) return []
    const isSet = name === entry
    const described = isSet ? await describeSet(join(folder, name)) : await describeDump(folder, name)
    const files = isSet ? [name] : [`${name}.json`, entry]
    const place = { name, takenMs, takenAt: new Date(takenMs).toISOString(), files }
    return [{ ...place, format: isSet ? 2 : 1, ...described, isVerified: described.state === 'verified' }]
  })
  return (await Promise.all(listed)).flat().toSorted((one, other) => one.takenMs - other.takenMs)
}

/** Deletes what the rule lets go. What says that a backup counts goes first: an interrupted deletion leaves nothing that would. Returns the names. */
export async function pruneBackups(host: BackupHost, keep: RetentionPolicy): Promise<readonly string[]> {
  const folder = backupFolderOf(host)
  const listed = await listBackups(host)
  const expired = expiredBackups(listed, keep)
  for (const { name } of expired) {
    const { files, format } = listed.find((each) => each.name === name) as ListedBackup
    if (format === 2) await rm(join(folder, name, SET_FILE.proof), { force: true })
    for (const file of files) await rm(join(folder, file), { recursive: true, force: true })
    await flushFolder(folder)
  }
  return expired.map(({ name }) => name)
}
