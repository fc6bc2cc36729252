/** The register of agents, its keys, and the ledger's routes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { storedKey } from '../../../server/access/api-key.ts'
import { ADMIN_KEY, chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway({ TAPPASS_UPSTREAM_URL: undefined })
})
after(() => gateway.close())

type Body = Readonly<Record<string, string>> & { error: Record<string, unknown>; data: Record<string, unknown>[] }
const bodyOf = async (response: Response): Promise<Body> => (await response.json()) as Body
const register = async (agent: object): Promise<Response> =>
  gateway.admin('/agents', { method: 'POST', body: JSON.stringify(agent) })
const call = (key: string): Promise<Response> =>
  gateway.post('/chat/completions', chat('hello'), { authorization: `Bearer ${key}` })

test('a new agent can call; its key is shown once, and kept as a hash', async () => {
  const response = await register({
    agent_id: 'one',
    framework: 'langchain',
    description: 'd',
    owner_email: 'o@example.com',
  })
  const { agent_id, agent_uuid, api_key = '' } = await bodyOf(response)
  assert.equal(response.status, 201)
  assert.equal(agent_id, 'one')
  assert.match(agent_uuid ?? '', /^ag_[\w-]{8}$/)
  assert.equal((await call(api_key)).status, 200)
  const shown = JSON.stringify(await bodyOf(await gateway.admin('/agents/one')))
  assert.ok(!shown.includes(api_key))
  const rows = await gateway.database.query('SELECT * FROM api_keys')
  assert.ok(!JSON.stringify(rows).includes(api_key))
  assert.ok(JSON.stringify(rows).includes(storedKey(api_key).hash))
  const [entry] = await gateway.audit('event_type=agent.created&agent_id=one')
  assert.equal(entry?.details['agent_uuid'], agent_uuid)
  assert.ok(!JSON.stringify(entry).includes(api_key))
})

test('the register shows when an agent last used a key, within a minute', async () => {
  const { api_key = '', last_used_at: none } = await bodyOf(await register({ agent_id: 'used' }))
  assert.equal(none, null)
  const startMs = Date.now()
  await call(api_key)
  const shown = await bodyOf(await gateway.admin('/agents/used'))
  const used = shown['last_used_at'] ?? ''
  assert.ok(Date.parse(used) >= startMs && Date.parse(used) <= Date.now(), used)
  const { data } = await bodyOf(await gateway.admin('/agents'))
  assert.equal(data.find(({ agent_id }) => agent_id === 'used')?.['last_used_at'], used)
})

test('the agent with the longest name can be found, rotated and removed', async () => {
  const name = 'n'.repeat(128)
  assert.equal((await register({ agent_id: name })).status, 201)
  assert.equal((await gateway.admin(`/agents/${name}`)).status, 200)
  assert.equal((await gateway.admin(`/agents/${name}/rotate-key`, { method: 'POST' })).status, 200)
  assert.equal((await gateway.admin(`/agents/${name}`, { method: 'DELETE' })).status, 204)
})

test('a name is given once', async () => {
  await register({ agent_id: 'twice' })
  const response = await register({ agent_id: 'twice' })
  assert.equal(response.status, 409)
  assert.equal((await bodyOf(response)).error['code'], 'agent.exists')
})

const INVALID: readonly object[] = [
  {},
  { agent_id: '' },
  { agent_id: 'a b' },
  { agent_id: '../x' },
  { agent_id: 'a'.repeat(200) },
  { agent_id: 3 },
  { agent_id: 'ok', description: 7 },
]
for (const agent of INVALID) {
  test(`is no agent: ${JSON.stringify(agent).slice(0, 40)}`, async () => {
    const response = await register(agent)
    assert.equal(response.status, 400)
    assert.equal((await bodyOf(response)).error['code'], 'request.invalid')
  })
}

test('a refusal stays short, however long what it refuses is', async () => {
  const long = JSON.stringify('x'.repeat(1_000_000))
  for (const [path, body] of [
    ['/agents', long],
    ['/agents/tester/developer-keys', `{"developer_email":"a@example.com","expires_days":${long}}`],
  ] as const) {
    const response = await gateway.admin(path, { method: 'POST', body })
    assert.equal(response.status, 400)
    assert.ok((await response.text()).length < 1000)
  }
})

test('a key that was exchanged is refused at once, the new one is not', async () => {
  const { api_key: old = '' } = await bodyOf(await register({ agent_id: 'rotating' }))
  assert.equal((await call(old)).status, 200)
  const { api_key: fresh = '', agent_id } = await bodyOf(
    await gateway.admin('/agents/rotating/rotate-key', { method: 'POST' }),
  )
  assert.equal(agent_id, 'rotating')
  const refused = await call(old)
  assert.equal(refused.status, 401)
  assert.deepEqual((await bodyOf(refused)).error['code'], 'auth.revoked')
  assert.equal((await call(fresh)).status, 200)
})

test('an agent that was deactivated is refused with all its keys, and may come back with a new one', async () => {
  const { api_key = '', agent_uuid = '' } = await bodyOf(await register({ agent_id: 'leaving' }))
  const developer = await gateway.admin(`/agents/${agent_uuid}/developer-keys`, {
    method: 'POST',
    body: JSON.stringify({ developer_email: 'dev@example.com', name: 'laptop' }),
  })
  const { api_key: theirs = '' } = await bodyOf(developer)
  assert.equal(developer.status, 201)
  assert.match(theirs, /^tp_dev_/)
  assert.equal((await call(theirs)).status, 200)
  const deleted = await gateway.admin('/agents/leaving', { method: 'DELETE' })
  assert.equal(deleted.status, 204)
  assert.deepEqual([(await call(api_key)).status, (await call(theirs)).status], [401, 401])
  const { api_key: again = '' } = await bodyOf(await gateway.admin('/agents/leaving/rotate-key', { method: 'POST' }))
  assert.equal((await call(again)).status, 200)
})

test('a key that has expired is refused', async () => {
  const { api_key = '' } = await bodyOf(await register({ agent_id: 'late' }))
  await gateway.database.query(`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE key_hash = $1`, [
    storedKey(api_key).hash,
  ])
  const refused = await call(api_key)
  assert.equal(refused.status, 401)
  assert.equal((await bodyOf(refused)).error['code'], 'auth.expired')
})

for (const [method, path] of [
  ['GET', '/agents/nobody'],
  ['DELETE', '/agents/nobody'],
  ['POST', '/agents/nobody/rotate-key'],
] as const) {
  test(`there is no such agent: ${method} ${path}`, async () => {
    const response = await gateway.admin(path, { method })
    assert.equal(response.status, 404)
    assert.equal((await bodyOf(response)).error['code'], 'agent.unknown')
  })
}

const GUARDED = [
  ['POST', '/agents'],
  ['GET', '/agents'],
  ['GET', '/agents/tester'],
  ['DELETE', '/agents/tester'],
  ['POST', '/agents/tester/rotate-key'],
  ['POST', '/agents/tester/developer-keys'],
  ['GET', '/audit'],
  ['GET', '/audit/integrity'],
  ['GET', '/metrics'],
  ['GET', '/health/detailed'],
] as const

for (const [method, path] of GUARDED) {
  test(`is not for agents, nor for anybody: ${method} ${path}`, async () => {
    const ask = (headers: Record<string, string>): Promise<Response> =>
      fetch(gateway.url + path, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(method === 'POST' ? { body: '{}' } : {}),
      })
    assert.equal((await ask({})).status, 401)
    assert.equal((await ask({ authorization: `Bearer ${ADMIN_KEY}x` })).status, 401)
    assert.equal((await ask({ authorization: `Bearer ${gateway.agent.key}` })).status, 403)
  })
}

test('people have what their role has, and no more', async () => {
  const key = `tp_pat_${'P'.repeat(40)}`
  const { hash, prefix } = storedKey(key)
  await gateway.database.query(
    `INSERT INTO api_keys (kind, key_hash, key_prefix, org_id, role) VALUES ('pat', $1, $2, (SELECT id FROM organizations WHERE slug = 'default'), 'AUDITOR')`,
    [hash, prefix],
  )
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(gateway.url + path, { ...init, headers: { authorization: `Bearer ${key}` } })
  assert.equal((await ask('/audit')).status, 200)
  assert.equal((await ask('/agents')).status, 200)
  assert.equal((await ask('/agents/tester', { method: 'DELETE' })).status, 403)
  assert.equal((await call(key)).status, 403)
})

test('the ledger can be narrowed, and what makes no sense is refused', async () => {
  await call(gateway.agent.key)
  const entries = await gateway.audit('event_type=govern_allow&agent_id=tester&limit=1')
  assert.equal(entries.length, 1)
  assert.equal(entries[0]?.event_type, 'govern_allow')
  for (const query of ['limit=0', 'limit=5001', 'limit=x', `agent_id=${'a'.repeat(300)}`]) {
    assert.equal((await gateway.admin(`/audit?${query}`)).status, 400, query)
  }
  assert.deepEqual(await gateway.audit(`agent_id=${encodeURIComponent("' OR 1=1 --")}`), [])
})

test('the ledger is intact, and says when it is not', async () => {
  const integrity = async (): Promise<Record<string, unknown>> =>
    (await (await gateway.admin('/v1/audit/integrity')).json()) as Record<string, unknown>
  assert.equal((await integrity())['status'], 'intact')
  await gateway.database.script('ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only')
  await gateway.database.query(`UPDATE audit_events SET decision = 'allowed' WHERE seq = 2`)
  const { status, seq } = await integrity()
  assert.deepEqual([status, seq], ['broken', 2])
})

test("an agent is shown under the names that TapPass's SDK reads as well", async () => {
  await register({ agent_id: 'short-lived' })
  const shown = async () => (await bodyOf(await gateway.admin('/agents/short-lived'))) as Record<string, unknown>
  const before = await shown()
  assert.deepEqual([before['active'], before['registered_at']], [true, before['created_at']])
  await gateway.admin('/agents/short-lived', { method: 'DELETE' })
  const { active, is_active } = await shown()
  assert.deepEqual([active, is_active], [false, false])
})
