/** `compose.yaml`, `Dockerfile` and `.env.example`: pinned as `versions.yaml` has it, closed as the units are, and no secret in an environment. */
import assert from 'node:assert/strict'
import { readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { isNode, isSeq, parse, parseDocument } from 'yaml'
import { credentialId, SECRET_NAMES, type SecretName } from '../../contract/secret.ts'
import { parsePins } from '../../scripts/artifacts/pin.ts'
import { GENERATED_NAMES } from '../../scripts/secrets/secret-generation.ts'

const ROOT = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

type Service = Readonly<Record<string, unknown>> &
  Readonly<{ image: string; environment?: Readonly<Record<string, string>> }>
const file = parse(read('compose.yaml'), { merge: true }) as Readonly<{
  services: Readonly<Record<string, Service>>
  secrets: Readonly<Record<string, Readonly<{ environment: string }>>>
  networks: Readonly<Record<string, Readonly<{ internal?: boolean }>>>
}>
const services = Object.entries(file.services)

test('compose: images, and those that ours is built from, are the pinned ones', () => {
  const { images, containers, caddy, cloudflared } = parsePins(read('versions.yaml'))
  const inText = [
    ...`${read('compose.yaml')}\n${read('Dockerfile')}`.matchAll(/[a-z][\w./-]*:[\w.-]+@sha256:[0-9a-f]{64}/g),
  ]
  const pinned = [images.postgres, images.redis, ...Object.values(containers)].map(({ reference }) => reference)
  assert.deepEqual(new Set(inText.map(([reference]) => reference)), new Set(pinned))
  // The same programs as on a server.
  assert.ok(containers.caddy.reference.startsWith(`caddy:${caddy.version}-`))
  assert.ok(containers.cloudflared.reference.startsWith(`cloudflare/cloudflared:${cloudflared.version}@`))
  assert.equal(file.services['postgres']?.['user'], `${images.postgres.uid}:${images.postgres.uid}`)
  assert.match(`${file.services['redis']?.['user']}`, new RegExp(`^${images.redis.uid}:`))
  const { version } = JSON.parse(read('package.json')) as { version: string }
  assert.equal(file.services['gateway']?.image, `tappass:\${TAPPASS_VERSION:-${version}}`)
})

test('compose: the name of the playbook works, too', () => {
  assert.equal(readlinkSync(join(ROOT, 'docker-compose.prod.yml')), 'compose.yaml')
})

/** Who may have any: for what `compose.yaml` says beside it. */
const CAPABILITIES: Readonly<Record<string, readonly string[]>> = { secrets: ['CHOWN'], caddy: ['NET_BIND_SERVICE'] }

for (const [name, service] of services)
  test(`compose: ${name} has no capability, no new privileges, bounds, and logs that are rotated`, () => {
    const isHandingOut = name === 'secrets'
    assert.deepEqual(
      [service['cap_drop'], service['security_opt'], service['read_only'], service['cap_add']],
      [['ALL'], ['no-new-privileges:true'], !isHandingOut, CAPABILITIES[name]],
    )
    // Compose's own, or that of the image, which the Dockerfile sets.
    const isOurs = service.image.startsWith('tappass:')
    assert.match(`${service['user'] ?? (isOurs ? '65532:65532' : '')}`, isHandingOut ? /^0:0$/ : /^[1-9]\d*:[1-9]\d*$/)
    assert.ok(service['mem_limit'] !== undefined && service['pids_limit'] !== undefined)
    assert.deepEqual(service['logging'], { driver: 'local', options: { 'max-size': '20m', 'max-file': '5' } })
    assert.equal(service['restart'], ['secrets', 'migrate'].includes(name) ? 'no' : 'unless-stopped')
    assert.equal(service['ports'] !== undefined, ['gateway', 'caddy'].includes(name))
    assert.deepEqual(service['profiles'], ['caddy', 'tunnel'].includes(name) ? [name] : undefined)
  })

test('compose: who has a way out, and what is published: the gateway on loopback unless told otherwise, or only what stands in front of it', () => {
  const isIn = (network: string) =>
    services.filter(([, { networks }]) => (networks as readonly string[] | undefined)?.includes(network))
  const membersOf = (network: string) => isIn(network).map(([name]) => name)
  const open = Object.entries(file.networks).filter(([, network]) => network?.internal !== true)
  assert.deepEqual(Object.fromEntries(open.map(([name]) => [name, membersOf(name)])), {
    outside: ['gateway'],
    edge: ['caddy', 'tunnel'],
  })
  assert.deepEqual(membersOf('front'), ['gateway', 'caddy', 'tunnel'])
  assert.deepEqual(membersOf('database'), ['postgres', 'migrate', 'gateway'])
  assert.deepEqual(membersOf('cache'), ['redis', 'gateway'])
  assert.deepEqual(file.services['gateway']?.['ports'], ['${TAPPASS_BIND:-127.0.0.1}:${TAPPASS_PORT:-9620}:9620'])
  const closing = parseDocument(read('compose.ingress.yaml'))
  const ports = closing.getIn(['services', 'gateway', 'ports'], true)
  assert.deepEqual([isSeq(ports) && ports.items.length, isNode(ports) && ports.tag], [0, '!reset'])
  assert.deepEqual(closing.toJS(), { services: { gateway: { ports: [] } } })
})

test('compose: OPA has no network, and the gateway alone its socket; both images are made by one Dockerfile', () => {
  const { opa, gateway } = file.services
  assert.deepEqual([opa?.['network_mode'], opa?.['networks'], opa?.['ports']], ['none', undefined, undefined])
  assert.equal(gateway?.environment?.['OPA_URL'], 'unix:///run/opa/opa.sock')
  assert.deepEqual(
    services.filter(([, { volumes }]) => /\bopa:\/run/.test(`${volumes}`)).map(([name]) => name),
    ['opa', 'gateway'],
  )
  const targets = [opa, gateway].map((service) => (service?.['build'] as { target?: string } | undefined)?.target)
  const stages = read('Dockerfile')
    .split(/^(?=FROM )/m)
    .filter((stage) => targets.some((target) => new RegExp(`^FROM .* AS ${target}$`, 'm').test(stage)))
  assert.deepEqual(
    stages.map((stage) => /^USER (.*)$/m.exec(stage)?.[1]),
    ['65531:65531', '65532:65532'],
  )
})

test('compose: a secret is a file, never a variable; each that the example names reaches who needs it', () => {
  const isSecret = (name: string) => ['TUNNEL_TOKEN', ...SECRET_NAMES].includes(name)
  for (const [name, { environment = {} }] of services)
    assert.deepEqual(
      Object.keys(environment).filter((key) => isSecret(key.replace(/_FILE$/, ''))),
      [],
      name,
    )
  const example = Object.keys(parseEnv(read('.env.example'))).filter(isSecret) as SecretName[]
  assert.deepEqual(
    GENERATED_NAMES.filter((name) => !example.includes(name)),
    [],
  )
  assert.match(`${file.services['tunnel']?.['command']}`, /,run,--token-file=\/run\/secrets\/tunnel-token$/)
  assert.deepEqual(file.secrets, Object.fromEntries(example.map((name) => [credentialId(name), { environment: name }])))
  assert.deepEqual(file.services['secrets']?.['secrets'], Object.keys(file.secrets))
  const script = read('templates/compose/hand-out-secrets.sh')
  for (const id of Object.keys(file.secrets)) assert.match(script, new RegExp(`\\b${id}\\b`), id)
})
