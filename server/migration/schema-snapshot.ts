/**
 * A snapshot of a schema, from PostgreSQL's catalog: one line for each table, column, index, constraint, trigger and
 * function, the same on every supported version. Comparing two of them names each difference.
 */
import type { Database } from '../core/ports.ts'

/** From an object's name (`column agents.agent_id`) to its definition. Sorted by name. */
export type SchemaSnapshot = ReadonlyMap<string, string>

/** One difference: `before` is undefined for what was added, `after` for what was removed. */
export type Drift = Readonly<{ what: string; before: string | undefined; after: string | undefined }>

/**
 * Objects of the schema that comes first in search_path, without those of extensions and without our own history. NOT
 * NULL is part of the column: PostgreSQL 18 also lists it as a constraint, 16 does not.
 */
const SNAPSHOT = `
WITH place AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema()),
relation AS (
  SELECT c.oid, c.relname, c.relkind FROM pg_class c, place
  WHERE c.relnamespace = place.oid AND c.relname <> 'schema_migrations'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
),
held AS (SELECT * FROM relation WHERE relkind IN ('r', 'p', 'v', 'm', 'f'))
SELECT 'table ' || relname AS what,
  CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned' WHEN 'f' THEN 'foreign'
    ELSE pg_get_viewdef(oid, true) END AS is
FROM held
UNION ALL
SELECT 'column ' || h.relname || '.' || a.attname,
  format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
    || coalesce(CASE a.attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END || pg_get_expr(d.adbin, d.adrelid, true), '')
    || CASE a.attidentity WHEN '' THEN '' ELSE ' identity ' || a.attidentity::text END
FROM held h JOIN pg_attribute a ON a.attrelid = h.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT 'index ' || r.relname, pg_get_indexdef(i.indexrelid, 0, true) || CASE WHEN i.indisvalid THEN '' ELSE ' INVALID' END
FROM relation r JOIN pg_index i ON i.indexrelid = r.oid
WHERE i.indrelid IN (SELECT oid FROM held)
UNION ALL
SELECT 'constraint ' || h.relname || '.' || c.conname, pg_get_constraintdef(c.oid, true)
FROM held h JOIN pg_constraint c ON c.conrelid = h.oid WHERE c.contype <> 'n'
UNION ALL
SELECT 'trigger ' || h.relname || '.' || t.tgname, pg_get_triggerdef(t.oid, true) || ' [' || t.tgenabled::text || ']'
FROM held h JOIN pg_trigger t ON t.tgrelid = h.oid WHERE NOT t.tgisinternal
UNION ALL
SELECT 'function ' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
  coalesce(pg_get_function_result(p.oid), p.prokind::text) || ' ' || l.lanname || ' ' || p.provolatile::text || ' '
    || CASE WHEN p.prosecdef THEN 'definer ' ELSE '' END || coalesce(array_to_string(p.proconfig, ' '), '') || ' ' || md5(p.prosrc)
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang, place
WHERE p.pronamespace = place.oid
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`

/** Reads the snapshot of one schema. Has to run in a transaction, as it sets search_path for its duration. */
export async function readSnapshot(inTransaction: Database, schema: string): Promise<SchemaSnapshot> {
  await inTransaction.query(`SELECT set_config('search_path', $1, true)`, [schema])
  const rows = await inTransaction.query<{ what: string; is: string }>(SNAPSHOT)
  const lines = rows.map(({ what, is }) => [what, is.replace(/\s+/g, ' ').trim()] as const)
  return new Map(lines.sort(([one], [other]) => (one < other ? -1 : 1)))
}

/** The snapshot as text, one line for each object: what the schema history stores and hashes. */
export function formatSnapshot(snapshot: SchemaSnapshot): string {
  return [...snapshot].map(([what, is]) => `${what}\t${is}`).join('\n')
}

/** The inverse: from the stored text to a snapshot. */
export function parseSnapshot(text: string): SchemaSnapshot {
  const lines = text === '' ? [] : text.split('\n')
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('\t')), line.slice(line.indexOf('\t') + 1)] as const))
}

/** Lists every difference from `before` to `after`, sorted by name. */
export function compareSnapshots(before: SchemaSnapshot, after: SchemaSnapshot): readonly Drift[] {
  const all = [...new Set([...before.keys(), ...after.keys()])].sort()
  return all
    .map((what): Drift => ({ what, before: before.get(what), after: after.get(what) }))
    .filter((drift) => drift.before !== drift.after)
}

/** A difference as a sentence. */
export function formatDrift({ what, before, after }: Drift): string {
  if (before === undefined) return `${what} was added: ${after}`
  if (after === undefined) return `${what} is gone`
  return `${what} was changed: ${before} → ${after}`
}
