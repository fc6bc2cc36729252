/** What the Redis of a host lets its user do, and nobody else: over a real one with the host's own configuration. Needs: redis. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisLimiter } from '../../../server/adapters/redis.ts'
import type { RateLimiter } from '../../../server/core/ports.ts'
import { testLimiter } from './limiter-contract.ts'

const repository = join(import.meta.dirname, '../../..')
const unit = readFileSync(join(repository, 'units/tappass-redis.service.hbs'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'tappass-redis-'))
const socket = join(folder, 'redis.sock')
const url = `unix://${socket}?user=tappass`
let server: ChildProcess

/** The default user as the unit says it, with gateways that log in and with older ones. */
const [BEFORE = '', OFF = ''] = [...unit.matchAll(/echo "?DEFAULT_USER=([^";]+)/g)].map(([, rules = '']) =>
  rules.trim(),
)

async function startRedis(defaultUser: string): Promise<void> {
  const own = [
    '--unixsocket',
    socket,
    '--dir',
    folder,
    '--loglevel',
    'warning',
    '--user',
    'default',
    ...defaultUser.split(' '),
  ]
  server = spawn('redis-server', [join(repository, 'templates/redis/redis.conf'), ...own], { stdio: 'ignore' })
  for (let attempt = 0; attempt < 500 && server.exitCode === null; attempt += 1) {
    if ((await say('PING').catch(() => '')) !== '') return
    await sleep(20)
  }
  throw new Error('redis-server did not start')
}

async function stopRedis(): Promise<void> {
  if (server.exitCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
}

/** Says lines to Redis, in its inline form; returns what it answers to the last one. */
async function say(...lines: readonly string[]): Promise<string> {
  const connection = createConnection(socket)
  connection.setEncoding('utf8')
  let text = ''
  connection.on('data', (piece) => {
    text += piece
  })
  for (const [index, line] of lines.entries()) {
    connection.write(`${line}\r\n`)
    while (text.split('\r\n').length <= index + 1) await Promise.race([once(connection, 'data'), failureOf(connection)])
  }
  connection.destroy()
  return text.split('\r\n')[lines.length - 1] ?? ''
}

async function failureOf(connection: ReturnType<typeof createConnection>): Promise<never> {
  const [cause] = await once(connection, 'close')
  throw new Error('Redis ended the connection', { cause })
}

/** Waits until a limiter answers; throws what is against it. */
async function answering(limiter: RateLimiter): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const isThere = await limiter.ping().then(
      () => true,
      () => false,
    )
    if (isThere) return
    await sleep(20)
  }
  await limiter.ping()
}

before(() => startRedis(OFF))
after(async () => {
  await stopRedis()
  rmSync(folder, { recursive: true })
})

const LOGIN = 'AUTH tappass none'
const ALLOWED: readonly (readonly [line: string, answer: RegExp])[] = [
  ['PING', /^\+PONG/],
  ['INFO memory', /^\$\d/],
  ['SET rl:x 1 PX 60000', /^\+OK/],
  ['GET rl:x', /^\$1/],
  [`EVAL "return redis.call('GET', KEYS[1])" 1 rl:x`, /^\$1/],
  ['EVALSHA 0000000000000000000000000000000000000000 0', /^-NOSCRIPT/],
]
for (const [line, answer] of ALLOWED)
  test(`redis: the gateway's user may: ${line.split(' ')[0]}`, async () => assert.match(await say(LOGIN, line), answer))

const REFUSED: readonly string[] = [
  ...['FLUSHALL', 'FLUSHDB', 'CONFIG GET *', 'CONFIG SET dir /', 'KEYS *', 'SCAN 0', 'DEBUG SLEEP 0', 'SHUTDOWN'],
  ...[
    'INFO',
    'INFO server',
    'INFO clients',
    'CLIENT LIST',
    'CLIENT SETNAME x',
    'MONITOR',
    'SAVE',
    'BGSAVE',
    'REPLICAOF localhost 1',
    'SLAVEOF localhost 1',
  ],
  ...[
    'ACL LIST',
    'ACL SETUSER default on',
    'MODULE LIST',
    'SCRIPT FLUSH',
    'FUNCTION LIST',
    'SELECT 0',
    'SWAPDB 0 1',
    'MIGRATE h 1 k 0 1',
  ],
  ...[
    'DEL rl:x',
    'EXPIRE rl:x 1',
    'SUBSCRIBE x',
    'PUBLISH x y',
    'XADD rl:s * a b',
    'DUMP rl:x',
    'OBJECT HELP',
    'MULTI',
    'COMMAND',
  ],
  ...['GET other', 'SET other 1'],
  ...[
    `EVAL "return redis.call('FLUSHALL')" 0`,
    `EVAL "return redis.call('GET', 'other')" 0`,
    'EVAL "return 1" 1 other',
  ],
]
for (const line of REFUSED)
  test(`redis: the gateway's user may not: ${line}`, async () => {
    assert.match(
      await say(LOGIN, line),
      /^-(?:NOPERM|ERR DEBUG command not allowed|ERR The user executing the script can't)/,
    )
  })

test('redis: who does not log in may do nothing, and there is no other user', async () => {
  for (const line of ['PING', 'GET rl:x', 'INFO', 'ACL LIST']) assert.match(await say(line), /^-NOAUTH/, line)
  for (const user of ['default', 'other']) assert.match(await say(`AUTH ${user} none`), /^-WRONGPASS/)
})

testLimiter('rl:user', async () => {
  const limiter = createRedisLimiter(url, () => {})
  await answering(limiter)
  return limiter
})

test('redis: the gateway is told how much memory it uses', async () => {
  const limiter = createRedisLimiter(`unix://${socket}?user=tappass`, () => {})
  await answering(limiter)
  const memory = await limiter.memory?.()
  await limiter.close()
  assert.ok((memory?.usedBytes ?? 0) > 100_000, JSON.stringify(memory))
})

test('redis: a gateway of the release before goes on beside it, with the same rights', async () => {
  await stopRedis()
  await startRedis(BEFORE)
  const limiter = createRedisLimiter(`unix://${socket}`, () => {})
  await answering(limiter)
  assert.equal((await limiter.take('rl:old', 1, 60_000, Date.now())).isAllowed, true)
  await limiter.close()
  for (const line of ['FLUSHALL', 'CONFIG GET *', 'GET other']) assert.match(await say(line), /^-NOPERM/, line)
  assert.match(await say('INFO server'), /^\$/)
})
