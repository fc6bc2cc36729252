/** Checks whether migrations can run on a database at all, or a release on it. */

import type { Database } from '../core/ports.ts'
import type { MigrationProblem } from './migration.ts'

/** UNIQUE NULLS NOT DISTINCT came with 15. We test on 16, which is what bootstrap installs, and on PGlite. */
const VERSION_MIN = 15

const SERVER_FACTS = `SELECT current_setting('server_version_num')::int / 10000 AS version,
  current_setting('server_encoding') AS encoding,
  has_schema_privilege('public', 'CREATE') AS "isAllowed",
  current_user AS "user",
  (SELECT string_agg(attname, ' ') FROM pg_attribute
    WHERE attrelid = to_regclass('public.schema_migrations') AND attnum > 0) AS "historyColumns"`

type ServerFacts = Readonly<{
  version: number
  encoding: string
  isAllowed: boolean
  user: string
  historyColumns: string | null
}>

/** What is to be done with the schema: a role that only reads it may own nothing. */
export type SchemaUse = 'read' | 'change'

/** Returns every problem; none when the server is supported. Changes nothing. */
export async function checkServer(database: Database, use: SchemaUse): Promise<readonly MigrationProblem[]> {
  const [facts] = await database.query<ServerFacts>(SERVER_FACTS)
  if (facts === undefined) throw new Error('the database gave no answer about itself')
  const { version, encoding, isAllowed, user, historyColumns } = facts
  const problem = (code: 'server' | 'ledger', message: string, next: string): MigrationProblem => ({
    code: `migration.${code}`,
    file: 'schema_migrations',
    message,
    next,
  })
  return [
    ...(version < VERSION_MIN
      ? [problem('server', `PostgreSQL ${version} is too old: ${VERSION_MIN} at least`, 'move to PostgreSQL 16')]
      : []),
    ...(encoding !== 'UTF8'
      ? [problem('server', `the database is encoded in ${encoding}`, 'make one with ENCODING UTF8')]
      : []),
    ...(isAllowed || use === 'read'
      ? []
      : [
          problem(
            'server',
            `${user} may not make tables in schema public`,
            `ALTER DATABASE … OWNER TO ${user}, or name the role that owns it in DATABASE_OWNER_URL`,
          ),
        ]),
    ...(historyColumns !== null && !historyColumns.split(' ').includes('catalog_sha256')
      ? [problem('ledger', 'the table schema_migrations is another tool’s', 'give TapPass a database of its own')]
      : []),
  ]
}
