/** Streams over real sockets: what the client and the model server see when one of them goes away. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { chunk, chunksOf, completion, events, json } from '../model-server.ts'
import { privateKey } from '../rules/fixture.ts'
import { type AuditEvent, chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())
beforeEach(() => {
  gateway.models.received.length = 0
})

/** Ids that a call takes over: they are UUIDs. */
const GONE = ['6f1f9f7e-58d0-4b5a-9c9e-0d3f6a1b2c11', '6f1f9f7e-58d0-4b5a-9c9e-0d3f6a1b2c12'] as const

const streamed = chat('hello', { stream: true })
const idOf = (response: Response): string => response.headers.get('x-request-id') ?? ''

/** Waits until something holds; the test's own time limit ends it when it never does. */
async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (;;) {
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    await sleep(10)
  }
}

const eventOf = (requestId: string, type: string): Promise<AuditEvent> =>
  until(async () => (await gateway.audit(`request_id=${requestId}`)).find(({ event_type }) => event_type === type))

test('a stream that ends well: one entry before its first piece, one before [DONE]', async () => {
  gateway.models.answer(events(...chunksOf('Good ', 'morning.')))
  const response = await gateway.post('/v1/chat/completions', streamed)
  const text = await response.text()
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  assert.ok(text.endsWith('data: [DONE]\n\n'))
  const entries = await gateway.audit(`request_id=${idOf(response)}`)
  assert.deepEqual(entries.map(({ event_type, details }) => [event_type, details['stage']]).reverse(), [
    ['govern_allow', 'request'],
    ['govern_allow', 'response'],
    ['stream_closed', 'response'],
  ])
})

test('the first piece leaves while the model server still speaks', async () => {
  let goOn = (): void => {}
  gateway.models.answer(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify(chunk({ role: 'assistant', content: '' }))}\n\n`)
    response.write(`data: ${JSON.stringify(chunk({ content: 'word '.repeat(200) }))}\n\n`)
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
    response.end(`data: ${JSON.stringify(chunk({}, 'stop'))}\n\ndata: [DONE]\n\n`)
  })
  const response = await gateway.post('/v1/chat/completions', streamed)
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  assert.ok(reader)
  let text = ''
  while (!text.includes('word word')) text += (await reader.read()).value ?? ''
  assert.ok(!text.includes('[DONE]'))
  goOn()
  for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value
  assert.ok(text.includes('[DONE]'))
})

test('a client that goes away ends the call to the model server, and the ledger says so', async () => {
  gateway.models.answer(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify(chunk({ role: 'assistant', content: '' }))}\n\n`)
    while (!response.destroyed) {
      response.write(`data: ${JSON.stringify(chunk({ content: 'and on it goes ' }))}\n\n`)
      await sleep(5)
    }
  })
  const body = JSON.stringify(streamed)
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname)
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.agent.key}\r\nx-request-id: ${GONE[0]}\r\n` +
      `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  let text = ''
  socket.on('data', (part) => {
    text += part.toString()
    if (text.includes('and on it goes')) socket.destroy()
  })
  await until(() => gateway.models.received[0]?.isAbandoned)
  const entry = await eventOf(GONE[0], 'client_gone')
  assert.equal(entry.details['stage'], 'response')
})

test('a client that goes away before the answer ends the call to the model server, and the ledger says so', async () => {
  gateway.models.answer(() => {})
  const gone = new AbortController()
  const asked = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${gateway.agent.key}`,
      'content-type': 'application/json',
      'x-request-id': GONE[1],
    },
    body: JSON.stringify(chat('hello')),
    signal: gone.signal,
  })
  await until(() => gateway.models.received[0])
  gone.abort()
  await assert.rejects(asked)
  await until(() => gateway.models.received[0]?.isAbandoned)
  await eventOf(GONE[1], 'client_gone')
})

/** What comes of a body that has no end; `hear` gets all that has come so far. */
async function unfinishedText(response: Response, hear: (text: string) => void = () => {}): Promise<string> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  try {
    for (;;) {
      const part = await reader?.read()
      if (!part || part.done) break
      text += part.value
      hear(text)
    }
  } catch {
    return text
  }
  return assert.fail(`the body has an end: ${text}`)
}

const GZIP = { 'content-encoding': 'gzip' }
const BROKEN: readonly (readonly [what: string, write: string | Uint8Array, code: string, headers?: object])[] = [
  ['it breaks off', `data: ${JSON.stringify(chunk({ content: 'Half a' }))}\n\n`, 'upstream.failed'],
  ['it says what is no JSON', 'data: {"choices":\n\n', 'upstream.malformed'],
  ['it says what is no chunk', 'data: {"type":"message_start"}\n\n', 'upstream.malformed'],
  ['its gzip is none', `data: ${JSON.stringify(chunk({ content: 'Half' }))}\n\n`, 'upstream.malformed', GZIP],
  [
    'its gzip ends too early',
    gzipSync(`data: ${JSON.stringify(chunk({ content: 'Half' }))}\n\n`).subarray(0, -9),
    'upstream.malformed',
    GZIP,
  ],
]

for (const [what, write, code, headers] of BROKEN) {
  test(`a stream of the model server that fails: ${what}`, async () => {
    gateway.models.answer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
      response.end(write)
    })
    const response = await gateway.post('/v1/chat/completions', streamed)
    const text = await unfinishedText(response)
    const last = JSON.parse(text.trim().split('\n\n').at(-1)?.slice('data: '.length) ?? '') as {
      error: { code: string }
    }
    assert.equal(last.error.code, code)
    assert.ok(!text.includes('[DONE]'))
    assert.equal((await eventOf(idOf(response), 'stream_failed')).details['code'], code)
  })
}

test('an answer that is a whole although a stream was asked for is judged as a whole, and a stream', async () => {
  gateway.models.answer(json(completion('Good.')))
  const response = await gateway.post('/v1/chat/completions', streamed)
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const text = await response.text()
  assert.ok(text.includes('"delta":{"role":"assistant","content":"Good."') && text.endsWith('data: [DONE]\n\n'), text)
})

test('the head leaves when the model server has accepted, before it has anything to say', async () => {
  let speak = (): void => {}
  gateway.models.answer(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    await new Promise<void>((resolve) => {
      speak = resolve
    })
    response.end(`data: ${JSON.stringify(chunk({ content: 'Hello' }, 'stop'))}\n\ndata: [DONE]\n\n`)
  })
  const response = await gateway.post('/v1/chat/completions', streamed)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
  speak()
  assert.match(await response.text(), /Hello/)
})

test('a refusal in the middle is an error event, and the body has no end', async () => {
  const heard = Promise.withResolvers<void>()
  gateway.models.answer(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`data: ${JSON.stringify(chunk({ content: 'Good words. ' }))}\n\n`)
    await heard.promise
    response.write(`data: ${JSON.stringify(chunk({ content: `${privateKey()} ` }))}\n\n`)
  })
  const response = await gateway.post('/v1/chat/completions', streamed)
  const text = await unfinishedText(response, (soFar) => soFar.includes('Good words. ') && heard.resolve())
  assert.match(text, /"code":"policy.blocked_response".*\n\n$/)
  // The model server goes on; nobody listens any more.
  await until(() => gateway.models.received[0]?.isAbandoned)
})
