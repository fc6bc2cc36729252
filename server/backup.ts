/**
 * Creates one backup of the database and deletes expired ones; a process of its own that a systemd timer starts as
 * root, which logs in as a role that reads only. A backup is a dump (`tappass-TIME.dump`, custom format) and its manifest
 * (`tappass-TIME.json`), which is written last: a dump without one is incomplete. It deliberately holds no secrets; those need a backup of their own.
 */

import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { type DatabaseSnapshot, type DumpTool, postgresContainer } from './adapters/postgres-container.ts'
import { type Backup, expiredBackups, type RetentionPolicy } from './backups/retention.ts'
import { createRowCounter } from './backups/row-count.ts'

/** The content of a manifest. `sha256` and `bytes` are the dump's; `schema` is its newest migration, `rows` are those of each table. */
export type BackupManifest = Readonly<{
  format: 1
  dump: string
  takenAt: string
  bytes: number
  sha256: string
  release: string
  schema: string
  rows: Readonly<Record<string, number>>
}>

/** Tables without which an archive is not a backup of this product. */
const REQUIRED_TABLES = ['audit_events', 'agents', 'organizations', 'schema_migrations'] as const

const DUMP_NAME = /^tappass-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.dump$/

/** The backups in a folder, by file names alone; other files are ignored. */
async function listBackups(folder: string): Promise<readonly Backup[]> {
  const names = await readdir(folder)
  return names.flatMap((name) => {
    const [, ...parts] = DUMP_NAME.exec(name) ?? []
    if (parts.length === 0) return []
    const [year, month, day, hour, minute, second] = parts.map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    const takenMs = Date.UTC(year, month - 1, day, hour, minute, second)
    return [{ name, takenMs, isComplete: names.includes(name.replace('.dump', '.json')) }]
  })
}

/** Flushes the names in a folder to disk. */
async function flushFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  await handle.sync()
}

/** Writes a temporary file, flushes it, renames it; deletes it when that fails. */
async function writeAtomically(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<void> {
  const partial = `${path}.partial`
  try {
    await using file = await open(partial, 'w', 0o600)
    await write(file)
    await file.sync()
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await rename(partial, path)
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** Tables with their rows; a name is quoted as in SQL. Only relations of kind table are read: a view would run what it is made of. */
const TABLES = `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1`

/** Returns the number of rows of each table at the snapshot. Throws when a table is not there, or something else in its place. */
async function countRows({ query }: DatabaseSnapshot): Promise<Readonly<Record<string, number>>> {
  const tables = await query(TABLES)
  const missing = REQUIRED_TABLES.filter((table) => !tables.includes(`public.${table}`))
  if (missing.length > 0) throw new Error(`the database has no table ${missing.join(', ')}: nothing was dumped`)
  const rows = await query(tables.map((table) => `SELECT count(*) FROM ONLY ${table}`).join('\nUNION ALL '))
  return Object.fromEntries(tables.map((table, index) => [table, Number(rows[index])]))
}

/** A dump is compressed, so the size of the database is an upper bound. Throws before anything is written. */
async function checkSpace(folder: string, { query }: DatabaseSnapshot): Promise<void> {
  const [bytes = ''] = await query(`SELECT 'bytes', pg_database_size(current_database())`)
  const needed = Number(bytes.split('|')[1])
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= needed) return
  throw new Error(`${folder} has ${bavail * bsize} bytes free, and a backup may need ${needed}: free space there`)
}

/** What a dump has to hold. */
type DumpContent = Readonly<{ sha256: string; schema: string; rows: Readonly<Record<string, number>> }>

/** Reads a dump from its file to its end, and compares it with what was dumped. Throws for the first difference. */
async function verifyDump(path: string, tool: DumpTool, { sha256, schema, rows }: DumpContent): Promise<void> {
  if ((await sha256Of(path)) !== sha256)
    throw new Error('the file of the dump is not what pg_dump wrote: it was deleted')
  await using archive = await open(path)
  if ((await tool.readSchema(archive)) !== schema)
    throw new Error('the dump makes other tables than there are: it was deleted')
  await using whole = await open(path)
  const counter = createRowCounter()
  await tool.readRows(whole, counter.take)
  const counts = counter.counts()
  const [table] = Object.keys(rows).filter((name) => counts.get(name) !== rows[name])
  if (table === undefined) return
  throw new Error(
    `the dump holds ${counts.get(table) ?? 'no'} rows of ${table}, and there were ${rows[table]}: it was deleted`,
  )
}

/** Creates a backup in `folder` and returns its manifest. On failure no file remains that looks like a backup. */
async function createBackup(folder: string, tool: DumpTool, now: Date, release: string): Promise<BackupManifest> {
  const name = `tappass-${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const dump = join(folder, `${name}.dump`)
  const snapshot = await tool.openSnapshot()
  try {
    await checkSpace(folder, snapshot)
    const rows = await countRows(snapshot)
    const [schema = ''] = await snapshot.query('SELECT max(version) FROM public.schema_migrations')
    let sha256 = ''
    await writeAtomically(dump, async (file) => {
      sha256 = await tool.dump(file, snapshot.id)
      await verifyDump(`${dump}.partial`, tool, { sha256, schema: await tool.dumpSchema(snapshot.id), rows })
    })
    const { size: bytes } = await stat(dump)
    const takenAt = now.toISOString()
    const manifest = { format: 1, dump: `${name}.dump`, takenAt, bytes, sha256, release, schema, rows } as const
    await writeAtomically(join(folder, `${name}.json`), (file) =>
      file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`),
    )
    await flushFolder(folder)
    return manifest
  } finally {
    await snapshot.close()
  }
}

/** The manifest is deleted first: an interrupted deletion leaves a dump that doesn't count. */
async function remove(folder: string, { name }: Backup): Promise<void> {
  await rm(join(folder, name.replace('.dump', '.json')), { force: true })
  await rm(join(folder, name))
}

function parseArguments(argv: readonly string[]): Readonly<{ folder: string; keep: RetentionPolicy }> {
  const option = { type: 'string' } as const
  const options = { into: option, 'keep-daily': option, 'keep-weekly': option } as const
  const { values } = parseArgs({ args: [...argv], options })
  const [daily, weekly] = [Number(values['keep-daily']), Number(values['keep-weekly'])]
  if (values.into === undefined || !Number.isInteger(daily) || !Number.isInteger(weekly))
    throw new Error('usage: backup.ts --into FOLDER --keep-daily DAYS --keep-weekly WEEKS')
  return { folder: values.into, keep: { daily, weekly } }
}

async function main(argv: readonly string[]): Promise<void> {
  const { folder, keep } = parseArguments(argv)
  const tool = postgresContainer('tappass-postgres', 'tappass', 'tappass_backup')
  for (const name of await readdir(folder)) if (name.endsWith('.partial')) await rm(join(folder, name))
  // A release is in a folder of its name, and Node has resolved the link to it.
  const release = basename(join(import.meta.dirname, '..'))
  const { dump, bytes } = await createBackup(folder, tool, new Date(), release)
  process.stdout.write(`made ${dump} (${bytes} bytes)\n`)
  for (const old of expiredBackups(await listBackups(folder), keep)) {
    await remove(folder, old)
    process.stdout.write(`removed ${old.name}\n`)
  }
}

if (import.meta.main) {
  await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`tappass-backup: ${error.message}\n`)
    process.exitCode = EXIT_CODE.failed
  })
}
