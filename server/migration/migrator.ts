/**
 * Migrates a database's schema to the files: under one lock, one transaction a file, each with its row in the schema
 * history, so that the next run completes one that was killed. The plan is made in migration.ts.
 */

import type { Database, SessionDatabase } from '../core/ports.ts'
import { DatabaseError, hasSqlState, LOCK_NOT_AVAILABLE } from '../database/database-error.ts'
import { lineAt } from '../database/sql-statement.ts'
import { beforeAcceptance, type Migration, type MigrationProblem, planMigrations } from './migration.ts'
import { type LockHolder, type LockWait, withMigrationLock } from './migration-lock.ts'
import { grantRuntimePrivileges } from './runtime-privilege.ts'
import {
  createSchemaHistory,
  insertMigration,
  type MigrationActor,
  readSchemaHistory,
  type SchemaHistoryRow,
} from './schema-history.ts'
import { readSnapshot, type SchemaSnapshot } from './schema-snapshot.ts'
import { checkServer, type SchemaUse } from './server-check.ts'

/**
 * What a run needs beside database and files. `isBeforeAcceptance`: migrations of the phase `contract` wait. `runtimeRole` gets its privileges; undefined where one role does everything. `emit` is called
 * for each file when it begins and when it is done.
 */
export type MigrationRun = LockWait &
  MigrationActor &
  Readonly<{ isBeforeAcceptance: boolean; runtimeRole: string | undefined; emit: (event: MigrationEvent) => void }>

/** What happens during a run. */
export type MigrationEvent =
  | Readonly<{ event: 'migration.begin'; file: string }>
  | Readonly<{ event: 'migration.done'; file: string; ms: number }>
  | Readonly<{ event: 'migration.retry'; file: string; inMs: number; reason: string }>

/** The result of a run. `applied` stays committed in every case; `held` waits until the release is accepted. */
export type MigrationOutcome =
  | Readonly<{ status: 'current'; applied: readonly Migration[]; held: readonly Migration[] }>
  | Readonly<{ status: 'refused'; problems: readonly MigrationProblem[] }>
  | Readonly<{ status: 'locked'; holder: LockHolder | undefined }>
  | Readonly<{
      status: 'failed'
      file: string
      line: number | undefined
      reason: string
      applied: readonly Migration[]
    }>

/** The state of a database. Changes nothing, takes no lock. */
export type MigrationStatus = Readonly<{
  applied: readonly SchemaHistoryRow[]
  pending: readonly Migration[]
  problems: readonly MigrationProblem[]
}>

/** How long a migration waits for a table in use, before it lets others through and retries. */
const TABLE_LOCK_TIMEOUT = '3s'
const RETRY_MS = [1_000, 2_000, 4_000, 8_000] as const

/** Compares the files with the database's schema history; `use` is what the session's role is to do with the schema. */
export async function migrationStatus(
  database: Database,
  migrations: readonly Migration[],
  use: SchemaUse,
): Promise<MigrationStatus> {
  const serverProblems = await checkServer(database, use)
  if (serverProblems.length > 0) return { applied: [], pending: migrations, problems: serverProblems }
  const applied = await readSchemaHistory(database)
  const { pending, problems } = planMigrations(migrations, applied)
  const adoptable = applied.length === 0 && (await hasTables(database)) ? [baselineRequired(migrations)] : []
  return { applied, pending, problems: [...problems, ...adoptable] }
}

/** Runs what is pending. Throws DatabaseError without SQLSTATE when the database is unreachable. */
export async function migrateUp(
  database: SessionDatabase,
  migrations: readonly Migration[],
  run: MigrationRun,
): Promise<MigrationOutcome> {
  return database.session(async (session) => {
    const outcome = await withMigrationLock(session, run, async () => {
      const { applied, pending: all, problems } = await migrationStatus(session, migrations, 'change')
      if (problems.length > 0) return { status: 'refused', problems } as const
      const pending = run.isBeforeAcceptance ? beforeAcceptance(all, applied) : all
      if (pending.length > 0) await createSchemaHistory(session)
      const outcome = await applyAll(session, pending, run)
      if (outcome.status !== 'current') return outcome
      await grant(session, run)
      return { ...outcome, held: all.filter((each) => !pending.includes(each)) }
    })
    return outcome.status === 'locked' ? outcome : outcome.result
  })
}

/** Also when nothing was pending: the roles may have been divided since. */
async function grant(session: Database, { runtimeRole }: MigrationRun): Promise<void> {
  if (runtimeRole !== undefined)
    await session.transaction((transaction) => grantRuntimePrivileges(transaction, runtimeRole))
}

async function applyAll(
  session: Database,
  pending: readonly Migration[],
  run: MigrationRun,
): Promise<MigrationOutcome> {
  const applied: Migration[] = []
  for (const migration of pending) {
    try {
      await applyWithRetry(session, migration, migration === pending.at(-1), run)
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.sqlState === undefined) throw error
      const line = error instanceof StatementError ? error.line : undefined
      return { status: 'failed', file: migration.file, line, reason: error.message, applied }
    }
    applied.push(migration)
  }
  return { status: 'current', applied, held: [] }
}

async function applyWithRetry(
  session: Database,
  migration: Migration,
  isLast: boolean,
  run: MigrationRun,
): Promise<void> {
  const { file } = migration
  for (const inMs of [...RETRY_MS, undefined]) {
    const startMs = run.nowMs()
    run.emit({ event: 'migration.begin', file })
    try {
      await (migration.header.isConcurrent ? applyAlone : applyOne)(session, migration, isLast, run)
      run.emit({ event: 'migration.done', file, ms: run.nowMs() - startMs })
      return
    } catch (error) {
      if (inMs === undefined || !hasSqlState(error, LOCK_NOT_AVAILABLE)) throw error
      run.emit({ event: 'migration.retry', file, inMs, reason: (error as DatabaseError).message })
      await run.sleep(inMs)
    }
  }
}

/** The last migration of a run stores a snapshot of the schema in the history, for `verify` to compare with. */
async function applyOne(session: Database, migration: Migration, isLast: boolean, run: MigrationRun): Promise<void> {
  await session.transaction(async (transaction) => {
    const startMs = run.nowMs()
    await transaction.script(
      `SET LOCAL search_path = public; SET LOCAL statement_timeout = '${migration.header.statementTimeout}'; SET LOCAL lock_timeout = '${TABLE_LOCK_TIMEOUT}'`,
    )
    await transaction.script(migration.sql).catch((error: unknown) => {
      throw error instanceof DatabaseError ? new StatementError(error, migration.sql) : error
    })
    // A table that was made again is out of reach of the gateways for no moment.
    if (run.runtimeRole !== undefined) await grantRuntimePrivileges(transaction, run.runtimeRole)
    const snapshot: SchemaSnapshot | undefined = isLast ? await readSnapshot(transaction, 'public') : undefined
    const durationMs = Math.round(run.nowMs() - startMs)
    await insertMigration(transaction, migration, run, { durationMs, origin: 'up', snapshot })
  })
}

/**
 * One statement outside of a transaction, so that a table can be written meanwhile. What an interrupted try has left, an index that is not valid,
 * is dropped first: `IF NOT EXISTS` would take it for the whole one.
 */
async function applyAlone(session: Database, migration: Migration, isLast: boolean, run: MigrationRun): Promise<void> {
  const startMs = run.nowMs()
  await session.query(
    `SELECT set_config('search_path', 'public', false), set_config('lock_timeout', $1, false),
    set_config('statement_timeout', $2, false)`,
    [TABLE_LOCK_TIMEOUT, migration.header.statementTimeout],
  )
  try {
    for (const { index } of await session.query<{ index: string }>(INVALID_INDEXES))
      await session.script(`DROP INDEX CONCURRENTLY IF EXISTS public.${index}`)
    await session.script(migration.sql).catch((error: unknown) => {
      throw error instanceof DatabaseError ? new StatementError(error, migration.sql) : error
    })
  } finally {
    await session.script('RESET search_path; RESET lock_timeout; RESET statement_timeout')
  }
  await session.transaction(async (transaction) => {
    if (run.runtimeRole !== undefined) await grantRuntimePrivileges(transaction, run.runtimeRole)
    const snapshot = isLast ? await readSnapshot(transaction, 'public') : undefined
    const durationMs = Math.round(run.nowMs() - startMs)
    await insertMigration(transaction, migration, run, { durationMs, origin: 'up', snapshot })
  })
}

const INVALID_INDEXES = `SELECT quote_ident(c.relname) AS index FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND NOT i.indisvalid`

/** A statement of a file failed; `line` is where in the file. */
class StatementError extends DatabaseError {
  readonly line: number | undefined

  constructor(error: DatabaseError, sql: string) {
    super(error.message, error.sqlState, error.cause)
    const position = Number((error.cause as { position?: unknown } | undefined)?.position)
    this.line = position > 0 ? lineAt(sql, position) : undefined
  }
}

/** Our tables without a schema history: somebody ran the files by hand, or an image's init scripts did. */
async function hasTables(database: Database): Promise<boolean> {
  const [row] = await database.query<{ isThere: boolean }>(
    `SELECT to_regclass('public.organizations') IS NOT NULL OR to_regclass('public.audit_events') IS NOT NULL AS "isThere"`,
  )
  return row?.isThere === true
}

function baselineRequired(migrations: readonly Migration[]): MigrationProblem {
  return {
    code: 'migration.adoptable',
    file: migrations[0]?.file ?? '',
    message: 'the database has tables of TapPass and no schema history: init scripts or psql created them',
    next: 'tappass migrate baseline, which finds the migration that it matches and writes the schema history',
  }
}
