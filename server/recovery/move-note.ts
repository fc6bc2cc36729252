/** What a host notes of a move of its data, and how its own database is closed meanwhile. */
import { readFile, rm } from 'node:fs/promises'
import { type MovedDatabase, parseMovedDatabase } from '../../contract/moved-database.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { replaceFile } from '../backups/set-file.ts'
import { type BackupHost, DATABASE, pathOn } from './backup-host.ts'

/** Refused, with nothing changed, and the way out. */
export class MoveRefusal extends Error {
  readonly next: string

  constructor(message: string, next: string) {
    super(message)
    this.next = next
  }
}

/** Nobody but a superuser may connect to the host's own: instances that still have its address serve nothing that only this database would have. It outlives a restart of the server. */
export const CLOSE_OWN: string = `ALTER DATABASE ${DATABASE.live} CONNECTION LIMIT 0`

/** The inverse. */
export const OPEN_OWN: string = `ALTER DATABASE ${DATABASE.live} CONNECTION LIMIT -1`

/** Tables, views and sequences of a database's schema `public`. */
export const RELATIONS_SQL: string = `SELECT relname FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace
  AND relkind IN ('r', 'p', 'v', 'm', 'S', 'f') ORDER BY 1`

/** Returns what the last move has noted; undefined where there was none. */
export async function readNote(host: BackupHost): Promise<MovedDatabase | undefined> {
  return parseMovedDatabase(await readFile(pathOn(host, HOST_PATH.movedDatabase), 'utf8').catch(() => undefined))
}

/** Replaces the note, whole or not at all. */
export async function writeNote(host: BackupHost, note: MovedDatabase): Promise<void> {
  await replaceFile(pathOn(host, HOST_PATH.movedDatabase), `${JSON.stringify(note, null, 2)}\n`)
}

/** Whether the host's own database stood still at that time, because the data were elsewhere. Where nobody knows since when, at any time before they came back. */
export function wasAway({ state, movedAt, awaySince }: MovedDatabase, timeMs: number): boolean {
  if (state !== 'brought' || timeMs >= Date.parse(movedAt)) return false
  return awaySince === undefined || timeMs >= Date.parse(awaySince)
}

/** From here on there was no move. */
export async function forgetNote(host: BackupHost): Promise<void> {
  await rm(pathOn(host, HOST_PATH.movedDatabase), { force: true })
}

/** The seconds since then, for people. */
export function secondsSince({ clock }: BackupHost, startMs: number): number {
  return Math.round((clock.elapsedMs() - startMs) / 100) / 10
}
