/** The repository's Caddyfile, as Caddy itself understands it, for each way in which it varies. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { awaitCertificate, certificateFor, freePorts, caddyfile as path, startCaddy } from './caddy-process.ts'
import { execute } from './execution.ts'
import { ensureGoProgram } from './program.ts'

type Adapted = Readonly<{
  admin: { disabled: boolean }
  apps: { http: { servers: Readonly<Record<string, unknown>> }; tls?: unknown }
}>

const caddy = async (words: readonly string[], env: Readonly<Record<string, string>>) =>
  execute([await ensureGoProgram('caddy'), ...words, '--config', path, '--adapter', 'caddyfile'], {
    env: { ...env, HOME: '/nonexistent', XDG_DATA_HOME: '/tmp/tappass-caddy-test' },
  })

const rows = [
  {
    name: 'nothing set',
    env: {},
    has: [
      '"automate":["localhost"]',
      '"fallback_sni":"localhost"',
      '"module":"internal"',
      '"dial":"127.0.0.1:9620"',
      '"protocols":["h1","h2","h3"]',
    ],
    lacks: ['"host":[', 'on_demand'],
  },
  {
    name: 'a public name',
    env: { TAPPASS_SITE: 'https://gw.example.com', TAPPASS_TLS: 'public', TAPPASS_OTHER_NAMES: 'refused' },
    has: ['"host":["gw.example.com"]'],
    lacks: ['on_demand', '"module":"internal"', '_sni'],
  },
  {
    name: 'a name of one’s own, and the authority of the host',
    env: { TAPPASS_SITE: 'https://gw.internal', TAPPASS_TLS: 'internal', TAPPASS_OTHER_NAMES: 'refused' },
    has: ['"host":["gw.internal"]', '"module":"internal"'],
    lacks: [],
  },
  {
    name: 'addresses and names of the host, on other ports',
    env: {
      TAPPASS_SITE: 'https://[fd77::2], https://10.77.1.2, https://gw, https://',
      TAPPASS_NAME: 'gw',
      TAPPASS_HTTP_PORT: '8080',
      TAPPASS_HTTPS_PORT: '8443',
      TAPPASS_REDIRECT_PORT: ':8443',
    },
    has: [
      '"automate":["10.77.1.2","fd77::2","gw"]',
      '"default_sni":"gw","fallback_sni":"gw"',
      '"listen":[":8080"]',
      '"listen":[":8443"]',
      'https://{http.request.host}:8443{http.request.uri}',
    ],
    lacks: ['"host":[', 'on_demand', '":80"', '":443"'],
  },
  {
    name: 'without HTTP/3',
    env: { TAPPASS_PROTOCOLS: 'h1 h2' },
    has: ['"protocols":["h1","h2"]'],
    lacks: ['h3'],
  },
  {
    name: 'another upstream, as in Compose',
    env: { TAPPASS_UPSTREAM: 'tappass:9620' },
    has: ['"dial":"tappass:9620"'],
    lacks: [],
  },
]

for (const { name, env, has, lacks } of rows) {
  test(`Caddyfile: ${name}`, async () => {
    const { code, stdout, stderr } = await caddy(['adapt'], env)
    assert.equal(code, 0, stderr)
    const adapted = JSON.parse(stdout) as Adapted
    assert.equal(adapted.admin.disabled, true)
    for (const text of ['"flush_interval":-1', '"keep_alive":{"enabled":false}', 'Strict-Transport-Security', ...has])
      assert.ok(JSON.stringify(adapted).includes(text), text)
    for (const text of lacks) assert.equal(JSON.stringify(adapted).includes(text), false, text)
  })
}

test('Caddyfile: it is formatted, and valid as it is', async () => {
  const { stdout } = await execute([await ensureGoProgram('caddy'), 'fmt', '--diff', path])
  assert.doesNotMatch(stdout, /^[+-]/m)
  const { code, stderr } = await caddy(['validate'], {})
  assert.equal(code, 0, stderr)
})

/** A real Caddy with the Caddyfile, once it serves. It and its folder go with the test. */
const running = async (context: TestContext, env: Readonly<Record<string, string>>) => {
  const folder = await mkdtemp(join(tmpdir(), 'tappass-caddy-'))
  const [http, https] = await freePorts()
  const ports = { TAPPASS_HTTP_PORT: `${http}`, TAPPASS_HTTPS_PORT: `${https}` }
  const { kill } = await startCaddy({ folder, env: { ...ports, ...env } })
  context.after(async () => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  })
  await awaitCertificate(https)
  return { https, files: async () => (await readdir(folder, { recursive: true })).length }
}

test('names that somebody invents leave nothing on the disk', async (context) => {
  const site = 'https://127.0.0.1, https://localhost, https://gw, https://'
  const { https, files } = await running(context, { TAPPASS_SITE: site, TAPPASS_NAME: 'gw' })
  for (const [asked, got] of [
    ['', 'IP Address:127.0.0.1'],
    ['gw', 'DNS:gw'],
    ['localhost', 'DNS:localhost'],
    ['invented.example', 'DNS:gw'],
  ] as const)
    assert.equal((await certificateFor(https, asked)).subjectaltname, got, asked)
  const before = await files()
  const names = Array.from({ length: 2_000 }, (_, index) => `n${index}.x${index % 7}.example`)
  const asking = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop())
      assert.equal((await certificateFor(https, name)).subjectaltname, 'DNS:gw')
  }
  await Promise.all(Array.from({ length: 16 }, asking))
  assert.equal(await files(), before)
})
