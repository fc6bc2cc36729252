/**
 * A database that a dump is restored into: created beside the one in force, filled by the owner of the tables, compared with what was dumped, its ledger verified.
 * Nothing of it is run with more rights than the owner's.
 */

import { open } from 'node:fs/promises'
import { ROLE } from '../../contract/database-role.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from '../adapters/migration-folder.ts'
import { fillFromText } from '../adapters/plain-restore.ts'
import { type Evidence, type Integrity, verifyLedger } from '../ledger/verification.ts'
import { parseMigrations } from '../migration/migration.ts'
import { migrationStatus } from '../migration/migrator.ts'
import { addressOf, type BackupHost, withDatabase } from './backup-host.ts'
import { countRows, rowDifference } from './row-comparison.ts'

/** What is restored: a custom archive or the text of one, and the rows that it has to have, where that is known. */
export type DumpSource = Readonly<{
  path: string
  form: 'custom' | 'plain'
  rows: Readonly<Record<string, number>> | undefined
}>

/** Commits of a database that is thrown away, or not yet used, need not reach the disk one by one; and it must not take the server from the one in force. */
const SETTINGS = [
  'synchronous_commit = off',
  "maintenance_work_mem = '32MB'",
  'max_parallel_workers_per_gather = 0',
  'max_parallel_maintenance_workers = 0',
]
const CONNECTIONS_MAX = 12

/** Drops a database of that name and creates an empty one, which the owner of the tables owns. */
export async function createEmpty({ restoreTool }: BackupHost, name: string): Promise<void> {
  await restoreTool.administer(
    `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
    `CREATE DATABASE ${name} OWNER ${ROLE.owner} TEMPLATE template0 CONNECTION LIMIT ${CONNECTIONS_MAX}`,
    ...SETTINGS.map((setting) => `ALTER DATABASE ${name} SET ${setting}`),
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`,
    `GRANT CONNECT ON DATABASE ${name} TO ${ROLE.gateway}, ${ROLE.reader}`,
  )
}

/** Returns what makes a restored database one like any other. */
export function plainSettings(name: string): readonly string[] {
  return [`ALTER DATABASE ${name} RESET ALL`, `ALTER DATABASE ${name} CONNECTION LIMIT -1`]
}

/** Fills it. Throws when the dump is damaged, or takes longer than the signal lets it. */
export async function fill(host: BackupHost, name: string, dump: DumpSource, signal?: AbortSignal): Promise<void> {
  if (dump.form === 'plain') return await fillFromText(addressOf(host, ROLE.owner, name), dump.path)
  await using archive = await open(dump.path)
  await host.restoreTool.fill(name, archive, signal)
}

/** Counts its rows, and compares them. Returns the counts; throws for a difference. */
export async function compareRows(
  { restoreTool }: BackupHost,
  name: string,
  { rows }: DumpSource,
): Promise<Readonly<Record<string, number>>> {
  const counted = await countRows((sql) => restoreTool.read(name, sql))
  const difference = rows === undefined ? undefined : rowDifference(rows, counted)
  if (difference !== undefined) throw new Error(difference)
  return counted
}

const HAS_LEDGER = "SELECT to_regclass('public.audit_events') IS NOT NULL"

/** Of a schema that has no ledger yet. */
const NO_LEDGER: Integrity = { status: 'intact', chains: 0, entries: 0, signed: null, unended: [] }

/** Verifies its ledger, every row. Throws when it does not hold. */
export async function verifyRestoredLedger(host: BackupHost, name: string, evidence: Evidence): Promise<Integrity> {
  const [hasLedger] = await host.restoreTool.read(name, HAS_LEDGER)
  const integrity =
    hasLedger === 't'
      ? await withDatabase(host, ROLE.reader, name, (database) => verifyLedger(database, evidence))
      : NO_LEDGER
  if (integrity.status === 'intact') return integrity
  throw new Error(`its ledger is broken: entry ${integrity.seq} of chain ${integrity.chain}: ${integrity.reason}`)
}

/** Why this release can't work on the database's schema, or how many of its migrations are not run there yet. */
export async function schemaOf(
  host: BackupHost,
  name: string,
): Promise<Readonly<{ pending: number; problems: readonly string[] }>> {
  const { migrations } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
  const { pending, problems } = await withDatabase(host, ROLE.reader, name, (database) =>
    migrationStatus(database, migrations, 'read'),
  )
  return { pending: pending.length, problems: problems.map(({ message }) => message) }
}
