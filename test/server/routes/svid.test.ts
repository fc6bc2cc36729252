/** Agents that come with an SVID: by certificate, by token, and everything that is refused, with what the ledger has of it. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { ADMIN_KEY, type AuditEvent, chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { type CertificateForm, type Issued, issue, issueAuthority, KEY_CERT_SIGN } from '../svid/certificate-fixture.ts'
import {
  createSvidClient,
  createSvidFolder,
  createTokenKey,
  issueGateway,
  type SvidReply,
  signToken,
  TRUST_DOMAIN,
  writeSvidFolder,
} from '../svid/svid-client.ts'

const idOf = (name: string): string => `spiffe://${TRUST_DOMAIN}/agent/${name}`
const ID = idOf('one')
const authority = issueAuthority(TRUST_DOMAIN)
const foreignAuthority = issueAuthority('foreign.test')
const tokenKey = createTokenKey('k1')
const stranger = createTokenKey('k1')
const folder = createSvidFolder()
const nowSeconds = Math.floor(Date.now() / 1000)

let gateway: RunningGateway
before(async () => {
  await writeSvidFolder(folder, { svid: issueGateway(authority), authorities: [authority], tokenKeys: [tokenKey] })
  gateway = await startGateway({
    TAPPASS_UPSTREAM_URL: undefined,
    TAPPASS_SPIFFE_TRUST_DOMAIN: TRUST_DOMAIN,
    TAPPASS_SPIFFE_SVID_DIR: folder,
    TAPPASS_SPIFFE_ADDRESS: '127.0.0.1:0',
  })
  for (const name of ['one', 'gone']) await register(name)
  await gateway.admin('/agents/gone', { method: 'DELETE' })
})
after(async () => {
  await gateway.close()
  rmSync(folder, { recursive: true })
})

type Body = Record<string, unknown>
const register = async (name: string, spiffe_id = idOf(name)): Promise<Readonly<{ status: number; body: Body }>> => {
  const response = await gateway.admin('/agents', {
    method: 'POST',
    body: JSON.stringify({ agent_id: name, spiffe_id }),
  })
  return { status: response.status, body: (await response.json()) as Body }
}
const svidOf = (form: CertificateForm = {}): Issued => issue({ issuer: authority, uris: [ID], ...form })

async function callWith(svid: Issued | undefined, headers: Record<string, string> = {}): Promise<SvidReply> {
  const client = createSvidClient(gateway.svidUrl ?? '', [authority], svid)
  try {
    return await client.send('POST', '/v1/chat/completions', chat('hello'), headers)
  } finally {
    client.close()
  }
}
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const newest = async (query: string): Promise<AuditEvent | undefined> => (await gateway.audit(`${query}&limit=1`))[0]
const errorOf = ({ body }: Readonly<{ body: Body }>): Body => (body['error'] ?? {}) as Body

test('an agent with a SPIFFE id gets no key; its id is unique, in the trust domain, and in the audit', async () => {
  const { status, body } = await register('two')
  assert.equal(status, 201)
  assert.deepEqual([body['spiffe_id'], 'api_key' in body], [idOf('two'), false])
  const created = await newest('event_type=agent.created&agent_id=two')
  assert.equal(created?.details['spiffe_id'], idOf('two'))
  const rows: readonly (readonly [name: string, id: string, status: number, message: RegExp])[] = [
    ['two', idOf('three'), 409, /name/],
    ['three', idOf('two'), 409, /SPIFFE id/],
    ['three', idOf('gone'), 409, /SPIFFE id/],
    ['three', 'spiffe://foreign.test/three', 400, /trust domain example\.org/],
    ['three', `${idOf('three')}?x`, 400, /no SPIFFE ID/],
    ['three', `spiffe://${TRUST_DOMAIN}`, 400, /no SPIFFE ID/],
  ]
  for (const [name, id, expected, message] of rows) {
    const refused = await register(name, id)
    assert.equal(refused.status, expected, id)
    assert.match(String(errorOf(refused)['message']), message)
  }
})

test('a workload that came before its agent was registered is known at once', async () => {
  const early = svidOf({ uris: [idOf('early')] })
  assert.equal(errorOf(await callWith(early))['reason'], 'unregistered')
  await register('early')
  assert.equal((await callWith(early)).status, 200)
})

test('a certificate opens the routes of agents, whatever the headers say, and the ledger says how', async () => {
  const reply = await callWith(svidOf(), bearer('unused'))
  assert.equal(reply.status, 200)
  assert.equal(reply.protocol, 'TLSv1.3')
  const entry = await newest('agent_id=one&event_type=govern_allow')
  assert.equal(entry?.details['credential'], 'x509_svid')
  const { data } = (await (await gateway.admin('/agents')).json()) as { data: Body[] }
  const shown = data.find(({ agent_id }) => agent_id === 'one')
  assert.ok(Date.now() - Date.parse(String(shown?.['last_used_at'])) < 60_000)
})

test('a token opens them on both ports', async () => {
  const token = await signToken(tokenKey, ID)
  const ordinary = await gateway.post('/v1/chat/completions', chat('hello'), bearer(token))
  assert.equal(ordinary.status, 200)
  assert.equal((await newest('agent_id=one&event_type=govern_allow'))?.details['credential'], 'jwt_svid')
  assert.equal((await callWith(undefined, bearer(token))).status, 200)
})

test('an API key says nothing new in the ledger', async () => {
  assert.equal((await gateway.post('/v1/chat/completions', chat('hello'))).status, 200)
  assert.ok(!('credential' in ((await newest('agent_id=tester&event_type=govern_allow'))?.details ?? {})))
})

type Refused = readonly [reason: string, code: string, isIdTold: boolean]

/** Certificates that are refused. */
const CERTIFICATES: readonly (readonly [what: string, form: () => CertificateForm, ...Refused])[] = [
  ['expired', () => ({ validToMs: Date.now() - 5000 }), 'expired', 'auth.expired', true],
  ['not yet valid', () => ({ validFromMs: Date.now() + 60_000 }), 'not_yet_valid', 'auth.invalid', true],
  ['of an unknown id', () => ({ uris: [idOf('nobody')] }), 'unregistered', 'auth.invalid', true],
  ['of a revoked agent', () => ({ uris: [idOf('gone')] }), 'deactivated', 'auth.revoked', true],
  ['with two ids', () => ({ uris: [ID, idOf('two')] }), 'not_one_id', 'auth.invalid', false],
  ['of an authority', () => ({ isAuthority: true }), 'authority', 'auth.invalid', true],
  ['that may sign', () => ({ usage: 0x80 | KEY_CERT_SIGN }), 'key_usage', 'auth.invalid', true],
  ['for servers only', () => ({ extendedUsage: ['serverAuth'] }), 'key_usage', 'auth.invalid', true],
  ['forged', () => ({ issuer: foreignAuthority }), 'signature', 'auth.invalid', false],
  [
    'of a foreign trust domain',
    () => ({ issuer: foreignAuthority, uris: ['spiffe://foreign.test/a'] }),
    'trust_domain',
    'auth.invalid',
    false,
  ],
]

/** Tokens that are refused. */
const TOKENS: readonly (readonly [what: string, token: () => Promise<string>, ...Refused])[] = [
  ['expired', () => signToken(tokenKey, ID, { exp: nowSeconds - 5 }), 'expired', 'auth.expired', true],
  ['not yet valid', () => signToken(tokenKey, ID, { nbf: nowSeconds + 60 }), 'not_yet_valid', 'auth.invalid', true],
  ['of an unknown id', () => signToken(tokenKey, idOf('nobody')), 'unregistered', 'auth.invalid', true],
  ['of a revoked agent', () => signToken(tokenKey, idOf('gone')), 'deactivated', 'auth.revoked', true],
  ['for another audience', () => signToken(tokenKey, ID, { aud: ['other'] }), 'audience', 'auth.invalid', true],
  ['forged', () => signToken(stranger, ID), 'signature', 'auth.invalid', false],
  [
    'of a foreign trust domain',
    () => signToken(stranger, 'spiffe://foreign.test/a'),
    'trust_domain',
    'auth.invalid',
    false,
  ],
]

/** Checks the reply, and that the entry tells of it without a word of what was sent. */
async function checkRefused(
  reply: Readonly<{ status: number; body: Body }>,
  credential: string,
  refused: Refused,
  sent: string,
) {
  const [reason, code, isIdTold] = refused
  assert.equal(reply.status, 401)
  const error = errorOf(reply)
  assert.deepEqual([error['code'], error['reason'], error['type']], [code, reason, 'authentication_error'])
  const entry = await newest('event_type=request_refused')
  assert.equal(entry?.request_id, error['request_id'])
  assert.equal(entry?.decision, 'block')
  const { details } = entry ?? { details: {} }
  assert.deepEqual([details['credential'], details['reason'], details['code']], [credential, reason, code])
  assert.equal(details['spiffe_id'] !== undefined, isIdTold)
  assert.ok(!JSON.stringify(entry).includes(sent.slice(0, 40)) && !JSON.stringify(entry).includes(sent.slice(-40)))
}

for (const [what, form, ...refused] of CERTIFICATES) {
  test(`a certificate ${what} is refused and recorded`, async () => {
    const svid = svidOf(form())
    await checkRefused(await callWith(svid), 'x509_svid', refused, svid.x509.raw.toString('base64'))
  })
}

for (const [what, make, ...refused] of TOKENS) {
  test(`a token ${what} is refused and recorded`, async () => {
    const token = await make()
    const response = await gateway.post('/v1/chat/completions', chat('hello'), bearer(token))
    await checkRefused({ status: response.status, body: (await response.json()) as Body }, 'jwt_svid', refused, token)
  })
}

test('who shows nothing is refused without a record; so is an API key where SVIDs are wanted', async () => {
  const before = await newest('event_type=request_refused')
  for (const headers of [{}, bearer(gateway.agent.key), bearer(ADMIN_KEY)]) {
    const reply = await callWith(undefined, headers)
    assert.deepEqual([reply.status, errorOf(reply)['code']], [401, 'auth.missing'])
    assert.match(String(errorOf(reply)['message']), /client certificate/)
  }
  assert.equal((await newest('event_type=request_refused'))?.request_id, before?.request_id)
})

test('an SVID opens nothing of the control API, and the open routes need none', async () => {
  const client = createSvidClient(gateway.svidUrl ?? '', [authority], svidOf())
  const asked = await client.send('GET', '/agents', undefined, bearer(ADMIN_KEY))
  assert.deepEqual([asked.status, errorOf(asked)['code']], [403, 'auth.role'])
  assert.equal((await client.send('GET', '/v1/models')).status, 200)
  client.close()
  const token = await signToken(tokenKey, ID)
  assert.equal((await fetch(`${gateway.url}/agents`, { headers: bearer(token) })).status, 403)
  const open = createSvidClient(gateway.svidUrl ?? '', [authority])
  assert.equal((await open.send('GET', '/health')).status, 200)
  open.close()
})

test('on a connection that is open, a revoked agent is refused at once, and comes back when it is made active', async () => {
  await register('brief')
  const client = createSvidClient(gateway.svidUrl ?? '', [authority], svidOf({ uris: [idOf('brief')] }))
  const token = await signToken(tokenKey, idOf('brief'))
  const ask = async (): Promise<unknown> => {
    const reply = await client.send('POST', '/v1/chat/completions', chat('hello'))
    const other = await gateway.post('/v1/chat/completions', chat('hello'), bearer(token))
    return [reply.status, errorOf(reply)['code'], other.status]
  }
  assert.deepEqual(await ask(), [200, undefined, 200])
  await gateway.admin('/agents/brief', { method: 'DELETE' })
  assert.deepEqual(await ask(), [401, 'auth.revoked', 401])
  await gateway.admin('/agents/brief/rotate-key', { method: 'POST' })
  assert.deepEqual(await ask(), [200, undefined, 200])
  client.close()
})

test('a certificate that expires on an open connection is refused from then on', async () => {
  // Where a certificate is over before its first call was answered, the next one lives twice as long.
  for (let seconds = 2; ; seconds *= 2) {
    const soon = svidOf({ validToMs: (Math.floor(Date.now() / 1000) + seconds) * 1000 })
    const endMs = soon.x509.validToDate.getTime()
    const client = createSvidClient(gateway.svidUrl ?? '', [authority], soon)
    const ask = async (): Promise<number | undefined> =>
      (await client.send('GET', '/v1/models').catch(() => undefined))?.status
    const first = await ask()
    if (first !== 200 && Date.now() >= endMs) {
      client.close()
      continue
    }
    assert.equal(first, 200)
    await new Promise((resolve) => setTimeout(resolve, endMs - Date.now() + 10))
    assert.equal(await ask(), 401)
    return client.close()
  }
})

test('the state is in /health/detailed, in /health/ready and in metrics, and says no secret', async () => {
  const detailed = (await (await gateway.admin('/health/detailed')).json()) as { spiffe: Body; checks: Body }
  const { spiffe } = detailed
  assert.equal(spiffe['spiffe_id'], `spiffe://${TRUST_DOMAIN}/tappass/gateway`)
  assert.ok(Number(spiffe['expires_in_seconds']) > 3000 && Number(spiffe['bundle_age_seconds']) < 60)
  assert.deepEqual([spiffe['jwt_svids'], spiffe['problems']], [true, []])
  const ready = (await (await fetch(`${gateway.url}/health/ready`)).json()) as { checks: Body }
  assert.equal(ready.checks['spiffe'], 'ok')
  const metrics = await (await gateway.admin('/metrics')).text()
  assert.match(metrics, /^tappass_svid_expiry_seconds\{gateway="1"\} 3\d{3}$/m)
  assert.match(metrics, /^tappass_svid_refusals_total\{gateway="1",credential="jwt_svid",reason="audience"\} 1$/m)
})
