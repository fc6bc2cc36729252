/** The host that is backed up, as its processes see it: where things stand, by which tools its database is reached, and which secrets it has. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HOST_PATH } from '../../contract/path.ts'
import { type PostgresAddress, parsePostgresAddress } from '../../contract/postgres-address.ts'
import { credentialId, EARLIER_VAULT_KEYS_ID } from '../../contract/secret.ts'
import { readPublicKeys } from '../adapters/checkpoint-folder.ts'
import type { ArchiveTool } from '../adapters/container/postgres-archive.ts'
import type { DumpTool } from '../adapters/container/postgres-container.ts'
import type { RestoreTool } from '../adapters/container/postgres-restore.ts'
import { openPostgres } from '../adapters/postgres.ts'
import { createNoteSigner, type NoteSigner } from '../checkpoint/signed-note.ts'
import type { Clock, SessionDatabase } from '../core/ports.ts'

/** The server's container. */
export const CONTAINER = 'tappass-postgres'

/** The names of databases: the one in force, the one of the proof, and the one that a restoration fills. */
export const DATABASE = { live: 'tappass', proof: 'tappass_proof', restored: 'tappass_restored' } as const

/**
 * `root` stands before all paths (nothing on a host), `credentials` is the folder of the process's credentials, `release` that of the release, `port` of the
 * server's socket. `log` takes a line for people.
 */
export type BackupHost = Readonly<{
  root: string
  credentials: string | undefined
  release: string
  port: number
  dumpTool: DumpTool
  restoreTool: RestoreTool
  archiveTool: ArchiveTool
  clock: Clock
  log: (line: string) => unknown
}>

/** Returns a path of the host. */
export function pathOn({ root }: Pick<BackupHost, 'root'>, path: string): string {
  return `${root}${path}`
}

/** The folder of the backups. */
export function backupFolderOf(host: BackupHost): string {
  return pathOn(host, HOST_PATH.backupFolder)
}

/** The address of a database as a role, over the socket. */
export function addressOf(host: BackupHost, role: string, database: string): string {
  const folder = encodeURIComponent(pathOn(host, HOST_PATH.postgresSocketFolder))
  return `postgresql://${role}@/${database}?host=${folder}&port=${host.port}`
}

/** Opens a database as a role that the server knows by the account of this process. */
export async function withDatabase<Value>(
  host: BackupHost,
  role: string,
  database: string,
  work: (database: SessionDatabase) => Promise<Value>,
): Promise<Value> {
  const address: PostgresAddress = parsePostgresAddress(addressOf(host, role, database))
  const opened = openPostgres({
    ...{ kind: 'local', address, applicationName: 'tappass-backup', connectionsMax: 1 },
    // The whole ledger is read; the limit of time is that of the process.
    statementTimeoutMs: 0,
    onConnectionLost: () => undefined,
  })
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}

/** Returns the host's secrets by the id of their credential. One that it does not have is an empty line in its place. */
export async function readSecrets({ credentials }: BackupHost): Promise<ReadonlyMap<string, Buffer>> {
  if (credentials === undefined) return new Map()
  const names = (await readdir(credentials)).toSorted()
  const files = await Promise.all(names.map(async (name) => [name, await readFile(join(credentials, name))] as const))
  return new Map(files.filter(([, bytes]) => bytes.toString().trim() !== ''))
}

/** Returns the bytes of the vault key. Throws without one. */
export function vaultKeyOf(secrets: ReadonlyMap<string, Buffer>): Buffer {
  return requiredSecret(secrets, credentialId('TAPPASS_VAULT_KEY'))
}

/** Returns the vault keys that this host had before its current one, the newest first. */
export function earlierVaultKeysOf(secrets: ReadonlyMap<string, Buffer>): readonly Buffer[] {
  const lines = secrets.get(EARLIER_VAULT_KEYS_ID)?.toString().split('\n') ?? []
  // A key that was provided may have come with the end of its line, which its fingerprint covers.
  return lines.filter((line) => line !== '').flatMap((line) => [Buffer.from(line), Buffer.from(`${line}\n`)])
}

/** Returns what signs for this host: the key of the ledger's checkpoints. Throws without one. */
export function signerOf(secrets: ReadonlyMap<string, Buffer>): NoteSigner {
  return createNoteSigner(requiredSecret(secrets, credentialId('TAPPASS_CHECKPOINT_KEY')).toString())
}

function requiredSecret(secrets: ReadonlyMap<string, Buffer>, id: string): Buffer {
  const value = secrets.get(id)
  if (value === undefined) throw new Error(`this host has no credential ${id}: run tappass bootstrap`)
  return value
}

/** The public keys that this host has signed with: its own, and those before it. */
export async function publicKeysOf(
  host: BackupHost,
  secrets: ReadonlyMap<string, Buffer>,
): Promise<readonly Uint8Array[]> {
  const own = signerOf(secrets).publicKey
  const kept = await readPublicKeys(pathOn(host, HOST_PATH.checkpointFolder))
  return [...kept.filter((key) => !own.equals(key)), own]
}
