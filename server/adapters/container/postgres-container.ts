/**
 * PostgreSQL's own tools, run inside the server's container: the host has none of them, and no password is needed
 * there. They log in as a role that reads everything, and changes nothing whatever the database holds.
 */
import { randomUUID } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { endOf, outputOf, startInContainer } from './container-tool.ts'

/** A session in which the database stands still. */
export type DatabaseSnapshot = Readonly<{
  /** The name under which a dump joins it. */
  id: string
  /** Returns the rows of a query, as psql prints them without alignment. */
  query: (sql: string) => Promise<readonly string[]>
  /** Ends the session. Never throws. */
  close: () => Promise<void>
}>

/** What a backup needs of the server. Each method throws, with the tool's stderr, when the tool fails. */
export type DumpTool = Readonly<{
  openSnapshot: () => Promise<DatabaseSnapshot>
  /** Yields an archive in PostgreSQL's custom format. */
  dump: (snapshotId: string) => AsyncIterable<Uint8Array>
  /** Yields the SQL text of the database, for whichever role runs it: without owners and privileges, and what it makes is dropped first. */
  dumpText: (snapshotId: string) => AsyncIterable<Uint8Array>
  /** Returns the SQL text of everything but rows: of the database, and of an archive. */
  dumpSchema: (snapshotId: string) => Promise<string>
  readSchema: (archive: FileHandle) => Promise<string>
  /** Returns the SQL text of the roles of the whole server, without passwords. */
  dumpRoles: () => Promise<string>
}>

/** The rows of all tables, also of those with row security: then a query fails, and no function of a policy runs. */
const BEGIN = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL search_path = pg_catalog; SET LOCAL row_security = off; SET LOCAL idle_in_transaction_session_timeout = 0`

/** What a tool prints, without the lines that hold a random word each time (`\restrict`). */
async function textOf(argv: readonly string[], input: 'ignore' | number, what: string): Promise<string> {
  return (await outputOf(argv, input, what)).replaceAll(/^\\(?:un)?restrict .*$/gm, '')
}

/** Each answer ends with a line that no row can be. */
async function openSession(argv: readonly string[]): Promise<Omit<DatabaseSnapshot, 'id'>> {
  const child = startInContainer(argv, 'pipe')
  const ended = endOf(child, 'psql')
  ended.catch(() => undefined)
  child.stdin.on('error', () => undefined)
  child.stdout.setEncoding('utf8')
  const query = async (sql: string): Promise<readonly string[]> => {
    const mark = randomUUID()
    let text = ''
    const answered = new Promise<void>((resolve) => {
      const onText = (piece: string): void => {
        text += piece
        if (!text.endsWith(`${mark}\n`)) return
        child.stdout.off('data', onText)
        resolve()
      }
      child.stdout.on('data', onText)
    })
    child.stdin.write(`${sql};\n\\echo ${mark}\n`)
    const early = ended.then(() => Promise.reject(new Error('psql ended before it answered')))
    await Promise.race([answered, early])
    return text.split('\n').slice(0, -2)
  }
  const close = async (): Promise<void> => {
    child.stdin.end()
    await ended.catch(() => undefined)
  }
  return { query, close }
}

/** Passwords are readable for a superuser only, and are in the set as what they are made from. */
const ROLES = ['--roles-only', '--no-role-passwords'] as const

/** Another server has other roles. */
const FOR_ANY_ROLE = ['--format', 'plain', '--no-owner', '--no-privileges', '--clean', '--if-exists'] as const

/** Given the names of the container, of the database and of the role, returns the tool. */
export function postgresContainer(container: string, database: string, role: string): DumpTool {
  const server = ['--host', '/tappass/run', '--username', role, '--no-password']
  const login = [...server, '--dbname', database]
  const psql = ['psql', '--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set', 'ON_ERROR_STOP=1', ...login]
  async function* dumpOf(options: readonly string[]): AsyncIterable<Uint8Array> {
    // The product has no large objects; one that somebody made is not readable for this role, and would end every dump.
    const argv = [container, 'pg_dump', ...login, '--no-large-objects', ...options]
    const child = startInContainer(argv, 'ignore')
    const ended = endOf(child, 'pg_dump')
    ended.catch(() => undefined)
    yield* child.stdout as AsyncIterable<Buffer>
    await ended
  }
  return {
    openSnapshot: async () => {
      const session = await openSession(['--interactive', container, ...psql])
      try {
        await session.query(BEGIN)
        const [id = ''] = await session.query('SELECT pg_export_snapshot()')
        return { ...session, id }
      } catch (error) {
        await session.close()
        throw error
      }
    },
    dump: (snapshotId) => dumpOf(['--format', 'custom', '--snapshot', snapshotId]),
    dumpText: (snapshotId) => dumpOf([...FOR_ANY_ROLE, '--snapshot', snapshotId]),
    dumpSchema: (snapshotId) =>
      textOf([container, 'pg_dump', ...login, '--schema-only', '--snapshot', snapshotId], 'ignore', 'pg_dump'),
    readSchema: (archive) =>
      textOf(['--interactive', container, 'pg_restore', '--schema-only', '--file', '-'], archive.fd, 'pg_restore'),
    dumpRoles: () =>
      textOf([container, 'pg_dumpall', ...server, `--database=${database}`, ...ROLES], 'ignore', 'pg_dumpall'),
  }
}
