/**
 * Baselines a database whose tables were not created by us, but by an image's init scripts or by psql: finds the
 * migration whose schema it has exactly, and writes the schema history up to there. Nothing is guessed: the files are
 * run one after the other in an empty schema, in a transaction that is rolled back, and compared after each.
 */

import type { Database, SessionDatabase } from '../core/ports.ts'
import type { Migration, MigrationProblem } from './migration.ts'
import { type LockHolder, withMigrationLock } from './migration-lock.ts'
import type { MigrationRun } from './migrator.ts'
import { createSchemaHistory, insertMigration, readSchemaHistory } from './schema-history.ts'
import { compareSnapshots, type Drift, readSnapshot, type SchemaSnapshot } from './schema-snapshot.ts'

/** The result of a baseline. `unlike` names the nearest migration and the differences. */
export type BaselineOutcome =
  | Readonly<{ status: 'adopted'; at: Migration }>
  | Readonly<{ status: 'refused'; problems: readonly MigrationProblem[] }>
  | Readonly<{ status: 'unlike'; nearest: Migration; drift: readonly Drift[] }>
  | Readonly<{ status: 'locked'; holder: LockHolder | undefined }>

/** Name of the schema that is never committed. */
const SCRATCH = 'tappass_baseline'

/** The schema after a migration. */
type MigrationSnapshot = Readonly<{ migration: Migration; snapshot: SchemaSnapshot }>

/**
 * Baselines at the migration with number `at`, or at whichever matches when it is undefined. Refuses a database with
 * a schema history.
 */
export async function adoptBaseline(
  database: SessionDatabase,
  migrations: readonly Migration[],
  at: number | undefined,
  run: MigrationRun,
): Promise<BaselineOutcome> {
  return database.session(async (session) => {
    const outcome = await withMigrationLock(session, run, () => adopt(session, migrations, at, run))
    return outcome.status === 'locked' ? outcome : outcome.result
  })
}

async function adopt(
  session: Database,
  migrations: readonly Migration[],
  at: number | undefined,
  run: MigrationRun,
): Promise<BaselineOutcome> {
  if ((await readSchemaHistory(session)).length > 0) return { status: 'refused', problems: [ALREADY_HAS_HISTORY] }
  const live = await session.transaction((transaction) => readSnapshot(transaction, 'public'))
  if (live.size === 0) return { status: 'refused', problems: [EMPTY_DATABASE] }
  const candidates = (await takeSnapshots(session, migrations)).filter(
    ({ migration }) => at === undefined || migration.version === at,
  )
  const compared = candidates.map((each) => ({ ...each, drift: compareSnapshots(each.snapshot, live) }))
  const nearest = compared.reduce((best, each) => (each.drift.length <= best.drift.length ? each : best))
  if (nearest.drift.length > 0) return { status: 'unlike', nearest: nearest.migration, drift: nearest.drift }
  const adopted = migrations.filter(({ version }) => version <= nearest.migration.version)
  await session.transaction(async (transaction) => {
    await createSchemaHistory(transaction)
    for (const migration of adopted) {
      const snapshot = migration === nearest.migration ? live : undefined
      await insertMigration(transaction, migration, run, { durationMs: 0, origin: 'baseline', snapshot })
    }
  })
  return { status: 'adopted', at: nearest.migration }
}

/** Thrown to roll back the scratch schema; carries the snapshots out of the transaction. */
class RollBack extends Error {
  readonly snapshots: readonly MigrationSnapshot[]

  constructor(snapshots: readonly MigrationSnapshot[]) {
    super('undone on purpose')
    this.snapshots = snapshots
  }
}

async function takeSnapshots(
  session: Database,
  migrations: readonly Migration[],
): Promise<readonly MigrationSnapshot[]> {
  const snapshots: MigrationSnapshot[] = []
  const work = session.transaction(async (transaction) => {
    await transaction.script(
      `SET LOCAL statement_timeout = 0; CREATE SCHEMA ${SCRATCH}; SET LOCAL search_path = ${SCRATCH}`,
    )
    for (const migration of migrations) {
      // In a transaction, and on empty tables: here it makes no difference.
      await transaction.script(migration.sql.replace(/\bCONCURRENTLY\b/i, ''))
      snapshots.push({ migration, snapshot: await readSnapshot(transaction, SCRATCH) })
    }
    throw new RollBack(snapshots)
  })
  return work.catch((error: unknown) => {
    if (error instanceof RollBack) return error.snapshots
    throw error
  })
}

const ALREADY_HAS_HISTORY: MigrationProblem = {
  code: 'migration.adoptable',
  file: 'schema_migrations',
  message: 'this database already has a schema history',
  next: 'tappass migrate status',
}

const EMPTY_DATABASE: MigrationProblem = {
  code: 'migration.adoptable',
  file: 'schema_migrations',
  message: 'this database is empty: there is nothing to adopt',
  next: 'tappass migrate up',
}
