/**
 * Adopts a database whose tables were made without us, by an image's init scripts or by psql: finds the migration that
 * its schema looks exactly like, and writes the ledger up to there. The likeness is not guessed: the files are run one
 * after the other in an empty schema, in a transaction that is undone, and compared after each.
 */

import type { Database, SessionDatabase } from '../core/ports.ts'
import type { Migration, MigrationProblem } from './migration.ts'
import { type LockHolder, underMigrationLock } from './migration-lock.ts'
import type { MigrationRun } from './migrator.ts'
import { createLedger, readLedger, recordMigration } from './schema-history.ts'
import { type Catalog, compareCatalogs, type Drift, readCatalog } from './schema-snapshot.ts'

/** How the adoption ended. `unlike` names the nearest migration and what differs from it. */
export type BaselineOutcome =
  | Readonly<{ status: 'adopted'; at: Migration }>
  | Readonly<{ status: 'refused'; problems: readonly MigrationProblem[] }>
  | Readonly<{ status: 'unlike'; nearest: Migration; drift: readonly Drift[] }>
  | Readonly<{ status: 'locked'; holder: LockHolder | undefined }>

/** Name of the schema that is never committed. */
const SCRATCH = 'tappass_baseline'

/** What the schema looks like after a migration. */
type Picture = Readonly<{ migration: Migration; catalog: Catalog }>

/** Adopts at the migration with number `at`, or at whichever fits when it is undefined. Refuses a database with a ledger. */
export async function adoptBaseline(
  database: SessionDatabase,
  migrations: readonly Migration[],
  at: number | undefined,
  run: MigrationRun,
): Promise<BaselineOutcome> {
  return database.session(async (session) => {
    const outcome = await underMigrationLock(session, run, () => adopt(session, migrations, at, run))
    return outcome.status === 'locked' ? outcome : outcome.result
  })
}

async function adopt(
  session: Database,
  migrations: readonly Migration[],
  at: number | undefined,
  run: MigrationRun,
): Promise<BaselineOutcome> {
  if ((await readLedger(session)).length > 0) return { status: 'refused', problems: [hasLedger] }
  const live = await session.transaction((transaction) => readCatalog(transaction, 'public'))
  if (live.size === 0) return { status: 'refused', problems: [isEmpty] }
  const wanted = (await picture(session, migrations)).filter(
    ({ migration }) => at === undefined || migration.version === at,
  )
  const compared = wanted.map((each) => ({ ...each, drift: compareCatalogs(each.catalog, live) }))
  const nearest = compared.reduce((best, each) => (each.drift.length <= best.drift.length ? each : best))
  if (nearest.drift.length > 0) return { status: 'unlike', nearest: nearest.migration, drift: nearest.drift }
  const adopted = migrations.filter(({ version }) => version <= nearest.migration.version)
  await session.transaction(async (transaction) => {
    await createLedger(transaction)
    for (const migration of adopted) {
      const catalog = migration === nearest.migration ? live : undefined
      await recordMigration(transaction, migration, run, { durationMs: 0, origin: 'baseline', catalog })
    }
  })
  return { status: 'adopted', at: nearest.migration }
}

/** Thrown to undo the scratch schema; carries the pictures out of the transaction. */
class Undo extends Error {
  readonly pictures: readonly Picture[]

  constructor(pictures: readonly Picture[]) {
    super('undone on purpose')
    this.pictures = pictures
  }
}

async function picture(session: Database, migrations: readonly Migration[]): Promise<readonly Picture[]> {
  const pictures: Picture[] = []
  const work = session.transaction(async (transaction) => {
    await transaction.script(
      `SET LOCAL statement_timeout = 0; CREATE SCHEMA ${SCRATCH}; SET LOCAL search_path = ${SCRATCH}`,
    )
    for (const migration of migrations) {
      await transaction.script(migration.sql)
      pictures.push({ migration, catalog: await readCatalog(transaction, SCRATCH) })
    }
    throw new Undo(pictures)
  })
  return work.catch((error: unknown) => {
    if (error instanceof Undo) return error.pictures
    throw error
  })
}

const hasLedger: MigrationProblem = {
  code: 'migration.adoptable',
  file: 'schema_migrations',
  message: 'this database has a ledger of migrations already',
  next: 'tappass migrate status',
}

const isEmpty: MigrationProblem = {
  code: 'migration.adoptable',
  file: 'schema_migrations',
  message: 'this database is empty: there is nothing to adopt',
  next: 'tappass migrate up',
}
