/**
 * Moves the data of a host's own database to one elsewhere: with the gateway stopped, they are copied in one transaction of that database, compared row by row, and
 * their ledger is verified; then the host's own is closed, and the transaction committed. Whatever ends this before leaves the one in force as it was, and the other empty.
 */
import { databaseLabel, type MovedDatabase } from '../../contract/moved-database.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { readCheckpointFolder } from '../adapters/checkpoint-folder.ts'
import { type FilledDatabase, inOneTransaction } from '../adapters/plain-restore.ts'
import type { Database } from '../core/ports.ts'
import { verifyLedger } from '../ledger/verification.ts'
import { type BackupHost, pathOn, publicKeysOf, readSecrets } from './backup-host.ts'
import { giveBack, settleBring } from './bring-database.ts'
import { startAll, stopUsers } from './database-user.ts'
import {
  CLOSE_OWN,
  forgetNote,
  MoveRefusal,
  OPEN_OWN,
  RELATIONS_SQL,
  readNote,
  secondsSince,
  writeNote,
} from './move-note.ts'
import { contentDifference, contentOf, digestRows, SAME_TEXT_SQL, sumOfRows } from './row-comparison.ts'

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
    const [found] = await database.query<{ relname: string }>(RELATIONS_SQL)
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
      await database.script('RESET ALL')
      const difference = contentDifference(had, await contentOf(database))
      if (difference !== undefined) throw new Error(difference)
      const ledger = await verifyLedger(database, evidence)
      if (ledger.status === 'broken')
        throw new Error(`the ledger is broken: entry ${ledger.seq} of chain ${ledger.chain}: ${ledger.reason}`)
      host.log(
        `copied: ${sumOfRows(had)} rows in ${Object.keys(had).length} tables, each the same; ledger intact (${ledger.entries} entries)`,
      )
      await host.restoreTool.administer(CLOSE_OWN)
    })
    return had
  } finally {
    await snapshot.close()
  }
}

/** Opens the host's own database again, and starts what was stopped. */
async function reopen({ restoreTool }: BackupHost): Promise<void> {
  try {
    await restoreTool.administer(OPEN_OWN)
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
  await forgetNote(host)
  const startMs = host.clock.elapsedMs()
  try {
    // One that was closed by a move which was killed has to be read, too.
    await host.restoreTool.administer(OPEN_OWN)
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
  host.log(
    `moved ${secondsSince(host, startMs)} s after the gateway was stopped; the data on this host are kept in ${HOST_PATH.postgresFolder}`,
  )
}

/**
 * Goes back to the database that served before a move whose run has failed: the host's own, or the other one. Throws a `MoveRefusal` when something was recorded since where it was
 * moved to.
 */
export async function returnDatabase(host: BackupHost, source: () => Promise<FilledDatabase>): Promise<void> {
  const settled = await settleBring(host, source)
  const note = await readNote(host)
  if (note?.state === 'brought') return await giveBack(host, await source())
  if (settled !== 'none') return
  if (note?.state === 'moved') {
    if (!(await inOneTransaction(await source(), ({ database }) => isUnchanged(database, note))))
      throw new MoveRefusal(
        `${note.address} has recorded something since the data were moved there, which the database on this host does not have`,
        'mend what the run has failed for, and run the same command again',
      )
    await writeNote(host, { ...note, state: 'returned' })
  }
  await reopen(host)
  host.log('the database on this host serves again')
}

/** Ends a move that was killed before its end, whichever way. Does nothing after it. */
export async function settleMove(host: BackupHost, source: () => Promise<FilledDatabase>): Promise<void> {
  if ((await settleBring(host, source)) !== 'none') return
  const state = (await readNote(host))?.state
  if (state !== 'moved' && state !== 'brought') await reopen(host)
}

/** Opens the host's own database for a gateway that is given it again, whatever it has, and forgets the move. */
export async function openOwnDatabase(host: BackupHost, source: () => Promise<FilledDatabase>): Promise<void> {
  await settleBring(host, source)
  await host.restoreTool.administer(OPEN_OWN)
  await forgetNote(host)
}
