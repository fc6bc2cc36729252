/** What model servers of the field send beside plain chunks: passed, judged, or explained. */
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { mock, test } from 'node:test'
import { KEEP_ALIVE } from '../../../server/protocol/sse.ts'
import { answerOf, createBench, dripped, governed, requestOf } from '../governance/gateway-fixture.ts'
import { chunk, chunksOf, completion } from '../model-server.ts'
import { joinedTexts, receive } from './stream-fixture.ts'

const DONE = 'data: [DONE]\n\n'
const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
const { choices: _none, ...head } = chunk({}) as { choices: unknown }

const PASSED: readonly (readonly [what: string, sent: readonly (object | string)[], chunks?: readonly object[]])[] = [
  ['usage in a last chunk', [...chunksOf('Hello'), { ...head, choices: [], usage }, DONE]],
  [
    'usage in a chunk without choices',
    [...chunksOf('Hello'), { ...head, usage }, DONE],
    [...chunksOf('Hello'), { ...head, usage, choices: [] }],
  ],
  [
    'usage in a chunk with choices null',
    [...chunksOf('Hello'), { ...head, choices: null, usage }, DONE],
    [...chunksOf('Hello'), { ...head, choices: [], usage }],
  ],
  ['usage beside an empty choice', [...chunksOf('Hello'), { ...chunk({}), usage }, DONE]],
  ['usage beside text', [{ ...chunk({ content: 'Hello' }), usage }, chunk({}, 'stop'), DONE]],
  ['a ping in front', ['data: {"type":"ping"}\n\n', ...chunksOf('Hello'), DONE], chunksOf('Hello')],
  [
    'empty reasons',
    [
      chunk({ content: ' Hello' }, ''),
      chunk({ content: ' there' }, ''),
      chunk({ content: '!' }, ''),
      chunk({}, 'stop'),
      DONE,
    ],
  ],
  ['a reason that is repeated', [...chunksOf('Hello'), chunk({}, 'stop'), chunk({}, 'stop'), DONE]],
  ['text after a reason', [...chunksOf('Hello'), chunk({ content: ' there' }), chunk({}, 'stop'), DONE]],
  ['a reason beside the last text', [chunk({ content: 'Hel' }), chunk({ content: 'lo' }, 'stop'), DONE]],
  ['empty events', ['data: \n\n', ...chunksOf('Hello'), 'data:\n\n', 'data\n\n', DONE], chunksOf('Hello')],
  ['blanks around [DONE]', [...chunksOf('Hello'), 'data: [DONE] \n\n'], chunksOf('Hello')],
  [
    'a choice without index',
    [
      { ...head, choices: [{ delta: { content: 'Hello' } }] },
      { ...head, choices: [{ delta: {}, finish_reason: 'stop' }] },
      DONE,
    ],
  ],
  [
    'filter results of each chunk',
    ['safe', 'low', 'safe', 'safe', 'medium', 'safe'].map((severity) => ({
      ...head,
      choices: [
        {
          index: 0,
          delta: { content: `${severity} ` },
          content_filter_results: { hate: { filtered: false, severity } },
          finish_reason: null,
        },
      ],
    })),
  ],
  [
    'content in parts of changing types',
    ['thinking', 'text', 'thinking', 'text'].map((type) => chunk({ content: [{ type, text: 'so and ' }] })),
  ],
  [
    'ids and names that are repeated',
    Array.from({ length: 6 }, (_, index) =>
      chunk({
        role: 'assistant',
        tool_calls: [
          {
            index: 0,
            id: 'call_1a2b3c',
            type: 'function',
            function: { name: 'get_weather', arguments: `"${index}",` },
          },
        ],
      }),
    ),
  ],
  [
    'sources with addresses of their own',
    [1, 2, 3].map((index) =>
      chunk({
        content: 'word ',
        annotations: [
          { type: 'url_citation', url_citation: { title: 'News', url: `https://news.example.org/${index}` } },
        ],
      }),
    ),
  ],
]

for (const [what, sent, chunks] of PASSED) {
  for (const isDripped of [false, true]) {
    test(`passed${isDripped ? ', one by one' : ''}: ${what}`, async () => {
      const all = sent.at(-1) === DONE || typeof sent.at(-1) === 'string' ? sent : [...sent, chunk({}, 'stop'), DONE]
      const expected = chunks ?? all.filter((part) => typeof part !== 'string')
      const received = await receive(all, isDripped)
      assert.equal(received.error, undefined)
      if (!isDripped) assert.deepEqual(received.chunks, expected)
      assert.deepEqual(joinedTexts(received.chunks), joinedTexts(expected))
      assert.ok(received.isDone && received.isComplete)
    })
  }
}

test('what stands outside the choices keeps its first value', async () => {
  const other = { ...chunk({ content: 'b' }), id: 'other', model: 'else', service: { name: 'x' } }
  const received = await receive([
    { ...chunk({ content: 'a' }), service: { name: 'y' } },
    other,
    chunk({}, 'stop'),
    DONE,
  ])
  assert.deepEqual(
    received.chunks.slice(0, 2).map(({ id, model, service }) => [id, model, service]),
    [
      ['chatcmpl-1', 'stand-in', { name: 'y' }],
      ['chatcmpl-1', 'stand-in', { name: 'y' }],
    ],
  )
})

test('names of members that detectors know as names of secrets stay', async () => {
  const sent = { ...chunk({ access_token: null, content: 'a ' }), api_key_id: 'k', secret_version: 'v' }
  const received = await receive([sent, chunk({}, 'stop'), DONE])
  assert.deepEqual(received.chunks[0], sent)
})

test("a chunk can't hold the gateway's own member", async () => {
  const received = await receive([{ ...chunk({ content: 'a' }), tappass: { blocked: false } }, chunk({}, 'stop'), DONE])
  assert.ok(!received.text.includes('tappass'))
})

const ERRORS: readonly (readonly [what: string, event: string, error: object])[] = [
  [
    'in the format of OpenAI',
    'data: {"error":{"message":"context length exceeded: 8192","type":"invalid_request_error","code":"context_length_exceeded"}}\n\n',
    {
      message: 'context length exceeded: 8192',
      type: 'invalid_request_error',
      param: null,
      code: 'context_length_exceeded',
    },
  ],
  [
    'as a text',
    'data: {"error":"overloaded"}\n\n',
    { message: 'overloaded', type: 'upstream_error', param: null, code: 'upstream.error' },
  ],
  [
    'as an object that is one',
    'data: {"object":"error","message":"too long","code":400}\n\n',
    { message: 'too long', type: 'upstream_error', param: null, code: 400 },
  ],
  [
    'as an event of that name',
    'event: error\ndata: {"message":"overloaded"}\n\n',
    { message: 'overloaded', type: 'upstream_error', param: null, code: 'upstream.error' },
  ],
  [
    'beside choices',
    'data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"gone"}}\n\n',
    { message: 'gone', type: 'upstream_error', param: null, code: 502 },
  ],
]

for (const [what, event, error] of ERRORS) {
  test(`an error of the model server is passed on, behind what came before it: ${what}`, async () => {
    const received = await receive([chunk({ content: 'Half a' }), event])
    assert.deepEqual(joinedTexts(received.chunks), { '/0/delta/content': 'Half a' })
    assert.deepEqual(received.error, error)
    assert.equal(received.isDone, false)
    assert.equal(received.bench.entries.at(-1)?.eventType, 'stream_failed')
  })
}

test('an error of the model server is judged', async () => {
  const secret = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`
  const refused = await receive([`data: {"error":{"message":"key ${secret} is not known"}}\n\n`])
  assert.equal(refused.error?.code, 'policy.blocked_response')
  const redacted = await receive(['data: {"error":{"message":"card 4111111111111111 declined"}}\n\n'])
  assert.equal(redacted.error?.message, 'card [REDACTED:pii.credit_card] declined')
})

test('audio passes: 90 KB in pieces', async () => {
  // The same bytes in every run: in some megabytes of others an IBAN stands by chance.
  const bytes = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16))
  const pieces = Array.from({ length: 30 }, () => bytes.update(Buffer.alloc(3000)).toString('base64'))
  const sent = [
    chunk({ audio: { id: 'audio_1', transcript: 'Good morning' } }),
    ...pieces.map((data) => chunk({ audio: { data } })),
    chunk({ audio: { expires_at: 1_732_500_000 } }),
    chunk({}, 'stop'),
  ]
  for (const isDripped of [false, true]) {
    const received = await receive([...sent, DONE], isDripped)
    if (!isDripped) assert.deepEqual(received.chunks, sent)
    assert.deepEqual(joinedTexts(received.chunks), joinedTexts(sent))
  }
})

test('text in the place of audio is judged', async () => {
  const data = Buffer.from(
    `the key is ghp_${'a1B2c3D4e5F6'.repeat(3)}, and that was the key that you have asked for just now`,
  ).toString('base64')
  const received = await receive([chunk({ audio: { data } }), chunk({}, 'stop'), DONE])
  assert.equal(received.error?.code, 'policy.blocked_response')
})

test('a comment is a sign of life, and what it says does not leave', async () => {
  const received = await receive([': secret\n\n', ...chunksOf('Hello'), DONE], true)
  assert.ok(received.text.startsWith(KEEP_ALIVE))
  assert.ok(!received.text.includes('secret'))
})

test('a silent stream gets signs of life', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    let speak = (): void => {}
    async function* silent(): AsyncGenerator<string> {
      await new Promise<void>((resolve) => {
        speak = resolve
      })
      yield `data: ${JSON.stringify(chunk({ content: 'Hello' }, 'stop'))}\n\n${DONE}`
    }
    const bench = createBench(() => answerOf(silent(), 'text/event-stream'))
    const reply = await governed(
      bench.gateway,
      requestOf({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    )
    if (reply.kind !== 'stream') throw new Error('no stream')
    for (let count = 0; count < 2; count++) {
      const next: Promise<IteratorResult<string, boolean>> = reply.texts.next()
      await dripped([0]).next()
      mock.timers.tick(15_000)
      assert.equal((await next).value, KEEP_ALIVE)
    }
    speak()
    assert.match(String((await reply.texts.next()).value), /Hello/)
    await reply.texts.return(false)
  } finally {
    mock.timers.reset()
  }
})

const WHOLE: readonly (readonly [what: string, body: object, chunks: readonly object[]])[] = [
  [
    'text and usage',
    completion('Good.'),
    [
      {
        ...chunk({}),
        choices: [
          {
            index: 0,
            delta: { role: 'assistant', content: 'Good.', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
      },
      { ...chunk({}), choices: [], usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 } },
    ],
  ],
  [
    'tool calls',
    {
      ...head,
      object: 'chat.completion',
      choices: [
        { index: 0, message: { content: null, tool_calls: [{ id: 'a' }, { id: 'b' }] }, finish_reason: 'tool_calls' },
      ],
    },
    [
      {
        ...head,
        choices: [
          {
            index: 0,
            delta: {
              content: null,
              tool_calls: [
                { index: 0, id: 'a' },
                { index: 1, id: 'b' },
              ],
            },
            finish_reason: 'tool_calls',
          },
        ],
      },
    ],
  ],
]

for (const [what, body, chunks] of WHOLE) {
  test(`a whole answer to a stream is a stream: ${what}`, async () => {
    const bench = createBench(() => answerOf([JSON.stringify(body)]))
    const reply = await governed(
      bench.gateway,
      requestOf({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    )
    if (reply.kind !== 'stream') throw new Error('no stream')
    let text = ''
    for await (const part of reply.texts) text += part
    const events = text.split('\n\n').filter(Boolean)
    assert.equal(events.pop(), 'data: [DONE]')
    const own = ({ tappass: _own, ...rest }: Record<string, unknown>): object => rest
    assert.deepEqual(
      events.map((event) => own(JSON.parse(event.slice(6)))),
      chunks,
    )
    assert.equal(reply.headers['content-type'], 'text/event-stream; charset=utf-8')
  })
}

test('a whole answer that is an error, and one that is nothing of the API', async () => {
  const ask = (body: object) =>
    governed(
      createBench(() => answerOf([JSON.stringify(body)])).gateway,
      requestOf({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] }),
    )
  const error = await ask({ error: { message: 'no' } })
  assert.equal(error.kind, 'stream')
  assert.equal((await ask({ some: 'thing' })).status, 502)
})
