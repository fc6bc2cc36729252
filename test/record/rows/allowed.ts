/** Requests that pass as they are: each route, each way to give a key, what goes through untouched, and the model echo. */
import { chat, completion, json, type Row, says, toolSays } from '../row.ts'

const VECTORS = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }], model: 'm' }
const PACKED = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: 'zczMPc3MTD4=' }], model: 'm' }
const DONE = { id: 'c', object: 'text_completion', choices: [{ index: 0, text: 'done', finish_reason: 'stop' }] }
const TOOL = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }
const CALL = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Ghent"}' } }
const FORMAT = { type: 'json_schema', json_schema: { name: 'place', schema: { type: 'object' }, strict: true } }

const turns = (...contents: readonly string[]): readonly object[] =>
  contents.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }))

const CHATS: readonly Row[] = [
  {
    what: 'a chat with an id and a session',
    headers: { 'x-request-id': '6f1f9f7e-58d0-4b5a-9c9e-0d3f6a1b2c03', 'x-tappass-session': 'ses_mine' },
    body: chat('How was the quarter?', { temperature: 0.2 }),
    answer: json(completion('All three regions grew.'), 200, { 'x-secret-of-theirs': 'no' }),
  },
  { what: 'a chat with an id of another form', headers: { 'x-request-id': 'call-of-record-1' }, body: chat('hello') },
  {
    what: 'numbers that no double holds',
    body: '{"model":"m", "messages":[{"role":"user","content":"caf\\u00e9"}],"seed":9223372036854775807,"metadata":{"x":[-0,1.0,1e999]}}',
    answer: {
      headers: { 'content-type': 'application/json' },
      pieces: ['{"id":"c","choices":[],"usage":{"n":18446744073709551615}}\n'],
    },
  },
  {
    what: 'messages twice',
    body: '{"model":"m","messages":[{"role":"user","content":"one"}],"messages":[{"role":"user","content":"two"}]}',
  },
  { what: 'a chat without /v1', path: '/chat/completions', body: chat('hello') },
  { what: 'a session under the other name', headers: { 'x-session-id': 'ses.other-1' }, body: chat('hello') },
  { what: 'an empty session', headers: { 'x-tappass-session': '' }, body: chat('hello') },
  { what: 'a request id that is none', headers: { 'x-request-id': '<script>' }, body: chat('hello') },
  { what: 'a key in x-api-key', key: null, headers: { 'x-api-key': '{{tester.key}}' }, body: chat('hello') },
  {
    what: 'a key behind a small bearer',
    key: null,
    headers: { authorization: 'bearer   {{tester.key}}' },
    body: chat('hello'),
  },
  { what: 'another agent', key: 'other', body: chat('hello') },
  { what: 'fields that nobody knows', body: chat('hello', { response_format: FORMAT, some_new_field: [3, null] }) },
  { what: 'several turns', body: { model: 'gpt-test', messages: turns('Hi.', 'Hello!', 'How are you?') } },
  { what: 'the same turns again', body: { model: 'gpt-test', messages: turns('Hi.', 'Hello!', 'How are you?') } },
  {
    what: 'a long turn',
    body: { model: 'gpt-test', messages: turns(`Summarize: ${'The weather is fine today. '.repeat(400)}`) },
  },
  {
    what: 'the long turn again, with one more',
    body: {
      model: 'gpt-test',
      messages: turns(`Summarize: ${'The weather is fine today. '.repeat(400)}`, 'It is fine.', 'Shorter.'),
    },
  },
  { what: 'a developer message', body: { model: 'o/m:1', messages: [{ role: 'developer', content: 'Be kind.' }] } },
  { what: 'tools that are offered', body: chat('Weather?', { tools: [TOOL], tool_choice: 'auto' }) },
  {
    what: 'a tool that is called',
    body: chat('Weather?', { tools: [TOOL] }),
    answer: json(says({ content: null, tool_calls: [CALL] }, 'tool_calls')),
  },
  { what: 'a tool that has answered', body: toolSays('Nothing is in it.') },
  { what: 'parts of a tool that has answered', body: toolSays([{ type: 'text', text: 'Nothing is in it.' }]) },
  {
    what: 'parts of text and an image',
    body: chat([
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
    ]),
  },
  {
    what: 'text in a type with a charset',
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: chat('é'),
  },
  { what: 'content-encoding identity', headers: { 'content-encoding': 'identity' }, body: chat('hello') },
  { what: 'null in place of numbers', body: chat('hello', { temperature: null, stream: null, tools: null }) },
]

const ANSWERS: readonly (readonly [what: string, body: object])[] = [
  ['empty', {}],
  ['with a member tappass already', { ...completion('fine'), tappass: { blocked: 'theirs' } }],
  [
    'with two choices',
    completion('', { choices: [0, 1].map((index) => ({ index, message: { content: `${index}` } })) }),
  ],
  ['with reasoning', says({ content: 'Yes.', reasoning_content: 'I think so.' })],
  ['with a refusal', says({ content: null, refusal: 'I would rather not.' })],
  ['with parts', says({ content: [{ type: 'text', text: 'Parts.' }] })],
  ['without a model', { object: 'chat.completion', choices: [] }],
  ['with characters of all sizes', completion('Größe 漢字 👩‍👩‍👧 𝒳 \u0001 "quoted" \\ </script>')],
]

const OTHERS: readonly Row[] = [
  { what: 'a completion', path: '/v1/completions', body: { model: 'm', prompt: 'say done' }, answer: json(DONE) },
  {
    what: 'a completion of a list',
    path: '/completions',
    body: { model: 'm', prompt: ['a', 'b'] },
    answer: json(DONE),
  },
  { what: 'an embedding', path: '/v1/embeddings', body: { model: 'm', input: 'hello' }, answer: json(VECTORS) },
  { what: 'an embedding in base64', path: '/embeddings', body: { model: 'm', input: ['a'] }, answer: json(PACKED) },
]

const ECHO: readonly Row[] = [
  { what: 'echo', body: chat('hello there', { model: 'echo' }) },
  {
    what: 'echo of parts',
    body: chat(
      [
        { type: 'text', text: 'hello' },
        { type: 'text', text: 'there' },
      ],
      { model: 'echo' },
    ),
  },
  { what: 'echo streams', body: chat('hello there', { model: 'echo', stream: true }) },
  {
    what: 'echo streams with usage',
    body: chat('hello there', { model: 'echo', stream: true, stream_options: { include_usage: true } }),
  },
  { what: 'echo of a prompt', path: '/v1/completions', body: { model: 'echo', prompt: 'hello' } },
  { what: 'echo streams a prompt', path: '/v1/completions', body: { model: 'echo', prompt: 'hello', stream: true } },
  { what: 'echo has no embeddings', path: '/v1/embeddings', body: { model: 'echo', input: 'hello' } },
  { what: 'echo of personal data', body: chat('to NL91ABNA0417164300', { model: 'echo' }) },
]

const models = (what: string, answer: Row['answer']): Row => ({
  what: `models: ${what}`,
  method: 'GET',
  path: '/v1/models',
  ...(answer ? { answer } : {}),
})

const MODELS: readonly Row[] = [
  models(
    'a list',
    json({ data: [{ id: 'gpt-test', created: 7, owned_by: 'them' }, { id: 'bad name' }, { id: 'echo' }, 3] }),
  ),
  models('no list', json({ models: [] })),
  models('refused', json({ error: { message: 'no' } }, 401)),
  models('failed', json({ error: { message: 'no' } }, 500)),
  models('broken off', { pieces: [{ cut: true }] }),
  { ...models('for nobody', undefined), key: null },
  { ...models('for the admin', undefined), key: 'admin' },
]

/** Allowed. */
export const ALLOWED: readonly Row[] = [
  ...CHATS,
  ...ANSWERS.map(([what, body]) => ({ what: `an answer ${what}`, body: chat('hello'), answer: json(body) })),
  ...OTHERS,
  ...ECHO,
  ...MODELS,
]
