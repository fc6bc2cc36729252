/** A Redis that somebody else runs, looked at before a run: over a real one, each way in which it may be wrong. Needs: redis, openssl. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectLocal } from '../../../scripts/runners/local.ts'
import type { VersionFloors } from '../../../scripts/storage/finding.ts'
import { checkRedis, type RedisSecrets } from '../../../scripts/storage/redis-check.ts'
import { createRedisLimiter } from '../../../server/adapters/redis.ts'
import { freePort } from '../../free-port.ts'
import { makeCertificate } from '../../localhost-certificate.ts'
import { assertRefusedOnce } from './refusal.ts'

const FLOORS: VersionFloors = { atLeast: '7.0.0', because: 'older ones get no fixes' }
const WORD = ['only', 'for', 'this', 'test'].join('-')
const { dial } = connectLocal(true)
const folder = mkdtempSync(join(tmpdir(), 'tappass-redis-check-'))
const file = (name: string) => join(folder, name)
const servers: ChildProcess[] = []

/** Resolves once somebody listens. */
const listening = async (port: number): Promise<void> => {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const socket = createConnection({ port, host: '127.0.0.1' })
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isThere) return
    await sleep(20)
  }
  throw new Error('redis-server did not start')
}

/** Starts one with a user that may do what the gateway does, and one that may not. */
const startRedis = async (port: number, ...words: readonly string[]): Promise<void> => {
  const users = [
    `gateway on >${WORD} ~rl:* resetchannels -@all +ping +eval +evalsha +get +set`,
    `reader on >${WORD} ~* -@all +ping +get`,
    `elsewhere on >${WORD} ~other:* -@all +ping +eval +evalsha +get +set`,
    `default on >${WORD} ~* &* +@all`,
  ].flatMap((rules) => ['--user', ...rules.split(' ')])
  const own = ['--bind', '127.0.0.1', '--dir', folder, '--save', '', '--loglevel', 'warning', ...users, ...words]
  servers.push(spawn('redis-server', own, { stdio: 'ignore' }))
  await listening(port)
}

let [plain, secure, replica, cluster] = [0, 0, 0, 0]
before(async () => {
  for (const name of ['server', 'other']) makeCertificate(file(name))
  ;[plain, secure, replica, cluster] = [await freePort(), await freePort(), await freePort(), await freePort()]
  const tls = ['--tls-cert-file', file('server.crt'), '--tls-key-file', file('server.key'), '--tls-auth-clients', 'no']
  await Promise.all([
    startRedis(plain, '--port', String(plain)),
    startRedis(secure, '--port', '0', '--tls-port', String(secure), ...tls),
    startRedis(replica, '--port', String(replica), '--replicaof', '127.0.0.1', String(plain)),
    startRedis(
      cluster,
      ...['--port', String(cluster), '--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
      ...['--cluster-config-file', file('nodes.conf')],
    ),
  ])
})
after(async () => {
  for (const server of servers) server.kill('SIGKILL')
  await Promise.all(servers.map((server) => server.exitCode ?? server.signalCode ?? once(server, 'exit')))
  rmSync(folder, { recursive: true })
})

const at = (user: string, port = plain, password = WORD) => `redis://${user}:${password}@127.0.0.1:${port}`
const overTls = (host: string) => `rediss://gateway:${WORD}@${host}:${secure}`
const pem = (name: string) => readFileSync(file(`${name}.crt`), 'utf8')
const check = (secrets: RedisSecrets, floors = FLOORS) => checkRedis(dial, secrets, floors)

test('a user with the rights of the gateway: nothing to say', async () => {
  assert.deepEqual(await check({ url: at('gateway') }), { refusals: [], warnings: [] })
  assert.deepEqual(await check({ url: `redis://:${WORD}@127.0.0.1:${plain}` }), { refusals: [], warnings: [] })
})

test('over TLS with its own authority, in the check and in the gateway', async () => {
  assert.deepEqual(await check({ url: overTls('localhost'), authority: pem('server') }), { refusals: [], warnings: [] })
  const limiter = createRedisLimiter(overTls('localhost'), () => undefined, pem('server'))
  try {
    const answered = () =>
      limiter.ping?.().then(
        () => true,
        () => false,
      )
    while (!(await answered())) await sleep(20)
    assert.equal((await limiter.take('rl:somebody', 10, 1000, 5)).isAllowed, true)
  } finally {
    await limiter.close?.()
  }
})

test('older than what is pinned is told', async () => {
  const pinned = { atLeast: '99.0.0', because: 'x' }
  const { refusals, warnings } = await check({ url: at('gateway') }, { ...FLOORS, pinned })
  assert.deepEqual(refusals, [])
  assert.match(warnings[0]?.what ?? '', /^Redis \d+\.\d+\.\d+ is older than 99\.0\.0$/)
})

const rows: readonly Readonly<{
  name: string
  given: () => RedisSecrets
  what: RegExp
  also?: RegExp
  floors?: VersionFloors
}>[] = [
  { name: 'a wrong password', given: () => ({ url: at('gateway', plain, 'wrong') }), what: /refuses the login/ },
  { name: 'no password', given: () => ({ url: `redis://127.0.0.1:${plain}` }), what: /refuses the login/ },
  {
    name: 'a user without the commands',
    given: () => ({ url: at('reader') }),
    what: /does not allow what the gateway does/,
    also: /ACL SETUSER reader ~rl:\*/,
  },
  {
    name: 'a user of other keys',
    given: () => ({ url: at('elsewhere') }),
    what: /does not allow what the gateway does/,
  },
  {
    name: 'too old',
    given: () => ({ url: at('gateway') }),
    floors: { atLeast: '99.0.0', because: 'older ones get no fixes' },
    what: /is too old: 99\.0\.0 at least/,
    also: /get no fixes/,
  },
  { name: 'a replica', given: () => ({ url: at('gateway', replica) }), what: /is a replica/ },
  { name: 'a cluster', given: () => ({ url: at('gateway', cluster) }), what: /is a cluster/ },
  {
    name: 'TLS without its authority',
    given: () => ({ url: overTls('localhost') }),
    what: /TLS with Redis was refused/,
    also: /--secret redis-ca=FILE/,
  },
  {
    name: 'TLS with another authority',
    given: () => ({ url: overTls('localhost'), authority: pem('other') }),
    what: /TLS with Redis was refused/,
  },
  {
    name: 'TLS under another name',
    given: () => ({ url: overTls('127.0.0.1'), authority: pem('server') }),
    what: /TLS with Redis was refused/,
  },
  {
    name: 'TLS where there is none',
    given: () => ({ url: at('gateway').replace('redis:', 'rediss:') }),
    what: /TLS with Redis was refused/,
  },
  {
    name: 'no TLS where there is',
    given: () => ({ url: at('gateway', secure) }),
    what: /could not be asked/,
    also: /rediss:/,
  },
  { name: 'nobody listens', given: () => ({ url: at('gateway', 1) }), what: /cannot be reached from this host/ },
]
for (const { name, given, what, also = /./, floors } of rows)
  test(`refused: ${name}`, async () => {
    const { refusals } = await check(given(), floors)
    assertRefusedOnce(refusals, what, also, [WORD])
  })
