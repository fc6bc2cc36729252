/** Counts the rows of all tables of a database, or digests them, and compares what two databases have. */
import type { Database } from '../core/ports.ts'

/** Tables without which a database is not one of this product, with the migration that makes each. */
const REQUIRED_TABLES = {
  schema_migrations: 0,
  organizations: 1,
  agents: 1,
  audit_events: 3,
  audit_checkpoints: 4,
} as const

/** Asked only where it is a table. */
const SCHEMA = 'SELECT max(version) FROM public.schema_migrations'

/** Tables with their rows; a name is quoted as in SQL. Only relations of kind table are read: a view would run what it is made of. */
const tablesWhere = (schema: string): string =>
  `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND ${schema} ORDER BY 1`
const TABLES = tablesWhere(`n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`)
/** Of a database that may have tables of somebody else in other schemas, as Supabase's has. */
const PUBLIC_TABLES = tablesWhere(`n.nspname = 'public'`)

type Query = (sql: string) => Promise<readonly string[]>

/** Returns what an aggregate says of the rows of each table. Throws when a table that its schema has is not there, or something else in its place. */
async function ofEachTable(
  query: Query,
  aggregate: string,
  which = TABLES,
): Promise<readonly (readonly [table: string, value: string])[]> {
  const tables = await query(which)
  const [schema = '0'] = tables.includes('public.schema_migrations') ? await query(SCHEMA) : ['999']
  const missing = Object.entries(REQUIRED_TABLES)
    .filter(([table, since]) => since <= Number(schema) && !tables.includes(`public.${table}`))
    .map(([table]) => table)
  if (missing.length > 0) throw new Error(`the database has no table ${missing.join(', ')}`)
  // Each with its number: the server counts in parallel, and answers in the order in which it is done.
  const select = (table: string, index: number): string =>
    `SELECT ${index} || ' ' || ${aggregate} FROM ONLY ${table} AS one_row`
  const answers = await query(tables.map(select).join('\nUNION ALL '))
  const values = new Map(
    answers.map((answer) => [Number(answer.split(' ', 1)[0]), answer.slice(answer.indexOf(' ') + 1)]),
  )
  return tables.map((table, index) => [table, values.get(index) ?? ''])
}

/** Returns the number of rows of each table. Throws when a table is not there, or something else in its place. */
export async function countRows(query: Query): Promise<Readonly<Record<string, number>>> {
  const counts = await ofEachTable(query, 'count(*)')
  return Object.fromEntries(counts.map(([table, count]) => [table, count === '' ? Number.NaN : Number(count)]))
}

/** What makes two servers write a row in the same way, within a transaction. */
export const SAME_TEXT_SQL: string = `SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres';
SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1`

/** The rows of a table in any order: how many, and a sum over what each of them hashes to. */
const DIGEST = `count(*) || ' ' || coalesce(sum(('x' || left(encode(sha256(convert_to(one_row::text, 'UTF8')), 'hex'), 16))::bit(64)::bigint::numeric), 0)`

/** Returns the number of rows of each table and a digest of all that they hold, as a text. Throws as `countRows` does. */
export async function digestRows(query: Query): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries(await ofEachTable(query, DIGEST))
}

/** The same of the tables of the schema `public`, within a transaction. */
export async function contentOf(database: Database): Promise<Readonly<Record<string, string>>> {
  await database.script(SAME_TEXT_SQL)
  const query = async (sql: string) => {
    const rows = await database.query<Readonly<Record<string, unknown>>>(sql)
    return rows.map((row) => String(Object.values(row)[0]))
  }
  return Object.fromEntries(await ofEachTable(query, DIGEST, PUBLIC_TABLES))
}

/** Returns the first table of which the copy has other rows, in words; undefined when all are the same. */
export function contentDifference(
  had: Readonly<Record<string, string>>,
  has: Readonly<Record<string, string>>,
): string | undefined {
  const table = [...new Set([...Object.keys(had), ...Object.keys(has)])]
    .toSorted()
    .find((name) => had[name] !== has[name])
  if (table === undefined) return undefined
  const count = (text: string | undefined) => text?.split(' ')[0] ?? 'no'
  return `the copy has other rows of ${table}: ${count(has[table])}, and there are ${count(had[table])}`
}

/** The rows of all tables. */
export function sumOfRows(content: Readonly<Record<string, string>>): number {
  return Object.values(content).reduce((sum, text) => sum + Number(text.split(' ')[0]), 0)
}

/** Returns the first table that has another number of rows than it had, in words; undefined when all are there. */
export function rowDifference(
  had: Readonly<Record<string, number>>,
  has: Readonly<Record<string, number>>,
): string | undefined {
  const names = [...new Set([...Object.keys(had), ...Object.keys(has)])].toSorted()
  const table = names.find((name) => had[name] !== has[name])
  return table === undefined
    ? undefined
    : `the restored database has ${has[table] ?? 'no'} rows of ${table}, and there were ${had[table] ?? 'none'}`
}
