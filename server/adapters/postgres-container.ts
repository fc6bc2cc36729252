/**
 * PostgreSQL's own tools, run inside the server's container: the host has none of them, and no password is needed
 * there.
 */
import { execFile, spawn } from 'node:child_process'
import type { FileHandle } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs as the container's account, which the server accepts as its superuser (peer authentication). */
function containerArguments(
  container: string,
  tool: string,
  argv: readonly string[],
  hasInput = false,
): readonly string[] {
  return ['exec', ...(hasInput ? ['--interactive'] : []), container, tool, ...argv]
}

const SESSION_ARGUMENTS = ['--host', '/tappass/run', '--username', 'postgres'] as const

/** What a backup needs of the server. Each method throws, with the tool's stderr, when the tool fails. */
export type DumpTool = Readonly<{
  /** Returns the result of a query as text, one row a line. */
  query: (sql: string) => Promise<string>
  /** Writes an archive of the database in PostgreSQL's custom format. */
  dump: (into: FileHandle) => Promise<void>
  /** Returns the table of contents of an archive, as `pg_restore --list` prints it. */
  list: (archive: FileHandle) => Promise<string>
}>

/** `stdio` are the three streams of the Docker client; its exit code is that of the tool inside. */
function runDocker(
  argv: readonly string[],
  stdio: readonly ['ignore' | number, number | 'pipe', 'pipe'],
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', [...argv], { stdio: [...stdio] })
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []]
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(stdout).toString())
      const reason = Buffer.concat(stderr).toString().trim()
      reject(new Error(`docker ${argv.slice(0, 3).join(' ')} ended with ${code ?? signal}: ${reason}`))
    })
  })
}

/** Given the names of the container and of the database, returns the tool. */
export function postgresContainer(container: string, database: string): DumpTool {
  return {
    query: async (sql) => {
      const argv = [
        ...SESSION_ARGUMENTS,
        '--no-psqlrc',
        '--tuples-only',
        '--no-align',
        '--dbname',
        database,
        '--command',
        sql,
      ]
      const { stdout } = await run('docker', containerArguments(container, 'psql', argv))
      return stdout.trim()
    },
    dump: async (into) => {
      const argv = [...SESSION_ARGUMENTS, '--format', 'custom', '--dbname', database]
      await runDocker(containerArguments(container, 'pg_dump', argv), ['ignore', into.fd, 'pipe'])
    },
    list: (archive) =>
      runDocker(containerArguments(container, 'pg_restore', ['--list'], true), [archive.fd, 'pipe', 'pipe']),
  }
}
