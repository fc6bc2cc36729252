/**
 * The Database port over PGlite: PostgreSQL compiled to WebAssembly, inside this process, in memory or in a folder.
 * PGlite does not guard its folder against a second process and runs with fsync off, with no way to flush to disk;
 * this file adds both, so that acknowledged writes survive SIGKILL and power cuts.
 */
import { fsyncSync, readFileSync, writeFileSync } from 'node:fs'
import { access, constants, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'
import { PGlite, type PGliteInterface, type PGliteOptions } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import type { Database, SessionDatabase } from '../../core/ports.ts'
import { COLUMN_PARSERS } from '../../database/column-parser.ts'
import { DatabaseError, databaseErrorOf } from '../../database/database-error.ts'
import { type Connection, sessionOn } from '../../database/transaction.ts'
import { readTar, type TarEntry } from './tar.ts'

/**
 * Without a folder everything is in memory and lost with the process. `nowMs` timestamps the holder file in the
 * folder.
 */
export type PgliteSettings = Readonly<{ folder?: string | undefined; nowMs: () => number }>

/**
 * Opens the database, and creates it where there is none (0.7 s; 0.35 s for an existing one). Throws DatabaseError
 * with one clear sentence when the folder is in use, unreadable or holds something else.
 */
export async function openPglite({ folder, nowMs }: PgliteSettings): Promise<SessionDatabase> {
  if (folder === undefined) return databaseOver('memory', await startInMemory(readTemplate()), async () => {})
  await prepareFolder(folder)
  const unlock = lockFolder(folder, nowMs)
  try {
    return databaseOver('local', await openFolder(folder), async () => unlock())
  } catch (error) {
    unlock()
    throw error
  }
}

function databaseOver(kind: Database['kind'], pglite: PGlite, unlock: () => Promise<void>): SessionDatabase {
  const database: SessionDatabase = {
    ...sessionOn(kind, connectionOf(pglite), 0),
    transaction: (work) => transact(kind, pglite, work),
    // There is one connection only, so every session shares it.
    session: (work) => work(database),
    close: async () => {
      await pglite.close()
      await unlock()
    },
  }
  return database
}

/** PGlite's own transaction blocks every other statement until it ends, as there is one connection only. */
async function transact<T>(kind: Database['kind'], pglite: PGlite, work: (database: Database) => Promise<T>) {
  let thrown: Readonly<{ error: unknown }> | undefined
  const outcome = pglite.transaction(async (inside) => {
    try {
      return await work(sessionOn(kind, connectionOf(inside), 1))
    } catch (error) {
      thrown = { error }
      throw error
    }
  })
  return outcome.catch((error: unknown) => {
    throw thrown === undefined ? databaseErrorOf(error, 'database') : thrown.error
  })
}

function connectionOf(pglite: Pick<PGliteInterface, 'query' | 'exec'>): Connection {
  const rethrow = (error: unknown) => {
    throw databaseErrorOf(error, 'database')
  }
  return {
    run: (sql, parameters) =>
      pglite
        .query<unknown>(sql, [...(parameters ?? [])])
        .then(({ rows, command }) => ({ rows, command: command ?? '' }))
        .catch(rethrow),
    script: (sql) => pglite.exec(sql).then(() => {}, rethrow),
  }
}

/** Node's file system with the one operation that PGlite's lacks: PostgreSQL's fsync reaches the disk. */
class DurableFolder extends NodeFS {
  override async init(...[pglite, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pglite, options)
    const addFsync = (module: { NODEFS: { stream_ops: Record<string, unknown> } }) => {
      module.NODEFS.stream_ops['fsync'] = (stream: { nfd: number }) => {
        fsyncSync(stream.nfd)
        return 0
      }
    }
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [addFsync, ...(emscriptenOpts.preRun ?? [])] as never } }
  }
}

/** PostgreSQL's default of 128 MB of buffers costs 80 MB of memory here and makes nothing measurably faster. */
const MEMORY_PARAMETERS = [...PGlite.defaultStartParams, '-c', 'shared_buffers=32MB']

/** `-F` among PGlite's own parameters means "no fsync"; fdatasync, the default method, does nothing in Emscripten. */
const FOLDER_PARAMETERS = [...MEMORY_PARAMETERS.filter((part) => part !== '-F'), '-c', 'wal_sync_method=fsync']

async function startPglite(options: PGliteOptions): Promise<PGlite> {
  return PGlite.create({ ...options, parsers: COLUMN_PARSERS })
}

function startInMemory(image: Uint8Array): Promise<PGlite> {
  return startPglite({ loadDataDir: new Blob([image as Uint8Array<ArrayBuffer>]), startParams: MEMORY_PARAMETERS })
}

function startInFolder(folder: string): Promise<PGlite> {
  return startPglite({ fs: new DurableFolder(folder), startParams: FOLDER_PARAMETERS })
}

/** An empty database as PGlite's initdb leaves it, which takes initdb 2 s (test/server/adapters/pglite-template.ts). */
function readTemplate(): Uint8Array {
  return zstdDecompressSync(readFileSync(join(import.meta.dirname, 'pglite-0.5.16.tar.zst')))
}

/**
 * Creates the database in a staging path and renames it when it is complete: a killed first start leaves no partial
 * database.
 */
async function openFolder(folder: string): Promise<PGlite> {
  const databaseFolder = join(folder, 'database')
  if (!(await exists(databaseFolder))) {
    const stagingPath = join(folder, 'database.new')
    await rm(stagingPath, { recursive: true, force: true })
    await unpack(readTar(readTemplate()), stagingPath)
    await rename(stagingPath, databaseFolder)
    await flush(folder)
  }
  try {
    return await startInFolder(databaseFolder)
  } catch (cause) {
    throw new DatabaseError(
      `the database in ${databaseFolder} cannot be opened: restore a backup or choose another folder`,
      undefined,
      cause,
    )
  }
}

/** Writes the entries below `folder`, and waits until they are flushed to disk. */
async function unpack(entries: readonly TarEntry[], folder: string): Promise<void> {
  const folders = new Set(
    entries.map(({ path, content }) => join(folder, content === undefined ? path : dirname(path))),
  )
  for (const path of folders) await mkdir(path, { recursive: true, mode: 0o700 })
  await Promise.all(
    entries.map(async ({ path, content }) => {
      if (content !== undefined) await writeFile(join(folder, path), content, { mode: 0o600, flush: true })
    }),
  )
  await Promise.all([...folders].map(flush))
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw databaseErrorOf(cause, `the data folder ${folder} cannot be used`)
  }
}

/**
 * Locks the folder for this process with an SQLite lock on a file in it. The kernel holds that lock, so it ends with
 * the process in every case, and it works across containers; a PID file would do neither.
 */
function lockFolder(folder: string, nowMs: () => number): () => void {
  const holderPath = join(folder, 'holder')
  const lock = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  try {
    lock.exec('BEGIN IMMEDIATE')
  } catch (cause) {
    lock.close()
    throw new DatabaseError(
      `the data folder ${folder} is in use by another TapPass${holderOf(holderPath)}`,
      undefined,
      cause,
    )
  }
  writeFileSync(holderPath, `process ${process.pid} since ${new Date(nowMs()).toISOString()}`)
  return () => lock.close()
}

function holderOf(holderPath: string): string {
  try {
    return ` (${readFileSync(holderPath, 'utf8')}): stop that one or choose another folder`
  } catch {
    return ': stop that one or choose another folder'
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  await handle.sync().finally(() => handle.close())
}
