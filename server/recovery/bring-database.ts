/**
 * Brings the data of a database elsewhere to the host's own: into a database beside that one, made by the migrations that were run there. With the gateway stopped the rows are copied
 * from one transaction of that database, compared, and their ledger is verified; then that database is closed to the gateway, and the copy gets the name of the one in force. What had
 * that name is kept as after a restoration, for it has not what was recorded since.
 */
import { readFile, rm } from 'node:fs/promises'
import { timeWord } from '../../contract/backup-name.ts'
import { ROLE } from '../../contract/database-role.ts'
import { databaseLabel } from '../../contract/moved-database.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { parsePostgresAddress } from '../../contract/postgres-address.ts'
import { readCheckpointFolder } from '../adapters/checkpoint-folder.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from '../adapters/migration-folder.ts'
import { type FilledDatabase, type Filling, inOneTransaction } from '../adapters/plain-restore.ts'
import { replaceFile } from '../backups/set-file.ts'
import type { Database } from '../core/ports.ts'
import { parseMigrations } from '../migration/migration.ts'
import { migrationStatus } from '../migration/migrator.ts'
import { addressOf, type BackupHost, DATABASE, pathOn, publicKeysOf, readSecrets, withDatabase } from './backup-host.ts'
import { startAll, stopUsers } from './database-user.ts'
import { earlierName } from './earlier-database.ts'
import { migrateRestored } from './migrate-restored.ts'
import { CLOSE_OWN, MoveRefusal, OPEN_OWN, RELATIONS_SQL, readNote, secondsSince, writeNote } from './move-note.ts'
import { databaseNames, swap } from './restore-set.ts'
import { createEmpty, plainSettings, verifyRestoredLedger } from './restored-database.ts'
import { contentDifference, contentOf, SAME_TEXT_SQL, sumOfRows } from './row-comparison.ts'
import { copyTables, schemaDifference, tablesOf } from './row-copy.ts'

type Content = Readonly<Record<string, string>>

/** What is under way: the name that the host's own database gets; `content` from when that of the other one is known, and just before it is closed. */
type Progress = Readonly<{ earlier: string; address: string; content?: Content }>

/** How a move that was under way has ended: whoever asks for `brought` goes on with the host's own. */
type Settled = 'none' | 'undone' | 'brought'

/** The name of what closes the other database: of the function, and of its triggers. */
const CLOSED = 'tappass_moved'
const DROP_COPY = `DROP DATABASE IF EXISTS ${DATABASE.restored} WITH (FORCE)`
/** Nobody limits a copy but the limit of the process; whoever else has a table open is waited for. */
const PATIENT = `SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '30s'`

function progressPath(host: BackupHost): string {
  return pathOn(host, HOST_PATH.broughtDatabase)
}

async function writeProgress(host: BackupHost, progress: Progress): Promise<void> {
  await replaceFile(progressPath(host), JSON.stringify(progress))
}

/**
 * Closes the other database, as the owner of its tables may: a trigger on each refuses whoever writes, whatever rights a role has. Rights alone would come back with the migrations that
 * run at the boot of a host. Reading stays.
 */
async function closeThere(database: Database): Promise<void> {
  const tables = await tablesOf(database)
  await database.script(`CREATE FUNCTION public.${CLOSED}() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN RAISE EXCEPTION 'the data of TapPass were moved from this database to another one' USING ERRCODE = '25006'; END $$`)
  for (const { name } of tables)
    await database.script(`CREATE TRIGGER ${CLOSED} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.${name} EXECUTE FUNCTION public.${CLOSED}();
      ALTER TABLE public.${name} ENABLE ALWAYS TRIGGER ${CLOSED}`)
}

/** The triggers go with their function. */
async function openThere(source: FilledDatabase): Promise<void> {
  await inOneTransaction(source, ({ database }) =>
    database.script(`DROP FUNCTION IF EXISTS public.${CLOSED}() CASCADE`),
  )
}

/** Makes the database that is filled, with the schema that the other one has. Throws a `MoveRefusal`, with nothing left of it, where that is not the one of its migrations. */
async function createSchema(host: BackupHost, source: FilledDatabase): Promise<void> {
  const label = databaseLabel(source.address)
  const { migrations } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
  await inOneTransaction(source, async ({ database: there }) => {
    const { applied, problems } = await migrationStatus(there, migrations, 'read')
    if (problems[0] !== undefined) throw new MoveRefusal(`${label}: ${problems[0].message}`, problems[0].next)
    if (applied.length === 0)
      throw new MoveRefusal(`${label} has no data of TapPass`, 'use what is here: tappass bootstrap --data leave')
    const unknown = applied.find(({ version }) => !migrations.some((each) => each.version === version))
    if (unknown !== undefined)
      throw new MoveRefusal(
        `${label} has a migration that this release does not have: ${unknown.name}`,
        'use a clone of the release that runs there, or of a later one',
      )
    const versions = new Set(applied.map(({ version }) => version))
    await createEmpty(host, DATABASE.restored)
    await migrateRestored(host, DATABASE.restored, ({ version }) => versions.has(version))
    const difference = await inOneTransaction(copyOn(host), ({ database }) => schemaDifference(there, database))
    if (difference !== undefined)
      throw new MoveRefusal(
        `the schema of ${label} is not the one that its migrations have made: ${difference}`,
        'undo that there (what is not of TapPass belongs into another schema than public), and run the same command again',
      )
  })
}

/** The copy, as the owner of its tables. */
function copyOn(host: BackupHost): FilledDatabase {
  return { address: parsePostgresAddress(addressOf(host, ROLE.owner, DATABASE.restored)), authority: undefined }
}

async function fillFrom(host: BackupHost, there: Filling): Promise<Content> {
  const tables = await tablesOf(there.database)
  const names = tables.map(({ name }) => `public.${name}`).join(', ')
  await there.database.script(`${PATIENT}; LOCK TABLE ${names} IN SHARE ROW EXCLUSIVE MODE; ${SAME_TEXT_SQL}`)
  return await inOneTransaction(copyOn(host), async (here) => {
    await copyTables(tables, there, here)
    const had = await contentOf(there.database)
    const difference = contentDifference(had, await contentOf(here.database))
    if (difference !== undefined) throw new Error(difference)
    const other = await schemaDifference(there.database, here.database)
    if (other !== undefined) throw new Error(`the copy has another schema: ${other}`)
    return had
  })
}

/** Its last act in the other database closes that: who copied nothing has closed nothing. */
async function copyIn(host: BackupHost, source: FilledDatabase, progress: Progress): Promise<void> {
  const evidence = {
    publicKeys: await publicKeysOf(host, await readSecrets(host)),
    notes: await readCheckpointFolder(pathOn(host, HOST_PATH.checkpointFolder)),
  }
  await inOneTransaction(source, async (there) => {
    const content = await fillFrom(host, there)
    const { entries } = await verifyRestoredLedger(host, DATABASE.restored, evidence)
    host.log(
      `copied: ${sumOfRows(content)} rows in ${Object.keys(content).length} tables, each the same; ledger intact (${entries} entries)`,
    )
    await host.restoreTool.administer(...plainSettings(DATABASE.restored))
    await writeProgress(host, { ...progress, content })
    await closeThere(there.database)
  })
}

/** The copy has the name: the note says so, and the database of before goes where nothing ever was in it. */
async function finish(host: BackupHost, { earlier, address, content = {} }: Progress): Promise<void> {
  const { restoreTool, clock } = host
  await restoreTool.administer(`ALTER DATABASE ${earlier} CONNECTION LIMIT -1`)
  const isEmpty = (await restoreTool.read(earlier, RELATIONS_SQL)).length === 0
  const movedAt = new Date(clock.nowMs()).toISOString()
  const before = await readNote(host)
  const awaySince = before?.state === 'moved' ? before.movedAt : undefined
  await writeNote(host, { state: 'brought', address, movedAt, content, earlier, awaySince })
  if (isEmpty) await restoreTool.administer(`DROP DATABASE ${earlier} WITH (FORCE)`)
  else host.log(`what the database on this host had before is kept as ${earlier}: tappass backup list`)
}

/** Ends a move back that was killed, or has failed: with the names changed it is completed, and the gateway stays stopped; otherwise the other database serves on. */
export async function settleBring(host: BackupHost, source: () => Promise<FilledDatabase>): Promise<Settled> {
  const text = await readFile(progressPath(host), 'utf8').catch(() => undefined)
  if (text === undefined) return 'none'
  const progress = JSON.parse(text) as Progress
  const isNoted = (await readNote(host))?.earlier === progress.earlier
  const isBrought = isNoted || (await databaseNames(host)).includes(progress.earlier)
  if (!isBrought) {
    try {
      if (progress.content !== undefined) await openThere(await source())
      await host.restoreTool.administer(DROP_COPY)
    } finally {
      await startAll()
    }
  } else if (!isNoted) await finish(host, progress)
  await rm(progressPath(host), { force: true })
  return isBrought ? 'brought' : 'undone'
}

/** Settles what has failed. Throws, with the reason, unless the copy is in force all the same. */
async function endFailed(host: BackupHost, source: FilledDatabase, cause: Error): Promise<void> {
  const label = databaseLabel(source.address)
  const settled = await settleBring(host, async () => source).catch((error: Error) => error)
  if (settled === 'brought') return
  const state = settled instanceof Error ? `could not be opened again (${settled.message})` : 'serves on'
  throw new Error(`nothing was moved, and ${label} ${state}: ${cause.message}`, { cause })
}

/** Moves the data to this host. The gateway is stopped, and stays so: whoever called starts the instances on it. Throws, with the gateway started again, when anything does not hold. */
export async function bringDatabase(host: BackupHost, source: FilledDatabase): Promise<void> {
  const label = databaseLabel(source.address)
  if ((await settleBring(host, async () => source)) === 'brought') return
  await createSchema(host, source).catch(async (error: unknown) => {
    await host.restoreTool.administer(DROP_COPY)
    throw error
  })
  const earlier = earlierName(timeWord(new Date(host.clock.nowMs())))
  const progress: Progress = { earlier, address: label }
  const startMs = host.clock.elapsedMs()
  await writeProgress(host, progress)
  try {
    await stopUsers()
    await copyIn(host, source, progress)
    await swap(host, earlier)
    await settleBring(host, async () => source)
  } catch (error) {
    await endFailed(host, source, error as Error)
  }
  host.log(
    `moved ${secondsSince(host, startMs)} s after the gateway was stopped; the data in ${label} stay there, closed to whoever writes: drop that database when you need it no more`,
  )
}

/** Whether the host's own database has what it was brought with. It is closed by then to everybody but this connection. */
async function isUnchanged(host: BackupHost, content: Content): Promise<boolean> {
  return await withDatabase(host, ROLE.reader, DATABASE.live, (database) =>
    database.session(async (session) => {
      await session.query('SELECT 1')
      const leave = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '${DATABASE.live}' AND usename = '${ROLE.gateway}'`
      await host.restoreTool.administer(CLOSE_OWN, leave)
      return contentDifference(content, await session.transaction(contentOf)) === undefined
    }),
  )
}

/** Goes back to the other database, of which the data were brought. Throws a `MoveRefusal` when something was recorded here since. */
export async function giveBack(host: BackupHost, source: FilledDatabase): Promise<void> {
  const note = await readNote(host)
  if (note?.state !== 'brought') return
  if (!(await isUnchanged(host, note.content))) {
    await host.restoreTool.administer(OPEN_OWN)
    throw new MoveRefusal(
      `the database on this host has recorded something since the data were brought here, which ${note.address} does not have`,
      'mend what the run has failed for, and run the same command again',
    )
  }
  try {
    await openThere(source)
    const movedAt = new Date(host.clock.nowMs()).toISOString()
    await writeNote(host, { state: 'moved', address: note.address, movedAt, content: note.content })
  } finally {
    await startAll()
  }
  host.log(`${note.address} serves again`)
}
