/** Requests as clients send them: methods, paths, keys, origins. A row says what comes back. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { json } from '../model-server.ts'
import { ADMIN_KEY, chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { dial, exchange, head, readAnswer } from './wire.ts'

let gateway: RunningGateway
let closed: RunningGateway
before(async () => {
  gateway = await startGateway({ TAPPASS_CORS_ORIGINS: 'https://app.example.com, http://localhost:3000' })
  closed = await startGateway()
  const data = [
    { id: 'gpt-test', object: 'model', created: 7, owned_by: 'them' },
    { id: 'org/model:1', owned_by: 'them' },
    { id: 'llama 3 (8b)' },
    { id: '模型' },
  ]
  for (const { models } of [gateway, closed]) models.answer(json({ object: 'list', data }))
})
after(async () => {
  await gateway.close()
  await closed.close()
})

type Row = Readonly<{
  ask: string
  key?: 'agent' | 'admin' | string | null
  headers?: Readonly<Record<string, string>>
  status: number
  has?: Readonly<Record<string, string | RegExp | undefined>>
  says?: RegExp
  at?: () => RunningGateway
}>

const GET_ALLOW = 'GET, HEAD, OPTIONS'
const FIND = '(chat: POST /v1/chat/completions)'
const SDK = 'authorization,content-type,x-stainless-lang,x-stainless-os'
const preflight = (origin: string, method = 'POST'): Readonly<Record<string, string>> => ({
  origin,
  'access-control-request-method': method,
  'access-control-request-headers': SDK,
})
const literal = (text: string): RegExp => new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))

const PATHS: readonly Row[] = [
  ...[
    '/v1/models',
    '/models',
    '//v1/models',
    '/v1//models',
    '/v1/models/',
    '//models//',
    '/v1/models?x=/v1//y/',
  ].flatMap((path) => [
    { ask: `GET ${path}`, key: 'agent', status: 200, says: /"id":"gpt-test"/ },
    { ask: `HEAD ${path}`, key: 'agent', status: 200, says: /^$/, has: { 'content-length': /^\d{3}$/ } },
  ]),
  {
    ask: 'GET /v1/models/gpt-test',
    key: 'agent',
    status: 200,
    says: /^\{"id":"gpt-test","object":"model","created":7/,
  },
  { ask: 'HEAD /v1/models/gpt-test', key: 'agent', status: 200, says: /^$/ },
  { ask: 'GET /v1/models/gpt-test/', key: 'agent', status: 200 },
  { ask: 'GET /v1/models/echo', key: 'agent', status: 200, says: /"owned_by":"tappass"/ },
  { ask: 'GET /v1/models/org/model:1', key: 'agent', status: 200, says: /"id":"org\/model:1"/ },
  { ask: 'GET /v1/models/org%2Fmodel:1', key: 'agent', status: 200, says: /"id":"org\/model:1"/ },
  { ask: 'GET /v1/models/llama%203%20(8b)', key: 'agent', status: 200 },
  { ask: 'GET /v1/models/%E6%A8%A1%E5%9E%8B', key: 'agent', status: 200, says: /"id":"模型"/ },
  ...['nobody', 'org/nobody', 'constructor', 'gpt-test/x', 'x'.repeat(300)].map((name) => ({
    ask: `GET /v1/models/${name}`,
    key: 'agent',
    status: 404,
    says: /"param":"model","code":"model_not_found"/,
  })),
  { ask: 'GET /v1/models/gpt-test', status: 401, says: /"auth\.missing"/ },
  ...['/health', '/health/live', '/health/ready', '/health/startup', '/openapi.json', '/.well-known/jwks.json'].map(
    (path) => ({ ask: `HEAD ${path}`, status: 200, says: /^$/, has: { 'content-length': /^[1-9]/ } }),
  ),
  ...['/metrics', '/agents', '/agents/tester', '/audit', '/audit/integrity', '/health/detailed'].flatMap((path) => [
    { ask: `HEAD ${path}`, key: 'admin', status: 200, says: /^$/ },
    { ask: `HEAD ${path}`, status: 401, says: /^$/ },
  ]),
  { ask: 'HEAD /agents/nobody', key: 'admin', status: 404, says: /^$/ },
  { ask: 'HEAD /nowhere', status: 404, says: /^$/ },
]

const wrong = (method: string, path: string, allow: string): Row => ({
  ask: `${method} ${path}`,
  status: 405,
  has: { allow, 'x-should-retry': 'false' },
  says: literal(`"message":"${method} is not a method of ${path} (it takes ${allow})"`),
})
const METHODS: readonly Row[] = [
  wrong('GET', '/v1/chat/completions', 'POST, OPTIONS'),
  wrong('PUT', '/v1/chat/completions', 'POST, OPTIONS'),
  wrong('DELETE', '//v1/embeddings/', 'POST, OPTIONS'),
  wrong('POST', '/v1/models', GET_ALLOW),
  wrong('DELETE', '/v1/models/org/model', GET_ALLOW),
  wrong('POST', '/health', GET_ALLOW),
  wrong('PATCH', '/agents', 'GET, HEAD, POST, OPTIONS'),
  wrong('PATCH', '/agents/tester', 'GET, HEAD, DELETE, OPTIONS'),
  wrong('GET', '/agents/tester/rotate-key', 'POST, OPTIONS'),
  wrong('QUERY', '/audit', GET_ALLOW),
  { ask: 'HEAD /v1/chat/completions', status: 405, says: /^$/, has: { allow: 'POST, OPTIONS' } },
  { ask: 'OPTIONS /v1/models', status: 204, has: { allow: GET_ALLOW, 'access-control-allow-origin': undefined } },
  { ask: 'OPTIONS *', status: 204 },
  { ask: 'OPTIONS /nowhere', status: 404 },
]

const UNKNOWN: readonly Row[] = [
  {
    ask: 'POST /v1/responses',
    status: 404,
    says: literal(`POST /v1/responses is not a route of this gateway ${FIND}`),
  },
  {
    ask: 'POST /v1/messages?beta=true',
    status: 404,
    says: literal(`POST /v1/messages is not a route of this gateway`),
  },
  {
    ask: 'POST /v1/v1/chat/completions',
    status: 404,
    says: /POST \/v1\/v1\/chat\/completions: the base URL has \/v1 twice/,
  },
  { ask: 'GET /v1//v1/models', status: 404, says: /the base URL has \/v1 twice/ },
  { ask: 'POST /v1/embedding', status: 404, says: /embeddings: POST \/v1\/embeddings/ },
  { ask: 'GET /v1/model', status: 404, says: /models: GET \/v1\/models/ },
  { ask: 'GET /healthz', status: 404, says: /health: GET \/health/ },
  { ask: 'POST /v1/chat/completion', status: 404, says: /chat: POST \/v1\/chat\/completions/ },
  { ask: 'GET /', status: 404 },
  { ask: 'GET /v1/', status: 404 },
  { ask: 'GET /V1/models', key: 'agent', status: 404 },
  { ask: 'GET /v1/../models', key: 'agent', status: 404 },
  { ask: `GET /${'x'.repeat(9000)}?key=secret`, status: 404, says: /^.{0,400}$/s },
]

const CHALLENGE = 'Bearer realm="tappass"'
const INVALID = `${CHALLENGE}, error="invalid_token"`
const FOREIGN = /this gateway wants its own key \(tp_…\), not the provider's/
const KEYS: readonly Row[] = [
  { ask: 'POST /v1/chat/completions', status: 401, has: { 'www-authenticate': CHALLENGE, 'x-should-retry': 'false' } },
  { ask: 'GET /agents', status: 401, has: { 'www-authenticate': CHALLENGE } },
  {
    ask: 'GET /v1/models',
    key: 'sk-proj-0123456789abcdef',
    status: 401,
    has: { 'www-authenticate': INVALID },
    says: FOREIGN,
  },
  { ask: 'GET /v1/models', headers: { 'x-api-key': 'sk-ant-api03-xyz' }, status: 401, says: FOREIGN },
  { ask: 'GET /audit', key: 'gsk_abc', status: 401, says: FOREIGN },
  {
    ask: 'GET /v1/models',
    key: `tp_${'A'.repeat(43)}`,
    status: 401,
    has: { 'www-authenticate': INVALID },
    says: /"message":"The key is not valid\."/,
  },
  {
    ask: 'GET /v1/models',
    key: 'admin',
    status: 403,
    has: { 'www-authenticate': undefined, 'x-should-retry': 'false' },
  },
]

const APP = 'https://app.example.com'
const ORIGINS: readonly Row[] = [
  {
    ask: 'OPTIONS /v1/chat/completions',
    headers: preflight(APP),
    status: 204,
    has: {
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'POST, OPTIONS',
      'access-control-allow-headers': SDK,
      'access-control-max-age': '600',
      vary: 'Origin',
    },
  },
  {
    ask: 'OPTIONS //v1/models/',
    headers: preflight('http://localhost:3000', 'GET'),
    status: 204,
    has: { 'access-control-allow-methods': GET_ALLOW },
  },
  {
    ask: 'OPTIONS /v1/chat/completions',
    headers: preflight('https://evil.example.com'),
    status: 204,
    has: { 'access-control-allow-origin': undefined, 'access-control-allow-methods': undefined, vary: 'Origin' },
  },
  {
    ask: 'OPTIONS /v1/models',
    headers: { ...preflight(APP), 'access-control-request-headers': 'x\u00e9 <' },
    status: 204,
    has: { 'access-control-allow-headers': 'authorization, content-type' },
  },
  {
    ask: 'GET /v1/models',
    key: 'agent',
    headers: { origin: APP },
    status: 200,
    has: { 'access-control-allow-origin': APP, 'access-control-expose-headers': /x-request-id/, vary: 'Origin' },
  },
  { ask: 'GET /v1/models', headers: { origin: APP }, status: 401, has: { 'access-control-allow-origin': APP } },
  { ask: 'GET /nowhere', headers: { origin: APP }, status: 404, has: { 'access-control-allow-origin': APP } },
  { ask: 'GET /health', status: 200, has: { vary: 'Origin', 'access-control-allow-origin': undefined } },
  {
    ask: 'GET /health',
    headers: { origin: APP },
    status: 200,
    has: { vary: undefined, 'access-control-allow-origin': undefined },
    at: () => closed,
  },
  {
    ask: 'OPTIONS /v1/chat/completions',
    headers: preflight(APP),
    status: 204,
    has: { allow: 'POST, OPTIONS', 'access-control-allow-origin': undefined },
    at: () => closed,
  },
]

for (const { ask, key, headers = {}, status, has = {}, says, at = () => gateway } of [
  ...PATHS,
  ...METHODS,
  ...UNKNOWN,
  ...KEYS,
  ...ORIGINS,
]) {
  test(`${status}: ${ask.slice(0, 60)} ${key ?? ''} ${headers['origin'] ?? ''}`, async () => {
    const keys: Readonly<Record<string, string>> = { agent: at().agent.key, admin: ADMIN_KEY }
    const authorization = key ? { authorization: `Bearer ${keys[key] ?? key}` } : {}
    const answer = await exchange(at().url, head(ask, { connection: 'close', ...authorization, ...headers }))
    assert.equal(answer.status, status, answer.body)
    for (const [name, value] of Object.entries(has)) {
      if (value instanceof RegExp) assert.match(answer.headers[name] ?? '', value)
      else assert.equal(answer.headers[name], value, name)
    }
    if (says) assert.match(answer.body, says)
    assert.match(answer.headers['x-request-id'] ?? '', /^req_\w{26}$/)
    assert.equal(answer.headers['request-id'], answer.headers['x-request-id'])
  })
}

test('the list of models is counted as a call, and recorded', async () => {
  const { status, headers } = await exchange(
    gateway.url,
    head('GET /v1/models', { authorization: `Bearer ${gateway.agent.key}` }),
  )
  assert.deepEqual([status, headers['x-ratelimit-limit-requests']], [200, '60000'])
  const [entry] = await gateway.audit(`request_id=${headers['x-request-id']}`)
  assert.deepEqual([entry?.event_type, entry?.decision], ['models_listed', 'allow'])
})

test('a chat over the same connection as a refused one', async () => {
  gateway.models.answer(json({ choices: [] }))
  const body = JSON.stringify(chat('hello'))
  const refused =
    head('POST /v1/responses', { 'content-length': body.length, 'content-type': 'application/json' }) + body
  const fine = head('POST /v1/chat/completions', {
    authorization: `Bearer ${gateway.agent.key}`,
    'content-length': body.length,
    'content-type': 'application/json',
    connection: 'close',
  })
  const socket = await dial(gateway.url)
  socket.write(refused)
  assert.equal((await readAnswer(socket)).status, 404)
  socket.write(fine + body)
  assert.equal((await readAnswer(socket)).status, 200)
  socket.destroy()
})
