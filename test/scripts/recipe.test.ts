/** What a host shall look like, on every supported system: pure, so each is planned here against a blank machine. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { GetFact } from '../../scripts/core/host.ts'
import { firewallsFact } from '../../scripts/facts/firewall.ts'
import { ROLE_NAMES, recipe } from '../../scripts/recipe.ts'
import type { RotationMode } from '../../scripts/secrets/secret-rotation.ts'
import type { HostSpec } from '../../scripts/spec/host-spec.ts'
import { memoryLimits } from '../../scripts/spec/memory-limit.ts'
import { blank, planAll, specOf, systems, text, writtenBy } from './roles/blank-host.ts'

const provided = (value: string) => ({ sha256: 'aa', readValue: () => value })
const TOKEN = { 'tunnel-token': provided('the token') }
const CREDENTIALS = { 'tunnel-credentials': provided('{}') }
const CERTIFICATE = { 'tls-certificate': provided('a certificate'), 'tls-key': provided('its key') }

const resourcesOf = (written: unknown) => recipe(specOf(written), text).flatMap(({ resources }) => resources)

test('recipe: the order of roles is the one that docs and --only know', () => {
  assert.deepEqual(ROLE_NAMES, [
    'foundation',
    'docker',
    'secrets',
    'data',
    'opa',
    'identity',
    'gateway',
    'tunnel',
    'ingress',
    'firewall',
    'backup-copy',
    'backup',
    'housekeeping',
    'drift',
    'boot',
    'site',
    'settings',
  ])
})

/** Else the first that is recorded makes the folder, and a run with a plan on file stops there, for it was to be made by its own step. */
test('recipe: the folder of the record of what we made comes before whatever is recorded', () => {
  const recorded = /^(account|apt-package|apt-repository|secret|file|directory|archive|image):/
  assert.equal(
    resourcesOf({}).find(({ id }) => recorded.test(id) && !id.startsWith('file:/etc/apt/'))?.id,
    'directory:/etc/tappass',
  )
})

test('recipe: every resource has an address of its own', () => {
  const ids = resourcesOf({}).map(({ id }) => id)
  assert.deepEqual(ids, [...new Set(ids)])
})

for (const system of systems) {
  const name = `${system.id} ${system.codename}${system.hasCredentials ? '' : ' without systemd-creds'}`
  const written = async (spec: unknown = {}) => writtenBy(await planAll(resourcesOf(spec), blank(system)))

  test(`recipe on ${name}: no text has a hole in it`, async () => {
    for (const [path, content] of await written())
      assert.doesNotMatch(content, /\{\{|@REVISION@|undefined|\[object/, path)
  })

  test(`recipe on ${name}: units say what this systemd knows`, async () => {
    const texts = await written()
    for (const unit of ['tappass@', 'tappass-postgres', 'tappass-redis', 'tappass-caddy']) {
      const content = texts.get(`/etc/systemd/system/${unit}.service`) ?? ''
      assert.equal(content.includes('RestartSteps='), system.systemd >= 254, unit)
    }
    const gateway = texts.get('/etc/systemd/system/tappass@.service') ?? ''
    assert.equal(gateway.includes('LoadCredentialEncrypted='), system.hasCredentials)
    assert.equal(gateway.includes('LoadCredential=tappass-vault-key:/etc/credstore/'), !system.hasCredentials)
  })

  test(`recipe on ${name}: containers have no network, no capability, no writable root, no port, no entry point of the image`, async () => {
    const texts = await written()
    for (const unit of ['tappass-postgres', 'tappass-redis']) {
      const content = texts.get(`/etc/systemd/system/${unit}.service`) ?? ''
      for (const words of [
        '--network none',
        '--cap-drop ALL',
        '--read-only',
        '--security-opt no-new-privileges',
        '--entrypoint',
      ])
        assert.ok(content.includes(words), `${unit}: ${words}`)
      // Debian 12's engine (20.10) ends containers of `docker run --rm` when it comes back, live-restore or not.
      assert.doesNotMatch(content, / --rm /, unit)
      assert.doesNotMatch(content, /--publish|-p \d|--env|-e [A-Z]/)
    }
  })
}

const identities = { identity: { trustDomain: 'example.org' } }
const withSelector = (selector: string) => ({
  identity: { ...identities.identity, workloads: [{ id: 'spiffe://example.org/planner', selectors: [selector] }] },
})

const rows = [
  {
    name: 'a public name',
    spec: { domain: 'gw.example.com' },
    path: '/etc/tappass/caddy.env',
    has: 'TAPPASS_SITE=https://gw.example.com\nTAPPASS_OTHER_NAMES=refused\nTAPPASS_NAME=gw.example.com\nTAPPASS_TLS=public\n',
  },
  {
    name: 'a profile of the public authority',
    spec: { domain: 'gw.example.com', acme: { profile: 'shortlived' } },
    path: '/etc/tappass/caddy.env',
    has: 'TAPPASS_TLS=acme-profile\nTAPPASS_ACME_DIRECTORY=https://acme-v02.api.letsencrypt.org/directory\nTAPPASS_ACME_PROFILE=shortlived\n',
  },
  {
    name: 'another public authority',
    spec: { domain: 'gw.example.com', acme: { directory: 'https://ca.example.com/acme' } },
    path: '/etc/tappass/caddy.env',
    has: 'TAPPASS_TLS=acme\nTAPPASS_ACME_DIRECTORY=https://ca.example.com/acme\nTAPPASS_HTTP_PORT',
  },
  {
    name: 'no name',
    spec: { ingress: { names: ['203.0.113.9', 'GW', '2001:db8::7'] } },
    path: '/etc/tappass/caddy.env',
    has: 'TAPPASS_SITE=https://localhost, https://127.0.0.1, https://[::1], https://203.0.113.9, https://gw, https://[2001:db8::7], https://\nTAPPASS_OTHER_NAMES=served\nTAPPASS_NAME=localhost\nTAPPASS_TLS=internal\n',
  },
  {
    name: 'other ports',
    spec: { ingress: { http: 8080, https: 8443 } },
    path: '/etc/tappass/caddy.env',
    has: 'TAPPASS_HTTP_PORT=8080\nTAPPASS_HTTPS_PORT=8443\nTAPPASS_PROTOCOLS=h1 h2 h3\nTAPPASS_REDIRECT_PORT=:8443\n',
  },
  {
    name: 'without HTTP/3',
    spec: { ingress: { http3: false } },
    path: '/etc/tappass/caddy.env',
    has: '\nTAPPASS_PROTOCOLS=h1 h2\n',
  },
  {
    name: 'other ports behind a public name, to which 80 and 443 are forwarded',
    spec: { domain: 'gw.example.com', ingress: { http: 8080, https: 8443 } },
    path: '/etc/tappass/caddy.env',
    has: 'TAPPASS_HTTP_PORT=8080\nTAPPASS_HTTPS_PORT=8443\nTAPPASS_PROTOCOLS=h1 h2 h3\nTAPPASS_REDIRECT_PORT=\n',
  },
  {
    name: 'a name of one’s own on another port',
    spec: { domain: 'gw.internal', tls: 'internal', ingress: { https: 8443 } },
    path: '/etc/tappass/gateway.env',
    has: '\nTAPPASS_PUBLIC_URL=https://gw.internal:8443\n',
  },
  {
    name: 'an upstream',
    spec: { gateway: { upstream: 'http://m:1/v1' } },
    path: '/etc/tappass/gateway.env',
    has: 'TAPPASS_UPSTREAM_URL=http://m:1/v1',
  },
  {
    name: 'another user',
    spec: { deployUser: 'ops' },
    path: '/etc/sudoers.d/tappass',
    has: 'ops ALL=(root) NOPASSWD: TAPPASS',
  },
  {
    name: 'three instances',
    spec: { instances: 3 },
    path: '/etc/sudoers.d/tappass',
    has: 'systemctl restart tappass@3.service',
  },
  {
    name: 'a schedule',
    spec: { backup: { schedule: 'Sun *-*-* 01:00:00' } },
    path: '/etc/systemd/system/tappass-backup.timer',
    has: 'OnCalendar=Sun *-*-* 01:00:00',
  },
  {
    name: 'what is kept',
    spec: { backup: { keepDaily: 3, keepWeekly: 0 } },
    path: '/etc/systemd/system/tappass-backup.service',
    has: '--keep-daily 3 --keep-weekly 0',
  },
  {
    name: 'the public name',
    spec: { domain: 'gw.example.com' },
    path: '/etc/tappass/gateway.env',
    has: '\nTAPPASS_PUBLIC_URL=https://gw.example.com\n',
  },
  {
    name: 'more cache',
    spec: { redis: { maxMemoryMegabytes: 256 } },
    path: '/etc/systemd/system/tappass-redis.service',
    has: '--maxmemory 256mb',
  },
  {
    name: 'more memory',
    spec: { postgres: { memoryMegabytes: 4096 } },
    path: '/etc/systemd/system/tappass-postgres.service',
    has: '--memory 4096m',
  },
  {
    name: 'a trust domain',
    spec: identities,
    path: '/etc/tappass/gateway.env',
    has: '\nTAPPASS_SPIFFE_TRUST_DOMAIN=example.org\nTAPPASS_SPIFFE_SVID_DIR=/run/tappass-svid\n',
  },
  {
    name: 'lifetimes',
    spec: { identity: { ...identities.identity, x509SvidMinutes: 2, jwtSvidMinutes: 3, agentDays: 1, caDays: 6 } },
    path: '/etc/tappass/spire/server.conf',
    has: '    ca_ttl = "144h"\n    agent_ttl = "24h"\n    default_x509_svid_ttl = "2m"\n    default_jwt_svid_ttl = "3m"\n',
  },
  {
    name: 'a trust domain’s socket',
    spec: identities,
    path: '/etc/systemd/system/tappass@.service',
    has: '\nSockets=tappass.socket\nSockets=tappass-spiffe.socket\n',
  },
  {
    name: 'a user of identities',
    spec: identities,
    path: '/etc/sudoers.d/tappass',
    has: 'systemctl restart tappass-spire-agent.service',
  },
  {
    name: 'a workload of a container',
    spec: withSelector('docker:label:role:planner'),
    path: '/etc/systemd/system/tappass-spire-agent.service',
    has: '\nSupplementaryGroups=docker\n',
  },
  {
    name: 'a workload of a unit',
    spec: withSelector('systemd:id:planner.service'),
    path: '/etc/tappass/spire/agent.conf',
    has: 'WorkloadAttestor "systemd"',
  },
] as const

for (const { name, spec, path, has } of rows) {
  test(`recipe: ${name} is in ${path}`, async () => {
    const content = writtenBy(await planAll(resourcesOf(spec), blank(systems[0]))).get(path) ?? ''
    assert.ok(content.includes(has), content)
  })
}

test('recipe: without an ingress nothing of Caddy is laid down, and what is there goes', async () => {
  const resources = resourcesOf({ ingress: 'none' })
  const texts = writtenBy(await planAll(resources, blank(systems[0])))
  assert.deepEqual(
    [...texts].filter(([, content]) => /caddy/i.test(content)).map(([path]) => path),
    [],
  )
  assert.deepEqual(
    resources.map(({ id }) => id).filter((id) => id.includes('caddy')),
    [
      'absent-unit:tappass-caddy-standby.service',
      'absent-unit:tappass-caddy.service',
      'surplus-version:/opt/tappass/caddy',
    ],
  )
})

const STORED = {
  'database-url': provided('postgresql://serving@db'),
  'database-owner-url': provided('postgresql://owning@db'),
  'redis-url': provided('rediss://redis'),
}
const elsewhere = (database: string, redis: string) => ({
  ...specOf({ storage: { database, redis } }),
  secrets: Object.fromEntries(
    Object.entries(STORED).filter(([id]) => (id.startsWith('redis') ? redis : database) === 'external'),
  ),
})

for (const [database, redis] of [
  ['external', 'external'],
  ['external', 'container'],
  ['container', 'external'],
] as const)
  test(`recipe: database ${database}, Redis ${redis}: nothing of what is elsewhere is on the host`, async () => {
    const resources = recipe(elsewhere(database, redis), text).flatMap(({ resources }) => resources)
    const ids = resources.map(({ id }) => id)
    assert.deepEqual(ids, [...new Set(ids)])
    const texts = writtenBy(await planAll(resources, blank(systems[0])))
    const of = (path: string) => texts.get(path) ?? ''
    const instance = of('/etc/systemd/system/tappass@.service')
    const migrate = of('/etc/systemd/system/tappass-migrate.service')
    const settings = of('/etc/tappass/gateway.env')
    const isOurs = { postgres: database === 'container', redis: redis === 'container' }
    for (const name of ['postgres', 'redis'] as const) {
      assert.equal(texts.has(`/etc/systemd/system/tappass-${name}.service`), isOurs[name])
      for (const content of [instance, of('/etc/sudoers.d/tappass'), of('/etc/tmpfiles.d/tappass.conf')])
        assert.equal(content.includes(`/run/tappass/${name}`) || content.includes(`tappass-${name}`), isOurs[name])
      assert.equal(ids.includes(`absent-unit:tappass-${name}.service`), !isOurs[name])
    }
    assert.equal(/^DATABASE_URL=/m.test(settings), isOurs.postgres)
    assert.equal(/^REDIS_URL=/m.test(settings), isOurs.redis)
    assert.equal(instance.includes('LoadCredentialEncrypted=database-url:'), !isOurs.postgres)
    assert.equal(instance.includes('LoadCredentialEncrypted=redis-url:'), !isOurs.redis)
    assert.equal(instance.includes('postgres-password'), isOurs.postgres)
    assert.equal(instance.includes('database-owner-url'), false)
    assert.equal(migrate.includes('LoadCredentialEncrypted=database-owner-url:'), !isOurs.postgres)
    assert.equal(migrate.includes('UnsetEnvironment=DATABASE_URL DATABASE_OWNER_URL'), !isOurs.postgres)
    assert.equal(migrate.includes('PrivateNetwork=yes'), isOurs.postgres)
    assert.equal(texts.has('/etc/systemd/system/tappass-backup.timer'), isOurs.postgres)
    assert.equal(
      ids.some((id) => id.includes('docker')),
      isOurs.postgres || isOurs.redis,
    )
    for (const [path, content] of texts) assert.doesNotMatch(content, /@db\b|rediss:/, path)
  })

test('recipe: a database elsewhere without its address is refused', async () => {
  const written = { storage: { database: 'external' } }
  await assert.rejects(planAll(resourcesOf(written), blank(systems[0])), /the secret database-url is missing/)
})

test('recipe: with another address the rest of the one before goes', () => {
  const spec = { ...elsewhere('external', 'container'), secrets: { 'database-url': STORED['database-url'] } }
  const ids = recipe(spec, text).flatMap(({ resources }) => resources.map(({ id }) => id))
  assert.ok(ids.includes('surplus-secret:database') && ids.includes('secret:database-url'))
  assert.equal(ids.includes('secret:postgres-password'), false)
})

test('recipe: what is elsewhere has no share of the memory', () => {
  const limits = memoryLimits(specOf({ storage: { database: 'external', redis: 'external' } }), 1960)
  assert.deepEqual([limits.postgres, limits.redis], [0, 0])
  assert.ok(limits.gateway > memoryLimits(specOf({}), 1960).gateway)
})

const TUNNEL = '6ff42ae2-765d-4adf-8112-31c55c1551ef'

test('recipe: a tunnel by its token: no secret in what is laid down, nothing of Caddy, no port', async () => {
  const spec = { ...specOf({ ingress: { kind: 'tunnel' } }), secrets: TOKEN }
  const resources = recipe(spec, text).flatMap(({ resources }) => resources)
  const texts = writtenBy(await planAll(resources, blank(systems[0])))
  const unit = texts.get('/etc/systemd/system/tappass-tunnel@.service') ?? ''
  assert.match(unit, / run --token-file \$\{CREDENTIALS_DIRECTORY\}\/tunnel-token\n/)
  assert.match(unit, /^LoadCredentialEncrypted=tunnel-token:\/etc\/credstore\.encrypted\/tunnel-token$/m)
  assert.equal(texts.get('/etc/tappass/cloudflared.yml')?.split('\n')[1], 'no-autoupdate: true')
  for (const [path, content] of texts) assert.equal(content.includes('the token'), false, path)
  const ids = resources.map(({ id }) => id)
  assert.ok(ids.includes('unit:tappass-tunnel@1.service') && ids.includes('unit:tappass-tunnel@2.service'))
  assert.equal(texts.has('/etc/tappass/Caddyfile'), false)
})

test('recipe: a tunnel without its token is refused', async () => {
  await assert.rejects(planAll(resourcesOf({ ingress: { kind: 'tunnel' } }), blank(systems[0])), /tunnel-token/)
})

test('recipe: what serves is up before what served is stopped, whichever of both it is', () => {
  const of = (live: string) =>
    recipe({ ...specOf({ ingress: { kind: 'both', live } }), secrets: TOKEN }, text)
      .flatMap(({ resources }) => resources)
      .map(({ id }) => id)
      .filter((id) =>
        /^(unit:tappass-(tunnel@\d|caddy\.)|stopped-unit:tappass-caddy\.|surplus-instance:tappass-t|firewall|packet-filter)/.test(
          id,
        ),
      )
  const caddy = 'tappass-caddy.service'
  const tunnels = ['unit:tappass-tunnel@1.service', 'unit:tappass-tunnel@2.service']
  const [opened, closed] = [['firewall:ingress', 'packet-filter:ingress'], 'packet-filter:tappass']
  const stopped = [`unit:${caddy}`, `stopped-unit:${caddy}`]
  assert.deepEqual(of('tunnel'), [...tunnels, ...stopped, 'firewall:ingress', closed])
  assert.deepEqual(of('caddy'), [...opened, `unit:${caddy}`, 'surplus-instance:tappass-tunnel', closed])
  assert.deepEqual(of('both'), [...tunnels, ...opened, `unit:${caddy}`, closed])
})

test('recipe: a tunnel whose rules are kept here has them checked by cloudflared before they are in place', async () => {
  const ingress = { kind: 'tunnel', tunnel: { id: TUNNEL } }
  const spec = { ...specOf({ domain: 'gw.example.com', ingress }), secrets: CREDENTIALS }
  const changes = await planAll(
    recipe(spec, text).flatMap(({ resources }) => resources),
    blank(systems[0]),
  )
  const write = changes.find(({ action }) => action === 'write /etc/tappass/cloudflared.yml')
  const argv = write?.commands.map((command) => command.argv.join(' ')) ?? []
  assert.match(argv[1] ?? '', /current\/cloudflared tunnel --config \S+ ingress validate$/)
  const unit = writtenBy(changes).get('/etc/systemd/system/tappass-tunnel@.service') ?? ''
  assert.match(unit, / run --credentials-file \$\{CREDENTIALS_DIRECTORY\}\/tunnel-credentials\n/)
})

test('recipe: a certificate of one’s own reaches Caddy as a credential', async () => {
  const spec = { ...specOf({ domain: 'gw.example.com', tls: 'own' }), secrets: CERTIFICATE }
  const changes = await planAll(
    recipe(spec, text).flatMap(({ resources }) => resources),
    blank(systems[0]),
  )
  const unit = writtenBy(changes).get('/etc/systemd/system/tappass-caddy.service') ?? ''
  for (const id of ['tls-certificate', 'tls-key'])
    assert.match(unit, new RegExp(`^LoadCredentialEncrypted=${id}:`, 'm'))
  await assert.rejects(
    planAll(resourcesOf({ domain: 'gw.example.com', tls: 'own' }), blank(systems[0])),
    /tls-certificate/,
  )
})

test('recipe: without a trust domain nothing of SPIRE is laid down, and what is there goes', async () => {
  const resources = resourcesOf({})
  const texts = writtenBy(await planAll(resources, blank(systems[0])))
  assert.deepEqual(
    [...texts].filter(([, content]) => /spi(re|ffe)/i.test(content)).map(([path]) => path),
    [],
  )
  assert.deepEqual(
    resources.map(({ id }) => id).filter((id) => /spi(re|ffe)/.test(id)),
    ['spiffe-helper.service', 'spire-agent.service', 'spire-server.service', 'spiffe.socket'].map(
      (name) => `absent-unit:tappass-${name}`,
    ),
  )
})

test('recipe: an agent that no selector asks for it has no way to Docker and to systemd, and never trusts unseen', async () => {
  const texts = writtenBy(await planAll(resourcesOf(withSelector('unix:user:planner')), blank(systems[0])))
  const [config = '', unit = ''] = [
    '/etc/tappass/spire/agent.conf',
    '/etc/systemd/system/tappass-spire-agent.service',
  ].map((path) => texts.get(path))
  assert.doesNotMatch(config, /docker|systemd|insecure_bootstrap|join_token =|join_token_file/)
  assert.doesNotMatch(unit, /docker|joinToken/)
})

test('recipe: every resource of identities has an address of its own, too', () => {
  const ids = resourcesOf(identities).map(({ id }) => id)
  assert.deepEqual(ids, [...new Set(ids)])
})

test('recipe: the stand-in of Caddy is its unit, but for what starts it', async () => {
  const texts = writtenBy(await planAll(resourcesOf({}), blank(systems[0])))
  const linesOf = (name: string) => (texts.get(`/etc/systemd/system/${name}.service`) ?? '').split('\n')
  const [unit, standby] = [linesOf('tappass-caddy'), linesOf('tappass-caddy-standby')]
  const own = standby.filter((line) => !unit.includes(line) && !line.startsWith('#'))
  assert.deepEqual(
    own.map((line) => line.split('=')[0]),
    ['Description', 'Environment', 'ExecStartPre'],
  )
  const lacks = unit.filter((line) => !standby.includes(line)).map((line) => line.split('=')[0])
  assert.deepEqual(lacks, [
    'Description',
    'Environment',
    'ExecStartPre',
    'Restart',
    'RestartSec',
    'RestartSteps',
    'RestartMaxDelaySec',
    '[Install]',
    'WantedBy',
  ])
})

test('recipe: what is in force is written down, without files of the controller and without secrets', async () => {
  const texts = writtenBy(await planAll(resourcesOf({ domain: 'gw.example.com', instances: 3 }), blank(systems[0])))
  const settings = texts.get('/etc/tappass/tappass.yaml') ?? ''
  assert.match(settings, /^domain: gw\.example\.com$/m)
  assert.match(settings, /^instances: 3$/m)
  assert.doesNotMatch(settings, /^(release|secrets|images|node|caddy):/m)
  // A default belongs to the release: recorded, it would be this one's for ever, and strange to an older one.
  assert.deepEqual(
    settings.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    ['domain: gw.example.com', 'instances: 3'],
  )
  assert.match(texts.get('/etc/tappass/versions.lock') ?? '', /^ {2}postgres: postgres:16\S+@sha256:/m)
})

test('recipe: a private registry’s image is pulled, run and recorded in the place of the pinned one, a file of the controller is not recorded', async () => {
  const reference = `registry.example.com:5000/team/redis:7@sha256:${'0a'.repeat(32)}`
  const name = reference.replace(':7@', '@')
  const changes = await planAll(resourcesOf({ images: { redis: { reference }, postgres: {} } }), blank(systems[0]))
  const pulls = changes.flatMap(({ commands }) => commands.map(({ argv }) => argv)).filter((argv) => argv[1] === 'pull')
  assert.deepEqual(pulls.at(-1), ['docker', 'pull', '--quiet', name])
  assert.equal(pulls.length, 2)
  const texts = writtenBy(changes)
  assert.ok(texts.get('/etc/systemd/system/tappass-redis.service')?.includes(name))
  assert.doesNotMatch(texts.get('/etc/systemd/system/tappass-postgres.service') ?? '', /registry\.example/)
  const settings = parse(texts.get('/etc/tappass/tappass.yaml') ?? '')
  assert.deepEqual(settings, { images: { redis: { reference } } })
  assert.equal(parse(texts.get('/etc/tappass/versions.lock') ?? '').images.redis, reference)
})

test('recipe: every folder below /opt/tappass that programs are laid down in is looked after, before they are', () => {
  const ids = resourcesOf({}).map(({ id }) => id)
  for (const [folder, holds] of [
    ['releases', 'release:/opt/tappass'],
    ['node', 'archive:/opt/tappass/node/'],
    ['caddy', 'archive:/opt/tappass/caddy/'],
  ] as const) {
    const at = ids.indexOf(`directory:/opt/tappass/${folder}`)
    assert.ok(at >= 0, folder)
    assert.ok(at < ids.findIndex((id) => id.startsWith(holds)), folder)
  }
})

test('recipe: a program that was unpacked anew restarts what runs it', async () => {
  const revisions = async (marker: string) => {
    const getFact: GetFact = async (fact) =>
      fact.subject?.endsWith('/.tappass-archive')
        ? fact.parse({ code: 0, stdout: marker, stderr: '' })
        : await blank(systems[0])(fact)
    const texts = writtenBy(await planAll(resourcesOf({}), getFact))
    return ['tappass@', 'tappass-migrate', 'tappass-caddy'].map((unit) => {
      const content = texts.get(`/etc/systemd/system/${unit}.service`) ?? ''
      return /TAPPASS_REVISION=(\w+)|echo (\w+) >/.exec(content)?.slice(1).join('')
    })
  }
  const [first, second] = [await revisions('a'.repeat(64)), await revisions('b'.repeat(64))]
  for (const [index, revision] of first.entries()) assert.notEqual(revision, second[index])
})

test('recipe: the deploy user is in no group that is root or has all of sudo', async () => {
  const getFact: GetFact = async (fact) => {
    const row = fact.subject === 'gebruiker' ? 'gebruiker:x:1000:1000::/home/gebruiker:/bin/bash' : undefined
    const groups = ['docker', 'lxd', 'sudo', 'admin']
    const stdout = row ?? (groups.includes(fact.subject ?? '') ? `${fact.subject}:x:9:gebruiker` : undefined)
    return stdout === undefined ? await blank(systems[0])(fact) : fact.parse({ code: 0, stdout, stderr: '' })
  }
  const user = resourcesOf({}).find(({ id }) => id === 'account:gebruiker')
  const changes = await user?.plan(getFact)
  assert.deepEqual(
    changes?.map(({ action }) => action),
    ['docker', 'lxd', 'sudo', 'admin'].map((group) => `remove gebruiker from the group ${group}`),
  )
  for (const { reason } of changes ?? []) assert.match(reason, /root/)
})

test('recipe: sudo grants exact commands only', async () => {
  const sudoers = writtenBy(await planAll(resourcesOf({}), blank(systems[0]))).get('/etc/sudoers.d/tappass') ?? ''
  const commands = [...sudoers.matchAll(/^ {2}(\/\S+ .*?)(?:, \\)?$/gm)].map(([, command]) => command ?? '')
  assert.ok(commands.length > 15)
  assert.equal(commands.shift(), '/usr/local/bin/tappass status')
  for (const command of commands) {
    assert.match(command, /^\/usr\/bin\/(systemctl|journalctl) /)
    assert.doesNotMatch(command, /[*?[]/)
    assert.ok(/ (start|stop|restart) /.test(command) || /--no-pager|--follow/.test(command), command)
  }
})

test('recipe: Docker comes from its vendor with the pinned key, or from the distribution', async () => {
  const paths = async (source: string) =>
    [...writtenBy(await planAll(resourcesOf({ docker: { source } }), blank(systems[0]))).keys()].filter((path) =>
      /apt\/(keyrings|sources)/.test(path),
    )
  assert.deepEqual(await paths('distribution'), [])
  assert.deepEqual(await paths('vendor'), ['/etc/apt/keyrings/docker.asc', '/etc/apt/sources.list.d/docker.sources'])
})

test('recipe: of a Docker that is adopted neither settings nor process are touched', async () => {
  const resources = resourcesOf({ docker: { adopt: true }, proxy: { https: 'http://proxy:3128' } })
  const changes = await planAll(resources, blank(systems[0]))
  const texts = [...writtenBy(changes).keys()]
  assert.deepEqual(
    texts.filter((path) => /docker\/|docker\.service/.test(path) && !path.startsWith('/etc/apt/')),
    [],
  )
  const actions = changes.map(({ action }) => action).filter((action) => action.includes('docker.service'))
  assert.deepEqual(actions, ['enable docker.service', 'start docker.service'])
})

// What is undone is undone from the end: the host's own database is open again before an instance goes back to it.
test('recipe: data are moved before the schema and the instances, and what a failed move goes back to comes before they do', () => {
  const ids = resourcesOf({ storage: { database: 'external' } }).map(({ id }) => id)
  const order = [
    'database-move:host',
    'schema:/opt/tappass/releases',
    'unit:tappass.socket',
    'unit:tappass@1.service',
    'unit:tappass@.service',
    'database-return:host',
  ]
  assert.deepEqual(
    ids.filter((id) => order.includes(id)),
    order,
  )
})

// A rejection that nobody waits for would end the process, and with it the runs on all other hosts.
test('recipe: on a host that does not answer each resource fails, and leaves no promise behind that fails later', async () => {
  const silent: GetFact = async () => {
    await new Promise((resolve) => setImmediate(resolve))
    throw new Error('no answer')
  }
  // These make nothing, they only take away or put back.
  const asking = resourcesOf({}).filter(({ id }) => !/^(engine-trace|stored-secrets|database-return):/.test(id))
  for (const resource of asking) await assert.rejects(resource.plan(silent), /no answer/, resource.id)
  await new Promise((resolve) => setImmediate(resolve))
})

const idsOf = (more: Partial<HostSpec>) =>
  recipe({ ...specOf({}), ...more }, text).flatMap(({ resources }) => resources.map(({ id }) => id))
const rotating = (mode: RotationMode, ...ids: readonly string[]) => ({
  rotation: { ids, storedBefore: 1000, mode },
})
const handed = { sha256: 'aa', readValue: () => 'value' }
const PASSWORD_ENDS = ['rotated-secret:postgres-password', 'rotated-secret:postgres-owner-password']
const TOKEN_KEY = 'tappass-token-key'

const ROTATIONS: readonly Readonly<{
  name: string
  more: Partial<HostSpec>
  staged: string[]
  rotated: string[]
  replaced?: string[]
}>[] = [
  { name: 'an ordinary run ends what another one has begun', more: {}, staged: [], rotated: PASSWORD_ENDS },
  {
    name: 'a password is staged, and put in force by the same run',
    more: rotating('overlap', 'postgres-password'),
    staged: ['staged-secret:postgres-password'],
    rotated: PASSWORD_ENDS,
  },
  {
    name: 'a key that others have is staged, and stays so',
    more: rotating('overlap', TOKEN_KEY),
    staged: [`staged-secret:${TOKEN_KEY}`],
    rotated: PASSWORD_ENDS,
  },
  {
    name: 'until that is finished',
    more: rotating('finish', TOKEN_KEY),
    staged: [],
    rotated: [`rotated-secret:${TOKEN_KEY}`, ...PASSWORD_ENDS],
  },
  {
    name: 'what was exposed is staged, and finished by the same run',
    more: rotating('compromised', TOKEN_KEY),
    staged: [`staged-secret:${TOKEN_KEY}`],
    rotated: [`rotated-secret:${TOKEN_KEY}`, ...PASSWORD_ENDS],
  },
  {
    name: 'what each process has for itself is neither',
    more: rotating('overlap', 'tappass-jwt-secret', 'tappass-checkpoint-key'),
    staged: [],
    rotated: PASSWORD_ENDS,
  },
  {
    name: 'the vault key, whose earlier values are kept, neither',
    more: rotating('overlap', 'tappass-vault-key'),
    staged: [],
    rotated: PASSWORD_ENDS,
    replaced: ['replaced-secret:tappass-vault-key'],
  },
  {
    name: 'what is handed in is staged, but for a guarded key',
    more: { secrets: { 'tappass-admin-api-key': handed, [TOKEN_KEY]: handed, 'tappass-vault-key': handed } },
    staged: ['staged-secret:tappass-admin-api-key'],
    rotated: PASSWORD_ENDS,
  },
]

for (const { name, more, staged, rotated, replaced = [] } of ROTATIONS) {
  test(`recipe: rotation: ${name}`, () => {
    const ids = idsOf(more)
    const starting = (kind: string) => ids.filter((id) => id.startsWith(kind))
    const found = ['staged-secret:', 'rotated-secret:', 'replaced-secret:'].map(starting)
    assert.deepEqual(found, [staged, rotated, replaced])
    // First the value beside the old one, then each instance, then the end.
    const places = [
      staged.at(-1) ?? replaced[0],
      'unit:tappass@1.service',
      'unit:tappass@2.service',
      rotated[0],
    ].flatMap((id) => (id === undefined ? [] : [ids.indexOf(id)]))
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
  })
}

test('recipe: rotation: the authority of identities, where there are any, once all that follows it runs', () => {
  const more = rotating('overlap', 'spire-ca')
  assert.ok(!idsOf(more).some((id) => id.startsWith('spire-rotation')))
  const ids = idsOf({ ...more, identity: specOf(identities).identity })
  assert.ok(ids.indexOf('spire-rotation:server') > ids.indexOf('unit:tappass-spiffe-helper.service'))
})

test('recipe: another password is no reason to end the database', async () => {
  const data = recipe(specOf({}), text).find(({ role }) => role === 'data')?.resources ?? []
  const asked: string[] = []
  const { 0: system } = systems
  const getFact: GetFact = (fact) => {
    asked.push(JSON.stringify([fact.query.argv, fact.subject]))
    return blank(system)(fact)
  }
  for (const resource of data) if (resource.id === 'unit:tappass-postgres.service') await resource.plan(getFact)
  assert.ok(asked.length > 0)
  assert.deepEqual(
    asked.filter((question) => question.includes('postgres-password')),
    [],
  )
})

test('recipe: the packet filter lets in what the settings say; ufw gets what its one rule can say', async () => {
  const allow = [{ port: 8080 }, { port: 53, protocol: 'udp', from: ['10.0.0.0/8'] }]
  const rulesOf = async (spec: unknown) =>
    writtenBy(await planAll(resourcesOf(spec), blank(systems[0]))).get('/etc/tappass/firewall.nft')
  const rules = (await rulesOf({ ingress: { http: 8081 }, firewall: { allow } })) ?? ''
  assert.match(
    rules,
    /^ {4}tcp dport \{ 22, 443, 8081 \} accept\n {4}udp dport \{ 443 \} accept\n {4}tcp dport 8080 accept\n {4}ip saddr \{ 10/m,
  )
  assert.match((await rulesOf({ ingress: 'none' })) ?? '', /^ {4}tcp dport \{ 22 \} accept\n {4}counter$/m)
  assert.equal(await rulesOf({ firewall: 'none' }), undefined)
  const withUfw: GetFact = async (fact) =>
    (fact as unknown) === firewallsFact
      ? fact.parse({ code: 0, stdout: 'ufw\nufw-ipv6\n', stderr: '' })
      : await blank(systems[0])(fact)
  const inUfw = async (spec: unknown) =>
    writtenBy(await planAll(resourcesOf(spec), withUfw)).get('/etc/ufw/applications.d/tappass')
  assert.match((await inUfw({ firewall: { allow: [{ port: 8080 }] } })) ?? '', /^ports=80,443,8080\/tcp\|443\/udp$/m)
  assert.match((await inUfw({ ingress: 'none', firewall: { allow: [{ port: 8080 }] } })) ?? '', /^ports=8080\/tcp$/m)
  await assert.rejects(inUfw({ firewall: { allow } }), /ufw is active, and firewall\.allow has rules/)
})
