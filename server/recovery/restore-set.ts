/**
 * Restores: fills a database beside the one in force, compares it, and puts it in its place. The names change in one transaction, so that whatever ends this,
 * one whole database has the name. `settle` then moves what belongs to the earlier one, and starts what was stopped.
 */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { timeWord } from '../../contract/backup-name.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { replaceFile } from '../backups/set-file.ts'
import { type BackupHost, backupFolderOf, DATABASE, pathOn } from './backup-host.ts'
import { startAll, stopUsers } from './database-user.ts'
import { earlierName } from './earlier-database.ts'
import { type Restoration, recordRestoration } from './restoration-entry.ts'
import type { RestoreSource } from './restore-source.ts'
import { compareRows, createEmpty, fill, plainSettings, schemaOf, verifyRestoredLedger } from './restored-database.ts'

/** What is under way, for whoever finds it: the name that the earlier database gets. `isFirst`: that one is empty, and goes. */
type Intent = Readonly<{ earlier: string; time: string; isFirst: boolean }>

const INTENT = '.restore.json'
const FILL_MS_MAX = 12 * 3600 * 1000

/** Fills and compares the database `tappass_restored`. Throws, and drops it, for what does not hold. */
async function fillBeside(host: BackupHost, { dump, evidence, label }: RestoreSource): Promise<void> {
  const name = DATABASE.restored
  try {
    await createEmpty(host, name)
    await fill(host, name, dump, AbortSignal.timeout(FILL_MS_MAX))
    const counts = await compareRows(host, name, dump)
    const { problems } = await schemaOf(host, name)
    if (problems[0] !== undefined) throw new Error(`this release does not start on it: ${problems[0]}`)
    const ledger = await verifyRestoredLedger(host, name, evidence)
    const rows = Object.values(counts).reduce((sum, count) => sum + count, 0)
    host.log(
      `restored beside: ${rows} rows in ${Object.keys(counts).length} tables, ledger intact (${ledger.entries} entries)`,
    )
    await host.restoreTool.administer(...plainSettings(name))
  } catch (error) {
    await host.restoreTool.administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`).catch(() => undefined)
    throw new Error(`${label} was not restored, and nothing has changed: ${(error as Error).message}`, { cause: error })
  }
}

/** Returns the names of all databases. */
export async function databaseNames({ restoreTool }: BackupHost): Promise<readonly string[]> {
  return await restoreTool.administer('SELECT datname FROM pg_database')
}

const SWAP_TRIES = 20
const SWAP_PAUSE_MS = 250

/** Puts the database that was filled in the place of the one in force, which gets the name. Nobody may be connected to one that is renamed: whoever came back meanwhile is sent away again. */
export async function swap({ restoreTool }: BackupHost, earlier: string): Promise<void> {
  const { live, restored } = DATABASE
  const leave = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname IN ('${live}', '${restored}')`
  const change = `BEGIN; ALTER DATABASE ${live} RENAME TO ${earlier}; ALTER DATABASE ${restored} RENAME TO ${live}; COMMIT`
  for (let tries = 1; ; tries += 1) {
    try {
      await restoreTool.administer(leave, change)
      return
    } catch (error) {
      if (tries === SWAP_TRIES) throw error
      await sleep(SWAP_PAUSE_MS)
    }
  }
}

/**
 * The checkpoints of entries that are in the earlier database only go where they stay beside it: of the restored one they would say that its history was cut.
 */
async function setCheckpointsAside(host: BackupHost, time: string): Promise<void> {
  const folder = pathOn(host, HOST_PATH.checkpointFolder)
  const files = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.checkpoint'))
  const aside = join(folder, `before-${time}`)
  if (files.length > 0) await mkdir(aside, { recursive: true, mode: 0o700 })
  for (const name of files) await rename(join(folder, name), join(aside, name))
}

/** The set that a bare host is being made from; undefined for any other host. `backup restore --onto` has written the note. */
export async function foundingSet(host: BackupHost): Promise<string | undefined> {
  const text = await readFile(pathOn(host, HOST_PATH.foundingNote), 'utf8').catch(() => undefined)
  return text?.trim()
}

/** The note goes first: from then on the host is one like any other, and its database is never again taken for an empty one. */
async function endFounding(host: BackupHost, empty: string): Promise<void> {
  await rm(pathOn(host, HOST_PATH.foundingNote), { force: true })
  await host.restoreTool.administer(`DROP DATABASE IF EXISTS ${empty} WITH (FORCE)`)
}

/**
 * Ends a restoration, however far it came: with the database swapped, the checkpoints of the earlier one are set aside; then everything is started. Does nothing where none
 * is under way. Returns whether one was.
 */
export async function settle(host: BackupHost): Promise<boolean> {
  const path = join(backupFolderOf(host), INTENT)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return false
  const { earlier, time, isFirst } = JSON.parse(text) as Intent
  try {
    if ((await databaseNames(host)).includes(earlier)) {
      await setCheckpointsAside(host, time)
      if (isFirst) await endFounding(host, earlier)
    } else await host.restoreTool.administer(`DROP DATABASE IF EXISTS ${DATABASE.restored} WITH (FORCE)`)
  } finally {
    await startAll()
  }
  await rm(path, { force: true })
  return true
}

/** Restores into a database of that name, beside the one in force. Throws when there is one. */
export async function restoreBeside(host: BackupHost, source: RestoreSource, name: string): Promise<void> {
  if ((await databaseNames(host)).includes(name))
    throw new Error(`there is a database ${name} already: give another name`)
  await fillBeside(host, source)
  await host.restoreTool.administer(`ALTER DATABASE ${DATABASE.restored} RENAME TO ${name}`)
  host.log(`${source.label} is the database ${name}; the one in force is as it was`)
}

/** The ledger says what has happened, before that is in force. Throws, and drops the restored database, when it can't. */
async function record(host: BackupHost, restoration: Restoration): Promise<void> {
  try {
    const lost = await recordRestoration(host, DATABASE.restored, restoration)
    if (lost !== undefined) host.log(`${lost} entries of the ledger are in the earlier database only`)
  } catch (cause) {
    await host.restoreTool.administer(`DROP DATABASE IF EXISTS ${DATABASE.restored} WITH (FORCE)`)
    const reason = (cause as Error).message
    throw new Error(`${restoration.label} was not restored, and nothing has changed: ${reason}`, { cause })
  }
}

/**
 * Restores in place of the database in force, by whoever `by` names. `isFirst`: that is the empty one of a new host, and goes. Otherwise it is kept.
 */
export async function restoreInPlace(
  host: BackupHost,
  source: RestoreSource,
  { by, isFirst }: Readonly<{ by: string; isFirst: boolean }>,
): Promise<void> {
  await fillBeside(host, source)
  const time = timeWord(new Date(host.clock.nowMs())).toLowerCase()
  const earlier = earlierName(time)
  const { label, takenAt } = source
  await record(host, { label, takenAt, by, earlier: isFirst ? undefined : earlier })
  const intent: Intent = { earlier, time, isFirst }
  await replaceFile(join(backupFolderOf(host), INTENT), JSON.stringify(intent))
  const startMs = host.clock.elapsedMs()
  try {
    await stopUsers()
    await swap(host, earlier)
  } finally {
    await settle(host)
  }
  const seconds = Math.round((host.clock.elapsedMs() - startMs) / 100) / 10
  const kept = isFirst ? '' : `; the earlier database is kept as ${earlier}`
  host.log(`${source.label} is in force since ${seconds} s after the gateway was stopped${kept}`)
}
