/**
 * A server whose PostgreSQL and Redis somebody else runs: here, ordinary processes on the lab host. A wrong password is refused before anything is
 * done; then a bare machine becomes a server without a container, takes calls, and its ledger is proven. Needs: lab, postgres, redis.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { hostAddressOf } from './machine.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  door,
  eventsOf,
  hostWords,
  inside,
  plan,
  type Server,
  toolkit,
  untilHealthy,
  writeSpec,
} from './server.ts'

const WORD = `only-for-the-lab-${process.pid}`
const REDIS_PORT = 7479

let server: Server
let database: PostgresServer
let redis: ChildProcess
let host = ''

/** Writes a secret into a file of the server's folder and gives the words that name it. */
const secretWords = async (id: string, text: string): Promise<readonly string[]> => {
  const path = join(server.folder, id)
  await writeFile(path, `${text}\n`, { mode: 0o600 })
  return ['--secret', `${id}=${path}`]
}

const databaseUrl = (user: string, password: string): string =>
  `postgresql://${user}:${password}@${host}:${database.port}/tappass?sslmode=disable`
const redisUrl = (password: string): string => `redis://:${password}@${host}:${REDIS_PORT}`

const words = async (password: string): Promise<readonly string[]> => [
  ...(await secretWords('database-url', databaseUrl('serving', password))),
  ...(await secretWords('database-owner-url', databaseUrl('tappass', database.password))),
  ...(await secretWords('redis-url', redisUrl(WORD))),
]

const useStorage = (place: 'external' | 'container'): Promise<void> =>
  writeSpec(server, (spec) => ({
    ...spec,
    gateway: { callsMax: 1_000_000, upstream: server.upstream.url },
    storage: { database: place, redis: place },
  }))

before(async () => {
  server = await bareServer('proof-storage')
  host = await hostAddressOf(server.machine)
  database = await startPostgres([`listen_addresses = '127.0.0.1,${host}'`])
  await appendFile(join(database.folder, 'data/pg_hba.conf'), `host tappass all ${host}/24 scram-sha-256\n`)
  await database.superuser(`SELECT pg_reload_conf(); CREATE ROLE serving LOGIN PASSWORD '${WORD}'`)
  const own = [
    '--bind',
    host,
    '--port',
    String(REDIS_PORT),
    '--requirepass',
    WORD,
    '--save',
    '',
    '--dir',
    server.folder,
  ]
  redis = spawn('redis-server', own, { stdio: 'ignore' })
  await useStorage('external')
})
after(async () => {
  if (redis !== undefined && redis.exitCode === null) {
    redis.kill('SIGKILL')
    await once(redis, 'exit')
  }
  await database?.dispose()
  await server?.close()
})

const callOnce = async (name: string): Promise<void> => {
  const through = await door(server)
  try {
    const { client } = await through.agent(name)
    const messages = [{ role: 'user', content: 'good day' }] as const
    const { choices } = await client.chat.completions.create({ model: 'm', messages: [...messages] })
    assert.ok((choices[0]?.message.content ?? '') !== '')
  } finally {
    await through.close()
  }
}

const assertVerified = async (): Promise<void> => {
  const verified = await toolkit(['audit', 'verify', ...hostWords(server), '--json'])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
}

/** Nothing of the database and of Redis, and nowhere a password, but sealed. */
const NOTHING_OF_IT = `command -v docker; ls /etc/systemd/system | grep -E 'postgres|redis|backup'; ls -d /etc/tappass/postgres /etc/tappass/redis
  grep -rl '${WORD}' /etc /opt/tappass /var/lib/tappass /run/tappass 2>/dev/null; tr '\\0' '\\n' </proc/[0-9]*/environ | grep -c '${WORD}'; true`

test('a wrong password is refused, and nothing is done on the machine', async () => {
  const treeOf = () => inside(server, `find /etc /opt /var/lib /home -xdev -printf '%p %m %s %T@\\n' | sort`)
  const tree = await treeOf()
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json', ...(await words('wrong'))])
  const reasons = eventsOf(output).flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual(
    [output.code, reasons.map(({ what }) => what)],
    [5, ['the database refuses the password of serving']],
  )
  assert.equal(await treeOf(), tree)
})

test('a bare machine becomes a server without a container, takes a call, and its ledger is proven', async () => {
  const output = await bootstrap(server, ...(await words(WORD)))
  assert.equal((output.stdout + output.stderr).includes(WORD), false)
  await untilHealthy(server)
  await callOnce('first')
  await assertVerified()
  assert.equal(await database.superuser('SELECT count(*) > 0 FROM audit_events', 'tappass'), 't')
  assert.equal(await inside(server, NOTHING_OF_IT), '0')
})

test('there is nothing to do a second time, with the secrets and without; it is well, and the doctor finds nothing', async () => {
  await assertNothingToDo(server)
  const again = await toolkit(['plan', ...hostWords(server), '--json', ...(await words(WORD))])
  assert.equal(again.code, 0, again.stdout)
  const status = await toolkit(['status', ...hostWords(server)])
  assert.equal(status.code, 0, status.stdout + status.stderr)
  assert.match(status.stdout, /backup +none here: whoever runs the database backs it up/)
  const doctor = await toolkit(['doctor', ...hostWords(server), '--json'])
  const checks = eventsOf(doctor).flatMap((event) => (event.event === 'checks' ? event.checks : []))
  assert.deepEqual(
    checks.filter(({ status: found, id }) => found === 'fail' && /database|storage|docker|secrets|units/.test(id)),
    [],
  )
})

test('to containers of its own and back: each time the instances are moved, and the data that were here stay', async () => {
  await useStorage('container')
  await bootstrap(server)
  await assertNothingToDo(server)
  await callOnce('second')
  assert.equal(await inside(server, 'ls /etc/credstore.encrypted | grep -cE "^(database|redis)-"; true'), '0')
  const cluster = 'find /var/lib/tappass/postgres/cluster/global -type f | wc -l'
  const files = await inside(server, cluster)
  await useStorage('external')
  const { events } = await plan(server, ...(await words(WORD)))
  const changes = events.flatMap((event) => (event.event === 'plan' ? event.changes : []))
  const removal = changes.find(({ action }) => action === 'stop and remove tappass-postgres.service')
  assert.match(removal?.reason ?? '', /its data stay in \/var\/lib\/tappass\/postgres$/)
  await bootstrap(server, ...(await words(WORD)))
  await assertNothingToDo(server)
  await callOnce('third')
  assert.equal(await inside(server, cluster), files)
  assert.equal(await inside(server, 'docker ps --all --quiet; docker image ls --quiet'), '')
})
