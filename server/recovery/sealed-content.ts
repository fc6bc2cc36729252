/** What of a set is sealed to the recovery key: the host's secrets, and the data of its SPIRE server, each as a tar in an age file. */
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { packTar, type TarEntry } from 'modern-tar'
import { HOST_PATH } from '../../contract/path.ts'
import { encryptTo } from '../backups/recovery-key.ts'
import { type BackupHost, pathOn } from './backup-host.ts'

/** Files by their name in the tar. */
type Content = ReadonlyMap<string, Buffer>

const DATASTORE = 'datastore.sqlite3'
/** What SQLite keeps beside its file while it is open. */
const BESIDE_DATASTORE = [`${DATASTORE}-wal`, `${DATASTORE}-shm`, `${DATASTORE}-journal`]

/** Returns the tar of the files, readable by their owner only. */
async function tarOf(content: Content): Promise<Uint8Array> {
  const entries: TarEntry[] = [...content].map(([name, body]) => ({
    header: { name, size: body.length, mode: 0o600, type: 'file', mtime: new Date(0) },
    body: new Uint8Array(body),
  }))
  return await packTar(entries)
}

/** Seals files to the recovery key. */
export async function* sealed(recipient: string, content: Content): AsyncGenerator<Uint8Array> {
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield await tarOf(content)
  }
  yield* encryptTo(recipient, whole())
}

/** Returns the files of the host's SPIRE server; undefined where there is none. Its database is copied by SQLite itself, as of one moment. */
export async function spireContent(host: BackupHost, scratch: string): Promise<Content | undefined> {
  const folder = pathOn(host, HOST_PATH.spireServerFolder)
  if (!existsSync(join(folder, DATASTORE))) return undefined
  const copy = await mkdtemp(join(scratch, '.spire-'))
  try {
    const source = new DatabaseSync(join(folder, DATASTORE), { readOnly: true })
    try {
      await backup(source, join(copy, DATASTORE))
    } finally {
      source.close()
    }
    const entries = await readdir(folder, { withFileTypes: true })
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
    const others = names.filter((name) => name !== DATASTORE && !BESIDE_DATASTORE.includes(name))
    const read = async (from: string, name: string) => [name, await readFile(join(from, name))] as const
    const files = await Promise.all([read(copy, DATASTORE), ...others.map((name) => read(folder, name))])
    return new Map(files)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}
