/**
 * A real PostgreSQL 16 for tests, on a UNIX socket and on loopback, with a database `tappass` that belongs to a role
 * `tappass` without further rights, as on a server. The programs come from the cache (docs/how-to/lab.md); the server
 * ends with the test process, however that ends. PostgreSQL refuses to run as root, so root runs it as nobody.
 * Needs: postgres.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chmod, chown, constants, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PostgresAddress, parsePostgresAddress } from '../contract/postgres-address.ts'
import { freePort } from './free-port.ts'
import { demand, execute } from './lab/execution.ts'
import { ensurePostgresFiles } from './lab/postgres-wheel.ts'

const NOBODY = 65534
const START_MS_MAX = 30_000

/** A running server. `folder` holds the socket; `password` is that of the role `tappass`, asked for over TCP only. */
export type PostgresServer = Readonly<{
  folder: string
  port: number
  password: string
  /** The address of a database over the socket, or over loopback TCP. */
  socketUrl: (database?: string) => string
  tcpUrl: (database?: string) => string
  /** Makes a database of role tappass, empty or as a copy of `template`, and gives its address over the socket. */
  createDatabase: (name: string, template?: string) => Promise<PostgresAddress>
  /** Runs SQL as superuser; gives psql's output, one line a row. */
  superuser: (sql: string, database?: string) => Promise<string>
  /** Path of one of PostgreSQL's programs. */
  program: (name: string) => string
  /** Ends the server: `fast` in order, `immediate` as a crash. */
  stop: (how?: 'fast' | 'immediate') => Promise<void>
  /** Starts it again over the same data. */
  start: () => Promise<void>
  /** Stops it and removes its data. */
  dispose: () => Promise<void>
}>

/** Starts one; its data are new. `settings` are lines of postgresql.conf. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const programs = await ensurePrograms()
  const folder = await mkdtemp(join(tmpdir(), 'tappass-postgres-'))
  const password = `only-for-tests-${process.pid}`
  const port = await freePort()
  if (process.getuid?.() === 0) await chown(folder, NOBODY, NOBODY)
  await createCluster(programs, folder, [`port = ${port}`, ...settings])
  const psql = async (sql: string, database = 'postgres'): Promise<string> => {
    const address = [`--host=${folder}`, `--port=${port}`, '--username=postgres', `--dbname=${database}`]
    const argv = [join(programs, 'psql'), '--no-psqlrc', '-qAt', '-v', 'ON_ERROR_STOP=1', ...address] as const
    return (await demand(argv as unknown as [string, ...string[]], { stdin: sql })).trim()
  }
  let child = await runServer(programs, folder, port)
  const stop = async (how: 'fast' | 'immediate' = 'fast'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT')
    await ended
  }
  const socketUrl = (database = 'tappass') =>
    `postgresql://tappass@/${database}?host=${encodeURIComponent(folder)}&port=${port}`
  await psql(`CREATE ROLE tappass LOGIN PASSWORD '${password}'; CREATE DATABASE tappass OWNER tappass`)
  return {
    folder,
    port,
    password,
    socketUrl,
    tcpUrl: (database = 'tappass') => `postgresql://tappass@127.0.0.1:${port}/${database}`,
    createDatabase: async (name, template = 'template1') => {
      await psql(`CREATE DATABASE ${name} OWNER tappass TEMPLATE ${template}`)
      return parsePostgresAddress(socketUrl(name))
    },
    superuser: psql,
    program: (name) => join(programs, name),
    stop,
    start: async () => {
      child = await runServer(programs, folder, port)
    },
    dispose: async () => {
      await stop('immediate')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Gives the folder of the programs, from the cache, and sees that they can be run. */
async function ensurePrograms(): Promise<string> {
  const programs = join(await ensurePostgresFiles(), 'pgserver/pginstall/bin')
  for (const name of await readdir(programs)) {
    const path = join(programs, name)
    await access(path, constants.X_OK).catch(() => chmod(path, 0o755))
  }
  return programs
}

/** Puts in front of a program what runs it as somebody that PostgreSQL accepts, and ends it with this process. */
function asServer(program: string): readonly [string, ...string[]] {
  const root = process.getuid?.() === 0 ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : []
  return ['setpriv', ...root, '--pdeathsig=QUIT', program]
}

async function createCluster(programs: string, folder: string, settings: readonly string[]): Promise<void> {
  const how = [
    '--username=postgres',
    '--auth-local=trust',
    '--auth-host=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
  ]
  await demand([...asServer(join(programs, 'initdb')), ...how, '--no-sync', '-D', join(folder, 'data')], {
    cwd: folder,
  })
  const lines = [
    `unix_socket_directories = '${folder}'`,
    "listen_addresses = '127.0.0.1'",
    'shared_buffers = 32MB',
    'max_connections = 40',
    ...settings,
  ]
  await writeFile(join(folder, 'data/postgresql.auto.conf'), `${lines.join('\n')}\n`)
}

async function runServer(programs: string, folder: string, port: number): Promise<ChildProcess> {
  const [first, ...rest] = asServer(join(programs, 'postgres'))
  const child = spawn(first, [...rest, '-D', join(folder, 'data')], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  let words = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-4_000)
    })
  const ready = [join(programs, 'pg_isready'), '-q', '-h', folder, '-p', String(port), '-U', 'postgres'] as const
  for (let waitedMs = 0; waitedMs < START_MS_MAX; waitedMs += 50) {
    if (child.exitCode !== null) break
    if ((await execute(ready as unknown as [string, ...string[]])).code === 0) return child
    await sleep(50)
  }
  child.kill('SIGKILL')
  throw new Error(`PostgreSQL did not start: ${words}`)
}
