/** Counts the rows of all tables of a database, and compares two counts. */

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
const TABLES = `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1`

/** Returns the number of rows of each table. Throws when a table that its schema has is not there, or something else in its place. */
export async function countRows(
  query: (sql: string) => Promise<readonly string[]>,
): Promise<Readonly<Record<string, number>>> {
  const tables = await query(TABLES)
  const [schema = '0'] = tables.includes('public.schema_migrations') ? await query(SCHEMA) : ['999']
  const missing = Object.entries(REQUIRED_TABLES)
    .filter(([table, since]) => since <= Number(schema) && !tables.includes(`public.${table}`))
    .map(([table]) => table)
  if (missing.length > 0) throw new Error(`the database has no table ${missing.join(', ')}`)
  // Each with its number: the server counts in parallel, and answers in the order in which it is done.
  const select = (table: string, index: number): string => `SELECT ${index} || ' ' || count(*) FROM ONLY ${table}`
  const answers = await query(tables.map(select).join('\nUNION ALL '))
  const rows = new Map(answers.map((answer) => answer.split(' ').map(Number) as [number, number]))
  return Object.fromEntries(tables.map((table, index) => [table, rows.get(index) ?? Number.NaN]))
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
