/** Clients that still send when they are answered, that wait to be asked for the body, that have ended their side. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { after, before, test } from 'node:test'
import OpenAI, { APIError } from 'openai'
import { completion, json } from '../model-server.ts'
import { ADMIN_KEY, chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { dial, exchange, head, readAnswer, type WireAnswer } from './wire.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
  gateway.models.answer(json(completion('hi')))
})
after(() => gateway.close())

const MB = 1024 * 1024
const PIECE = Buffer.alloc(MB, 'x')
const bearer = (): Readonly<Record<string, string>> => ({ authorization: `Bearer ${gateway.agent.key}` })
const TYPE = { 'content-type': 'application/json' }

/** Writes all of a body before anything is read, as many clients do; gives how far it got. */
async function writeAll(socket: Socket, megabytes: number, isChunked: boolean): Promise<number> {
  for (let sent = 0; sent < megabytes; sent++) {
    const bytes = isChunked ? Buffer.concat([Buffer.from(`${MB.toString(16)}\r\n`), PIECE, Buffer.from('\r\n')]) : PIECE
    const failure = await new Promise<unknown>((resolve) => socket.write(bytes, resolve))
    if (failure) return sent
  }
  if (isChunked) socket.write('0\r\n\r\n')
  return megabytes
}

const EARLY: readonly (readonly [what: string, first: string, headers: object, status: number])[] = [
  ['too large', 'POST /v1/chat/completions', TYPE, 413],
  ['without a key', 'POST /v1/chat/completions', { ...TYPE, authorization: '' }, 401],
  ['no route', 'POST /v1/responses', TYPE, 404],
  ['no method', 'PUT /v1/models', TYPE, 405],
  ['no JSON', 'POST /v1/chat/completions', { 'content-type': 'text/plain' }, 415],
]
for (const [what, first, headers, status] of EARLY) {
  for (const isChunked of [false, true]) {
    for (const connection of ['close', 'keep-alive']) {
      test(`${status} reaches a client that sends 30 MB first: ${what}, ${isChunked ? 'chunked' : 'with its length'}, ${connection}`, async () => {
        const socket = await dial(gateway.url)
        socket.pause()
        const length = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': 30 * MB }
        socket.write(head(first, { ...bearer(), ...headers, ...length, connection }))
        assert.equal(await writeAll(socket, 30, isChunked), 30)
        assert.equal((await readAnswer(socket)).status, status)
        socket.destroy()
      })
    }
  }
}

test('a client that never stops is cut off', async () => {
  const socket = await dial(gateway.url)
  socket.write(head('POST /v1/chat/completions', { ...bearer(), ...TYPE, 'transfer-encoding': 'chunked' }))
  assert.ok((await writeAll(socket, 2000, true)) < 500)
  socket.destroy()
})

test('OpenAI’s client gets the 413', async () => {
  const client = new OpenAI({ apiKey: gateway.agent.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  const content = 'x'.repeat(30 * MB)
  const failure = await client.chat.completions
    .create({ model: 'm', messages: [{ role: 'user', content }] })
    .catch((error: unknown) => error)
  assert.ok(failure instanceof APIError, String(failure))
  assert.deepEqual([failure.status, failure.code], [413, 'request.too_large'])
  assert.match(failure.message, /larger than 5 MB/)
})

const hello = JSON.stringify(chat('hello'))
const EXPECT = { expect: '100-continue' }
const OURS = { ...TYPE, 'content-length': hello.length, ...EXPECT }

const EXPECTING: readonly (readonly [
  what: string,
  first: string,
  headers: () => object,
  interim: number[],
  status: number,
])[] = [
  ['fine', 'POST /v1/chat/completions', () => ({ ...OURS, ...bearer() }), [100], 200],
  [
    'fine, in other letters',
    'POST /v1/chat/completions',
    () => ({ ...OURS, ...bearer(), expect: '100-Continue' }),
    [100],
    200,
  ],
  ['fine, and closing', 'POST /v1/chat/completions', () => ({ ...OURS, ...bearer(), connection: 'close' }), [100], 200],
  ['another route', 'POST /agents', () => ({ ...OURS, authorization: `Bearer ${ADMIN_KEY}` }), [100], 400],
  ['too large', 'POST /v1/chat/completions', () => ({ ...OURS, ...bearer(), 'content-length': 6_000_000 }), [], 413],
  ['without a key', 'POST /v1/chat/completions', () => OURS, [], 401],
  ["with a provider's key", 'POST /v1/chat/completions', () => ({ ...OURS, authorization: 'Bearer sk-1' }), [], 401],
  [
    "with the admin's key",
    'POST /v1/chat/completions',
    () => ({ ...OURS, authorization: `Bearer ${ADMIN_KEY}` }),
    [],
    403,
  ],
  ['no route', 'POST /v1/responses', () => ({ ...OURS, ...bearer() }), [], 404],
  ['no method', 'PUT /v1/chat/completions', () => ({ ...OURS, ...bearer() }), [], 405],
  ['no JSON', 'POST /v1/chat/completions', () => ({ ...OURS, ...bearer(), 'content-type': 'text/plain' }), [], 415],
  ['encoded', 'POST /v1/chat/completions', () => ({ ...OURS, ...bearer(), 'content-encoding': 'gzip' }), [], 415],
  ['another expectation', 'POST /v1/chat/completions', () => ({ ...OURS, ...bearer(), expect: 'a miracle' }), [], 417],
  ['a body that is not read', 'GET /health', () => OURS, [], 200],
]
for (const [what, first, headers, interim, status] of EXPECTING) {
  test(`Expect: 100-continue, ${what}: ${[...interim, status].join(', ')}`, async () => {
    const socket = await dial(gateway.url)
    socket.write(head(first, headers() as Readonly<Record<string, string>>))
    const isAsked = interim.length > 0
    if (isAsked) {
      await new Promise((resolve) => socket.once('readable', resolve))
      socket.write(hello)
    }
    const answer = await readAnswer(socket)
    assert.deepEqual([answer.interim, answer.status], [interim, status], answer.body)
    // Whoever was not asked for the body may send it or not: the connection can't go on.
    const isClosing = !isAsked || 'connection' in headers()
    if (status !== 417) assert.equal(answer.headers['connection'], isClosing ? 'close' : 'keep-alive')
    socket.destroy()
  })
}

/** Sends a call, ends the client's side, and reads. */
async function askAndEnd(headers: object, first = 'POST /v1/chat/completions HTTP/1.1'): Promise<WireAnswer> {
  const socket = await dial(gateway.url)
  const all = { ...TYPE, 'content-length': hello.length, ...bearer(), ...headers }
  socket.end(head(first.replace(/ HTTP.*/, ''), all).replace('HTTP/1.1', first.split(' ').at(-1) ?? '') + hello)
  return readAnswer(socket)
}

const EVENT = JSON.stringify({ choices: [{ index: 0, delta: { content: 'word '.repeat(100) } }] })

const slow = (ms: number) => (response: Parameters<ReturnType<typeof json>>[0]) =>
  void setTimeout(() => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'), ms)

for (const [what, headers, first] of [
  ['closing', { connection: 'close' }],
  ['keeping alive', {}],
  ['HTTP/1.0', {}, 'POST /v1/chat/completions HTTP/1.0'],
] as const) {
  for (const ms of [0, 400]) {
    test(`a client that has ended its side is answered: ${what}, after ${ms} ms`, async () => {
      gateway.models.answer(slow(ms))
      const answer = await askAndEnd(headers, first)
      assert.equal(answer.status, 200)
      assert.match(answer.body, /"choices":\[\]/)
      // Interim responses only where the client might be gone, and never to HTTP/1.0.
      if (what !== 'keeping alive') assert.deepEqual(answer.interim, [])
    })
  }
}

test('a client that has ended its side gets its stream to the end', async () => {
  const events = ['data: {"choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n', 'data: [DONE]\n\n']
  gateway.models.answer(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of events) {
      response.write(event)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    response.end()
  })
  const text = JSON.stringify(chat('hello', { stream: true }))
  const socket = await dial(gateway.url)
  socket.end(head('POST /v1/chat/completions', { ...TYPE, ...bearer(), 'content-length': text.length }) + text)
  const answer = await readAnswer(socket)
  assert.match(answer.body, /hello[\s\S]*\[DONE\]/)
})

const GONE: readonly (readonly [how: string, leave: (socket: Socket) => void])[] = [
  ['ended', (socket) => socket.destroy()],
  ['reset', (socket) => socket.resetAndDestroy()],
]
for (const [how, leave] of GONE) {
  for (const stream of [false, true]) {
    test(`a client that has gone ends its call: ${how}, ${stream ? 'in its stream' : 'before its answer'}`, async () => {
      gateway.models.answer((response) => {
        if (stream) response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${EVENT}\n\n`)
      })
      const before = gateway.models.received.length
      const text = JSON.stringify(chat('hello', { stream }))
      const socket = await dial(gateway.url)
      socket.write(head('POST /v1/chat/completions', { ...TYPE, ...bearer(), 'content-length': text.length }) + text)
      while (gateway.models.received.length === before) await new Promise((resolve) => setTimeout(resolve, 5))
      if (stream) await new Promise((resolve) => socket.once('data', resolve))
      leave(socket)
      while (!gateway.models.received.at(-1)?.isAbandoned) await new Promise((resolve) => setTimeout(resolve, 5))
    })
  }
}

test('what is no request has the ids as well', async () => {
  const answer = await exchange(gateway.url, 'hello\r\n\r\n')
  assert.equal(answer.status, 400)
  assert.equal(answer.headers['request-id'], answer.headers['x-request-id'])
})
