/** READY means ready: what a start tells systemd while database or Redis are away, and what it says of them later. Needs: postgres, python, redis. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const folder = mkdtempSync(join(tmpdir(), 'tappass-ready-'))
const redisSocket = join(folder, 'redis.sock')
const children = new Set<ChildProcess>()
let postgres: PostgresServer

let redis: ChildProcess | undefined

before(async () => {
  postgres = await startPostgres()
  await startRedis()
})
after(async () => {
  for (const child of children) child.kill('SIGKILL')
  await postgres.dispose()
  rmSync(folder, { recursive: true })
})

async function startRedis(): Promise<void> {
  const words = ['--port', '0', '--unixsocket', redisSocket, '--save', '', '--dir', folder]
  redis = spawn('redis-server', words, { stdio: 'ignore' })
  children.add(redis)
  while (!existsSync(redisSocket)) await sleep(20)
}

async function stop(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  assert.ok(child)
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

async function stopRedis(): Promise<void> {
  await stop(redis, 'SIGKILL')
  rmSync(redisSocket, { force: true })
}

/** Prints each message as JSON: Node has no datagrams on UNIX sockets. */
const RECEIVER = `import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening', flush=True)
while True: print(json.dumps(s.recv(4096).decode()), flush=True)`

/** What systemd is told; `until` waits for a message. */
type Messages = Readonly<{ socket: string; all: string[]; until: (pattern: RegExp) => Promise<void> }>

async function receive(name: string): Promise<Messages> {
  const socket = join(folder, name)
  const child = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.add(child)
  await once(child.stdout, 'data')
  const all: string[] = []
  child.stdout.on('data', (bytes: Buffer) => {
    // On Node 24 systemd-notify speaks for the process, and says so.
    for (const line of bytes.toString().split('\n'))
      if (line !== '') all.push((JSON.parse(line) as string).replace(/^MAINPID=\d+\n/, ''))
  })
  const until = async (pattern: RegExp): Promise<void> => {
    const seen = all.length
    for (let waited = 0; !all.slice(seen).some((message) => pattern.test(message)); waited += 1) {
      assert.ok(waited < 3000, `no ${pattern} in ${JSON.stringify(all)}`)
      await sleep(20)
    }
  }
  return { socket, all, until }
}

function startGateway({ socket }: Messages): ChildProcess {
  const env = {
    PATH: process.env['PATH'] ?? '',
    TAPPASS_PORT: '0',
    TAPPASS_LOG_LEVEL: 'silent',
    DATABASE_URL: postgres.socketUrl(),
    REDIS_URL: `unix://${redisSocket}`,
    NOTIFY_SOCKET: socket,
  }
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN], { env, stdio: 'inherit' })
  children.add(child)
  return child
}

const isReady = (message: string): boolean => message.startsWith('READY=1')

/** What is away when the gateway starts, and how it comes. */
const rows = [
  { part: 'database', leave: () => postgres.stop(), come: () => postgres.start() },
  { part: 'redis', leave: stopRedis, come: startRedis },
] as const

for (const { part, leave, come } of rows) {
  test(`${part} is away: no READY, more time, and its name in the status; once it is there, READY`, async () => {
    await leave()
    const messages = await receive(`${part}.notify`)
    const gateway = startGateway(messages)
    await messages.until(new RegExp(`^EXTEND_TIMEOUT_USEC=30000000\nSTATUS=waiting for ${part}$`))
    await messages.until(/^EXTEND_TIMEOUT_USEC/)
    assert.ok(!messages.all.some(isReady), messages.all.join('\n'))
    assert.equal(gateway.exitCode, null)
    await come()
    await messages.until(/^READY=1\nSTATUS=serving http/)
    await stop(gateway, 'SIGTERM')
  })
}

test('what goes later is in the status while it is gone, and READY is not said again', async () => {
  const messages = await receive('later.notify')
  const gateway = startGateway(messages)
  await messages.until(/^READY=1/)
  await stopRedis()
  await messages.until(/^STATUS=unhealthy: redis$/)
  await startRedis()
  await messages.until(/^STATUS=serving http/)
  assert.equal(messages.all.filter(isReady).length, 1)
  await stop(gateway, 'SIGTERM')
})
