/** Model servers: what an upstream promises, for the two there are, and what the one over HTTP does besides. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createEcho } from '../../../../server/adapters/echo.ts'
import { createOpenai } from '../../../../server/adapters/openai/openai.ts'
import type { Upstream, UpstreamResponse } from '../../../../server/core/ports.ts'
import { createEventReader } from '../../../../server/protocol/sse.ts'
import { chunksOf, completion, events, json, type ModelServer, startModelServer } from '../../model-server.ts'

let models: ModelServer
let openai: Upstream
const echo = createEcho({ nowMs: () => 1_732_500_000_000, elapsedMs: () => 0 })
before(async () => {
  models = await startModelServer()
  openai = createOpenai(`${models.url}/v1/`, 'key-of-ours')
})
after(async () => {
  await openai.close()
  await models.close()
})
beforeEach(() => {
  models.received.length = 0
})

const signal = new AbortController().signal
const asked = (more: object = {}): string =>
  JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hello' }], ...more })

const textOf = async ({ bytes }: UpstreamResponse): Promise<string> => Buffer.from((await bytes(1e6)) ?? []).toString()

const UPSTREAMS = { echo: () => echo, openai: () => openai }
for (const [name, upstream] of Object.entries(UPSTREAMS)) {
  test(`${name}: answers a chat`, async () => {
    models.answer(json(completion('hi')))
    const answer = await upstream().forward('/chat/completions', asked(), 'call-1', signal)
    assert.equal(answer.status, 200)
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
    const { object, choices, usage } = JSON.parse(await textOf(answer)) as {
      object: string
      choices: unknown[]
      usage: object
    }
    assert.equal(object, 'chat.completion')
    assert.equal(choices.length, 1)
    assert.deepEqual(Object.keys(usage).toSorted(), ['completion_tokens', 'prompt_tokens', 'total_tokens'])
  })

  test(`${name}: streams a chat, and ends it`, async () => {
    models.answer(events(...chunksOf('hi')))
    const answer = await upstream().forward('/chat/completions', asked({ stream: true }), 'call-1', signal)
    assert.match(answer.headers['content-type'] ?? '', /^text\/event-stream/)
    const all: string[] = []
    const reader = createEventReader()
    for await (const bytes of answer.body) all.push(...reader.read(bytes).events.map(({ data }) => data))
    assert.equal(all.at(-1), '[DONE]')
    assert.ok(all.length >= 4)
  })

  test(`${name}: says no as an answer, not as an exception`, async () => {
    models.answer(json({ error: { message: 'no' } }, 404))
    const answer = await upstream().forward('/embeddings', '{"model":"echo","input":"x"}', 'call-1', signal)
    assert.equal(answer.status, 404)
    assert.equal(typeof (JSON.parse(await textOf(answer)) as { error: { message: string } }).error.message, 'string')
  })
}

test("echo: says back the last words that are not the system's, and that it is an echo", async () => {
  const messages = [
    { role: 'user', content: 'first' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'in' },
        { type: 'text', text: 'parts' },
      ],
    },
    { role: 'system', content: 'never' },
  ]
  const text = await textOf(await echo.forward('/chat/completions', asked({ messages }), 'call-1', signal))
  assert.match(text, /built-in echo model; no AI has read this\. You said: in parts"/)
})

test('openai: sends our key, the call and its id, and nothing else of anybody', async () => {
  await openai.forward('/chat/completions', asked(), 'call-7', signal)
  const [{ path, method, headers, body } = { path: '', method: '', headers: {}, body: '' }] = models.received
  assert.deepEqual([method, path, body], ['POST', '/v1/chat/completions', asked()])
  const { host, connection, ...sent } = headers
  assert.deepEqual(sent, {
    authorization: 'Bearer key-of-ours',
    'accept-encoding': 'identity',
    'content-type': 'application/json',
    'content-length': String(asked().length),
    'x-request-id': 'call-7',
  })
})

test('openai: hands on two headers and no more', async () => {
  models.answer(json({}, 200, { 'retry-after': '3', 'set-cookie': 'a=b', 'x-internal': 'y', server: 'z' }))
  const { headers } = await openai.forward('/chat/completions', asked(), 'c', signal)
  assert.deepEqual(headers, { 'content-type': 'application/json', 'retry-after': '3' })
})

test('openai: a redirect is an answer, and is not followed', async () => {
  models.answer((response) => void response.writeHead(307, { location: `${models.url}/elsewhere` }).end())
  assert.equal((await openai.forward('/chat/completions', asked(), 'c', signal)).status, 307)
  assert.equal(models.received.length, 1)
})

test('openai: without an answer it throws', async () => {
  const nowhere = createOpenai('http://127.0.0.1:1/v1', undefined)
  await assert.rejects(nowhere.forward('/chat/completions', asked(), 'c', signal))
  await nowhere.close()
})

test('openai: a call that is given up ends at the model server', async () => {
  models.answer(() => {})
  const gone = new AbortController()
  const forwarded = openai.forward('/chat/completions', asked(), 'c', gone.signal)
  while (models.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  gone.abort()
  await assert.rejects(forwarded)
  while (!models.received[0]?.isAbandoned) await new Promise((resolve) => setTimeout(resolve, 5))
})

const abandoned = async (): Promise<void> => {
  while (!models.received[0]?.isAbandoned) await new Promise((resolve) => setTimeout(resolve, 5))
}

const READERS: Readonly<Record<string, (answer: UpstreamResponse) => Promise<number>>> = {
  whole: async ({ bytes }) => (await bytes(1e9))?.byteLength ?? 0,
  pieces: async ({ body }) => {
    let bytes = 0
    for await (const piece of body) bytes += piece.byteLength
    return bytes
  },
}
for (const [how, read] of Object.entries(READERS)) {
  test(`openai: an answer that breaks off is not taken for one that ended: ${how}`, async () => {
    models.answer((response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('half of it', () => response.destroy())
    })
    await assert.rejects(read(await openai.forward('/chat/completions', asked(), 'c', signal)))
  })

  test(`openai: an answer whose reader is given up while he reads ends at the model server: ${how}`, async () => {
    models.answer((response) => void response.writeHead(200).write('the beginning'))
    const gone = new AbortController()
    const answer = await openai.forward('/chat/completions', asked(), 'c', gone.signal)
    const reading = assert.rejects(read(answer))
    gone.abort()
    await Promise.all([reading, abandoned()])
  })

  test(`openai: a server has to wait for its reader, and nothing is lost: ${how}`, async () => {
    const megabyte = Buffer.alloc(2 ** 20)
    let sent = 0
    models.answer(async (response) => {
      response.writeHead(200)
      for (; sent < 64 && !response.destroyed; sent++) {
        if (!response.write(megabyte)) await new Promise((resolve) => response.once('drain', resolve))
      }
      response.end()
    })
    const answer = await openai.forward('/chat/completions', asked(), 'c', signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(sent < 64, `${sent} of 64 MB left the server before anybody read`)
    assert.equal(await read(answer), 64 * 2 ** 20)
  })
}

test('openai: more than is wanted is not read on, and ends at the model server', async () => {
  models.answer((response) => void response.writeHead(200).write(Buffer.alloc(100_000)))
  const answer = await openai.forward('/chat/completions', asked(), 'c', signal)
  assert.equal(await answer.bytes(10_000), undefined)
  await abandoned()
})

test('openai: a reader who stops ends the answer at the model server', async () => {
  models.answer((response) => void response.writeHead(200).write('the beginning'))
  const answer = await openai.forward('/chat/completions', asked(), 'c', signal)
  for await (const _ of answer.body) break
  await abandoned()
})

test('openai: a call that was given up before it was sent does not reach the model server', async () => {
  await assert.rejects(openai.forward('/chat/completions', asked(), 'c', AbortSignal.abort()))
  assert.equal(models.received.length, 0)
})
