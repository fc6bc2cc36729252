/** Requests that are wrong before anybody looks for anything: keys, bodies, shapes, flags, routes, bytes. */
import { CLOUD_KEY } from '../look-alike.ts'
import { chat, type Row } from '../row.ts'

const hello = chat('hello')
const user = { role: 'user', content: 'hi' }

const DOOR: readonly Row[] = [
  { what: 'no key', key: null, body: hello },
  {
    what: 'a key that nobody has',
    key: null,
    headers: { authorization: `Bearer ${['tp', 'A'.repeat(43)].join('_')}` },
  },
  { what: 'something that is no key', key: null, headers: { authorization: 'Bearer sesame' } },
  { what: 'a key with another scheme', key: null, headers: { authorization: 'Basic {{tester.key}}' } },
  { what: "the admin's key", key: 'admin', body: hello },
  { what: 'no key and no JSON', key: null, body: '{"model":' },
].map((row) => ({ body: hello, ...row }))

const BODIES: readonly Row[] = [
  { what: 'half of JSON', body: '{"model":' },
  { what: 'a list', body: '[]' },
  { what: 'a text', body: '"hello"' },
  { what: 'null', body: 'null' },
  { what: 'nothing', body: '' },
  { what: 'plain text', headers: { 'content-type': 'text/plain' }, body: 'hello' },
  { what: 'a form', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=b' },
  { what: 'no type', headers: { 'content-type': '' }, body: JSON.stringify(hello) },
  { what: 'packed', headers: { 'content-encoding': 'gzip' }, body: JSON.stringify(hello) },
  { what: 'too deep', body: `{"model":"m","messages":[],"deep":${'['.repeat(200)}1${']'.repeat(200)}}` },
]

const SHAPES: readonly (readonly [what: string, body: unknown])[] = [
  ['no model', { messages: [user] }],
  ['a model that is no name', { model: 'a b\n', messages: [user] }],
  ['a model that is no text', { model: 7, messages: [user] }],
  ['a model that is half a character', '{"model":"\\ud800","messages":[{"role":"user","content":"x"}]}'],
  ['no content', { model: 'm' }],
  ['no messages', { model: 'm', messages: [] }],
  ['messages that are no list', { model: 'm', messages: 'x' }],
  ['a message that is none', { model: 'm', messages: ['x'] }],
  ['a role that is none', { model: 'm', messages: [user, { role: 'root', content: 'x' }] }],
  ['a message without content', { model: 'm', messages: [{ role: 'user' }] }],
  ['a part that is none', { model: 'm', messages: [{ role: 'user', content: ['x'] }] }],
  ['too warm', { model: 'm', messages: [user], temperature: 2.1 }],
  ['half a token', { model: 'm', messages: [user], max_tokens: 1.5 }],
  ['a number that is a text', { model: 'm', messages: [user], n: '1' }],
  ['a stream that is a text', { model: 'm', messages: [user], stream: 'yes' }],
  ['tools that are no list', { model: 'm', messages: [user], tools: {} }],
  ['tokens as a prompt', { model: 'm', prompt: [9906, 1917] }],
  ['a key of a prototype', '{"model":"m","prompt":"x","metadata":{"a/b":{"__proto__":{"x":1}}}}'],
  ['wrong, with a secret', { model: 'm', messages: [], note: CLOUD_KEY }],
]

const FLAGS: readonly (readonly [flags: string, text: string])[] = [
  ['mode=enforce', 'hello'],
  ['mode=lockdown', 'hello'],
  ['mode=lockdown', 'mail ann@example.com'],
  ['mode=lockdown', 'TLP:GREEN the plan'],
  ['pii=mask', 'mail ann@example.com'],
  ['pii=block', 'mail ann@example.com'],
  ['pii=block', 'hello'],
  ['secrets=block', 'hello'],
  ['', 'The log shows token = "b1ue-42-sky" here.'],
  ['secrets=block', 'The log shows token = "b1ue-42-sky" here.'],
  [' pii=mask , mode=enforce,secrets=block', 'call +31 6 12345678'],
  ['', 'hello'],
  ['{"pii":"mask"}', 'hello'],
  ['pii=mask,pii=block', 'hello'],
  ['colour=red', 'hello'],
  ['tools=denylist:rm', 'hello'],
  ['pii=off', 'hello'],
  ['mode=observe, pii=mask', 'hello'],
  ['secrets=redact', 'hello'],
  [`pii=${'m'.repeat(1001)}`, 'hello'],
]

const SESSIONS: readonly Row[] = [
  { what: 'a flag under the older name', headers: { 'x-governance-flags': 'pii=off' }, body: hello },
  { what: 'a session that is no id', headers: { 'x-session-id': '../../etc' }, body: hello },
  { what: 'a session that is too long', headers: { 'x-tappass-session': 's'.repeat(129) }, body: hello },
]

const route = (method: string, path: string, key: string | null = 'tester', body?: unknown): Row => ({
  what: `${method} ${path.slice(0, 40)} by ${key ?? 'nobody'}`,
  method,
  path,
  key,
  ...(body === undefined ? {} : { body }),
})

const ROUTES: readonly Row[] = [
  route('POST', '/v1/responses', 'tester', hello),
  route('POST', '/v1/messages', 'tester', hello),
  route('GET', '/v1/chat/completions'),
  route('PUT', '/v1/chat/completions', 'tester', hello),
  route('HEAD', '/v1/models'),
  route('HEAD', '/health/live', null),
  route('OPTIONS', '/v1/chat/completions', null),
  route('POST', '/v1/models', 'tester', {}),
  route('DELETE', '/health', null),
  route('PATCH', '/agents/tester', 'admin', {}),
  route('GET', '/', null),
  route('GET', '/v1', null),
  route('GET', '/v1/', null),
  route('GET', '/v1/v1/models'),
  route('GET', '/models/', 'tester'),
  route('GET', '/%zz', null),
  route('GET', `/agents/${'x'.repeat(129)}`, 'admin'),
  route('GET', '/V1/models'),
]

const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`

const BYTES: readonly Row[] = [
  { what: 'what is no HTTP', raw: 'hello\r\n\r\n' },
  {
    what: 'two lengths',
    raw: `${head('POST /agents HTTP/1.1', 'host: x', 'content-length: 2', 'content-length: 3')}{}`,
  },
  {
    what: 'a length that is too large',
    raw: head(
      'POST /v1/chat/completions HTTP/1.1',
      'host: x',
      'authorization: Bearer {{tester.key}}',
      'content-type: application/json',
      `content-length: ${5 * 1024 * 1024 + 1}`,
    ),
  },
  {
    what: 'a length that is too large, without a key',
    raw: head(
      'POST /v1/chat/completions HTTP/1.1',
      'host: x',
      'content-type: application/json',
      'content-length: 6000000',
    ),
  },
]

/** Wrong requests. */
export const WRONG: readonly Row[] = [
  ...[...DOOR, ...BODIES].map((row) => ({ ...row, what: `wrong: ${row.what}` })),
  ...SHAPES.map(([what, body]) => ({ what: `shape: ${what}`, body })),
  ...FLAGS.map(([flags, text], index) => ({
    what: `flags ${index + 1}: ${flags.slice(0, 40)}`,
    headers: { 'x-tappass-flags': flags },
    body: chat(text),
  })),
  ...SESSIONS,
  ...ROUTES,
  ...BYTES,
]
