/** Compares a database with its migrations: the files with the schema history, the schema with the stored snapshot. */

import { sha256 } from '../core/hash.ts'
import type { Database } from '../core/ports.ts'
import type { Migration, MigrationProblem } from './migration.ts'
import { migrationStatus } from './migrator.ts'
import type { SchemaHistoryRow } from './schema-history.ts'
import { compareSnapshots, type Drift, parseSnapshot, readSnapshot } from './schema-snapshot.ts'

/**
 * The result. `drift` is undefined when there is no snapshot to compare with: nothing was run, or a run was
 * interrupted.
 */
export type MigrationVerification = Readonly<{
  applied: readonly SchemaHistoryRow[]
  pending: readonly Migration[]
  problems: readonly MigrationProblem[]
  drift: readonly Drift[] | undefined
}>

/** Reads only. */
export async function verifyMigrations(
  database: Database,
  migrations: readonly Migration[],
): Promise<MigrationVerification> {
  return database.transaction(async (transaction) => {
    const status = await migrationStatus(transaction, migrations, 'read')
    const last = lastApplied(status.applied)
    if (last === undefined || last.snapshot === null) return { ...status, drift: undefined }
    const problems = sha256(last.snapshot) === last.snapshotSha256 ? [] : [tamperedSnapshot(last)]
    const live = await readSnapshot(transaction, 'public')
    const drift = compareSnapshots(parseSnapshot(last.snapshot), live)
    return { ...status, problems: [...status.problems, ...problems], drift }
  })
}

/** The one that was run last: a migration that waited has a lower number than others that did not. */
function lastApplied(applied: readonly SchemaHistoryRow[]): SchemaHistoryRow | undefined {
  return applied.toSorted((one, other) => one.appliedAt.getTime() - other.appliedAt.getTime()).at(-1)
}

function tamperedSnapshot({ version, name }: SchemaHistoryRow): MigrationProblem {
  const file = `${String(version).padStart(3, '0')}_${name}.sql`
  return {
    code: 'migration.edited',
    file,
    message: `the stored snapshot of the schema after ${file} was changed by hand: its checksum does not match`,
    next: 'restore the schema history from a backup (docs/how-to/backup.md)',
  }
}
