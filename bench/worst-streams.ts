/** Streams and answers of model servers that are made to be slow. */
import { OTHER_ADVERSARIES, repeatedTo } from './adversary.ts'
import { answerOf, type Given, listOf, structures } from './worst-shapes.ts'

/** An event may be so long. */
const EVENT_CHARS = 4_000_000

/** Events of which some hold as much as may be, and some more. */
const EVENT_SIZES = [30_000, 60_000, 150_000, 300_000, 600_000, 1_200_000, EVENT_CHARS]

const DONE = 'data: [DONE]\n\n'
const data = (json: string): string => `data: ${json}\n\n`
const chunk = (choices: string, more = ''): string => data(`{"id":"a","choices":[${choices}]${more}}`)
const delta = (content: string): string => chunk(`{"index":0,"delta":{"content":${JSON.stringify(content)}}}`)

/** Streams: one event with all of it, or many. */
export function streams(chars: number): readonly Given[] {
  const eventChars = Math.min(chars, EVENT_CHARS)
  const texts = OTHER_ADVERSARIES.map((one) => [one.name, () => repeatedTo(eventChars / 4, one)] as const)
  return [
    ...texts.map(([name, text]) => stream(`one event of ${name}`, () => delta(text()))),
    ...texts.map(([name, text]) =>
      stream(`events of ${name}`, () =>
        (
          text()
            .slice(0, 200_000)
            .match(/.{1,60}/gs) ?? []
        )
          .map(delta)
          .join(''),
      ),
    ),
    ...EVENT_SIZES.filter((size) => size <= chars).flatMap(eventsOf),
    stream('events of one letter', () => delta('a').repeat(chars / delta('a').length)),
    stream('comments', () => ': keep\n\n'.repeat(chars / 8)),
    stream('empty events', () => 'data:\n\n'.repeat(chars / 7)),
    stream('an event without an end', () => `data: ${'a'.repeat(chars)}`),
    stream('lines of one event', () => 'data: a\n'.repeat(chars / 8)),
    { ...stream('bytes that are no UTF-8', () => ''), answer: () => Buffer.alloc(chars, 0xff) },
    {
      ...stream('an event that is no UTF-8 at its end', () => ''),
      answer: () =>
        Buffer.concat([Buffer.from(`data: {"a":"${'\u00e9'.repeat(eventChars / 3)}`), Buffer.from([0xc3, 10, 10])]),
    },
    ...[...texts.slice(0, 2), ...structures(chars)].map(([name, text]) => ({
      name: `stream: a whole answer instead, ${name}`,
      isStream: true,
      answer: () => besideAnswer(text()),
    })),
  ]
}

function stream(name: string, events: () => string): Given {
  return { name: `stream: ${name}`, isStream: true, answer: () => `${events()}${DONE}` }
}

function besideAnswer(text: string): string {
  const json = text.startsWith('[') || text.startsWith('{') ? text : JSON.stringify(text)
  return `${answerOf('Fine.').slice(0, -1)},"more":${json}}`
}

/** One event of a size, with every structure in every place. */
function eventsOf(size: number): readonly Given[] {
  const named = (name: string, event: (list: typeof items) => string): Given =>
    stream(`${size / 1000} KB of ${name}`, () => event(items))
  const items = (item: (index: number) => string): string => listOf(size, item)
  const call = (index: number): string =>
    `{"index":${index},"id":"c${index}","type":"function","function":{"name":"f","arguments":"{}"}}`
  return [
    ...structures(size).flatMap(([name, json]) => [
      named(`${name}, beside a choice`, () => chunk('{"index":0,"delta":{"content":"hi"}}', `,"more":${json()}`)),
      named(`${name}, in a choice`, () => chunk(`{"index":0,"delta":{"content":"hi","more":${json()}}}`)),
    ]),
    named('choices', (list) => chunk(list((index) => `{"index":${index},"delta":{"content":"hi"}}`))),
    named('choices of one index', (list) => chunk(list(() => '{"index":0,"delta":{"content":"hi"}}'))),
    named('choices that end', (list) => chunk(list((index) => `{"index":${index},"delta":{},"finish_reason":"stop"}`))),
    named('choices that are numbers', (list) => chunk(list(() => '1'))),
    named('tool calls', (list) => chunk(`{"index":0,"delta":{"tool_calls":[${list(call)}]}}`)),
    named('tool calls of one index', (list) => chunk(`{"index":0,"delta":{"tool_calls":[${list(() => call(0))}]}}`)),
    named('tokens', (list) =>
      chunk(
        `{"index":0,"delta":{"content":"hi"},"logprobs":{"content":[${list(() => '{"token":"a","logprob":-1,"top_logprobs":[]}')}]}}`,
      ),
    ),
    named('an error', (list) => data(`{"error":{"message":"${list(() => 'no')}","more":[${list(() => '{"a":1}')}]}}`)),
    named('usage', (list) => chunk('', `,"usage":{${list((index) => `"tokens_${index}":1`)}}`)),
  ]
}

/** Answers that are no chat, and answers with very many of something. */
export function answers(chars: number): readonly Given[] {
  const embedding = (): string =>
    `{"object":"embedding","index":0,"embedding":[${listOf(20_000, (index) => `${Math.sin(index)}`)}]}`
  const encoded = Buffer.from(Float32Array.from({ length: 1536 }, Math.sin).buffer).toString('base64')
  const ofEmbedding = { path: '/embeddings', body: () => '{"model":"m","input":"hi"}' }
  const answer = (list: string): string => `{"object":"list","model":"m","data":[${list}]}`
  const choices = (item: (index: number) => string): string =>
    `{"id":"a","object":"chat.completion","model":"m","choices":[${listOf(chars, item)}]}`
  const call = (index: number): string =>
    `{"id":"c${index}","type":"function","function":{"name":"f","arguments":"{}"}}`
  return [
    { name: 'answer: embeddings', ...ofEmbedding, answer: () => answer(listOf(chars, embedding)) },
    {
      name: 'answer: embeddings in base64',
      ...ofEmbedding,
      answer: () => answer(listOf(chars, () => `{"object":"embedding","index":0,"embedding":"${encoded}"}`)),
    },
    {
      name: 'answer: addresses to mask',
      headers: { 'x-tappass-flags': 'pii=mask' },
      answer: () => answerOf(listOf(chars, (index) => `${'a word '.repeat(80)}a${index}@example.com`)),
    },
    {
      name: 'answer: choices',
      answer: () => choices((index) => `{"index":${index},"message":{"role":"assistant","content":"hi"}}`),
    },
    {
      name: 'answer: tool calls',
      answer: () =>
        `{"id":"a","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[${listOf(chars, call)}]}}]}`,
    },
    { name: 'answer: no JSON', answer: () => '{"a":'.padEnd(chars) },
    { name: 'answer: no UTF-8', answer: () => Buffer.alloc(chars, 0xff) },
  ]
}
