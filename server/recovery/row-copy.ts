/**
 * Rows of a database elsewhere, into one of the host's own that migrations have made: the server there may be newer than the tools of our container, which refuse it. Constraints
 * between tables and triggers are off while rows come, as in a dump, and are made again behind them.
 */
import type { Filling } from '../adapters/plain-restore.ts'
import type { Database } from '../core/ports.ts'
import { compareSnapshots, formatDrift, readSnapshot } from '../migration/schema-snapshot.ts'

/** Tables with the columns that are copied: what is computed is computed again. */
const TABLES = `SELECT quote_ident(c.relname) AS name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' GROUP BY c.oid, c.relname ORDER BY c.relname`

const SEQUENCES = `SELECT format('SELECT pg_catalog.setval(%L, %s, true)', format('%I.%I', schemaname, sequencename), last_value) AS sql
  FROM pg_catalog.pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL`

const FOREIGN_KEYS = `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS before,
  format('ALTER TABLE %s ADD CONSTRAINT %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) AS after
  FROM pg_catalog.pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace ORDER BY conrelid, conname`

/** As each was: some of ours hold always, also for a replica. */
const TRIGGERS = `SELECT format('ALTER TABLE %s DISABLE TRIGGER %I', tgrelid::regclass, tgname) AS before,
  format('ALTER TABLE %s ENABLE %s TRIGGER %I', tgrelid::regclass, CASE tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, tgname) AS after
  FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = 'public'::regnamespace AND NOT tgisinternal AND tgenabled <> 'D' ORDER BY tgrelid, tgname`

/** A table, and its columns as SQL lists them. */
export type CopiedTable = Readonly<{ name: string; columns: string }>

/** Returns the tables that there are. */
export async function tablesOf(database: Database): Promise<readonly CopiedTable[]> {
  return await database.query<CopiedTable>(TABLES)
}

/** Returns the first way in which the schema of `here` is another one than that of `there`, in words; both within transactions. */
export async function schemaDifference(there: Database, here: Database): Promise<string | undefined> {
  const [drift] = compareSnapshots(await readSnapshot(here, 'public'), await readSnapshot(there, 'public'))
  return drift === undefined ? undefined : formatDrift(drift)
}

function script(statements: readonly string[]): Buffer {
  return Buffer.from(statements.map((sql) => `${sql};\n`).join(''))
}

async function* textOf(
  tables: readonly CopiedTable[],
  rows: Filling['rows'],
  around: Readonly<{ before: readonly string[]; after: readonly string[] }>,
): AsyncGenerator<Uint8Array> {
  yield script(around.before)
  for (const { name, columns } of tables) {
    yield Buffer.from(`COPY public.${name} (${columns}) FROM stdin;\n`)
    yield* rows(`COPY public.${name} (${columns}) TO STDOUT`) as AsyncIterable<Buffer>
    yield Buffer.from('\\.\n')
  }
  yield script(around.after)
}

/** Copies all rows of these tables; what migrations have put into them goes. Both are within transactions. */
export async function copyTables(
  tables: readonly CopiedTable[],
  there: Pick<Filling, 'rows' | 'database'>,
  here: Pick<Filling, 'fill' | 'database'>,
): Promise<void> {
  const sequences = await there.database.query<{ sql: string }>(SEQUENCES)
  const [keys, triggers] = [
    await here.database.query<{ before: string; after: string }>(FOREIGN_KEYS),
    await here.database.query<{ before: string; after: string }>(TRIGGERS),
  ]
  const names = tables.map(({ name }) => `public.${name}`)
  const aside = [...keys, ...triggers]
  await here.fill(
    textOf(tables, there.rows, {
      before: [...aside.map(({ before }) => before), `TRUNCATE ${names.join(', ')}`],
      after: [...sequences.map(({ sql }) => sql), ...aside.map(({ after }) => after)],
    }),
  )
}
