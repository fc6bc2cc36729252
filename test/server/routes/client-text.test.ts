/** Texts that a client chooses beside its body enter neither the ledger nor the model server's log unjudged. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { completion, json } from '../model-server.ts'
import { made } from '../rules/fixture.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())
beforeEach(() => {
  gateway.models.received.length = 0
  gateway.models.answer(json(completion('Noted.')))
})

const TOKEN = ['ghp', made(36)].join('_')
const CLOUD = ['AKIA', 'IOSFODNN7EXAMPLE'.replace('EXAMPLE', '7QWERTY')].join('')
const MAIL = 'ann@example.com'
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** All that is in the ledger, and all that reached the model server. */
async function everything(): Promise<string> {
  const rows = await gateway.database.query('SELECT * FROM audit_events')
  return JSON.stringify([rows, gateway.models.received])
}

const IDS: readonly (readonly [id: string, isAdopted: boolean])[] = [
  ['6f1f9f7e-58d0-4b5a-9c9e-0d3f6a1b2c10', true],
  ['6F1F9F7E58D04B5A9C9E0D3F6A1B2C10', true],
  ['01M8BC8NJHNVNDHJWTZP5YTV98', true],
  ['req_01M8BC8NJHNVNDHJWTZP5YTV98', true],
  ['call-from-test-1', false],
  ['jan.de.vries.1980', false],
  ['req_janedoe', false],
  [TOKEN, false],
  [CLOUD, false],
]
for (const [id, isAdopted] of IDS) {
  test(`the id ${id.slice(0, 12)}… comes back, and is ${isAdopted ? 'the call’s' : 'no more than a hash'}`, async () => {
    const response = await gateway.post('/v1/chat/completions', chat('hello'), { 'x-request-id': id })
    const { tappass } = (await response.json()) as { tappass: { task_id: string } }
    assert.equal(response.headers.get('x-request-id'), id)
    assert.equal(tappass.task_id === id, isAdopted)
    assert.equal(response.headers.get('x-tappass-request-id'), isAdopted ? null : tappass.task_id)
    assert.equal(gateway.models.received[0]?.headers['x-request-id'], tappass.task_id)
    const [entry] = await gateway.audit(`request_id=${tappass.task_id}`)
    assert.equal(entry?.details['client_request_id'], isAdopted ? undefined : sha256(id))
    if (!isAdopted) assert.ok(!(await everything()).includes(id))
  })
}

test('an id of a route that is not governed enters no entry either', async () => {
  await gateway.admin('/agents', {
    method: 'POST',
    body: JSON.stringify({ agent_id: 'second' }),
    headers: { 'x-request-id': TOKEN },
  })
  assert.ok(!(await everything()).includes(TOKEN))
})

for (const header of ['x-tappass-session', 'x-session-id']) {
  test(`${header}: a name stays, one with a finding is replaced by the same hash each time`, async () => {
    const sessionOf = async (name: string): Promise<string> => {
      const response = await gateway.post('/v1/chat/completions', chat('hello'), { [header]: name })
      return ((await response.json()) as { tappass: { session_id: string } }).tappass.session_id
    }
    assert.equal(await sessionOf('conversation-42'), 'conversation-42')
    assert.match(await sessionOf(CLOUD), /^ses_[0-9a-f]{32}$/)
    assert.equal(await sessionOf(CLOUD), await sessionOf(CLOUD))
    assert.ok(!(await everything()).includes(CLOUD))
  })
}

const MODELS: readonly (readonly [what: string, body: object, status: number])[] = [
  ['a token', chat('hello', { model: TOKEN }), 403],
  ['a token in a call whose shape is wrong', { model: TOKEN, messages: [] }, 400],
  ['contact data', chat('hello', { model: MAIL }), 200],
]
for (const [what, body, status] of MODELS) {
  test(`a model's name that is ${what} is not recorded`, async () => {
    const response = await gateway.post('/v1/chat/completions', body)
    const { model } = body as { model: string }
    assert.equal(response.status, status)
    const id = response.headers.get('x-request-id')
    for (const entry of await gateway.audit(`request_id=${id}`)) {
      assert.ok(!JSON.stringify(entry).includes(model))
    }
    const rows = await gateway.database.query('SELECT model, entry FROM audit_events WHERE request_id = $1', [id])
    assert.ok(rows.length > 0 && !JSON.stringify(rows).includes(model))
    assert.ok(JSON.stringify(rows).includes('(withheld)'))
  })
}

test('an agent whose name would be a secret is not registered', async () => {
  const response = await gateway.admin('/agents', { method: 'POST', body: JSON.stringify({ agent_id: CLOUD }) })
  const text = await response.text()
  assert.equal(response.status, 400)
  assert.ok(text.includes('agent_id') && !text.includes(CLOUD))
  assert.ok(!(await everything()).includes(CLOUD))
})

test('a user agent, and other headers, go nowhere', async () => {
  await gateway.post('/v1/chat/completions', chat('hello'), {
    'user-agent': TOKEN,
    'x-stainless-lang': TOKEN,
    'openai-organization': TOKEN,
    referer: `https://example.com/${TOKEN}`,
  })
  assert.ok(!(await everything()).includes(TOKEN))
})
