/**
 * Takes a backup set: one snapshot of the database, read by a role that changes nothing. It is written under a hidden name, flushed, read again and renamed as
 * a whole, so that a folder with the name of a set is a whole set.
 */
import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { backupName } from '../../contract/backup-name.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { removeScratch } from '../adapters/container/postgres-archive.ts'
import type { DatabaseSnapshot } from '../adapters/container/postgres-container.ts'
import { type BackupManifest, fingerprintsOf, SET_FILE, signManifest } from '../backups/manifest.ts'
import { differencesOf, flushFolder, type SetFile, writeSetFile } from '../backups/set-file.ts'
import { type BackupHost, backupFolderOf, DATABASE, pathOn, readSecrets, signerOf, vaultKeyOf } from './backup-host.ts'
import { SCRATCH_CONTAINERS } from './base-backup.ts'
import { PROOF_FOLDER } from './prove-set.ts'
import { countRows } from './row-comparison.ts'
import { writeSetContent } from './set-content.ts'

/** What PostgreSQL keeps of its log at most (max_wal_size) while a proof is restored. */
const LOG_BYTES_MAX = 1024 ** 3

async function freeBytes(path: string): Promise<Readonly<{ free: number; device: string }>> {
  const { bavail, bsize, type, blocks, files } = await statfs(path)
  return { free: bavail * bsize, device: `${type} ${blocks} ${files}` }
}

/**
 * A dump is compressed, so the size of the database is an upper bound of it; its proof takes as much again where the database is, and what PostgreSQL logs of it.
 * Throws before anything is written.
 */
async function checkSpace(host: BackupHost, { query }: DatabaseSnapshot): Promise<void> {
  const [row = ''] = await query(`SELECT 'bytes', pg_database_size(current_database())`)
  const size = Number(row.split('|')[1])
  const proof = size + Math.min(size, LOG_BYTES_MAX)
  const folder = backupFolderOf(host)
  const [here, there] = [await freeBytes(folder), await freeBytes(pathOn(host, HOST_PATH.postgresFolder))]
  const isSame = here.device === there.device
  const needs = isSame
    ? [{ path: folder, ...here, needed: size + proof }]
    : [
        { path: folder, ...here, needed: size },
        { path: pathOn(host, HOST_PATH.postgresFolder), ...there, needed: proof },
      ]
  const short = needs.find(({ free, needed }) => free < needed)
  if (short === undefined) return
  throw new Error(
    `${short.path} has ${short.free} bytes free, and a backup with its proof may need ${short.needed}: free space there`,
  )
}

/** Removes what killed runs have left: folders and files that never got their name, and the database of a proof. */
export async function clearLeftovers(host: BackupHost): Promise<void> {
  const folder = backupFolderOf(host)
  for (const name of await readdir(folder))
    if (name.endsWith('.partial') || name.startsWith(PROOF_FOLDER))
      await rm(join(folder, name), { recursive: true, force: true })
  await host.restoreTool.administer(`DROP DATABASE IF EXISTS ${DATABASE.proof} WITH (FORCE)`)
  await removeScratch(SCRATCH_CONTAINERS).catch(() => undefined)
}

async function writeDump(host: BackupHost, folder: string, snapshot: DatabaseSnapshot): Promise<SetFile> {
  const { dumpTool } = host
  const dump = await writeSetFile(folder, SET_FILE.dump, dumpTool.dump(snapshot.id))
  await using archive = await open(join(folder, SET_FILE.dump))
  if ((await dumpTool.readSchema(archive)) !== (await dumpTool.dumpSchema(snapshot.id)))
    throw new Error('the dump makes other tables than there are: it was deleted')
  return dump
}

async function writeSet(
  host: BackupHost,
  folder: string,
  name: string,
  takenAt: Date,
  recipient: string | undefined,
): Promise<BackupManifest> {
  const secrets = await readSecrets(host)
  const [signer, vaultKey] = [signerOf(secrets), vaultKeyOf(secrets)]
  const snapshot = await host.dumpTool.openSnapshot()
  try {
    await checkSpace(host, snapshot)
    const rows = await countRows(snapshot.query)
    const [schema = ''] = await snapshot.query('SELECT max(version) FROM public.schema_migrations')
    await mkdir(folder, { mode: 0o700 })
    const dump = await writeDump(host, folder, snapshot)
    const content = await writeSetContent(host, folder, snapshot, { secrets, recipient })
    const files = [dump, ...content.files]
    const [difference] = await differencesOf(folder, files)
    if (difference !== undefined) throw new Error(`${difference}: the set was deleted`)
    const manifest: BackupManifest = {
      format: 2,
      name,
      takenAt: takenAt.toISOString(),
      // A release is in a folder of its name, and Node has resolved the link to it.
      release: basename(host.release),
      schema,
      images: content.images,
      files,
      rows,
      fingerprints: fingerprintsOf(secrets, vaultKey),
      recipient: recipient ?? null,
      withheld: [...content.withheld],
    }
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    await writeSetFile(folder, SET_FILE.manifest, text)
    await writeSetFile(folder, SET_FILE.signature, signManifest(signer, name, text))
    return manifest
  } finally {
    await snapshot.close()
  }
}

/** Takes a set, as of now unless a database of another time is read, sealed to the recipient. On failure nothing remains. It does not count before it is proven. */
export async function createSet(
  host: BackupHost,
  recipient: string | undefined,
  takenAt: Date = new Date(host.clock.nowMs()),
): Promise<BackupManifest> {
  const folder = backupFolderOf(host)
  const name = backupName(takenAt)
  const partial = join(folder, `.${name}.partial`)
  try {
    const manifest = await writeSet(host, partial, name, takenAt, recipient)
    await flushFolder(partial)
    await rename(partial, join(folder, name))
    await flushFolder(folder)
    return manifest
  } catch (error) {
    await rm(partial, { recursive: true, force: true })
    throw error
  }
}
