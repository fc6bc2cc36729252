/** The schema history: the table `schema_migrations`. */

import { sha256 } from '../core/hash.ts'
import type { Database } from '../core/ports.ts'
import type { AppliedMigration, Migration } from './migration.ts'
import { formatSnapshot, type SchemaSnapshot } from './schema-snapshot.ts'

/** Who runs migrations, for the schema history. */
export type MigrationActor = Readonly<{ toolVersion: string; who: string; host: string }>

/** A row of the schema history. `snapshot` is the schema after the last migration of a run. */
export type SchemaHistoryRow = AppliedMigration &
  Readonly<{
    durationMs: number
    toolVersion: string
    who: string
    host: string
    origin: 'up' | 'baseline'
    appliedAt: Date
    snapshot: string | null
    snapshotSha256: string | null
  }>

const CREATE = `CREATE TABLE IF NOT EXISTS public.schema_migrations (
  version integer PRIMARY KEY CHECK (version > 0),
  name text NOT NULL,
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  duration_ms integer NOT NULL,
  tool_version text NOT NULL,
  who text NOT NULL,
  host text NOT NULL,
  origin text NOT NULL CHECK (origin IN ('up', 'baseline')),
  applied_at timestamptz NOT NULL DEFAULT now(),
  catalog text,
  catalog_sha256 text CHECK (catalog_sha256 ~ '^[0-9a-f]{64}$')
);
ALTER TABLE public.schema_migrations ADD COLUMN IF NOT EXISTS phase text CHECK (phase IN ('expand', 'contract'));
COMMENT ON TABLE public.schema_migrations IS
  'One row per migration that was run; written by tappass migrate, never by hand. See docs/reference/migrations.md.'`

/** The phase is read in a way that a history of an older release, which lacks it, has too. */
const READ = `SELECT version, name, sha256, duration_ms AS "durationMs", tool_version AS "toolVersion", who, host, origin,
  applied_at AS "appliedAt", catalog AS snapshot, catalog_sha256 AS "snapshotSha256", to_jsonb(history) ->> 'phase' AS phase FROM public.schema_migrations history ORDER BY version`

const INSERT = `INSERT INTO public.schema_migrations
  (version, name, sha256, duration_ms, tool_version, who, host, origin, phase, catalog, catalog_sha256)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

/** Creates the table where there is none. Only under the lock: two at once would conflict. */
export function createSchemaHistory(database: Database): Promise<void> {
  return database.script(CREATE)
}

/** Returns the rows in order; none when there is no schema history yet. Changes nothing. */
export async function readSchemaHistory(database: Database): Promise<readonly SchemaHistoryRow[]> {
  const [found] = await database.query<{ isThere: boolean }>(
    `SELECT to_regclass('public.schema_migrations') IS NOT NULL AS "isThere"`,
  )
  return found?.isThere === true ? database.query<SchemaHistoryRow>(READ) : []
}

/** Inserts one row, inside the migration's own transaction. */
export async function insertMigration(
  database: Database,
  { version, name, sha256: hash, header }: Migration,
  actor: MigrationActor,
  row: Readonly<{ durationMs: number; origin: 'up' | 'baseline'; snapshot: SchemaSnapshot | undefined }>,
): Promise<void> {
  const snapshot = row.snapshot === undefined ? null : formatSnapshot(row.snapshot)
  const { toolVersion, who, host } = actor
  const values = [version, name, hash, row.durationMs, toolVersion, who, host, row.origin, header.phase ?? null]
  await database.query(INSERT, [...values, snapshot, snapshot === null ? null : sha256(snapshot)])
}
