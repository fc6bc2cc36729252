/** Bodies and answers that are made to be slow: every text that is, every structure, streams, and each route's own lists. */
import { OTHER_ADVERSARIES, repeatedTo } from './adversary.ts'
import { answerOf, type Case, fitting, type Given, listOf, structures } from './worst-shapes.ts'
import { answers, streams } from './worst-streams.ts'

const MASKED = { 'x-tappass-flags': 'pii=mask' }

/** A chat request with one message. */
export function chatOf(content: unknown, more: object = {}): string {
  return JSON.stringify({ model: 'm', messages: [{ role: 'user', content }], ...more })
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
    { name: 'short messages', body: () => chat(many(() => '{"role":"user","content":"Please read it."}')) },
    {
      name: 'messages of a hundred characters',
      body: () => chat(many(() => `{"role":"user","content":"${'a word '.repeat(15)}"}`)),
    },
    {
      name: 'text parts',
      body: () => chat(`[{"role":"user","content":${many(() => '{"type":"text","text":"ab"}')}}]`),
    },
    { name: 'tools', body: () => chat(hi, `,"tools":${many(tool)}`) },
    { name: 'tool calls', body: () => chat(`[{"role":"assistant","tool_calls":${many(call)}}]`) },
    { name: 'token lists', path: '/completions', body: () => `{"model":"m","prompt":${many(() => '9906')}}` },
    { name: 'lists of tokens', path: '/embeddings', body: () => `{"model":"m","input":${many(() => '[9906,11]')}}` },
    {
      name: 'texts to embed',
      path: '/embeddings',
      body: () => `{"model":"m","input":${many(() => '"a text to embed"')}}`,
    },
    { name: 'addresses to mask', headers: MASKED, body: () => chatOf(listOf(Math.min(chars, 180_000), mail)) },
    {
      name: 'addresses to mask among words',
      headers: MASKED,
      body: () => chatOf(listOf(chars, (index) => `${'a word '.repeat(80)}${mail(index)}`)),
    },
    { name: 'more addresses than may be', headers: MASKED, body: () => chatOf(listOf(chars, mail)) },
    {
      name: 'addresses in messages to mask',
      headers: MASKED,
      body: () => chat(many((index) => `{"role":"user","content":"${'a word '.repeat(80)}${mail(index)}"}`)),
    },
    {
      name: 'addresses as names',
      headers: MASKED,
      body: () =>
        `${chatOf('hi').slice(0, -1)},"metadata":{${listOf(Math.min(chars, 200_000), (index) => `"${mail(index)}":"a"`)}}}`,
    },
    { name: 'no JSON', body: () => `{"a":${' '.repeat(chars)}` },
  ]
}

/** All cases, each of about so many characters. */
export function* worstCases(chars: number): Iterable<Case> {
  const texts = OTHER_ADVERSARIES.map((one) => [one.name, () => fitting(chars, repeatedTo(chars, one))] as const)
  const within = (json: string): string => `${chatOf('hi').slice(0, -1)},"metadata":${json}}`
  const beside = (json: string): string => `${answerOf('Fine.').slice(0, -1)},"more":${json}}`
  const given: readonly Given[] = [
    ...texts.map(([name, text]) => ({ name, body: () => chatOf(text()) })),
    ...structures(chars).map(([name, json]) => ({ name, body: () => within(json()) })),
    ...requests(chars),
    ...texts.map(([name, text]) => ({ name: `answer: ${name}`, answer: () => answerOf(text()) })),
    ...structures(chars).map(([name, json]) => ({ name: `answer: ${name}`, answer: () => beside(json()) })),
    ...answers(chars),
    ...streams(chars),
  ]
  for (const { name, path = '/chat/completions', body, answer, isStream = false, headers = {} } of given) {
    yield {
      name,
      path,
      isStream,
      headers,
      body: body?.() ?? chatOf('hi', isStream ? { stream: true } : {}),
      answer: answer?.() ?? answerOf('Fine.'),
    }
  }
}
