/** What holds for every request: whatever a client gets wrong is answered as its mistake, in the usual shape. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ADMIN_KEY, chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway({ TAPPASS_UPSTREAM_URL: undefined })
})
after(() => gateway.close())

type ErrorBody = Readonly<{ error: Record<string, unknown> }>

/** Sends a request whose path may be one that `fetch` would not send. Gives the answer's status and its body. */
async function send(method: string, path: string, body = ''): Promise<Readonly<{ status: number; error: unknown }>> {
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
  const headers = [
    'host: gateway',
    `authorization: Bearer ${ADMIN_KEY}`,
    'connection: close',
    ...(body === '' ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]),
  ]
  socket.write(Buffer.from(`${method} ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body}`, 'latin1'))
  let answer = ''
  for await (const part of socket) answer += part
  const [head = '', content = ''] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), error: (JSON.parse(content) as ErrorBody).error }
}

const NAMES = ['%00', 'a%00b', '%ff', '%ed%a0%80', '%zz', '%', '%0a', '%EF%BF%BF', '__proto__', '%2e%2e%2f']
const LONG = ['x'.repeat(128), 'x'.repeat(129), 'x'.repeat(10_000), '%00'.repeat(100)]
const FIELDS = 'event_type event_kind decision agent_id session_id request_id step_name limit'.split(' ')
const NUL = '\\u0000'

const NO_AGENT = [...NAMES, ...LONG].flatMap((name) => [
  ['GET', `/agents/${name}`],
  ['DELETE', `/agents/${name}`],
  ['POST', `/agents/${name}/rotate-key`],
  ['POST', `/agents/${name}/developer-keys`, '{"developer_email":"a@example.com"}'],
])
const NO_QUERY = [
  ...FIELDS.flatMap((field) => ['%00', 'a%00b', 'x'.repeat(201), `a&${field}=b`].map((text) => `${field}=${text}`)),
  'limit=',
  'limit=1e1',
  'limit=-1',
].map((query) => ['GET', `/audit?${query}`])
const NO_BODY = [
  ...['framework', 'description', 'owner_email', 'intended_use'].map((field) => [
    'POST',
    '/agents',
    `{"agent_id":"odd","${field}":"a${NUL}"}`,
  ]),
  ['POST', '/agents/tester/developer-keys', `{"developer_email":"a${NUL}@example.com"}`],
  ['POST', '/agents/tester/developer-keys', `{"developer_email":"a@example.com","name":"${NUL}"}`],
]

for (const [expected, rows] of [
  [404, [...NO_AGENT, ['QUERY', '/nowhere', '{}']]],
  [405, [['QUERY', '/agents']]],
  [400, [...NO_QUERY, ...NO_BODY]],
] as const) {
  for (const [method = '', path = '', body] of rows) {
    test(`${expected}: ${method} ${path.slice(0, 60)} ${body ?? ''}`, async () => {
      const { status, error } = await send(method, path, body)
      assert.equal(status, expected)
      const { message, type, param, code, request_id: id } = error as Record<string, unknown>
      assert.deepEqual([typeof message, type, param], ['string', 'invalid_request_error', null])
      assert.match(`${code} ${id}`, /^[a-z]+\.[a-z_]+ req_\w+$/)
    })
  }
}

const ENCODED: readonly (readonly [encoding: string, status: number])[] = [
  ['gzip', 415],
  ['br', 415],
  ['identity, gzip', 415],
  ['identity', 200],
  ['Identity', 200],
  ['', 200],
]
for (const [encoding, status] of ENCODED) {
  test(`${status}: content-encoding ${encoding}`, async () => {
    const text = JSON.stringify(chat('hello'))
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${gateway.agent.key}`,
        'content-type': 'application/json',
        'content-encoding': encoding,
      },
      body: status === 200 ? text : gzipSync(text),
    })
    assert.equal(response.status, status)
    if (status === 200) return
    const { error } = (await response.json()) as ErrorBody
    assert.equal(error['code'], 'request.not_json')
    assert.match(String(error['message']), /content-encoding/)
    // RFC 9110, section 15.5.16: which encodings would have been taken.
    assert.equal(response.headers.get('accept-encoding'), 'identity')
  })
}
