/**
 * Creates one backup of the database and deletes expired ones; a process of its own that a systemd timer starts as
 * root. A backup is a dump (`tappass-TIME.dump`, custom format) and its manifest (`tappass-TIME.json`), which is
 * written last: a dump without one is incomplete. It deliberately holds no secrets; those need a backup of their own.
 */

import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { type DumpTool, postgresContainer } from './adapters/postgres-container.ts'
import { type Backup, expiredBackups, type RetentionPolicy } from './backups/retention.ts'

/** The content of a manifest. `sha256` and `bytes` are the dump's; `schema` is its newest migration. */
export type BackupManifest = Readonly<{
  format: 1
  dump: string
  takenAt: string
  bytes: number
  sha256: string
  release: string
  schema: string
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

/** Writes a temporary file, flushes it, renames it. */
async function writeAtomically(path: string, write: (file: FileHandle) => Promise<unknown>): Promise<void> {
  const partial = `${path}.partial`
  {
    await using file = await open(partial, 'w', 0o600)
    await write(file)
    await file.sync()
  }
  await rename(partial, path)
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** A dump is compressed, so the size of the database is an upper bound. Throws before anything is written. */
async function checkSpace(folder: string, tool: DumpTool): Promise<void> {
  const needed = Number(await tool.query('SELECT pg_database_size(current_database())'))
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= needed) return
  throw new Error(`${folder} has ${bavail * bsize} bytes free, and a backup may need ${needed}: free space there`)
}

function checkContents(list: string): void {
  const missing = REQUIRED_TABLES.filter((table) => !new RegExp(` TABLE DATA public ${table} `).test(list))
  if (missing.length > 0) throw new Error(`the dump lacks the table ${missing.join(', ')}: it was deleted`)
}

/** Creates a backup in `folder` and returns its manifest. On failure no file remains that looks like a backup. */
async function createBackup(folder: string, tool: DumpTool, now: Date, release: string): Promise<BackupManifest> {
  const name = `tappass-${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const dump = join(folder, `${name}.dump`)
  const schema = await tool.query('SELECT max(version) FROM schema_migrations')
  await writeAtomically(dump, async (file) => {
    await tool.dump(file)
    await using written = await open(`${dump}.partial`)
    checkContents(await tool.list(written))
  })
  await using handle = await open(dump)
  const { size: bytes } = await handle.stat()
  const sha256 = await sha256Of(dump)
  const manifest = {
    format: 1,
    dump: `${name}.dump`,
    takenAt: now.toISOString(),
    bytes,
    sha256,
    release,
    schema,
  } as const
  await writeAtomically(join(folder, `${name}.json`), (file) =>
    file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`),
  )
  await flushFolder(folder)
  return manifest
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
  const tool = postgresContainer('tappass-postgres', 'tappass')
  for (const name of await readdir(folder)) if (name.endsWith('.partial')) await rm(join(folder, name))
  await checkSpace(folder, tool)
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
