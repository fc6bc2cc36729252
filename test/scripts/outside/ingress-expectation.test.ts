/** What a change of a live ingress is held to: where it answered, where it should, and what of its certificate has to stay. Needs: openssl. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HOST_PATH } from '../../../contract/path.ts'
import type { GetFact } from '../../../scripts/core/host.ts'
import { askIngress } from '../../../scripts/outside/ingress-answer.ts'
import {
  expectedAddress,
  expectIngress,
  runningAddress,
  unmetReason,
} from '../../../scripts/outside/ingress-expectation.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'

const target = { address: { user: 'root', name: '10.0.0.5', port: 22 } }
const here = { address: undefined }
const tunnel = { kind: 'tunnel', tunnel: { id: 'a1b2c3d4-0000-4000-8000-000000000000' } }
const routes = (...names: string[]) => names.map((hostname) => ({ hostname }))
const domain = 'gw.example.com'

const wanted = [
  ['its address', {}, target, '10.0.0.5:443'],
  ['another port', { ingress: { https: 8443 } }, target, '10.0.0.5:8443'],
  ['on the host itself', {}, here, '127.0.0.1:443'],
  ['a domain', { domain }, target, 'gw.example.com:443'],
  ['a tunnel with a domain', { domain, ingress: tunnel }, target, 'gw.example.com:443'],
  [
    'a tunnel with routes',
    { ingress: { ...tunnel, tunnel: { ...tunnel.tunnel, routes: routes('*.a.example', 'b.example') } } },
    target,
    'b.example:443',
  ],
  ['a tunnel whose routes are elsewhere', { ingress: { kind: 'tunnel' } }, target, undefined],
  ['none', { ingress: 'none' }, target, undefined],
] as const

for (const [name, spec, at, is] of wanted) {
  test(`where the ingress should answer: ${name}`, () => {
    const address = expectedAddress(parseHostSpec(spec, 'the test'), at)
    assert.equal(address && `${address.host}:${address.port}`, is)
  })
}

const environment = (values: Readonly<Record<string, string>>) =>
  Object.entries({ OTHER_NAMES: 'served', NAME: 'a', TLS: 'internal', HTTPS_PORT: '8443', ...values })
    .map(([name, value]) => `TAPPASS_${name}=${value}\n`)
    .join('')

const running = [
  ['Caddy by its address', environment({}), undefined, target, '10.0.0.5:8443'],
  ['Caddy with a domain', environment({ OTHER_NAMES: 'refused', NAME: domain }), undefined, target, `${domain}:8443`],
  ['Caddy behind other ports', environment({ TLS: 'acme' }), undefined, target, '10.0.0.5:443'],
  ['an environment that was edited', environment({ HTTPS_PORT: 'x' }), undefined, target, undefined],
  ['a tunnel', undefined, 'ingress:\n  - hostname: "*.x.example"\n  - hostname: b.example\n', target, 'b.example:443'],
  ['a tunnel without names', undefined, 'no-autoupdate: true\n', target, undefined],
] as const

for (const [name, caddy, text, at, is] of running) {
  test(`where the ingress that runs should answer: ${name}`, () => {
    const address = runningAddress({ caddy, tunnel: text }, at)
    assert.equal(address && `${address.host}:${address.port}`, is)
  })
}

const folder = mkdtempSync(join(tmpdir(), 'tappass-expectation-'))
const certificate = (name: string) => {
  const [key, cert] = [join(folder, 'key'), join(folder, 'cert')]
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert]
  const names = ['-days', '30', '-subj', '/CN=x', '-addext', `subjectAltName=${name}`]
  execFileSync('openssl', ['req', '-x509', ...made, ...names], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
const own = certificate('IP:127.0.0.1')
const other = certificate('DNS:other.example')
rmSync(folder, { recursive: true })

const serving = async (options: typeof own, body: string) => {
  const server = createServer(options, (_, response) => response.end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

const answers = [
  ['a gateway', own, '{"status":"degraded"}', { misfit: undefined, problem: undefined }],
  ['something else', own, 'hello', { misfit: undefined, problem: 'HTTP 200, and not from a gateway' }],
  [
    'a certificate for another name',
    other,
    '{"status":"healthy"}',
    { misfit: 'its certificate is for DNS:other.example, not for 127.0.0.1', problem: undefined },
  ],
] as const

for (const [name, options, body, expected] of answers) {
  test(`the ingress answers: ${name}`, async () => {
    const { server, port } = await serving(options, body)
    const { distrust, ...answer } = await askIngress({ host: '127.0.0.1', port })
    assert.deepEqual(answer, expected)
    assert.match(distrust ?? '', /DEPTH_ZERO_SELF_SIGNED_CERT/)
    const at = { host: '127.0.0.1', port }
    const reason = (isFitting: boolean, isTrusted: boolean) => unmetReason({ ...at, isFitting, isTrusted, seconds: 0 })
    assert.match((await reason(true, false)) ?? '', new RegExp(expected.problem ?? expected.misfit ?? '^$'))
    assert.match((await reason(false, true)) ?? '', expected.problem === undefined ? /not trusted/ : /gateway/)
    server.close()
  })
}

test('the ingress does not answer: a port that is closed, one that says nothing, and one that answers a moment later', async () => {
  const silent = createTcpServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const port = (silent.address() as AddressInfo).port
  assert.match((await askIngress({ host: '127.0.0.1', port }, 200)).problem ?? '', /no answer within 0\.2 s/)
  silent.close()
  const at = { host: '127.0.0.1', port, isFitting: true, isTrusted: false, seconds: 0 }
  const looking = unmetReason({ ...at, seconds: 60 })
  const { server, port: other } = await serving(own, '{"status":"healthy"}')
  assert.match((await unmetReason(at)) ?? '', /does not answer any more as before .*ECONNREFUSED/)
  server.close()
  const later = createServer(own, (_, response) => response.end('{"status":"healthy"}')).listen(port, '127.0.0.1')
  assert.equal(await looking, undefined)
  assert.notEqual(other, port)
  later.close()
})

/** `caddy`: whether it runs, with that HTTPS port. */
const hostWith = (port: number, isActive = true): GetFact =>
  (async (fact: { query: { argv: readonly string[] }; subject?: string }) => {
    const words = [...fact.query.argv, fact.subject ?? ''].join(' ')
    if (words.includes(HOST_PATH.caddyEnvironment)) return environment({ HTTPS_PORT: `${port}` })
    if (words.includes(HOST_PATH.tunnelConfig)) return undefined
    return { active: isActive && words.includes('tappass-caddy') ? 'active' : 'inactive' }
  }) as unknown as GetFact

test('what a change is held to: the answer that there is, nothing without one, nothing where nothing serves', async () => {
  const { server, port } = await serving(own, '{"status":"healthy"}')
  const spec = parseHostSpec({ ingress: { https: 8443 } }, 'the test')
  assert.deepEqual(await expectIngress(spec, here, hostWith(port)), {
    expected: { host: '127.0.0.1', port: 8443, isFitting: true, isTrusted: false, seconds: 10 },
  })
  assert.deepEqual(await expectIngress(spec, here, hostWith(port, false)), {})
  assert.deepEqual(await expectIngress({ ...spec, ingress: 'none' }, here, hostWith(port)), {})
  const unnamed = parseHostSpec({ ingress: { kind: 'tunnel' } }, 'the test')
  assert.match((await expectIngress(unnamed, here, hostWith(port))).warning?.why ?? '', /no name is known/)
  const elsewhere = parseHostSpec({ domain: 'no-such-name.invalid' }, 'the test')
  assert.match(
    (await expectIngress(elsewhere, here, hostWith(port))).warning?.why ?? '',
    /is not a name that is known here/,
  )
  server.close()
  const { expected, warning } = await expectIngress(spec, here, hostWith(port))
  assert.equal(expected, undefined)
  assert.match(warning?.why ?? '', /did not answer either: .*ECONNREFUSED.*kept when the host is reached/)
})
