/** What Caddy says to clients and to the journal, with the repository's Caddyfile: headers, its own certificate, the log. Needs: openssl. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as requestPlain } from 'node:http'
import { type RequestOptions, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { awaitCertificate, certificateFor, freePorts, startCaddy } from './caddy-process.ts'
import { startIngress } from './ingress-switch.ts'

type Answer = Readonly<{ status: number | undefined; headers: Readonly<Record<string, unknown>> }>

const ask = (send: typeof request | typeof requestPlain, options: RequestOptions): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const shared = { host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false, agent: false } as const
    const asking = send({ ...shared, ...options }, (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode, headers: response.headers }))
    })
    asking.once('error', reject).end()
  })

test('no answer says which programs are here, and each says what browsers may do with it', async () => {
  const ingress = await startIngress((_, response) => response.setHeader('server', 'gateway/1').end('ok'))
  try {
    const { status, headers } = await ask(request, { port: ingress.https, path: '/health' })
    assert.equal(status, 200)
    for (const name of ['server', 'via', 'x-powered-by']) assert.equal(headers[name], undefined, name)
    assert.deepEqual(
      ['x-content-type-options', 'x-frame-options', 'referrer-policy', 'strict-transport-security'].map(
        (name) => headers[name],
      ),
      ['nosniff', 'DENY', 'no-referrer', 'max-age=31536000'],
    )
  } finally {
    await ingress.close()
  }
})

const folderOf = async (context: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'tappass-answer-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('without a gateway: redirects and errors say nothing of Caddy, and the journal has no query, header or key', async (context) => {
  const folder = await folderOf(context)
  const [http, https] = await freePorts()
  const ports = { TAPPASS_HTTP_PORT: `${http}`, TAPPASS_HTTPS_PORT: `${https}`, TAPPASS_UPSTREAM: '127.0.0.1:1' }
  const caddy = await startCaddy({ folder, env: ports })
  context.after(() => caddy.kill())
  await awaitCertificate(https)
  const moved = await ask(requestPlain, { port: http, path: '/x?y=1' })
  assert.deepEqual([moved.status, moved.headers['server']], [308, undefined])
  const secret = ['tp', 'canary', 'of', 'the', 'log'].join('_')
  const headers = { authorization: `Bearer ${secret}`, 'x-api-key': secret, cookie: `session=${secret}` }
  const failed = await ask(request, { port: https, path: `/v1/models?key=${secret}`, headers })
  assert.deepEqual([failed.status, failed.headers['server'], failed.headers['via']], [502, undefined, undefined])
  for (let looks = 0; !caddy.log().includes('http.log.access') && looks < 50; looks += 1) await pause(50)
  const rows = caddy
    .log()
    .split('\n')
    .filter((row) => row.startsWith('{'))
    .map((row) => JSON.parse(row) as Readonly<{ logger?: string; status?: number; request?: { uri?: string } }>)
  const access = rows.find(({ logger }) => logger === 'http.log.access')
  assert.deepEqual([access?.status, access?.request?.uri], [502, '/v1/models'])
  assert.equal(caddy.log().includes(secret), false, caddy.log())
})

test('a certificate of one’s own is served for its name, and nothing else is', async (context) => {
  const folder = await folderOf(context)
  const path = (name: string) => join(folder, name)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', path('tls-key')]
  const names = ['-subj', '/CN=gw.example.com', '-addext', 'subjectAltName=DNS:gw.example.com']
  execFileSync('openssl', ['req', '-x509', ...key, ...names, '-days', '9', '-out', path('tls-certificate')], {
    stdio: 'ignore',
  })
  const [http, https] = await freePorts()
  const caddy = await startCaddy({
    folder,
    env: {
      ...{ TAPPASS_HTTP_PORT: `${http}`, TAPPASS_HTTPS_PORT: `${https}` },
      ...{ TAPPASS_SITE: 'https://gw.example.com', TAPPASS_OTHER_NAMES: 'refused', TAPPASS_NAME: 'gw.example.com' },
      ...{ TAPPASS_TLS: 'own', CREDENTIALS_DIRECTORY: folder },
    },
  })
  context.after(() => caddy.kill())
  const { subjectaltname, issuer } = await certificateFor(https, 'gw.example.com')
  assert.deepEqual([subjectaltname, issuer.CN], ['DNS:gw.example.com', 'gw.example.com'])
  await assert.rejects(certificateFor(https, 'other.example.com'))
})
