/** PostgreSQL's own tools, run inside the container that the server runs in: the host has none of them, and no password is needed there. */
import { execFile, spawn } from 'node:child_process'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs as the account of the container, which the server knows as its superuser (peer). */
const inside = (container: string, tool: string, words: readonly string[], hasInput = false): readonly string[] => [
  'exec',
  ...(hasInput ? ['--interactive'] : []),
  container,
  tool,
  ...words,
]

const session = ['--host', '/tappass/run', '--username', 'postgres'] as const

/** What a backup asks of the server. Each throws, with what the tool said, when the tool failed. */
export type DumpTool = Readonly<{
  /** Gives the answer of a query as text, rows by line. */
  ask: (sql: string) => Promise<string>
  /** Writes an archive of the database in PostgreSQL's custom format. */
  dump: (into: FileHandle) => Promise<void>
  /** Gives the table of contents of an archive, as `pg_restore --list` prints it. */
  list: (archive: FileHandle) => Promise<string>
}>

/** `stdio` are Docker's client's three streams; its exit code is that of the tool inside. */
const demand = (
  words: readonly string[],
  stdio: readonly ['ignore' | number, number | 'pipe', 'pipe'],
): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn('docker', [...words], { stdio: [...stdio] })
    const [said, complained]: [Buffer[], Buffer[]] = [[], []]
    child.stdout?.on('data', (piece: Buffer) => said.push(piece))
    child.stderr?.on('data', (piece: Buffer) => complained.push(piece))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(said).toString())
      const why = Buffer.concat(complained).toString().trim()
      reject(new Error(`docker ${words.slice(0, 3).join(' ')} ended with ${code ?? signal}: ${why}`))
    })
  })

/** `container` is its name, `database` that of the database. */
export const postgresContainer = (container: string, database: string): DumpTool => ({
  ask: async (sql) => {
    const words = [...session, '--no-psqlrc', '--tuples-only', '--no-align', '--dbname', database, '--command', sql]
    const { stdout } = await run('docker', inside(container, 'psql', words))
    return stdout.trim()
  },
  dump: async (into) => {
    const words = [...session, '--format', 'custom', '--dbname', database]
    await demand(inside(container, 'pg_dump', words), ['ignore', into.fd, 'pipe'])
  },
  list: (archive) => demand(inside(container, 'pg_restore', ['--list'], true), [archive.fd, 'pipe', 'pipe']),
})
