/** What clients are told when something goes wrong: status, headers, and members of the body, each case a row. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import OpenAI, { APIError } from 'openai'
import { type Answer, completion, json } from '../model-server.ts'
import { privateKey } from '../rules/fixture.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
let limited: RunningGateway
before(async () => {
  gateway = await startGateway()
  limited = await startGateway({ TAPPASS_RATE_CALLS: '2', TAPPASS_RATE_WINDOW_SECONDS: '7200' })
})
after(async () => {
  await gateway.close()
  await limited.close()
})
beforeEach(() => {
  gateway.models.answer(json(completion('hi')))
  gateway.models.received.length = 0
})

type Expected = Readonly<{
  status: number
  headers?: Readonly<Record<string, string | null>>
  error?: Readonly<Record<string, unknown>>
}>
type Body = Readonly<{ error: Record<string, unknown>; [name: string]: unknown }>

async function check(response: Response, { status, headers = {}, error = {} }: Expected): Promise<Body> {
  const body = (await response.json()) as Body
  assert.equal(response.status, status, JSON.stringify(body))
  for (const [name, value] of Object.entries(headers)) assert.equal(response.headers.get(name), value, name)
  for (const [name, value] of Object.entries(error)) {
    if (value instanceof RegExp) assert.match(String(body.error[name]), value)
    else assert.deepEqual(body.error[name], value, name)
  }
  return body
}

const key = privateKey()
const user = { role: 'user', content: 'hi' }
const deep = `{"model":"m","messages":[],"deep":${'['.repeat(200)}1${']'.repeat(200)}}`
const FINAL = { 'x-should-retry': 'false', 'retry-after': null }
const invalid = (param: string | null, message: RegExp): Expected => ({
  status: 400,
  headers: FINAL,
  error: { param, message, code: 'request.invalid', blocked_by: 'validate_input', type: 'invalid_request_error' },
})

const REQUESTS: readonly (readonly [what: string, body: unknown, expected: Expected])[] = [
  [
    'a secret',
    chat(key),
    {
      status: 403,
      headers: FINAL,
      error: {
        message: 'Request blocked by policy: Secret detected: PRIVATE_KEY (detect_secrets)',
        param: 'messages[0].content',
      },
    },
  ],
  [
    'a secret in a part',
    { model: 'm', messages: [user, { role: 'user', content: [{ type: 'text', text: key }] }] },
    { status: 403, error: { param: 'messages[1].content[0].text' } },
  ],
  [
    'a secret under a name of the client',
    { model: 'm', messages: [user], metadata: { 'My Note 7': key } },
    { status: 403, error: { param: 'metadata' } },
  ],
  [
    'a secret as a name',
    { model: 'm', messages: [user], metadata: { [key]: 1 } },
    { status: 403, error: { param: 'metadata', message: /^Request blocked by policy: Secret/ } },
  ],
  [
    'too warm',
    chat('x', { temperature: 9 }),
    invalid('temperature', /: temperature has to be a number from 0 to 2 \(validate_input\)$/),
  ],
  [
    'no messages',
    { model: 'm', messages: [] },
    invalid('messages', /: messages has to be a list with at least one message/),
  ],
  ['tokens', { model: 'm', prompt: [1, 2] }, invalid('prompt', /: prompt has to be text: token numbers/)],
  [
    'no content',
    { model: 'm', messages: [user, { role: 'tool' }] },
    invalid('messages[1].content', /messages\[1\]\.content has to be a text/),
  ],
  ['nothing to say', { model: 'm' }, invalid(null, /: the body has to have messages, a prompt or an input/)],
  [
    'several',
    { messages: 'x', n: 0, top_p: 7 },
    invalid('model', /model has to be .*; top_p has to be .*; n has to be/),
  ],
  ['too deep', deep, { status: 422, headers: FINAL, error: { code: 'request.too_complex' } }],
  [
    'too much found',
    chat('a@b.co '.repeat(10_500)),
    { status: 422, headers: FINAL, error: { code: 'request.too_complex' } },
  ],
  ['no JSON', '{', { status: 400, headers: FINAL, error: { code: 'request.malformed' } }],
]
for (const [what, body, expected] of REQUESTS) {
  test(`a request: ${what}`, async () => {
    await check(await gateway.post('/v1/chat/completions', body), expected)
    assert.equal(gateway.models.received.length, 0)
  })
}

test('a refusal stands at the top as well, as the original SDK reads it', async () => {
  const { error, ...top } = await check(await gateway.post('/v1/chat/completions', chat(key)), { status: 403 })
  const {
    blocked_by,
    reason,
    classification,
    taint,
    session_id,
    task_id,
    agent_uuid,
    pipeline_uuid,
    audit_url,
    message,
  } = error
  assert.deepEqual(top, {
    decision: 'policy_block',
    message,
    blocked_by,
    reason,
    classification,
    taint,
    details: {},
    session_id,
    task_id,
    agent_uuid,
    pipeline_uuid,
    audit_url,
  })
})

const failing = (status: number, headers: Readonly<Record<string, string>>): Answer =>
  json({ error: { message: 'no' } }, status, headers)
const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT'
const none = { 'retry-after': null, 'retry-after-ms': null, 'x-should-retry': null }

const RETRIES: readonly (readonly [
  headers: Readonly<Record<string, string>>,
  passed: Readonly<Record<string, string | null>>,
])[] = [
  [{}, none],
  [{ 'retry-after': '30' }, { 'retry-after': '30' }],
  [{ 'retry-after': '0' }, { 'retry-after': '0' }],
  [{ 'retry-after': '1.5' }, { 'retry-after': '1.5' }],
  [{ 'retry-after': DATE }, { 'retry-after': DATE }],
  [{ 'retry-after': 'Sunday, 06-Nov-94 08:49:37 GMT' }, { 'retry-after': DATE }],
  [{ 'retry-after': 'Sun Nov  6 08:49:37 1994' }, { 'retry-after': DATE }],
  [{ 'retry-after-ms': '1500' }, { ...none, 'retry-after-ms': '1500' }],
  [
    { 'retry-after': '2', 'retry-after-ms': '1500.5' },
    { 'retry-after': '2', 'retry-after-ms': '1500.5' },
  ],
  [{ 'x-should-retry': 'false' }, { 'x-should-retry': 'false' }],
  [{ 'x-should-retry': 'true' }, { 'x-should-retry': 'true' }],
  ...[
    'soon',
    '-1',
    '1e9',
    'Sun, 99 Nov 1994 08:49:37 GMT',
    'Mon, 06 Foo 1994 08:49:37 GMT',
    '30, 40',
    key.slice(0, 30),
  ].map((text) => [{ 'retry-after': text, 'retry-after-ms': text, 'x-should-retry': text }, none] as const),
]
for (const [headers, passed] of RETRIES) {
  for (const status of [429, 503]) {
    test(`${status} of the model server, ${JSON.stringify(headers)}`, async () => {
      gateway.models.answer(failing(status, headers))
      await check(await gateway.post('/v1/chat/completions', chat('hello')), { status, headers: passed })
    })
  }
}

const raw =
  (status: number, type: string, text: string): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': type }).end(text)
const coded =
  (encoding: string, bytes: Uint8Array, status = 200): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json', 'content-encoding': encoding }).end(bytes)
const MALFORMED: Expected = { status: 502, headers: FINAL, error: { code: 'upstream.malformed' } }
const PACKED = gzipSync(JSON.stringify(completion('hi')))
const UPSTREAM: readonly (readonly [what: string, answer: Answer, expected: Expected])[] = [
  [
    'FastAPI',
    json({ detail: 'model does not support tools' }, 400),
    { status: 400, error: { message: 'model does not support tools' } },
  ],
  [
    'vLLM',
    json({ object: 'error', message: 'too long', code: 400 }, 400),
    { status: 400, error: { message: 'too long', code: 400 } },
  ],
  [
    'a page',
    raw(502, 'text/html', '<html><head><title>502 Bad Gateway</title>'),
    { status: 502, error: { message: /502 Bad Gateway/ } },
  ],
  ['a text', raw(500, 'text/plain', 'out of memory'), { status: 500, error: { message: 'out of memory' } }],
  [
    'a text with a secret',
    raw(500, 'text/plain', key.slice(0, 450)),
    { status: 403, error: { code: 'policy.blocked_response', param: null } },
  ],
  [
    'no key of ours',
    json({ error: { message: 'no' } }, 401),
    { status: 502, headers: FINAL, error: { code: 'upstream.refused' } },
  ],
  [
    'a page in place of an answer',
    raw(200, 'text/html', '<html>'),
    { status: 502, headers: FINAL, error: { code: 'upstream.malformed' } },
  ],
  [
    'a coding that is not known',
    (response) => void response.writeHead(200, { 'content-encoding': 'aes' }).end('x'),
    { status: 502, headers: FINAL, error: { code: 'upstream.malformed' } },
  ],
  ['gzip that is none', coded('gzip', Buffer.from('{"choices":[]}')), MALFORMED],
  ['gzip that ends too early', coded('gzip', PACKED.subarray(0, 40)), MALFORMED],
  ['gzip with a wrong sum', coded('gzip', Buffer.concat([PACKED.subarray(0, -8), Buffer.alloc(8)])), MALFORMED],
  ['another coding', coded('br', PACKED), MALFORMED],
  ['an error in gzip that is none', coded('gzip', Buffer.from('{}'), 429), MALFORMED],
  ['what is no HTTP', (response) => void response.socket?.end('+PONG\r\n\r\n'), MALFORMED],
  [
    'half an answer',
    async (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' }).write('{"choices":')
      await sleep(50)
      response.socket?.destroy()
    },
    { status: 502, headers: { 'x-should-retry': null }, error: { code: 'upstream.failed' } },
  ],
  [
    'nothing',
    (response) => void response.socket?.destroy(),
    { status: 502, headers: { 'x-should-retry': null }, error: { code: 'upstream.unreachable' } },
  ],
]
for (const [what, answer, expected] of UPSTREAM) {
  test(`the model server answers with ${what}`, async () => {
    gateway.models.answer(answer)
    const response = await gateway.post('/v1/chat/completions', chat('hello'))
    const { error } = await check(response, expected)
    if (response.status !== 502 || error['code'] === 'upstream.error') return
    assert.equal(gateway.models.received.length, 1)
    const [entry] = await gateway.audit(`request_id=${response.headers.get('x-request-id')}`)
    assert.deepEqual([entry?.event_type, entry?.details['code']], ['upstream_failed', error['code']])
  })
}

test("the limiter speaks OpenAI's names, and says how long to wait", async () => {
  const ask = () => limited.post('/v1/chat/completions', chat('hello', { model: 'echo' }))
  const fine = await ask()
  const names = ['limit', 'remaining', 'reset'].map((name) => fine.headers.get(`x-ratelimit-${name}-requests`))
  assert.deepEqual(names, ['2', '1', '1h0m0s'])
  await ask()
  const wait = /^Too many calls \(limit 2\): try again in 3[56]\d\d s \(rate_limit\)$/
  const expected = { status: 429, headers: { 'x-ratelimit-remaining-requests': '0', 'x-should-retry': null } }
  const { error } = await check(await ask(), { ...expected, error: { message: wait, reason: 'Rate limit exceeded' } })
  assert.equal(error['type'], 'rate_limit_error')
  const models = await fetch(`${limited.url}/v1/models`, { headers: { authorization: `Bearer ${limited.agent.key}` } })
  assert.match(models.headers.get('retry-after') ?? '', /^3[56]\d\d$/)
  await check(models, { ...expected, error: { code: 'rate.exceeded' } })
})

test("OpenAI's client does not try again what is useless, and shows the reason", async () => {
  const client = new OpenAI({ apiKey: gateway.agent.key, baseURL: `${gateway.url}//v1/`, maxRetries: 3 })
  const ask = (content: string): Promise<unknown> =>
    client.chat.completions
      .create({ model: 'm', messages: [{ role: 'user', content }] })
      .catch((error: unknown) => error)
  gateway.models.answer(failing(401, {}))
  assert.match(String(await ask('hello')), /did not accept the gateway's own request/)
  assert.equal(gateway.models.received.length, 1)
  const blocked = await ask(key)
  assert.ok(blocked instanceof APIError)
  assert.match(blocked.message, /^403 Request blocked by policy: Secret detected: PRIVATE_KEY \(detect_secrets\)$/)
  assert.deepEqual([blocked.code, blocked.param], ['policy.blocked', 'messages[0].content'])
  gateway.models.answer(json({ data: [{ id: 'org/model' }] }))
  assert.equal((await client.models.retrieve('org/model')).id, 'org/model')
  await assert.rejects(client.models.retrieve('org/other'), { status: 404, code: 'model_not_found' })
})

test('flags under both names are merged', async () => {
  const ask = (one: string, other: string) =>
    gateway.post('/v1/chat/completions', chat('mail ann@example.com'), {
      'x-tappass-flags': one,
      'x-governance-flags': other,
    })
  assert.equal((await ask('', '')).status, 200)
  for (const [one, other] of [
    ['', 'pii=block'],
    ['mode=enforce', 'pii=block'],
    ['mode=strict', ''],
  ] as const) {
    await check(await ask(one, other), { status: 403, error: { code: 'policy.blocked' } })
  }
  await check(await ask('pii=mask', 'pii=block'), { status: 400, error: { code: 'flags.malformed' } })
})

for (const name of ['x-tappass-session', 'x-session-id', 'session-id', 'x-claude-code-session-id']) {
  test(`a session under the name ${name}`, async () => {
    const response = await gateway.post('/v1/chat/completions', chat('hello'), { [name]: 'ses_mine' })
    const { tappass } = (await response.json()) as { tappass: { session_id: string } }
    assert.equal(tappass.session_id, 'ses_mine')
  })
}
