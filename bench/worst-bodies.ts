/** Bodies and answers that are made to be slow: every text that is, every structure, streams, and each route's own lists. */
import { OTHER_ADVERSARIES, repeatedTo } from './adversary.ts'

/** A call, and what the model server answers to it. `chars` is the length of what is measured in it. */
export type Case = Readonly<{
  name: string
  path: string
  body: string
  answer: string
  isStream: boolean
  headers: Readonly<Record<string, string>>
}>

type Given = Readonly<{ name: string }> & Partial<Case>

/** The answer to a body that is measured. */
const ANSWER = answerOf('Fine.')

/** An event may be so long. */
const EVENT_CHARS = 4_000_000

/** Events of which some hold as much as may be, and some more. */
const EVENT_SIZES = [30_000, 60_000, 150_000, EVENT_CHARS]

const MASKED = { 'x-tappass-flags': 'pii=mask' }

function answerOf(content: string): string {
  const message = { role: 'assistant', content }
  const choices = [{ index: 0, message, finish_reason: 'stop' }]
  return JSON.stringify({ id: 'a', object: 'chat.completion', model: 'm', choices })
}

/** A chat request with one message. */
export function chatOf(content: unknown, more: object = {}): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more })
}

/** A list as JSON text, of as many items as have room. */
function listOf(chars: number, item: (index: number) => string): string {
  const items: string[] = []
  for (let length = 0, index = 0; ; index++) {
    const next = item(index)
    length += next.length + 1
    if (length > chars) return items.join(',')
    items.push(next)
  }
}

/** As much of a text as is so many bytes of JSON. */
function fitting(chars: number, text: string): string {
  const sample = text.slice(0, 10_000)
  return text.slice(0, (chars * sample.length) / Buffer.byteLength(JSON.stringify(sample)))
}

/** What a member of a body may hold, as JSON text. */
function structures(chars: number): readonly (readonly [name: string, json: string])[] {
  const list = (item: (index: number) => string, share = 1): string => listOf(chars * share, item)
  const half = Math.floor(chars / 2)
  return [
    ['empty lists', `[${list(() => '[]')}]`],
    ['empty objects', `[${list(() => '{}')}]`],
    ['numbers', `[${list(() => '1')}]`],
    ['numbers as no double is', `[${list(() => '1.0')}]`],
    ['long numbers', `[${list(() => '4111111111111111')}]`],
    ['numbers of many digits', `[${list(() => '1'.repeat(30))}]`],
    ['short texts', `[${list(() => '"a"')}]`],
    ['texts', `[${list(() => '"a text of some forty characters, as most"')}]`],
    ['names', `{${list((index) => `"k${index}":1`)}}`],
    ['long names', `{${list((index) => `"${'k'.repeat(400)}${index}":"a"`)}}`],
    ['telling names', `{${list((index) => `"password ${index}":"a b c d e f g h i j k l m n o p"`)}}`],
    ['names twice', `{${list(() => '"password":"a b c d e f g h i j k l m n o p q r s t u v"')}}`],
    ['a long name above many texts', `{"${'k'.repeat(half)}":[${list((index) => `"a${index}"`, 0.5)}]}`],
    ['depth', `${'['.repeat(half)}${']'.repeat(half)}`],
    ['objects that are as deep as may be', `[${list(() => `${'{"a":'.repeat(90)}1${'}'.repeat(90)}`)}]`],
    ['JSON in texts', JSON.stringify(`[${listOf(chars / 1.3, () => '{"a":"b c"}')}]`)],
  ]
}

/** Requests as they are, but with very many of something. */
function requests(chars: number): readonly Given[] {
  const many = (item: (index: number) => string): string => `[${listOf(chars, item)}]`
  const chat = (messages: string, more = ''): string => `{"model":"m","messages":${messages}${more}}`
  const hi = '[{"role":"user","content":"hi"}]'
  const tool = (index: number): string =>
    `{"type":"function","function":{"name":"f${index}","description":"Reads it.","parameters":{"type":"object","properties":{"place":{"type":"string"}}}}}`
  const call = (index: number): string =>
    `{"id":"c${index}","type":"function","function":{"name":"f","arguments":"{\\"place\\":\\"here\\"}"}}`
  const mail = (index: number): string => `a${index}@example.com`
  return [
    { name: 'short messages', body: chat(many(() => '{"role":"user","content":"Please read it."}')) },
    {
      name: 'messages of a hundred characters',
      body: chat(many(() => `{"role":"user","content":"${'a word '.repeat(15)}"}`)),
    },
    { name: 'text parts', body: chat(`[{"role":"user","content":${many(() => '{"type":"text","text":"ab"}')}}]`) },
    { name: 'tools', body: chat(hi, `,"tools":${many(tool)}`) },
    { name: 'tool calls', body: chat(`[{"role":"assistant","tool_calls":${many(call)}}]`) },
    { name: 'token lists', path: '/completions', body: `{"model":"m","prompt":${many(() => '9906')}}` },
    { name: 'lists of tokens', path: '/embeddings', body: `{"model":"m","input":${many(() => '[9906,11]')}}` },
    { name: 'texts to embed', path: '/embeddings', body: `{"model":"m","input":${many(() => '"a text to embed"')}}` },
    { name: 'addresses to mask', headers: MASKED, body: chatOf(listOf(Math.min(chars, 180_000), mail)) },
    {
      name: 'addresses to mask among words',
      headers: MASKED,
      body: chatOf(listOf(chars, (index) => `${'a word '.repeat(80)}${mail(index)}`)),
    },
    { name: 'more addresses than may be', headers: MASKED, body: chatOf(listOf(chars, mail)) },
    {
      name: 'addresses in messages to mask',
      headers: MASKED,
      body: chat(many((index) => `{"role":"user","content":"${'a word '.repeat(80)}${mail(index)}"}`)),
    },
    {
      name: 'addresses as names',
      headers: MASKED,
      body: `${chatOf('hi').slice(0, -1)},"metadata":{${listOf(Math.min(chars, 200_000), (index) => `"${mail(index)}":"a"`)}}}`,
    },
    { name: 'no JSON', body: `{"a":${' '.repeat(chars)}` },
  ]
}

/** Streams: one event with all of it, or many. */
function streams(chars: number): readonly Given[] {
  const eventChars = Math.min(chars, EVENT_CHARS)
  const data = (json: string): string => `data: ${json}\n\n`
  const delta = (content: string): string =>
    data(JSON.stringify({ id: 'a', choices: [{ index: 0, delta: { content } }] }))
  const stream = (name: string, events: string): Given => ({
    name: `stream: ${name}`,
    isStream: true,
    answer: `${events}data: [DONE]\n\n`,
  })
  const beside = (json: string): string =>
    data(`{"id":"a","choices":[{"index":0,"delta":{"content":"hi"}}],"more":${json}}`)
  const inside = (json: string): string =>
    data(`{"id":"a","choices":[{"index":0,"delta":{"content":"hi","more":${json}}}]}`)
  const texts = OTHER_ADVERSARIES.map((one) => [one.name, repeatedTo(eventChars / 4, one)] as const)
  return [
    ...texts.map(([name, text]) => stream(`one event of ${name}`, delta(text))),
    ...texts.map(([name, text]) =>
      stream(`events of ${name}`, (text.slice(0, 200_000).match(/.{1,60}/gs) ?? []).map(delta).join('')),
    ),
    ...EVENT_SIZES.filter((size) => size <= chars).flatMap((size) =>
      structures(size).flatMap(([name, json]) => [
        stream(`beside a choice, ${size / 1000} KB of ${name}`, beside(json)),
        stream(`in a choice, ${size / 1000} KB of ${name}`, inside(json)),
      ]),
    ),
    stream(
      'choices',
      data(`{"id":"a","choices":[${listOf(eventChars, (index) => `{"index":${index},"delta":{"content":"hi"}}`)}]}`),
    ),
    stream('events of one letter', listOf(chars, () => delta('a')).replaceAll('\n,', '\n')),
    stream('comments', ': keep\n\n'.repeat(chars / 8)),
    stream('empty events', 'data:\n\n'.repeat(chars / 7)),
    stream('an event without an end', `data: ${'a'.repeat(chars)}`),
    stream('lines of one event', 'data: a\n'.repeat(chars / 8)),
    ...[...texts.slice(0, 2), ...structures(chars)].map(([name, json]) => ({
      name: `stream: a whole answer instead, ${name}`,
      isStream: true,
      answer: `${ANSWER.slice(0, -1)},"more":${json.startsWith('[') || json.startsWith('{') ? json : JSON.stringify(json)}}`,
    })),
  ]
}

/** Answers that are no chat. */
function answers(chars: number): readonly Given[] {
  const embedding = (): string =>
    `{"object":"embedding","index":0,"embedding":[${listOf(20_000, (index) => `${Math.sin(index)}`)}]}`
  const encoded = Buffer.from(Float32Array.from({ length: 1536 }, Math.sin).buffer).toString('base64')
  const body = '{"model":"m","input":"hi"}'
  const answer = (data: string): string => `{"object":"list","model":"m","data":[${data}]}`
  return [
    { name: 'answer: embeddings', path: '/embeddings', body, answer: answer(listOf(chars, embedding)) },
    {
      name: 'answer: embeddings in base64',
      path: '/embeddings',
      body,
      answer: answer(listOf(chars, () => `{"object":"embedding","index":0,"embedding":"${encoded}"}`)),
    },
    {
      name: 'answer: addresses to mask',
      headers: MASKED,
      answer: answerOf(listOf(chars, (index) => `${'a word '.repeat(80)}a${index}@example.com`)),
    },
  ]
}

/** All cases, each of about so many characters. */
export function worstCases(chars: number): readonly Case[] {
  const texts = OTHER_ADVERSARIES.map((one) => [one.name, repeatedTo(chars, one)] as const)
  const within = (json: string): string => `${chatOf('hi').slice(0, -1)},"metadata":${json}}`
  const given: readonly Given[] = [
    ...texts.map(([name, text]) => ({ name, body: chatOf(fitting(chars, text)) })),
    ...structures(chars).map(([name, json]) => ({ name, body: within(json) })),
    ...requests(chars),
    ...texts.map(([name, text]) => ({ name: `answer: ${name}`, answer: answerOf(fitting(chars, text)) })),
    ...structures(chars).map(([name, json]) => ({
      name: `answer: ${name}`,
      answer: `${ANSWER.slice(0, -1)},"more":${json}}`,
    })),
    ...answers(chars),
    ...streams(chars),
  ]
  return given.map((one) => {
    const isStream = one.isStream ?? false
    return {
      path: '/chat/completions',
      body: chatOf('hi', isStream ? { stream: true } : {}),
      answer: ANSWER,
      headers: {},
      ...one,
      isStream,
    }
  })
}
