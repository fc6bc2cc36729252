/**
 * Two instances on one socket, as under systemd, restarted one after the other under load: nobody notices. Streams included,
 * clients with a new connection for each call and clients that keep theirs. Needs: postgres.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { chunksOf, completion, events, json, type ModelServer, startModelServer } from './model-server.ts'
import { ADMIN_KEY } from './running-gateway.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const CALLS = 1500
const ROUNDS = 2

let postgres: PostgresServer
let models: ModelServer
let port: number
/** Instances that have the socket and wait to be started: like systemd, they hold it open and accept nothing. */
let waiting: ChildProcess[]
const running = new Set<ChildProcess>()

before(async () => {
  postgres = await startPostgres()
  models = await startModelServer()
  models.answer((response, received) => {
    const isStream = received.body.includes('"stream":true')
    return (isStream ? events(...chunksOf('word '.repeat(100), 'end')) : json(completion('hello')))(response, received)
  })
  const listener = createServer().listen({ host: '127.0.0.1', port: 0, backlog: 512 })
  await once(listener, 'listening')
  port = (listener.address() as AddressInfo).port
  waiting = Array.from({ length: 2 + 2 * ROUNDS }, (_, index) => prepareInstance(listener, index % 2 === 0 ? '1' : '2'))
  listener.close()
})
after(async () => {
  for (const child of [...running, ...waiting]) child.kill('SIGKILL')
  await models.close()
  await postgres.dispose()
})

/** A process that becomes an instance on the shared socket once it is told to. */
function prepareInstance(listener: Server, name: string): ChildProcess {
  const { fd } = (listener as unknown as { _handle: { fd: number } })._handle
  const options: SpawnOptions = {
    stdio: ['pipe', 'ignore', 'inherit', fd, 'ipc'],
    env: {
      PATH: process.env['PATH'] ?? '',
      TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
      TAPPASS_INSTANCE: name,
      TAPPASS_LOG_LEVEL: 'warn',
      TAPPASS_UPSTREAM_URL: `${models.url}/v1`,
      DATABASE_URL: postgres.socketUrl(),
    },
  }
  return spawn('sh', ['-c', 'read go; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@"', process.execPath, MAIN], options)
}

/** Starts one, and resolves when it serves. */
async function startInstance(): Promise<ChildProcess> {
  const child = waiting.shift()
  assert.ok(child?.stdin)
  running.add(child)
  child.stdin.end('go\n')
  const [message] = (await once(child, 'message')) as [{ type: string; message?: string }]
  assert.equal(message.type, 'ready', message.message ?? '')
  return child
}

async function stopInstance(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
  running.delete(child)
}

type Answer = Readonly<{ status: number | undefined; text: string }>

function ask(path: string, key: string, body: object, agent: Agent | false): Promise<Answer> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, method: 'POST', headers, agent }, async (response) => {
      let text = ''
      for await (const part of response) text += part
      resolve({ status: response.statusCode, text })
    })
    asked.once('error', reject)
    asked.end(JSON.stringify(body))
  })
}

test('no call fails while both instances are restarted, twice', async () => {
  let [one, other] = [await startInstance(), await startInstance()]
  const { text } = await ask('/agents', ADMIN_KEY, { agent_id: 'load' }, false)
  const { api_key } = JSON.parse(text) as { api_key: string }
  const failures: string[] = []
  let calls = 0
  let isOver = false
  const client = async (isStream: boolean, agent: Agent | false): Promise<void> => {
    while (!isOver || calls < CALLS) {
      const body = { model: 'm', stream: isStream, messages: [{ role: 'user', content: 'hello' }] }
      const answer = await ask('/v1/chat/completions', api_key, body, agent).catch((error: Error) => error)
      calls += 1
      const isGood =
        !(answer instanceof Error) && answer.status === 200 && (!isStream || answer.text.endsWith('data: [DONE]\n\n'))
      if (!isGood)
        failures.push(answer instanceof Error ? answer.message : `${answer.status} ${answer.text.slice(-200)}`)
    }
  }
  const kept = new Agent({ keepAlive: true })
  const clients = [
    client(false, false),
    client(false, false),
    client(true, false),
    client(false, kept),
    client(false, kept),
    client(true, kept),
  ]
  for (let round = 0; round < ROUNDS; round++) {
    await stopInstance(one)
    one = await startInstance()
    await stopInstance(other)
    other = await startInstance()
  }
  isOver = true
  await Promise.all(clients)
  kept.destroy()
  assert.deepEqual(failures, [])
  assert.ok(calls >= CALLS)
  const [{ count = 0 } = {}] = JSON.parse(
    `[{"count":${await postgres.superuser("SELECT count(*) FROM audit_events WHERE event_type LIKE 'govern_%'", 'tappass')}}]`,
  ) as { count: number }[]
  assert.equal(count, calls * 2)
})
