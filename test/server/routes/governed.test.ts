/** The governed routes end to end: a real server, a real model server, PostgreSQL in this process. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { chunksOf, completion, events, json } from '../model-server.ts'
import { privateKey } from '../rules/fixture.ts'
import { ADMIN_KEY, chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())
beforeEach(() => {
  gateway.models.received.length = 0
})

/** An id that a call takes over. */
const CALL_ID = '6f1f9f7e-58d0-4b5a-9c9e-0d3f6a1b2c10'

type Body = Readonly<Record<string, unknown>> & { error: Record<string, unknown>; tappass: Record<string, unknown> }
const bodyOf = async (response: Response): Promise<Body> => (await response.json()) as Body

test('a call passes: the model server gets it without our key, the client gets the answer with our object', async () => {
  gateway.models.answer(json(completion('All three regions grew.'), 200, { 'x-secret-of-theirs': 'no' }))
  const response = await gateway.post('/v1/chat/completions', chat('How was the quarter?', { temperature: 0.2 }), {
    'x-request-id': CALL_ID,
    'x-tappass-session': 'ses_mine',
  })
  const body = await bodyOf(response)
  assert.equal(response.status, 200)
  assert.deepEqual(body['choices'], completion('All three regions grew.')['choices' as never])
  const { audit_url, pipeline_uuid, ...ours } = body.tappass
  assert.deepEqual(ours, {
    classification: 'PUBLIC',
    blocked: false,
    turn_index: 1,
    model: 'stand-in',
    redacted: [],
    redacted_in: [],
    taint: [],
    session_id: 'ses_mine',
    task_id: CALL_ID,
    agent_uuid: gateway.agent.uuid,
  })
  assert.equal(audit_url, `/audit?request_id=${CALL_ID}`)
  assert.match(String(pipeline_uuid), /^[0-9a-f]{32}$/)
  assert.equal(response.headers.get('x-request-id'), CALL_ID)
  assert.equal(response.headers.get('x-tappass-classification'), 'PUBLIC')
  assert.ok(Number(response.headers.get('x-tappass-pipeline-steps')) >= 8)
  assert.equal(response.headers.get('x-secret-of-theirs'), null)
  const [received] = gateway.models.received
  assert.equal(received?.path, '/v1/chat/completions')
  assert.deepEqual(JSON.parse(received?.body ?? ''), chat('How was the quarter?', { temperature: 0.2 }))
  assert.equal(received?.headers.authorization, undefined)
  assert.equal(received?.headers['x-request-id'], CALL_ID)
})

test('the ledger has the request before the answer, and neither holds text of the call', async () => {
  gateway.models.answer(json(completion('The answer is forty-two.')))
  const response = await gateway.post('/chat/completions', chat('What is the unlikelyword of life?'))
  const id = response.headers.get('x-request-id')
  const [answered, asked, ...others] = await gateway.audit(`request_id=${id}`)
  assert.equal(others.length, 0)
  assert.equal(asked?.details['stage'], 'request')
  assert.equal(answered?.details['stage'], 'response')
  assert.equal(asked?.decision, 'allow')
  const everything = JSON.stringify([answered, asked])
  for (const word of ['unlikelyword', 'forty-two']) assert.ok(!everything.includes(word), word)
})

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })
const asked = chat('hello')
const big = JSON.stringify(chat('x'.repeat(5 * 1024 * 1024)))

const REFUSED: readonly (readonly [
  what: string,
  body: unknown,
  headers: Record<string, string>,
  status: number,
  code: string,
])[] = [
  ['no key', asked, { authorization: '' }, 401, 'auth.missing'],
  ['a key that nobody has', asked, bearer(`tp_${'A'.repeat(43)}`), 401, 'auth.invalid'],
  ['something that is no key', asked, bearer('sesame'), 401, 'auth.invalid'],
  ["the admin's key", asked, bearer(ADMIN_KEY), 403, 'auth.role'],
  ['no JSON', '{"model":', {}, 400, 'request.malformed'],
  ['a list', '[]', {}, 400, 'request.malformed'],
  ['text', 'hello', { 'content-type': 'text/plain' }, 415, 'request.not_json'],
  ['more than 5 MB', big, {}, 413, 'request.too_large'],
  ['no messages', { model: 'gpt-test', messages: [] }, {}, 400, 'request.invalid'],
  ['no model', { messages: [{ role: 'user', content: 'x' }] }, {}, 400, 'request.invalid'],
  ['flags that are no list', asked, { 'x-tappass-flags': '{"pii":"mask"}' }, 400, 'flags.malformed'],
  ['a flag nobody knows', asked, { 'x-tappass-flags': 'colour=red' }, 400, 'flags.unknown'],
  ['a flag that is not enforced here', asked, { 'x-tappass-flags': 'tools=denylist:rm' }, 400, 'flags.unknown'],
  ['a flag that loosens', asked, { 'x-tappass-flags': 'pii=mask, mode=observe' }, 400, 'flags.loosening'],
  ['the same under the older name', asked, { 'x-governance-flags': 'pii=off' }, 400, 'flags.loosening'],
  ['a session that is no id', asked, { 'x-session-id': '../../etc' }, 400, 'session.malformed'],
  ['a private key in a tool message', toolSays(privateKey()), {}, 403, 'policy.blocked'],
  [
    'e-mail, where it is to be blocked',
    chat('write to ann@example.com'),
    { 'x-tappass-flags': 'pii=block' },
    403,
    'policy.blocked',
  ],
]

function toolSays(content: string): object {
  const call = { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{"path":"id_rsa"}' } }
  return {
    model: 'gpt-test',
    messages: [
      { role: 'user', content: 'What is in the file?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content },
    ],
  }
}

for (const [what, body, headers, status, code] of REFUSED) {
  test(`refused, and nothing reaches the model server: ${what}`, async () => {
    const response = await gateway.post('/v1/chat/completions', body, headers)
    const { error } = await bodyOf(response)
    assert.equal(response.status, status)
    assert.equal(error['code'], code)
    assert.equal(typeof error['message'], 'string')
    assert.equal(error['request_id'], response.headers.get('x-request-id'))
    assert.equal(gateway.models.received.length, 0)
  })
}

test('a block has the shape of tappass.md §1.1, and does not repeat what it saw', async () => {
  const secret = privateKey()
  const response = await gateway.post('/v1/chat/completions', toolSays(secret))
  const { error } = await bodyOf(response)
  assert.equal(response.status, 403)
  assert.equal(error['type'], 'policy_block')
  assert.equal(error['message'], 'Request blocked by policy: Secret detected: PRIVATE_KEY (detect_secrets)')
  assert.equal(error['blocked_by'], 'detect_secrets')
  assert.equal(error['reason'], 'Secret detected: PRIVATE_KEY')
  assert.equal(error['classification'], 'RESTRICTED')
  assert.deepEqual(error['step_details'], [{ step: 'detect_secrets', kind: 'secret.private_key' }])
  assert.equal(error['param'], 'messages[2].content')
  assert.equal(error['agent_uuid'], gateway.agent.uuid)
  assert.ok(!JSON.stringify(error).includes(secret.slice(40, 80)))
  const [entry] = await gateway.audit(`request_id=${error['request_id']}`)
  assert.equal(entry?.decision, 'block')
  assert.equal(entry?.step_name, 'detect_secrets')
  assert.ok(!JSON.stringify(entry).includes(secret.slice(40, 80)))
})

test('a payment card is taken out before the model server sees it, contact data passes and marks the call', async () => {
  gateway.models.answer(json(completion('Noted.')))
  const card = ['4111', '1111', '1111', '1111'].join(' ')
  const response = await gateway.post('/v1/chat/completions', chat(`Card ${card}, mail ann@example.com`))
  assert.equal(response.status, 200)
  const received = gateway.models.received[0]?.body ?? ''
  assert.ok(received.includes('Card [REDACTED:pii.credit_card], mail ann@example.com'), received)
  assert.equal(response.headers.get('x-tappass-classification'), 'RESTRICTED')
})

test('an answer with a secret is withheld', async () => {
  const secret = privateKey()
  gateway.models.answer(json(completion(`Here you are:\n${secret}`)))
  const response = await gateway.post('/v1/chat/completions', chat('hello'))
  const { error } = await bodyOf(response)
  assert.equal(response.status, 403)
  assert.equal(error['code'], 'policy.blocked_response')
  assert.ok(!JSON.stringify(error).includes(secret.slice(40, 80)))
})

const UPSTREAM: readonly (readonly [
  what: string,
  answer: Parameters<RunningGateway['models']['answer']>[0],
  status: number,
  code: string,
])[] = [
  [
    '404 passes',
    json(
      { error: { message: 'No such model', type: 'invalid_request_error', param: 'model', code: 'model_not_found' } },
      404,
    ),
    404,
    'model_not_found',
  ],
  [
    '429 passes',
    json({ error: { message: 'Slow down', code: 'rate_limit_exceeded' } }, 429, { 'retry-after': '7' }),
    429,
    'rate_limit_exceeded',
  ],
  [
    '500 without JSON becomes our words',
    (response) => void response.writeHead(500).end('<html>trace: secrets</html>'),
    500,
    'upstream.error',
  ],
  [
    '401 is about our key, not the client',
    json({ error: { message: 'Incorrect API key provided: sk-…abcd' } }, 401),
    502,
    'upstream.refused',
  ],
  [
    'a redirect is not followed',
    (response) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    502,
    'upstream.refused',
  ],
  ['200 without JSON', (response) => void response.writeHead(200).end('hello'), 502, 'upstream.malformed'],
  ['a broken connection', (response) => void response.socket?.destroy(), 502, 'upstream.unreachable'],
  ['a stream that nobody asked for', events(...chunksOf('hello')), 502, 'upstream.malformed'],
]

for (const [what, answer, status, code] of UPSTREAM) {
  test(`the model server's failures: ${what}`, async () => {
    gateway.models.answer(answer)
    const response = await gateway.post('/v1/chat/completions', chat('hello'))
    const { error } = await bodyOf(response)
    assert.equal(response.status, status)
    assert.equal(error['code'], code)
    assert.ok(!JSON.stringify(error).includes('secrets'))
    assert.equal(response.headers.get('retry-after'), status === 429 ? '7' : null)
  })
}

test("a secret in a model server's error does not pass either", async () => {
  gateway.models.answer(json({ error: { message: `cannot parse ${privateKey()}` } }, 400))
  const response = await gateway.post('/v1/chat/completions', chat('hello'))
  assert.equal(response.status, 403)
})

test('embeddings and completions pass through the same judgement', async () => {
  const vector = {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
    model: 'm',
    usage: {},
  }
  gateway.models.answer(json(vector))
  const embedded = await gateway.post('/v1/embeddings', { model: 'm', input: 'hello' })
  assert.equal(embedded.status, 200)
  assert.deepEqual((await bodyOf(embedded))['data'], vector.data)
  assert.equal(gateway.models.received[0]?.path, '/v1/embeddings')
  const blocked = await gateway.post('/v1/embeddings', { model: 'm', input: privateKey() })
  assert.equal(blocked.status, 403)
  gateway.models.answer(
    json({ id: 'c', object: 'text_completion', choices: [{ index: 0, text: 'done', finish_reason: 'stop' }] }),
  )
  const completed = await gateway.post('/v1/completions', { model: 'm', prompt: 'say done' })
  assert.equal(completed.status, 200)
  assert.equal(gateway.models.received.at(-1)?.path, '/v1/completions')
})

test('the model echo answers by itself, and says what it is', async () => {
  const response = await gateway.post('/v1/chat/completions', chat('hello there', { model: 'echo' }))
  const body = (await response.json()) as {
    choices: { message: { content: string } }[]
    usage: { total_tokens: number }
  }
  assert.match(body.choices[0]?.message.content ?? '', /echo model.*You said: hello there$/)
  assert.ok(body.usage.total_tokens > 0)
  assert.equal(gateway.models.received.length, 0)
})

test('models: what the model server names, and echo', async () => {
  gateway.models.answer(
    json({ object: 'list', data: [{ id: 'gpt-test', created: 7, owned_by: 'them' }, { id: 'bad\nname' }, 3] }),
  )
  const response = await fetch(`${gateway.url}/v1/models`, { headers: bearer(gateway.agent.key) })
  const { data } = (await response.json()) as { data: { id: string }[] }
  assert.deepEqual(
    data.map(({ id }) => id),
    ['gpt-test', 'echo'],
  )
})

test('x-api-key opens the door as well', async () => {
  gateway.models.answer(json(completion('yes')))
  const response = await gateway.post('/chat/completions', chat('hello'), {
    authorization: '',
    'x-api-key': gateway.agent.key,
  })
  assert.equal(response.status, 200)
})

test('a route that is not there is refused in the same shape', async () => {
  const response = await gateway.post('/v1/responses', chat('hello'))
  assert.equal(response.status, 404)
  assert.equal((await bodyOf(response)).error['code'], 'route.unknown')
})

test('audit_url is a whole address when it is known where clients reach the gateway, and no Host changes it', async () => {
  const behind = await startGateway({ TAPPASS_PUBLIC_URL: 'https://gateway.example.com/' })
  behind.models.answer(json(completion('Noted.')))
  const headers = { 'x-forwarded-host': 'evil.example.com', 'x-forwarded-proto': 'http' }
  const { tappass } = await bodyOf(await behind.post('/v1/chat/completions', chat('hello'), headers))
  const refused = await behind.post('/v1/chat/completions', chat(privateKey()), headers)
  const { audit_url } = await bodyOf(refused)
  behind.models.answer(events(...chunksOf(privateKey())))
  const stream = await behind.post('/v1/chat/completions', chat('hello', { stream: true }), headers)
  const text = await stream.text().catch(() => '')
  await behind.close()
  for (const url of [tappass['audit_url'], audit_url]) {
    assert.match(String(url), /^https:\/\/gateway\.example\.com\/audit\?request_id=[\w-]+$/)
  }
  assert.ok(!text.includes('evil'))
})
