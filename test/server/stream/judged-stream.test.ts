/** Streams through the core: whatever the cuts, the client gets the same text, and of what is refused it gets nothing. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UNTAINTED } from '../../../server/core/verdict.ts'
import { answerOf, type Bench, createBench, dripped, governed, requestOf } from '../governance/gateway-fixture.ts'
import { chunk, chunksOf } from '../model-server.ts'

const asked = requestOf({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hello' }] })

const framed = (chunks: readonly object[], done = 'data: [DONE]\n\n'): Buffer =>
  Buffer.from(chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') + done)

type Part = Readonly<{
  choices?: readonly Readonly<{
    index: number
    delta?: Readonly<{
      content?: string
      tool_calls?: readonly Readonly<{ index: number; function?: { arguments?: string } }>[]
    }>
    finish_reason?: string | null
  }>[]
  error?: Readonly<{ code: string; blocked_by?: string }>
}>

/** What the client of a stream gets: the texts by choice, the tools' arguments, the ends, an error, `[DONE]`. */
type Seen = { texts: Record<string, string>; ends: string[]; error?: string; isDone: boolean }

function seenIn(stream: string): Seen {
  const seen: Seen = { texts: {}, ends: [], isDone: false }
  for (const event of stream.split('\n\n').filter(Boolean)) {
    const data = event.slice('data: '.length)
    if (data === '[DONE]') {
      seen.isDone = true
      continue
    }
    const { choices = [], error } = JSON.parse(data) as Part
    if (error) seen.error = error.code
    for (const { index, delta, finish_reason } of choices) {
      const add = (name: string, text: string | undefined): void => {
        if (text) seen.texts[name] = (seen.texts[name] ?? '') + text
      }
      add(String(index), delta?.content)
      for (const tool of delta?.tool_calls ?? []) add(`${index}/${tool.index}`, tool.function?.arguments)
      if (finish_reason) seen.ends.push(`${index} ${finish_reason} after ${(seen.texts[index] ?? '').length}`)
    }
  }
  return seen
}

async function streamOf(
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  ports = {},
): Promise<Readonly<{ seen: Seen; text: string; bench: Bench }>> {
  const bench = createBench(() => answerOf(parts, 'text/event-stream'), ports)
  const reply = await governed(bench.gateway, asked)
  if (reply.kind !== 'stream') throw new Error('no stream')
  let text = ''
  for await (const part of reply.texts) text += part
  return { seen: seenIn(text), text, bench }
}

/** The bytes in pieces of a size. */
function* pieces(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const tool = (index: number, text: string, more: object = {}) =>
  chunk({ tool_calls: [{ index, ...more, function: { ...('id' in more ? { name: 'send' } : {}), arguments: text } }] })

const SAME: readonly (readonly [what: string, bytes: Buffer, want: Partial<Seen>])[] = [
  [
    'plain text',
    framed(chunksOf('Good ', 'morn', 'ing.')),
    { texts: { 0: 'Good morning.' }, ends: ['0 stop after 13'], isDone: true },
  ],
  [
    'characters of several bytes',
    framed(chunksOf('Größe ', '漢字 ', '👩‍👩‍👧 and ', '𝒳.')),
    { texts: { 0: 'Größe 漢字 👩‍👩‍👧 and 𝒳.' }, isDone: true },
  ],
  [
    'personal data cut in pieces',
    framed(chunksOf('pay ', '[pi', 'i.', 'iban', ']', ' and ', '[pii.ssn] now', '.'.repeat(90))),
    { texts: { 0: `pay [REDACTED:pii.iban] and [REDACTED:pii.ssn] now${'.'.repeat(90)}` }, isDone: true },
  ],
  [
    'two choices that take turns',
    framed([
      chunk({ content: 'a [pii' }),
      chunk({ content: 'b [pii' }, null, 1),
      chunk({ content: '.iban]' }),
      chunk({ content: '.ssn]' }, null, 1),
      chunk({}, 'stop'),
      chunk({}, 'stop', 1),
    ]),
    { texts: { 0: 'a [REDACTED:pii.iban]', 1: 'b [REDACTED:pii.ssn]' }, isDone: true },
  ],
  [
    'arguments of tools',
    framed([
      chunk({ role: 'assistant' }),
      tool(0, '{"to":', { id: 'c1', type: 'function' }),
      tool(0, '"[pii.iban]"}'),
      tool(1, '{}', { id: 'c2', type: 'function' }),
      chunk({}, 'tool_calls'),
    ]),
    { texts: { '0/0': '{"to":"[REDACTED:pii.iban]"}', '0/1': '{}' }, isDone: true },
  ],
  [
    'frames with CRLF, comments, names of events and several data lines',
    Buffer.from(
      ': hello\r\nevent: message\r\ndata: {"choices":\r\ndata: [{"index":0,"delta":{"content":"x [pii.iban]"}}]}\r\n\r\n: ping\r\n\r\ndata:[DONE]\r\n\r\n',
    ),
    { texts: { 0: 'x [REDACTED:pii.iban]' }, isDone: true },
  ],
  ['an end without [DONE]', framed(chunksOf('Good.'), ''), { texts: { 0: 'Good.' }, isDone: true }],
]

for (const [what, bytes, want] of SAME) {
  test(`the same text for every cut: ${what}`, async () => {
    for (let size = 1; size <= bytes.length; size = size < 70 ? size + 1 : size * 2) {
      const { seen } = await streamOf(pieces(bytes, size))
      const { error, ...rest } = seen
      assert.equal(error, undefined, `pieces of ${size}`)
      assert.deepEqual({ ...rest, ...want }, rest, `pieces of ${size}`)
    }
    for (let at = 1; at < bytes.length; at++) {
      const { seen } = await streamOf([bytes.subarray(0, at), bytes.subarray(at)])
      assert.deepEqual(seen.texts, want.texts, `cut at ${at}`)
    }
  })
}

test('what is refused does not leave, whatever the cuts: not a character of it', async () => {
  const before = 'All is well. '.repeat(12)
  const bytes = framed(chunksOf(...(`${before}[secret.key] and more ${'.'.repeat(80)}`.match(/.{1,5}/g) ?? [])))
  for (let size = 1; size <= bytes.length; size = size < 300 ? size + 7 : size * 2) {
    const { seen, text, bench } = await streamOf(pieces(bytes, size))
    assert.equal(seen.error, 'policy.blocked_response')
    assert.equal(seen.isDone, false)
    assert.ok(before.startsWith(seen.texts[0] ?? ''), `pieces of ${size}: ${seen.texts[0]}`)
    assert.ok(!text.includes('[secret'))
    assert.equal(bench.events.at(-1), 'append govern_block')
  }
})

test('a model server that ends without having said anything has failed', async () => {
  for (const bytes of ['', ': ping\n\n', '<html>bad gateway</html>']) {
    const { seen } = await streamOf([Buffer.from(bytes)])
    assert.deepEqual(seen, { texts: {}, ends: [], isDone: false, error: 'upstream.failed' }, bytes)
  }
})

test('token lists do not leave ahead of the text that they repeat', async () => {
  for (const name of ['logprobs', 'token_ids', 'prompt_token_ids']) {
    const said = { choices: [{ index: 0, delta: { content: 'x' }, [name]: [9906, 1917] }] }
    const { text } = await streamOf([framed([said, ...chunksOf('y')])])
    assert.ok(!text.includes('9906'), text)
  }
})

test('the first entry is written before the first piece, the last before [DONE]', async () => {
  const bench = createBench(() => answerOf([framed(chunksOf('Good.'))], 'text/event-stream'))
  const reply = await governed(bench.gateway, asked)
  if (reply.kind !== 'stream') throw new Error('no stream')
  for await (const part of reply.texts) bench.events.push(part.includes('[DONE]') ? 'done' : 'piece')
  assert.deepEqual(bench.events, [
    'append govern_allow',
    'forward /chat/completions',
    'append govern_allow',
    'piece',
    'append stream_closed',
    'done',
  ])
})

/** A ledger that takes `good` entries and then no more. */
const ledgerOf = (good: number) => {
  let left = good
  const append = async (): Promise<never> => {
    if (left-- > 0) return undefined as never
    throw new Error('the disk is full')
  }
  return { append, open: async () => {}, close: async () => {} }
}

test('without a first entry no piece leaves, without a last one no [DONE]', async () => {
  const bytes = framed(chunksOf('Good.'))
  const closed = await streamOf([bytes], { ledger: ledgerOf(1) })
  assert.deepEqual(closed.seen, { texts: {}, ends: [], isDone: false, error: 'ledger.unavailable' })
  const open = await streamOf([bytes], { ledger: ledgerOf(2) })
  assert.deepEqual([open.seen.texts, open.seen.error, open.seen.isDone], [{ 0: 'Good.' }, 'ledger.unavailable', false])
})

test('a policy that fails in the middle ends the stream; what it had not judged stays', async () => {
  let judged = 0
  const decideOnce = async (_input: unknown, decisionId: string) => {
    judged += 1
    if (judged > 2) throw new Error('gone')
    return { policy: 'p', decisionId, classification: 'PUBLIC', taint: UNTAINTED, action: 'allow' as const }
  }
  const { seen } = await streamOf(
    dripped([framed([chunk({ content: 'a' })], ''), framed([chunk({ content: 'b'.repeat(200) })], '')]),
    {
      policy: { revision: 'p', decide: decideOnce },
    },
  )
  assert.equal(seen.error, 'governance.unavailable')
  assert.ok(!(seen.texts[0] ?? '').includes('b'))
})

test('strings that are sent as a whole are judged as well, alone and joined to what was sent at their place', async () => {
  const named = (name: string) => chunk({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name } }] })
  const alone = await streamOf([framed([named('[secret.key]')])])
  assert.equal(alone.seen.error, 'policy.blocked_response')
  const joined = await streamOf([framed([named('x[secret')], ''), framed([named('.key]')])])
  assert.equal(joined.seen.error, 'policy.blocked_response')
  const taken = await streamOf([framed([named('to [pii.iban]')])])
  assert.ok(taken.text.includes('"name":"to [REDACTED:pii.iban]"'))
})

test('token lists and padding do not leave', async () => {
  const logprobs = { content: [{ token: '[secret' }, { token: '.key]' }] }
  const choice = { index: 0, delta: { content: 'Good.' }, logprobs, finish_reason: null }
  const { text } = await streamOf([
    framed([{ ...chunk({}), choices: [choice], obfuscation: 'a8Xq' }, chunk({}, 'stop')]),
  ])
  assert.ok(!text.includes('token') && !text.includes('a8Xq'), text)
})

test('text after the end of a choice is judged with what came before', async () => {
  const after = (content: string) => framed([...chunksOf('Good.'), chunk({ content })])
  assert.deepEqual((await streamOf([after(' More.')])).seen.texts, { 0: 'Good. More.' })
  const secret = await streamOf([framed([...chunksOf('A [secr'), chunk({ content: 'et.key]' })])])
  assert.deepEqual([secret.seen.error, secret.text.includes('[secr')], ['policy.blocked_response', false])
})

test('a match that never ends is refused when the window is full', async () => {
  const endless = { ...chunk({ content: `[secret.${'x'.repeat(70_000)}` }) }
  const steps = createBench(() => answerOf([])).gateway.steps
  const bench = createBench(() => answerOf([framed([endless])], 'text/event-stream'), {}, [
    ...steps,
    {
      name: 'greedy',
      position: 2,
      category: 'test',
      stages: ['response'],
      matchCharsMax: 32,
      inspect: ({ segments }) =>
        segments.flatMap(({ pointer, text }) => {
          const start = text.indexOf('[secret.')
          return start < 0
            ? []
            : [{ kind: 'secret.key', severity: 'high', pointer, span: [start, text.length], confidence: 1 }]
        }),
    },
  ])
  const reply = await governed(bench.gateway, asked)
  if (reply.kind !== 'stream') throw new Error('no stream')
  let text = ''
  for await (const part of reply.texts) text += part
  assert.ok(!text.includes('xxxx'))
  assert.match(seenIn(text).error ?? '', /^(governance\.unavailable|policy\.blocked_response)$/)
})

test('a client that stops reading has its end recorded', async () => {
  const bench = createBench(() =>
    answerOf([framed(chunksOf('Good.'), ''), framed([chunk({ content: 'more' })])], 'text/event-stream'),
  )
  const reply = await governed(bench.gateway, asked)
  if (reply.kind !== 'stream') throw new Error('no stream')
  for await (const _part of reply.texts) break
  assert.equal(bench.events.at(-1), 'append client_gone')
})
