/** The repository's Caddyfile, as Caddy itself understands it, for each way in which it varies. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { execute } from './execution.ts'
import { ensureGoProgram } from './program.ts'

const path = join(import.meta.dirname, '../../Caddyfile')

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
    has: ['"on_demand":true', '"module":"internal"', '"dial":"127.0.0.1:9620"'],
    lacks: ['"host":['],
  },
  {
    name: 'a public name',
    env: { TAPPASS_SITE: 'gw.example.com', TAPPASS_TLS: 'public' },
    has: ['"host":["gw.example.com"]'],
    lacks: ['"on_demand":true', '"module":"internal"'],
  },
  {
    name: 'a name of one’s own, and the authority of the host',
    env: { TAPPASS_SITE: 'gw.internal', TAPPASS_TLS: 'internal' },
    has: ['"host":["gw.internal"]', '"module":"internal"'],
    lacks: [],
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
