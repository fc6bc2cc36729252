/**
 * Moves the data of a host's own database to one elsewhere: with the gateway stopped, they are copied in one transaction of that database, compared row by row, and
 * their ledger is verified; then the host's own is closed, and the transaction committed. Whatever ends this before leaves the one in force as it was, and the other empty.
 */
import { readFile, rm } from 'node:fs/promises'
import { databaseLabel, type MovedDatabase, parseMovedDatabase } from '../../contract/moved-database.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { readCheckpointFolder } from '../adapters/checkpoint-folder.ts'
import { type FilledDatabase, inOneTransaction } from '../adapters/plain-restore.ts'
import { replaceFile } from '../backups/set-file.ts'
import type { Database } from '../core/ports.ts'
import { verifyLedger } from '../ledger/verification.ts'
import { type BackupHost, DATABASE, pathOn, publicKeysOf, readSecrets } from './backup-host.ts'
import { startAll, stopUsers } from './database-user.ts'
import { contentDifference, digestRows, SAME_TEXT_SQL, sumOfRows } from './row-comparison.ts'

/** Refused, with nothing changed, and the way out. */
export class MoveRefusal extends Error {
  readonly next: string

  constructor(message: string, next: string) {
    super(message)
    this.next = next
  }
}

/** Nobody but a superuser may connect: instances that still have the old address serve nothing that only this database would have. It outlives a restart of the server. */
const CLOSE = `ALTER DATABASE ${DATABASE.live} CONNECTION LIMIT 0`
const OPEN = `ALTER DATABASE ${DATABASE.live} CONNECTION LIMIT -1`

/** Tables, views and sequences in the schema that is filled. */
const RELATIONS = `SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace
  AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') ORDER BY 1`

function notePath(host: BackupHost): string {
  return pathOn(host, HOST_PATH.movedDatabase)
}

async function readNote(host: BackupHost): Promise<MovedDatabase | undefined> {
  return parseMovedDatabase(await readFile(notePath(host), 'utf8').catch(() => undefined))
}

async function writeNote(host: BackupHost, note: MovedDatabase): Promise<void> {
  await replaceFile(notePath(host), `${JSON.stringify(note, null, 2)}\n`)
}

/** What the tables of a database elsewhere hold, asked within a transaction. */
async function contentOf(database: Database): Promise<Readonly<Record<string, string>>> {
  await database.script(`RESET ALL; ${SAME_TEXT_SQL}`)
  return await digestRows(async (sql) => {
    const rows = await database.query<Readonly<Record<string, unknown>>>(sql)
    return rows.map((row) => String(Object.values(row)[0]))
  })
}

/** Within a transaction of its own: what this role may not read there is nothing that was copied. */
async function isUnchanged(database: Database, note: MovedDatabase): Promise<boolean> {
  try {
    return contentDifference(note.content, await database.transaction(contentOf)) === undefined
  } catch {
    return false
  }
}

/** What is there is nobody's to overwrite, but a copy that this host has left there itself. Throws a `MoveRefusal`. */
async function assertMayFill(host: BackupHost, target: FilledDatabase): Promise<void> {
  const note = await readNote(host)
  await inOneTransaction(target, async ({ database }) => {
    const [found] = await database.query<{ relname: string }>(RELATIONS)
    if (found === undefined) return
    if (note?.state === 'returned' && (await isUnchanged(database, note))) return
    const label = databaseLabel(target.address)
    throw new MoveRefusal(
      `the database ${label} is not empty: there is ${found.relname} in its schema public`,
      'give an empty database, or go on with what is there: tappass bootstrap --data leave',
    )
  })
}

/** Throws, and leaves the other database as it was, for whatever does not hold. */
async function copy(host: BackupHost, target: FilledDatabase): Promise<Readonly<Record<string, string>>> {
  const evidence = {
    publicKeys: await publicKeysOf(host, await readSecrets(host)),
    notes: await readCheckpointFolder(pathOn(host, HOST_PATH.checkpointFolder)),
  }
  const snapshot = await host.dumpTool.openSnapshot()
  try {
    await snapshot.query(SAME_TEXT_SQL)
    const had = await digestRows(snapshot.query)
    await inOneTransaction(target, async ({ fill, database }) => {
      await fill(host.dumpTool.dumpText(snapshot.id))
      const difference = contentDifference(had, await contentOf(database))
      if (difference !== undefined) throw new Error(difference)
      const ledger = await verifyLedger(database, evidence)
      if (ledger.status === 'broken')
        throw new Error(`the ledger is broken: entry ${ledger.seq} of chain ${ledger.chain}: ${ledger.reason}`)
      host.log(
        `copied: ${sumOfRows(had)} rows in ${Object.keys(had).length} tables, each the same; ledger intact (${ledger.entries} entries)`,
      )
      await host.restoreTool.administer(CLOSE)
    })
    return had
  } finally {
    await snapshot.close()
  }
}

/** Opens the host's own database again, and starts what was stopped. */
async function reopen({ restoreTool }: BackupHost): Promise<void> {
  try {
    await restoreTool.administer(OPEN)
  } finally {
    await startAll()
  }
}

/**
 * Moves the data to the target, an empty database. The gateway is stopped, and stays so: whoever called starts the instances on the other address. Throws, with the gateway
 * started again, when anything does not hold.
 */
export async function moveDatabase(host: BackupHost, target: FilledDatabase): Promise<void> {
  await assertMayFill(host, target)
  await rm(notePath(host), { force: true })
  const startMs = host.clock.elapsedMs()
  try {
    // One that was closed by a move which was killed has to be read, too.
    await host.restoreTool.administer(OPEN)
    await stopUsers()
    const content = await copy(host, target)
    const movedAt = new Date(host.clock.nowMs()).toISOString()
    await writeNote(host, { state: 'moved', address: databaseLabel(target.address), movedAt, content })
  } catch (error) {
    await reopen(host)
    throw new Error(`nothing was moved, and the database on this host serves on: ${(error as Error).message}`, {
      cause: error,
    })
  }
  const seconds = Math.round((host.clock.elapsedMs() - startMs) / 100) / 10
  host.log(
    `moved ${seconds} s after the gateway was stopped; the data on this host are kept in ${HOST_PATH.postgresFolder}`,
  )
}

/** Goes back to the host's own database. Throws a `MoveRefusal` when something was recorded in the other one since. */
export async function returnDatabase(host: BackupHost, target: FilledDatabase): Promise<void> {
  const note = await readNote(host)
  if (note?.state === 'moved') {
    if (!(await inOneTransaction(target, ({ database }) => isUnchanged(database, note))))
      throw new MoveRefusal(
        `${note.address} has recorded something since the data were moved there, which the database on this host does not have`,
        'mend what the run has failed for, and run the same command again',
      )
    await writeNote(host, { ...note, state: 'returned' })
  }
  await reopen(host)
  host.log('the database on this host serves again')
}

/** Ends a move that was killed before its end. Does nothing after it. */
export async function settleMove(host: BackupHost): Promise<void> {
  if ((await readNote(host))?.state !== 'moved') await reopen(host)
}

/** Opens the host's own database for a gateway that is given it again, and forgets the move. */
export async function openOwnDatabase(host: BackupHost): Promise<void> {
  await host.restoreTool.administer(OPEN)
  await rm(notePath(host), { force: true })
}
