/** The gateway as a process: how it starts, tells, refuses to start, and stops. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ADMIN_KEY } from './running-gateway.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const running: ChildProcess[] = []
const servers: Server[] = []
after(() => {
  for (const child of running) child.kill('SIGKILL')
  for (const server of servers) server.close().closeAllConnections()
})

type Message = Readonly<{ type: 'ready'; url: string }> | Readonly<{ type: 'failed'; message: string }>
type Started = Readonly<{ child: ChildProcess; message: Message; text: () => string }>

async function start(environment: Readonly<Record<string, string>>): Promise<Started> {
  const child = fork(MAIN, {
    env: { PATH: process.env['PATH'] ?? '', TAPPASS_PORT: '0', TAPPASS_ADMIN_API_KEY: ADMIN_KEY, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  })
  running.push(child)
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part: Buffer) => {
      text += part.toString()
    })
  }
  const [message] = (await once(child, 'message')) as [Message]
  return { child, message, text: () => text }
}

const urlOf = ({ message }: Started): string => {
  assert.equal(message.type, 'ready')
  return message.type === 'ready' ? message.url : ''
}

async function exitOf({ child }: Started): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

async function agentKey(url: string): Promise<string> {
  const response = await fetch(`${url}/agents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: '{"agent_id":"one"}',
  })
  return ((await response.json()) as { api_key: string }).api_key
}

test('it serves when it says that it is ready, and SIGTERM ends it with 0', async () => {
  const started = await start({})
  assert.equal((await fetch(`${urlOf(started)}/health/ready`)).status, 200)
  started.child.kill('SIGTERM')
  assert.equal(await exitOf(started), 0)
  assert.match(started.text(), /"msg":"stopped"/)
})

test('a client that goes away in the middle of its body is no error in the log', async () => {
  const started = await start({})
  const { port, hostname } = new URL(urlOf(started))
  const headers = `authorization: Bearer ${await agentKey(urlOf(started))}\r\ncontent-type: application/json`
  const socket = connect(Number(port), hostname)
  const expecting = `${headers}\r\ncontent-length: 99\r\nexpect: 100-continue`
  socket.write(`POST /embeddings HTTP/1.1\r\nhost: gateway\r\n${expecting}\r\n\r\n`)
  // From here on the gateway waits for the body.
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 100 /)
  socket.write('{"model":')
  socket.destroy()
  started.child.kill('SIGTERM')
  assert.equal(await exitOf(started), 0)
  assert.doesNotMatch(started.text(), /"level":50/)
})

test('a key that travels in the open is warned of, once, and the gateway starts', async () => {
  const key = ['sk', 'only-for-tests'].join('-')
  const started = await start({ OPENAI_API_KEY: key, TAPPASS_UPSTREAM_URL: 'http://user:hush@models.example.com/v1' })
  assert.equal((await fetch(`${urlOf(started)}/health/ready`)).status, 200)
  started.child.kill('SIGTERM')
  assert.equal(await exitOf(started), 0)
  const warnings = started.text().match(/^.*"level":40.*$/gm) ?? []
  assert.equal(warnings.length, 1, started.text())
  assert.match(warnings[0] ?? '', /travel unencrypted to models\.example\.com/)
  assert.ok(!started.text().includes(key) && !started.text().includes('hush'))
})

test('bytes of a broken answer are in no log', async () => {
  const said = 'the text of an answer'
  const broken = createSocket((socket) => {
    socket.on('error', () => {})
    socket.end(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${said}\r\n`)
  })
  await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
  const { port } = broken.address() as AddressInfo
  const started = await start({ TAPPASS_UPSTREAM_URL: `http://127.0.0.1:${port}/v1` })
  const url = urlOf(started)
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await agentKey(url)}`, 'content-type': 'application/json' },
    body: '{"model":"m","messages":[{"role":"user","content":"hello"}]}',
  })
  started.child.kill('SIGTERM')
  await exitOf(started)
  broken.close()
  assert.equal(response.status, 502)
  assert.match(started.text(), /"msg":"call failed"/)
  assert.ok(!started.text().includes(said), started.text())
})

test('settings that are wrong are one message, on stderr and on the channel, with exit 1', async () => {
  const started = await start({ TAPPASS_ENV: 'production', TAPPASS_PORT: 'x' })
  assert.equal(started.message.type, 'failed')
  assert.equal(await exitOf(started), 1)
  for (const name of ['TAPPASS_PORT', 'TAPPASS_VAULT_KEY', 'TAPPASS_TOKEN_KEY'])
    assert.ok(started.text().includes(name), name)
})

test('a port that is taken is one sentence', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  servers.push(other)
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const started = await start({ TAPPASS_PORT: String(port) })
  assert.deepEqual(started.message, {
    type: 'failed',
    message: `can't listen on 127.0.0.1:${port}: another program listens there; stop it, or set TAPPASS_PORT`,
  })
  assert.equal(await exitOf(started), 1)
})

test('data in a folder survive SIGKILL, and the ledger of both lives is intact', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-main-'))
  const environment = { TAPPASS_STORAGE: 'local', TAPPASS_DATA_DIR: join(folder, 'database') }
  try {
    const first = await start(environment)
    const key = await agentKey(urlOf(first))
    first.child.kill('SIGKILL')
    await exitOf(first)
    const second = await start(environment)
    const models = await fetch(`${urlOf(second)}/models`, { headers: { authorization: `Bearer ${key}` } })
    assert.equal(models.status, 200)
    const integrity = await fetch(`${urlOf(second)}/audit/integrity`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    })
    const { status, chains } = (await integrity.json()) as { status: string; chains: number }
    assert.deepEqual([status, chains], ['intact', 2])
    second.child.kill('SIGINT')
    assert.equal(await exitOf(second), 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a stop lets a stream under way end, asks others to leave, and takes no new connection', async () => {
  let goOn = (): void => {}
  const models = createServer(async (_request, response) => {
    const chunk = (delta: object, reason: string | null = null): string =>
      `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chunk({ role: 'assistant' }))
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
    response.end(`${chunk({ content: 'the end' })}${chunk({}, 'stop')}data: [DONE]\n\n`)
  }).listen(0, '127.0.0.1')
  servers.push(models)
  await once(models, 'listening')
  const started = await start({ TAPPASS_UPSTREAM_URL: `http://127.0.0.1:${(models.address() as AddressInfo).port}/v1` })
  const url = urlOf(started)
  const key = await agentKey(url)
  const response = await fetch(`${url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] }),
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  assert.ok(reader)
  let text = (await reader.read()).value ?? ''

  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (agent: Agent | false = kept): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      request(`${url}/health/live`, { agent }, (answer) => {
        answer.resume()
        answer.once('end', () => resolve(answer.headers.connection))
      })
        .once('error', reject)
        .end()
    })
  assert.equal(await ask(), 'keep-alive')
  started.child.kill('SIGTERM')
  while (!started.text().includes('"msg":"stopping"')) await sleep(5)
  assert.equal(await ask(), 'close')
  await assert.rejects(ask(false), /ECONNREFUSED/)
  goOn()
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
  assert.ok(text.includes('the end') && text.endsWith('data: [DONE]\n\n'))
  assert.equal(await exitOf(started), 0)
  kept.destroy()
})
