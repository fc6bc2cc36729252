/** How a host does: what counts as well, the table, and what to type. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fact, GetFact } from '../../../scripts/core/host.ts'
import { contentFact, targetFact } from '../../../scripts/facts/path.ts'
import { type UnitState, unitsFact } from '../../../scripts/facts/unit.ts'
import { nextCommand } from '../../../scripts/output/health-advice.ts'
import { conditionsFact } from '../../../scripts/output/host-condition.ts'
import { gatherHealth, isInstalled, renderHealth, unhealthyParts } from '../../../scripts/output/host-health.ts'
import { RUNNING_UNIT } from '../running-unit.ts'

const running: UnitState = {
  ...RUNNING_UNIT,
  name: 'tappass@1.service',
  mainPid: 1,
  replacedLibraries: [],
  sinceSeconds: Date.parse('2026-11-24T03:00:00Z') / 1000,
}
const backup: UnitState = {
  ...running,
  name: 'tappass-backup.service',
  active: 'inactive',
  sub: 'dead',
  sinceSeconds: 0,
  revision: undefined,
}
const desired = [
  ...[
    'tappass.target',
    'tappass.socket',
    'tappass-migrate.service',
    'tappass-postgres.service',
    'tappass-redis.service',
  ],
  ...[
    'tappass-caddy.service',
    'tappass-backup.timer',
    'tappass-check.timer',
    'tappass@2.service',
    'tappass-drift.timer',
    'tappass-drill.timer',
  ],
].map((name): UnitState => ({ ...running, name }))
const guard: UnitState = { ...backup, name: 'tappass-guard.service' }
const filter: UnitState = { ...running, name: 'tappass-firewall.service', sub: 'exited' }
const all: readonly UnitState[] = [
  running,
  backup,
  ...['check', 'drift', 'drill'].map((name) => ({ ...backup, name: `tappass-${name}.service` })),
  guard,
  ...desired,
]

const conditions = 'NOW=1\nDISK=x 1 1 9999999 1% /\nCLOCK=yes\nDOCKER=29\nSITE=/x/pages-1\n'
const certificate = 'CERTIFICATE_notBefore=Jan 1 00:00:00 1970 GMT\nCERTIFICATE_notAfter=Jan 1 12:00:00 1970 GMT\n'

type Host = Readonly<{
  units?: readonly UnitState[]
  health?: string
  current?: string | undefined
  settings?: string
  conditions?: string
  fileRevisions?: string
  environment?: string
}>

/** Units, the link and the settings are said; the other facts are read from what the host would print. */
const knowOf =
  (host: Host): GetFact =>
  async <T>(fact: Fact<T>): Promise<T> => {
    const { units = all, health = '{"status":"healthy"}', settings } = host
    const is = (other: Fact<unknown>) => JSON.stringify(other.query) === JSON.stringify(fact.query)
    if (is(unitsFact('tappass*'))) return units as T
    if (is(targetFact('/opt/tappass/current')))
      return ('current' in host ? host.current : '/opt/tappass/releases/1.2.3') as T
    if (is(contentFact('/etc/tappass/tappass.yaml'))) return settings as T
    if (is(contentFact('/etc/tappass/gateway.env'))) return host.environment as T
    const stdout = is(conditionsFact) ? (host.conditions ?? conditions + certificate) : (host.fileRevisions ?? '')
    if (fact.query.argv[0] !== 'curl') return fact.parse({ code: 0, stdout, stderr: '' })
    return fact.parse(
      health.startsWith('{') ? { code: 0, stdout: health, stderr: '' } : { code: 7, stdout: '', stderr: health },
    )
  }

const connected = [1, 2].map((number): UnitState => ({ ...running, name: `tappass-tunnel@${number}.service` }))
const without = (name: string) => all.filter((unit) => unit.name !== name)
const instead = (name: string, changes: Partial<UnitState>) =>
  all.map((unit) => (unit.name === name ? { ...unit, ...changes } : unit))

/** `unhealthy` names what is not well; `next` is what to type about it, and `bootstrap` a run. */
const rows: readonly Readonly<{ name: string; host: Host; unhealthy: readonly string[]; next?: RegExp }>[] = [
  { name: 'all is well', host: {}, unhealthy: [] },
  { name: 'with a packet filter', host: { units: [...all, filter] }, unhealthy: [] },
  {
    name: 'beside ufw: the packet filter is named by another unit, and has no file',
    host: { units: [...all, { ...filter, load: 'not-found', active: 'inactive', sub: 'dead', enabled: '' }] },
    unhealthy: [],
  },
  {
    name: 'what goes out is closed, and nobody follows the names',
    host: { units: [...all, filter], settings: 'firewall:\n  outbound: []\n' },
    unhealthy: ['tappass-outbound.service', 'tappass-outbound.timer'],
  },
  {
    name: 'the packet filter could not be loaded',
    host: { units: [...all, { ...filter, active: 'failed', sub: 'failed' }] },
    unhealthy: ['tappass-firewall.service'],
  },
  {
    name: 'a change could not be put back after a reboot',
    host: { units: instead('tappass-guard.service', { active: 'failed', sub: 'failed', result: 'exit-code' }) },
    unhealthy: ['tappass-guard.service'],
  },
  {
    name: 'the OPA server that the gateways ask is not there; the one of an earlier policy does not count',
    host: {
      environment: 'OPA_URL=unix:///run/tappass/opa/0123456789ab.sock\n',
      units: [...all, { ...running, name: 'tappass-opa@ffffffffffff.service', active: 'failed' }],
    },
    unhealthy: ['tappass-opa@0123456789ab.service'],
  },
  {
    name: 'the OPA server that the gateways ask runs',
    host: {
      environment: 'OPA_URL=unix:///run/tappass/opa/0123456789ab.sock\n',
      units: [...all, { ...running, name: 'tappass-opa@0123456789ab.service' }],
    },
    unhealthy: [],
  },
  {
    name: 'the gateway says it is not',
    host: { health: '{"status": "degraded"}' },
    unhealthy: ['gateway (degraded)'],
    next: /journalctl -u tappass@1\.service/,
  },
  {
    name: 'the gateway does not answer',
    host: { health: 'curl: (7) refused\n' },
    unhealthy: ['gateway (curl: (7) refused)'],
    next: /journalctl -u tappass@1\.service/,
  },
  {
    name: 'a unit failed',
    host: { units: instead('tappass-caddy.service', { active: 'failed' }) },
    unhealthy: ['tappass-caddy.service'],
    next: /journalctl -u tappass-caddy\.service/,
  },
  {
    name: 'a backup failed',
    host: { units: instead(backup.name, { result: 'exit-code', active: 'failed' }) },
    unhealthy: ['tappass-backup.service'],
    next: /journalctl -u tappass-backup\.service/,
  },
  { name: 'a backup is being taken', host: { units: instead(backup.name, { active: 'activating' }) }, unhealthy: [] },
  {
    name: 'a unit that is wanted and not loaded',
    host: { units: without('tappass-redis.service') },
    unhealthy: ['tappass-redis.service'],
    next: /^bootstrap$/,
  },
  {
    name: 'fewer instances than the settings say',
    host: { settings: 'instances: 3\n' },
    unhealthy: ['tappass@3.service'],
    next: /^bootstrap$/,
  },
  {
    name: 'an instance that nobody wants, and that failed',
    host: { settings: 'instances: 1\n', units: instead('tappass@2.service', { active: 'failed' }) },
    unhealthy: [],
  },
  {
    name: 'an instance that was not restarted since its file changed',
    host: { fileRevisions: 'tappass@.service:Environment=TAPPASS_REVISION=bbbb\n' },
    unhealthy: ['tappass@1.service', 'tappass@2.service'],
    next: /^bootstrap$/,
  },
  {
    name: 'all run what their files say',
    host: { fileRevisions: 'tappass@.service:Environment=TAPPASS_REVISION=aaaa\n' },
    unhealthy: [],
  },
  {
    name: 'Docker is down, and with it a unit',
    host: {
      units: instead('tappass-redis.service', { active: 'failed' }),
      conditions: `${conditions.replace('DOCKER=29', 'DOCKER_PROBLEM=no')}${certificate}`,
    },
    unhealthy: ['tappass-redis.service', 'docker (no)'],
    next: /journalctl -u docker /,
  },
  {
    name: 'no certificate',
    host: { conditions },
    unhealthy: ['certificate (none: nothing answers with TLS)'],
    next: /journalctl -u tappass-caddy\.service/,
  },
  {
    name: 'a tunnel is wanted, and both connectors are there',
    host: {
      settings: 'ingress: { kind: tunnel }\n',
      units: [...without('tappass-caddy.service'), ...connected],
      conditions: `${conditions}${'CONNECTOR=1 {"readyConnections":4}\n'.repeat(2)}`,
    },
    unhealthy: [],
  },
  {
    name: 'of both the tunnel serves, and a connector is gone',
    host: {
      settings: 'ingress: { kind: both, live: tunnel }\n',
      units: [...without('tappass-caddy.service'), ...connected.slice(1)],
      conditions: `${conditions}CONNECTOR=1 \nCONNECTOR=2 {"readyConnections":4}\n`,
    },
    unhealthy: ['tappass-tunnel@1.service', 'tunnel (1 of 2 connectors, 4 connections to the edge)'],
  },
  {
    name: 'of both Caddy serves',
    host: { settings: 'ingress: { kind: both }\n' },
    unhealthy: [],
  },
  {
    name: 'no site',
    host: { conditions: conditions.replace(/^SITE.*\n/m, '') + certificate },
    unhealthy: ['site (none: the documentation was not built)'],
    next: /^bootstrap$/,
  },
  {
    name: 'no site is wanted',
    host: { settings: 'site: none\n', conditions: conditions.replace(/^SITE.*\n/m, '') + certificate },
    unhealthy: [],
  },
  {
    name: 'no ingress is wanted, and none is there',
    host: {
      settings: 'ingress: none\n',
      units: without('tappass-caddy.service'),
      conditions: conditions.replace(/^SITE.*\n/m, ''),
    },
    unhealthy: [],
  },
  {
    name: 'identities are wanted, and none of their units is there',
    host: { settings: 'identity: { trustDomain: example.org }\n', conditions: `${conditions}${certificate}` },
    unhealthy: [
      'tappass-spiffe-helper.service',
      'tappass-spiffe.socket',
      'tappass-spire-agent.service',
      'tappass-spire-server.service',
    ],
  },
  {
    name: 'database and Redis are elsewhere: neither they nor backups nor Docker are missed',
    host: {
      settings: 'storage: { database: external, redis: external }\n',
      units: all.filter(({ name }) => !/postgres|redis|backup/.test(name)),
      conditions: `${conditions.replace('DOCKER=29', 'DOCKER_PROBLEM=not found')}DUE=@9000\nDATABASE=1\n${certificate}`,
    },
    unhealthy: [],
  },
  {
    name: 'Redis alone is elsewhere: Docker is missed',
    host: {
      settings: 'storage: { redis: external }\n',
      units: without('tappass-redis.service'),
      conditions: `${conditions.replace('DOCKER=29', 'DOCKER_PROBLEM=not found')}${certificate}`,
    },
    unhealthy: ['docker (not found)'],
  },
  {
    name: 'a clock that nothing sets',
    host: { conditions: `${conditions.replace('CLOCK=yes', 'CLOCK=no')}${certificate}` },
    unhealthy: ['clock (not synchronised: install and start a time service)'],
    next: /apt-get install systemd-timesyncd/,
  },
]

for (const { name, host, unhealthy, next } of rows) {
  test(`health: ${name}`, async () => {
    const health = await gatherHealth(knowOf(host))
    assert.deepEqual([health.isHealthy, unhealthyParts(health)], [unhealthy.length === 0, unhealthy])
    if (next !== undefined) assert.match(nextCommand(health, 'bootstrap'), next)
  })
}

test('health: a bare host has nothing, and nothing is wanted of it', async () => {
  const health = await gatherHealth(knowOf({ units: [], current: undefined, health: 'curl: (7) refused' }))
  assert.deepEqual([health.isHealthy, isInstalled(health), health.units], [false, false, []])
})

test('health: a host that lost its units is installed, and not well', async () => {
  const health = await gatherHealth(knowOf({ units: [], current: undefined, settings: '{}\n' }))
  assert.deepEqual([health.isHealthy, isInstalled(health)], [false, true])
})

test('health: the table', async () => {
  const units = [
    ...instead('tappass-caddy.service', { active: 'failed', sub: 'failed' }),
    { ...running, name: 'tappass@3.service' },
  ].filter(({ name }) => /caddy|@/.test(name))
  const health = await gatherHealth(knowOf({ units, conditions: `${conditions.replace('=yes', '=no')}${certificate}` }))
  assert.equal(
    renderHealth({ ...health, units: health.units.filter(({ unit }) => /caddy|@|redis/.test(unit)) }),
    `UNIT                     STATE                                  SINCE                     REVISION
tappass-caddy.service !  failed (failed)                        2026-11-24T03:00:00.000Z  aaaa
tappass-redis.service !  not loaded
tappass@1.service        active (running)                       2026-11-24T03:00:00.000Z  aaaa
tappass@2.service        active (running)                       2026-11-24T03:00:00.000Z  aaaa
tappass@3.service        active (running), not in the settings  2026-11-24T03:00:00.000Z  aaaa

release        1.2.3
gateway        healthy
backup         none yet
disk           /: 9765 MB free
certificate    11 h left
clock !        not synchronised: install and start a time service
docker         29
site           pages-1
`,
  )
})
