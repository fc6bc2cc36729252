/**
 * A PostgreSQL and a Redis on the lab host that a machine reaches over its network, as ordinary processes; and the words that give a run their
 * addresses. Needs: redis.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { hostAddressOf } from './machine.ts'
import { type Server, writeSpec } from './server.ts'

const REDIS_PORT = 7479

/** `word` is the password of Redis and of the role that serves; another one may be given for that role, and another database. */
export type StorageServer = Readonly<{
  word: string
  database: PostgresServer
  words: (password?: string, name?: string) => Promise<readonly string[]>
  close: () => Promise<void>
}>

/** Starts both at the address by which the machine knows this host, and by no other. */
export const startStorage = async (server: Server): Promise<StorageServer> => {
  const word = `only-for-the-lab-${process.pid}`
  const host = await hostAddressOf(server.machine)
  const database = await startPostgres([`listen_addresses = '127.0.0.1,${host}'`])
  await appendFile(join(database.folder, 'data/pg_hba.conf'), `host all tappass,serving ${host}/16 scram-sha-256\n`)
  await database.superuser(`SELECT pg_reload_conf(); CREATE ROLE serving LOGIN PASSWORD '${word}'`)
  const own = [
    '--bind',
    host,
    '--port',
    String(REDIS_PORT),
    '--requirepass',
    word,
    '--save',
    '',
    '--dir',
    server.folder,
  ]
  const redis: ChildProcess = spawn('redis-server', own, { stdio: 'ignore' })
  const url = (user: string, password: string, name: string): string =>
    `postgresql://${user}:${password}@${host}:${database.port}/${name}?sslmode=disable`
  return {
    word,
    database,
    words: async (password = word, name = 'tappass') => {
      const texts = {
        'database-url': url('serving', password, name),
        'database-owner-url': url('tappass', database.password, name),
        'redis-url': `redis://:${word}@${host}:${REDIS_PORT}`,
      }
      const words = Object.entries(texts).map(async ([id, text]) => {
        const path = join(server.folder, `${name}-${id}`)
        await writeFile(path, `${text}\n`, { mode: 0o600 })
        return ['--secret', `${id}=${path}`]
      })
      return (await Promise.all(words)).flat()
    },
    close: async () => {
      const ended = redis.exitCode === null && redis.signalCode === null ? once(redis, 'exit') : undefined
      redis.kill('SIGKILL')
      await ended
      await database.dispose()
    },
  }
}

/** Writes a spec of which both are elsewhere. */
export const writeExternalSpec = (server: Server): Promise<void> =>
  writeSpec(server, (spec) => ({
    ...spec,
    gateway: { callsMax: 1_000_000, upstream: server.upstream.url },
    storage: { database: 'external', redis: 'external' },
  }))
