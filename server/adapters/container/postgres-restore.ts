/**
 * Databases beside the one that is in force: created and renamed by the server's superuser, who never looks into one of them, and filled by the owner of
 * the tables, so that nothing which stands in a dump runs with more rights. PostgreSQL's own tools, inside the server's container.
 */
import type { FileHandle } from 'node:fs/promises'
import { endOf, outputOf, startInContainer } from './container-tool.ts'

/** What a restoration needs of the server. Each method throws, with the tool's stderr, when the tool fails. */
export type RestoreTool = Readonly<{
  /** Runs statements one by one as superuser, in the database `postgres`, where no role makes anything. Returns the rows, as psql prints them. */
  administer: (...statements: readonly string[]) => Promise<readonly string[]>
  /** Fills a database from an archive (custom format), as the owner of its tables; ended when the signal comes. */
  fill: (database: string, archive: FileHandle, signal?: AbortSignal) => Promise<void>
  /** Returns the rows of a query in a database, asked as the role that reads everything and changes nothing. */
  read: (database: string, sql: string) => Promise<readonly string[]>
}>

const PSQL = ['psql', '--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1'] as const

/** Given the container's name and those of the roles, returns the tool. */
export function postgresRestore(
  container: string,
  roles: Readonly<{ superuser: string; owner: string; reader: string }>,
): RestoreTool {
  const login = (role: string, database: string) => [
    ...['--host', '/tappass/run', '--username', role, '--dbname', database, '--no-password'],
  ]
  const psql = async (role: string, database: string, statements: readonly string[]) => {
    const commands = ['SET search_path = pg_catalog', ...statements].flatMap((sql) => ['--command', sql])
    const text = await outputOf([container, ...PSQL, ...login(role, database), ...commands], 'ignore', 'psql')
    return text.split('\n').slice(0, -1)
  }
  return {
    administer: (...statements) => psql(roles.superuser, 'postgres', statements),
    read: (database, sql) => psql(roles.reader, database, ['SET row_security = off', sql]),
    fill: async (database, archive, signal) => {
      const options = ['--no-owner', '--exit-on-error', '--single-transaction']
      const argv = ['--interactive', container, 'pg_restore', ...login(roles.owner, database), ...options]
      const child = startInContainer(argv, archive.fd, signal)
      child.stdout.resume()
      await endOf(child, 'pg_restore')
    },
  }
}
