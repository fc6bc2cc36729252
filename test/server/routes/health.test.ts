/** Health, metrics, keys for outsiders, and what holds for every answer. */
import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { calculateJwkThumbprint, importJWK, jwtVerify, SignJWT } from 'jose'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const TOKEN_KEY = privateKey.export({ type: 'sec1', format: 'pem' }).toString()

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway({
    TAPPASS_TOKEN_KEY: TOKEN_KEY,
    TAPPASS_UPSTREAM_URL: undefined,
    TAPPASS_REVISION: 'r7',
  })
})
after(() => gateway.close())

const get = async (path: string): Promise<Readonly<{ status: number; body: Record<string, unknown> }>> => {
  const response = await fetch(gateway.url + path)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8')) as {
  version: string
}

test('/health has the shape of the playbook, and the version of package.json', async () => {
  const license = { org: null, tier: 'community', expires: null }
  const { status, body } = await get('/health')
  const { agents, uptime_seconds, ...rest } = body
  assert.deepEqual([status, rest], [200, { status: 'healthy', version, storage: 'memory', license }])
  // TapPass's SDK reads these two.
  assert.equal(agents, 1)
  assert.equal(typeof uptime_seconds, 'number')
  await gateway.admin('/agents', { method: 'POST', body: JSON.stringify({ agent_id: 'second' }) })
  assert.equal((await get('/health')).body['agents'], 2)
  await gateway.admin('/agents/second', { method: 'DELETE' })
  assert.equal((await get('/health')).body['agents'], 1)
})

test('a license that holds is shown; one that does not hold is none, in development', async () => {
  const { privateKey: signer, publicKey } = generateKeyPairSync('ed25519')
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const license = { org: 'Client Corp', tier: 'enterprise', expires: '2999-01-01' }
  const signed = `${part({ alg: 'EdDSA' })}.${part(license)}`
  const TAPPASS_LICENSE = `${signed}.${sign(null, Buffer.from(signed), signer).toString('base64url')}`
  const authority = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const shown = async (environment: Record<string, string>): Promise<unknown> => {
    const licensed = await startGateway({ TAPPASS_LICENSE, ...environment })
    const body = (await (await fetch(`${licensed.url}/health`)).json()) as { license: unknown }
    await licensed.close()
    return body.license
  }
  assert.deepEqual(await shown({ TAPPASS_LICENSE_AUTHORITY: authority }), license)
  assert.deepEqual(await shown({}), { org: null, tier: 'community', expires: null })
})

test('live, ready, startup', async () => {
  assert.deepEqual(await get('/health/live'), { status: 200, body: { status: 'ok' } })
  assert.deepEqual(await get('/v1/health/ready'), {
    status: 200,
    body: { status: 'ok', checks: { database: 'ok', opa: 'ok', redis: 'ok' } },
  })
  assert.deepEqual(await get('/health/startup'), { status: 200, body: { status: 'ok' } })
})

test('/health/detailed tells what runs, and no secret', async () => {
  const text = await (await gateway.admin('/health/detailed')).text()
  const body = JSON.parse(text) as { revision: string; limiter: string; steps: { name: string }[] }
  assert.equal(body.revision, 'r7')
  assert.equal(body.limiter, 'in-process')
  assert.ok(body.steps.some(({ name }) => name === 'detect_secrets'))
  assert.ok(!text.includes('PRIVATE') && !text.includes(gateway.agent.key))
})

test('/metrics counts calls by route, blocks and personal data', async () => {
  await gateway.post('/chat/completions', chat('mail ann@example.com'))
  await gateway.post('/chat/completions', chat('mail ann@example.com'), { 'x-tappass-flags': 'pii=block' })
  const text = await (await gateway.admin('/metrics')).text()
  for (const line of [
    'tappass_http_requests_total{gateway="1",method="POST",path="/chat/completions",status="200"} 1',
    'tappass_http_requests_total{gateway="1",method="POST",path="/chat/completions",status="403"} 1',
    'tappass_pipeline_blocks_total{gateway="1",step="detect_pii"} 1',
    'tappass_capability_tokens_total{gateway="1",outcome="minted"} 0',
    'tappass_active_agents{gateway="1"} 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), line)
  }
  assert.match(text, /^tappass_pii_detections_total\{gateway="1",type="email"\} [1-9]/m)
  assert.ok(!text.includes('ann@example.com'))
})

test('the public key verifies what the private key signs, and is only public', async () => {
  const { body } = await get('/.well-known/jwks.json')
  const [key] = body['keys'] as Record<string, string>[]
  assert.deepEqual(Object.keys(key ?? {}).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
  assert.equal(key?.['kid'], await calculateJwkThumbprint(key ?? {}))
  const token = await new SignJWT({ sub: 'x' }).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
  assert.equal((await jwtVerify(token, await importJWK(key ?? {}, 'ES256'))).payload.sub, 'x')
})

test('while the key is rotated both public keys are there, and the one that signs comes first', async () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
  const rotating = await startGateway({
    TAPPASS_TOKEN_KEY: TOKEN_KEY,
    TAPPASS_TOKEN_KEY_NEXT: other.export({ type: 'sec1', format: 'pem' }).toString(),
  })
  const { keys } = (await (await fetch(`${rotating.url}/.well-known/jwks.json`)).json()) as {
    keys: { kid: string; x: string }[]
  }
  await rotating.close()
  const wanted = [privateKey, other].map((key) => createPublicKey(key).export({ format: 'jwk' }).x)
  assert.deepEqual([keys.map(({ x }) => x), new Set(keys.map(({ kid }) => kid)).size], [wanted, 2])
})

test('every answer has the security headers and an id, refusals too', async () => {
  for (const path of ['/health/live', '/nowhere', '/audit']) {
    const { headers } = await fetch(gateway.url + path)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('x-frame-options'), 'DENY')
    assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
    assert.match(headers.get('strict-transport-security') ?? '', /max-age=\d+/)
    assert.match(headers.get('x-request-id') ?? '', /^req_[0-9A-Z]{26}$/)
    assert.equal(headers.get('server'), null)
  }
})

test('an id that could be something else than an id is not taken over', async () => {
  for (const id of ['a b', '<script>', 'x'.repeat(129)]) {
    const { headers } = await fetch(`${gateway.url}/health/live`, { headers: { 'x-request-id': id } })
    assert.match(headers.get('x-request-id') ?? '', /^req_/)
  }
})

/** Sends bytes as they are, gives what comes back until the end. */
function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(gateway.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes))
    let text = ''
    socket.on('data', (part) => {
      text += part.toString()
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(text))
  })
}

const RAW: readonly (readonly [what: string, bytes: string, status: RegExp])[] = [
  ['what is no HTTP', 'hello\r\n\r\n', /^HTTP\/1\.1 400 .*"code":"request\.malformed"/s],
  [
    'a path that is none',
    'GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    /^HTTP\/1\.1 404 .*"code":"route\.unknown"/s,
  ],
  [
    'two lengths',
    'POST /agents HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
    /^HTTP\/1\.1 400 .*"code":"request\.malformed"/s,
  ],
]

for (const [what, bytes, status] of RAW) {
  test(`refused in our shape: ${what}`, async () => assert.match(await raw(bytes), status))
}

test('a path that is none is answered with the headers of every answer', async () => {
  const answer = await raw('GET /%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  assert.match(answer, /^x-content-type-options: nosniff\r$/m)
  assert.match(answer, /^x-request-id: req_\w+\r$/m)
})

test('a client that was refused and does not hang up is cut off', async () => {
  const { hostname, port } = new URL(gateway.url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true }, () =>
    socket.write('hello\r\n\r\n'),
  )
  socket.resume()
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('end', resolve))
  // Our side stays open; bytes that we go on sending have to find nobody there any more.
  const nagging = setInterval(() => socket.write('x'), 20)
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(nagging)
})

test('without a database nothing is healthy, keys are not believed, and live still is', async () => {
  const lost = await startGateway({ TAPPASS_UPSTREAM_URL: undefined })
  try {
    await lost.database.close()
    assert.equal((await fetch(`${lost.url}/health`)).status, 503)
    const ready = await fetch(`${lost.url}/health/ready`)
    assert.deepEqual(
      [ready.status, await ready.json()],
      [503, { status: 'unavailable', checks: { database: 'failed', opa: 'ok', redis: 'ok' } }],
    )
    assert.equal((await fetch(`${lost.url}/health/live`)).status, 200)
    const refused = await lost.post('/chat/completions', chat('hello'))
    assert.deepEqual(
      [refused.status, ((await refused.json()) as { error: { code: string } }).error.code],
      [503, 'store.unavailable'],
    )
  } finally {
    await lost.close().catch(() => {})
  }
})
