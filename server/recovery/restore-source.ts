/**
 * What is to be restored, and whether it may be: a set, a backup of a release before 0.13, or the file of a dump in either form, told by its first bytes. Reads only.
 */
import { open, readFile, stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { takenMsOf } from '../../contract/backup-name.ts'
import { credentialId } from '../../contract/secret.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from '../adapters/migration-folder.ts'
import { type BackupManifest, isSignedBy, parseManifest, SET_FILE } from '../backups/manifest.ts'
import { differencesOf, fileDigest } from '../backups/set-file.ts'
import { readPublicKey } from '../checkpoint/signed-note.ts'
import { secretFingerprint } from '../core/hash.ts'
import { type Evidence, NO_EVIDENCE } from '../ledger/verification.ts'
import { parseMigrations } from '../migration/migration.ts'
import {
  type BackupHost,
  backupFolderOf,
  earlierVaultKeysOf,
  publicKeysOf,
  readSecrets,
  vaultKeyOf,
} from './backup-host.ts'
import { evidenceOf } from './prove-set.ts'
import type { DumpSource } from './restored-database.ts'

/** Why it is refused, and the way out. */
export type RestoreProblem = Readonly<{ what: string; next: string }>

/** `notes` are what is not known of it. */
export type RestoreSource = Readonly<{
  label: string
  dump: DumpSource
  evidence: Evidence
  takenAt: string | undefined
  manifest: BackupManifest | undefined
  problems: readonly RestoreProblem[]
  notes: readonly string[]
}>

const MAGIC = 'PGDMP'

const ANOTHER: RestoreProblem['next'] = 'take another one: tappass backup list'

/** The form of a dump by its first bytes; undefined for what is none. */
export function dumpForm(head: Buffer): DumpSource['form'] | undefined {
  if (head.subarray(0, MAGIC.length).toString() === MAGIC) return 'custom'
  return /^(?:--|SET |\\restrict |\s*$)/m.test(head.toString('latin1').slice(0, 200)) && !head.includes(0)
    ? 'plain'
    : undefined
}

async function headOf(path: string): Promise<Buffer> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0)
  return buffer.subarray(0, bytesRead)
}

/** The newest migration that this release has. */
async function newestSchema(): Promise<number> {
  const { migrations } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
  return migrations.at(-1)?.version ?? 0
}

async function schemaProblems(schema: string, release: string): Promise<readonly RestoreProblem[]> {
  const newest = await newestSchema()
  if (Number(schema) <= newest) return []
  const what = `it has the schema ${schema}, and this release knows ${newest}`
  return [{ what, next: `upgrade to ${release || 'the release that it is of'} first, then restore` }]
}

const VAULT_KEY_ID = credentialId('TAPPASS_VAULT_KEY')

/** Whether the set was taken with one of these vault keys. */
function isTakenWith({ fingerprints }: BackupManifest, keys: readonly Buffer[]): boolean {
  return keys.some((key) => fingerprints[VAULT_KEY_ID] === secretFingerprint(key, VAULT_KEY_ID, key))
}

function keyProblems(manifest: BackupManifest, secrets: ReadonlyMap<string, Buffer>): readonly RestoreProblem[] {
  if (isTakenWith(manifest, [vaultKeyOf(secrets), ...earlierVaultKeysOf(secrets)])) return []
  const what =
    'it was taken with another vault key, and this host has never had that one: old entries could not be proven'
  const unseal = `age --decrypt --identity RECOVERY_KEY ${SET_FILE.secrets} | tar --extract`
  const give = `tappass secrets rotate ${VAULT_KEY_ID} --secret ${VAULT_KEY_ID}=FILE`
  return [{ what, next: `give this host the key of the set first, which keeps its own beside it (${unseal}; ${give})` }]
}

const EARLIER_NOTE = 'it was taken with an earlier vault key of this host, which is kept'

async function readSet(
  host: BackupHost,
  folder: string,
  name: string,
  keyFile: string | undefined,
): Promise<RestoreSource> {
  const read = (file: string) => readFile(join(folder, file), 'utf8').catch(() => undefined)
  const [text, signature] = [await read(SET_FILE.manifest), await read(SET_FILE.signature)]
  const manifest = text === undefined ? undefined : parseManifest(text)
  const dump = { path: join(folder, SET_FILE.dump), form: 'custom', rows: manifest?.rows } as const
  const base = { label: name, dump, takenAt: manifest?.takenAt, manifest, notes: [] }
  const refuse = (what: string, next = ANOTHER) => ({ ...base, evidence: NO_EVIDENCE, problems: [{ what, next }] })
  if (text === undefined) return refuse(`it is incomplete: ${SET_FILE.manifest} is missing`)
  if (manifest === undefined)
    return refuse(`${SET_FILE.manifest} is not one of format 2`, 'upgrade to the release that the set is of')
  if (signature === undefined) return refuse(`it is incomplete: ${SET_FILE.signature} is missing`)
  const secrets = await readSecrets(host)
  const given = keyFile === undefined ? undefined : readPublicKey(await readFile(keyFile, 'utf8'))
  if (keyFile !== undefined && given === undefined)
    return refuse(`${keyFile} is no public Ed25519 key`, 'give PEM, base64 of 32 bytes, or name+id+key')
  const keys = given === undefined ? await publicKeysOf(host, secrets) : [given]
  if (!isSignedBy(keys, manifest.name, text, signature))
    return refuse(
      'its signature is not one of this host, or its manifest was changed',
      'for a set of another host: --key FILE, the public key of its checkpoints (GET /audit/checkpoints)',
    )
  const differences = await differencesOf(folder, manifest.files)
  const missing = [SET_FILE.dump, SET_FILE.ledger].filter((file) => !manifest.files.some((each) => each.name === file))
  const problems = [
    ...[...differences, ...missing.map((file) => `${file} is missing`)].map((what) => ({ what, next: ANOTHER })),
    ...keyProblems(manifest, secrets),
    ...(await schemaProblems(manifest.schema, manifest.release)),
  ]
  const notes = isTakenWith(manifest, earlierVaultKeysOf(secrets)) ? [EARLIER_NOTE] : []
  return { ...base, evidence: problems.length > 0 ? NO_EVIDENCE : await evidenceOf(folder), problems, notes }
}

type OldManifest = Readonly<{
  sha256: string
  schema: string
  release: string
  rows: Record<string, number>
  takenAt: string
}>

/** The manifest of format 1 beside a dump, if there is one. */
async function oldManifestOf(path: string): Promise<OldManifest | undefined> {
  try {
    const manifest = JSON.parse(await readFile(path.replace(/\.dump$/, '.json'), 'utf8')) as OldManifest
    return path.endsWith('.dump') && typeof manifest.sha256 === 'string' ? manifest : undefined
  } catch {
    return undefined
  }
}

async function readDump(path: string): Promise<RestoreSource> {
  const form = dumpForm(await headOf(path))
  const old = await oldManifestOf(path)
  const dump = { path, form: form ?? 'plain', rows: old?.rows } as const
  const unknown = 'its secrets are not known: entries that were committed with another vault key can’t be proven here'
  const base = { label: path, dump, evidence: NO_EVIDENCE, takenAt: old?.takenAt, manifest: undefined }
  if (form === undefined) {
    const what = 'it is neither an archive of pg_dump (PGDMP) nor the text of one'
    return { ...base, problems: [{ what, next: ANOTHER }], notes: [] }
  }
  if (old === undefined) return { ...base, problems: [], notes: [unknown, 'nothing says how many rows it has to have'] }
  const isSame = (await fileDigest(path)) === old.sha256
  const problems = isSame ? [] : [{ what: 'it is not the dump that its manifest is of', next: ANOTHER }]
  return { ...base, problems: [...problems, ...(await schemaProblems(old.schema, old.release))], notes: [unknown] }
}

/** Finds what was named: a set of this host, or a path. Throws when there is nothing of that name. `keyFile` has the key that has signed the set, in place of the host's own. */
export async function findSource(host: BackupHost, named: string, keyFile?: string): Promise<RestoreSource> {
  const name = named.replace(/\.dump$/, '')
  const own = join(backupFolderOf(host), named)
  const path = isAbsolute(named) ? named : own
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => undefined,
  )
  if (isFolder === true) return await readSet(host, path, path.split('/').at(-1) ?? named, keyFile)
  if (isFolder === false) return await readDump(path)
  const dump = join(dirname(own), `${name}.dump`)
  const isOld = takenMsOf(name) !== undefined && (await stat(dump).catch(() => undefined)) !== undefined
  if (isOld) return await readDump(dump)
  throw new Error(`there is no backup ${named}: tappass backup list`)
}
