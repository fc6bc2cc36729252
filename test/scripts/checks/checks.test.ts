/**
 * The checks of `doctor`: on a good server each is well, on a bare machine those about a server are skipped with the reason; and for every
 * check a row of what makes it wrong.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { TOPICS } from '../../../scripts/checkup.ts'
import { judgeAll, type Seen } from '../../../scripts/diagnosis/check.ts'
import { countFindings, renderFindings } from '../../../scripts/diagnosis/finding-text.ts'
import { INTERNAL_PORTS, type Outside } from '../../../scripts/diagnosis/outside.ts'
import { parseProbe, probeFact } from '../../../scripts/diagnosis/probe.ts'
import type { Health } from '../../../scripts/output/host-health.ts'
import { GENERATED_SECRET_IDS } from '../../../scripts/secrets/secret-id.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { factsHere, trixie } from '../known-host.ts'

const nowMs = Date.parse('2026-11-26T12:00:00Z')
const pin = 'sha256:aa'
const versions = Buffer.from(`images:\n  postgres: postgres:16@${pin}\n  redis: redis:7@${pin}\n`).toString('base64')
const stat = (path: string, owner = 'root', mode = '0755') => `stat ${path} ${owner} ${mode}`

/** What a good server prints, a line for each key; a key that a row names is replaced. */
const good = [
  'SwapTotal 0',
  'MemTotal 8000000',
  'MemAvailable 4000000',
  'oom-kills 0',
  'cgroup cgroup2fs',
  'overlay yes',
  'user-namespaces 15000',
  'seccomp yes',
  'file-handles 1000 100000',
  'processes 200 4194304',
  'load 0.5 2',
  'own-name yes',
  'journal-kept yes',
  'journal-megabytes 200',
  'pressure 0.00',
  'io-pressure 1.50',
  'unattended on',
  'package unattended-upgrades',
  'package needrestart',
  'package apparmor',
  'needrestart-kept yes',
  'lists-age 1',
  'apparmor Y',
  'open 22 sshd',
  'open 443 caddy',
  'open 80 caddy',
  'route4 default via 192.0.2.1',
  'firewall ufw',
  'resolver 192.0.2.1',
  'upstream api.openai.com',
  'upstream-known yes',
  'syncookies on',
  'listen-queue 4096',
  'link eth0 up 1500',
  'deploy-user gebruiker',
  'deploy-there yes',
  'deploy-groups gebruiker',
  'deploy-keys 1',
  'sshd-passwordauthentication no',
  'sshd-permitrootlogin prohibit-password',
  'sshd-permitemptypasswords no',
  stat('/etc/tappass'),
  stat('/etc/tappass/tappass.yaml', 'root', '0644'),
  stat('/etc/sudoers.d/tappass', 'root', '0440'),
  stat('/opt/tappass'),
  stat('/var/lib/tappass'),
  stat('/var/lib/tappass/backup', 'root', '0700'),
  stat('/var/lib/tappass/postgres/cluster', 'UNKNOWN', '0700'),
  'sudoers valid',
  'command yes',
  ...GENERATED_SECRET_IDS.flatMap((id) => [`stored ${id}`, `age 3 ${id}`]),
  'host-key root 400',
  'handles 524288',
  'enabled enabled',
  'memory tappass@1.service 1000 10000',
  'next-backup Fri 2026-11-27 03:17:00 UTC',
  'docker-version 26.1',
  'live-restore true',
  'storage overlay2',
  `image postgres sha256:11 ["postgres@${pin}"] []`,
  `image redis sha256:22 ["redis@${pin}"] []`,
  `versions ${versions}`,
  'socket root docker 660',
  'postgres yes',
  'role tappass',
  'role tappass_owner',
  'role tappass_backup',
  'role tappass_archive',
  'checksum-failures 0',
  'connections 20 100',
  'transactions-age 1000',
  'migration 001_schema.sql',
  'release-migration 001_schema.sql',
  'server 160014',
  'cluster 16',
  'redis-default NOAUTH Authentication required.',
  'redis-ours PONG',
  'redis-flush NOPERM this user has no permissions',
  'checkpoint-age 60',
  'dump 1000 1000000',
  'dumps 3 3',
  'through 200',
  'redirect 308',
  'header strict-transport-security',
  'caddyfile valid',
  'certificates 2',
]

const health: Health = {
  isHealthy: true,
  release: '1.0.0',
  gateway: 'healthy',
  units: [
    {
      unit: 'tappass@1.service',
      state: 'active (running)',
      isDesired: true,
      isHealthy: true,
      since: '',
      revision: 'a',
    },
  ],
  conditions: ['backup', 'disk', 'certificate', 'clock', 'docker', 'drift'].map((name) => ({
    name,
    state: 'well',
    isWell: true,
  })),
  lastBackup: undefined,
}
const [unitOfHealth] = health.units as [Health['units'][number]]
const outside: Outside = {
  skipped: '',
  ports: new Map([...INTERNAL_PORTS.map((port) => [port, 'connection refused'] as const), [80, ''], [443, '']]),
  addresses: ['192.0.2.7'],
  chain: '',
  daysLeft: 60,
  health: 'healthy',
}
const spec = parseHostSpec(
  { domain: 'gw.example.com', gateway: { upstream: 'https://models.example.com/v1' } },
  'the test',
)
const preflight: Seen['preflight'] = {
  uid: 0,
  traits: trixie,
  isSystemdRunning: true,
  isInstalled: true,
  ownSocketPorts: [9620],
  listeners: [],
  diskFreeMegabytes: { '/opt': 90_000, '/var/lib': 90_000 },
  memoryMegabytes: 8000,
  clockMs: nowMs,
  calendars: [{ setting: 'backup.schedule', expression: 'daily', problem: '' }],
  firstBoot: { state: 'done', problem: '' },
}

type Part = Partial<Omit<Seen, 'probe'>>
type Change = Readonly<{ probe?: readonly string[]; without?: readonly string[] }> & Part

const seenWith = ({ probe = [], without = [], ...rest }: Change): Seen => {
  // A path is part of the key of its row.
  const keyOf = (line: string) =>
    line.startsWith('stat ') ? line.split(' ').slice(0, 2).join(' ') : line.split(' ')[0]
  const replaced = new Set([...probe.map(keyOf), ...without])
  const lines = [...good.filter((line) => !replaced.has(keyOf(line))), ...probe]
  return { probe: parseProbe(lines.join('\n')), preflight, health, outside, spec, nowMs, ...rest }
}
const condition = (name: string): Part => ({
  health: { ...health, conditions: [{ name, state: 'bad', isWell: false }] },
})
const unitWith = (change: Partial<Health['units'][number]>): Part => ({
  health: { ...health, units: [{ ...unitOfHealth, ...change }] },
})
const facts = (change: Partial<Seen['preflight']>): Part => ({ preflight: { ...preflight, ...change } })
const from = (change: Partial<Outside>): Part => ({ outside: { ...outside, ...change } })
const port = (number: number, problem: string) => from({ ports: new Map([...outside.ports, [number, problem]]) })
const keyed = parseHostSpec({ deployUser: { name: 'ada', keys: [] } }, 'the test')
const withKey = { ...keyed, deployUser: { ...keyed.deployUser, keys: ['ssh-ed25519 AAAA', 'ssh-ed25519 BBBB'] } }

/** By check: what makes it wrong. `warn` where it is only to be looked at. */
const rows: Readonly<Record<string, Change & { status?: 'warn' }>> = {
  'preflight.root': facts({ uid: 1000 }),
  'preflight.distribution': facts({ traits: { ...trixie, codename: 'sid' } }),
  'preflight.processor': facts({ traits: { ...trixie, platform: 'linux-riscv64' } }),
  'preflight.systemd': facts({ isSystemdRunning: false }),
  'preflight.memory': facts({ memoryMegabytes: 900 }),
  'preflight.ports': facts({ listeners: [{ port: 443, program: 'nginx', unit: 'nginx.service' }] }),
  'preflight.disk': facts({ diskFreeMegabytes: { '/opt': 10 } }),
  'preflight.clock': facts({ clockMs: nowMs - 3_600_000 }),
  'preflight.calendar': facts({
    calendars: [{ setting: 'backup.schedule', expression: 'noonish', problem: 'Invalid' }],
  }),
  'preflight.first-boot': facts({ firstBoot: { state: 'running', problem: '' } }),
  'machine.reboot': { probe: ['reboot linux-image x'], status: 'warn' },
  'machine.failed-units': { probe: ['failed-unit nginx.service'], status: 'warn' },
  'machine.swap': { probe: ['MemTotal 1000000', 'MemAvailable 500000'], status: 'warn' },
  'machine.memory-left': { probe: ['MemAvailable 100000'] },
  'machine.oom': { probe: ['oom-kills 3'], status: 'warn' },
  'machine.cgroup': { probe: ['cgroup tmpfs'] },
  'machine.overlay': { probe: ['overlay no'] },
  'machine.namespaces': { probe: ['user-namespaces 0'] },
  'machine.seccomp': { probe: ['seccomp no'] },
  'machine.file-handles': { probe: ['file-handles 99000 100000'] },
  'machine.processes': { probe: ['processes 31000 32768'] },
  'machine.load': { probe: ['load 12.5 2'], status: 'warn' },
  'machine.read-only': { probe: ['read-only /var'] },
  'machine.name': { probe: ['own-name no'], status: 'warn' },
  'machine.journal-kept': { probe: ['journal-kept no'], status: 'warn' },
  'machine.journal-size': { probe: ['journal-megabytes 9000'], status: 'warn' },
  'machine.memory-pressure': { probe: ['pressure 45.10'], status: 'warn' },
  'machine.disk-pressure': { probe: ['io-pressure 45.10'], status: 'warn' },
  'machine.disks': condition('disk'),
  'machine.clock': condition('clock'),
  'packages.unfinished': { probe: ['unfinished curl'] },
  'packages.lock': { probe: ['locked /var/lib/dpkg/lock-frontend'], status: 'warn' },
  'packages.sources': { probe: ['sources Conflicting values set for option Signed-By'] },
  'packages.held': { probe: ['held docker-ce'], status: 'warn' },
  'packages.unattended': { without: ['unattended'], status: 'warn' },
  'packages.needrestart': { without: ['needrestart-kept'] },
  'packages.lists': { probe: ['lists-age 90'], status: 'warn' },
  'packages.apparmor': { probe: ['package unattended-upgrades'] },
  'network.internal': { probe: ['open 5432 postgres'] },
  'network.open': { probe: ['open 8000 python3'], status: 'warn' },
  'network.firewall': { without: ['firewall'], status: 'warn' },
  'network.guard': { probe: ['guard-pending yes'], status: 'warn' },
  'network.outbound': { probe: ['outbound yes', 'unresolved api.example.com'], status: 'warn' },
  'network.route': { without: ['route4'] },
  'network.resolver': { without: ['resolver', 'upstream-known'] },
  'network.upstream': { without: ['upstream-known'] },
  'network.syncookies': { without: ['syncookies'], status: 'warn' },
  'network.queue': { probe: ['listen-queue 128'], status: 'warn' },
  'network.link': { probe: ['link eth1 down 1500'], status: 'warn' },
  'network.mtu': { probe: ['link wg0 up 1200'], status: 'warn' },
  'network.clear-upstream': {
    spec: parseHostSpec({ gateway: { upstream: 'http://models.example.com/v1' } }, 'the test'),
    status: 'warn',
  },
  'access.deploy-user': { without: ['deploy-there'] },
  'access.deploy-groups': { probe: ['deploy-groups gebruiker docker'] },
  'access.deploy-rights': { probe: ['deploy-all (ALL : ALL) NOPASSWD: ALL'] },
  'access.deploy-keys': { spec: withKey },
  'access.deploy-folder': { probe: ['deploy-open /home/gebruiker/.ssh'] },
  'access.ssh-password': { probe: ['sshd-passwordauthentication yes'], status: 'warn' },
  'access.ssh-root': { probe: ['sshd-permitrootlogin yes'], status: 'warn' },
  'access.ssh-empty': { probe: ['sshd-permitemptypasswords yes'] },
  'access.no-password': { probe: ['no-password guest'] },
  'access.second-root': { probe: ['second-root toor'] },
  'access.service-shell': { probe: ['service-shell tappass'] },
  'access.sudo-all': { probe: ['sudo-all /etc/sudoers.d/90-cloud-init-users'], status: 'warn' },
  'files.config': { probe: [stat('/etc/tappass', 'root', '0777')] },
  'files.settings': { probe: ['stat /etc/tappass/tappass.yaml absent'] },
  'files.sudoers': { probe: [stat('/etc/sudoers.d/tappass', 'root', '0644')] },
  'files.programs': { probe: [stat('/opt/tappass', 'ada')] },
  'files.state': { probe: [stat('/var/lib/tappass', 'tappass')] },
  'files.backups': { probe: [stat('/var/lib/tappass/backup', 'root', '0755')] },
  'files.cluster': { probe: [stat('/var/lib/tappass/postgres/cluster', 'UNKNOWN', '0750')] },
  'files.writable-program': { probe: ['writable /opt/tappass/node/24/bin/node'] },
  'files.open-backup': { probe: ['open-backup tappass-1.dump'] },
  'files.units': { probe: ['open-unit tappass.target'] },
  'files.sudoers-valid': { probe: ['sudoers /etc/sudoers:9: syntax error'] },
  'files.command': { probe: ['command no'] },
  'files.left': { probe: ['left /etc/tappass/.caddy.env.tappass-new'] },
  'files.drift': condition('drift'),
  'secrets.stored': { probe: ['stored tappass-admin-api-key'] },
  'secrets.readable': { probe: ['unreadable tappass-vault-key'] },
  'secrets.closed': { probe: ['open-secret tappass-vault-key'] },
  'secrets.empty': { probe: ['empty tappass-vault-key'] },
  'secrets.host-key': { probe: ['host-key root 644'] },
  'secrets.unshown': { probe: ['unshown tappass-admin-api-key'], status: 'warn' },
  'secrets.age': { probe: ['age 400 tappass-jwt-secret'], status: 'warn' },
  'secrets.overlap': {
    probe: [...GENERATED_SECRET_IDS.map((id) => `stored ${id}`), 'stored tappass-token-key-next'],
    status: 'warn',
  },
  'secrets.litter': { probe: ['litter /run/tappass-secret.x'] },
  'units.running': unitWith({ isHealthy: false, state: 'failed (failed)' }),
  'units.revision': unitWith({ isHealthy: false, desiredRevision: 'b' }),
  'units.surplus': { ...unitWith({ isDesired: false }), status: 'warn' },
  'units.masked': { probe: ['masked tappass-redis.service'] },
  'units.override': { probe: ['override /etc/systemd/system/tappass@.service.d/x.conf'], status: 'warn' },
  'units.unread': { probe: ['unread tappass.socket'] },
  'units.restarts': { probe: ['restarts tappass@1.service 12'], status: 'warn' },
  'units.memory': { probe: ['memory tappass@1.service 9900 10000'], status: 'warn' },
  'units.handles': { probe: ['handles 1024'] },
  'units.enabled': { probe: ['enabled disabled'] },
  'units.libraries': { probe: ['replaced tappass@1.service'], status: 'warn' },
  'units.timer': { probe: ['next-backup n/a'] },
  'units.migration': { probe: ['migrate-unit failed'] },
  'docker.answers': { probe: ['docker-version '] },
  'docker.live-restore': { probe: ['live-restore false'], status: 'warn' },
  'docker.storage': { probe: ['storage vfs'], status: 'warn' },
  'docker.published': { probe: ['published web 0.0.0.0:8080->80/tcp'], status: 'warn' },
  'docker.ended': { probe: ['ended tappass-redis'] },
  'docker.images': { probe: ['image redis sha256:22 ["redis@sha256:bb"] []'] },
  'docker.remapping': { probe: ['remapping yes'] },
  'docker.socket': { probe: ['socket root docker 666'] },
  'docker.api': { probe: ['api 0.0.0.0:2375'] },
  'docker.members': { probe: ['member ada'], status: 'warn' },
  'database.postgres': { without: ['postgres'] },
  'database.roles': { probe: ['role tappass'] },
  'database.superuser': { probe: ['superuser tappass'] },
  'database.privileges': { probe: ['may-create tappass_owner'] },
  'database.schema': { probe: ['release-migration 001_schema.sql', 'release-migration 002_more.sql'] },
  'database.checksums': { probe: ['checksum-failures 2'] },
  'database.connections': { probe: ['connections 95 100'], status: 'warn' },
  'database.transactions': { probe: ['transactions-age 1900000000'] },
  'database.waiting': { probe: ['waiting 4711'], status: 'warn' },
  'database.cluster': { probe: ['had 16'] },
  'storage.redis': { probe: ['redis-ours Could not connect'] },
  'storage.redis-closed': { probe: ['redis-default PONG'] },
  'storage.redis-rights': { probe: ['redis-flush maxmemory'] },
  'storage.checkpoint': { without: ['checkpoint-age'] },
  'storage.checkpoint-whole': { probe: ['empty-checkpoint 1-01'] },
  'storage.backup': condition('backup'),
  'storage.point-in-time': condition('point-in-time'),
  'storage.backup-copy': condition('backup-copy'),
  'storage.backup-room': { probe: ['dump 1000000 1000'] },
  'storage.backup-whole': { probe: ['unproven tappass-20261127T031700Z'], status: 'warn' },
  'storage.backup-secrets': { probe: ['unsealed tappass-20261127T031700Z'], status: 'warn' },
  'ingress.gateway': { health: { ...health, gateway: 'unhealthy' } },
  'ingress.release': { health: { ...health, release: '' } },
  'ingress.certificate': condition('certificate'),
  'ingress.through': { probe: ['through 502'] },
  'ingress.redirect': { probe: ['redirect 000'] },
  'ingress.header': { without: ['header'], status: 'warn' },
  'ingress.caddyfile': { probe: ['caddyfile wrong'] },
  'ingress.certificates': { probe: ['certificates 9000'], status: 'warn' },
  'outside.https': port(443, 'no answer within 4 s'),
  'outside.http': port(80, 'connection refused'),
  'outside.closed': port(5432, ''),
  'outside.name': from({ addresses: [] }),
  'outside.address': { ...from({ addresses: ['203.0.113.9'] }), status: 'warn' },
  'outside.chain': from({ chain: 'CERT_HAS_EXPIRED' }),
  'outside.expiry': from({ daysLeft: 3 }),
  'outside.health': from({ health: 'HTTP 502' }),
}

const findingOf = (id: string, change: Change) =>
  judgeAll(TOPICS, seenWith(change)).find((finding) => finding.id === id)
const ids = TOPICS.flatMap(({ checks }) => checks.map(({ id }) => id))

test('there are more than a hundred, each with an id of its own and a row', () => {
  assert.ok(ids.length > 100, `${ids.length}`)
  assert.deepEqual(ids, [...new Set(ids)])
  assert.deepEqual(ids.toSorted(), Object.keys(rows).toSorted())
})

test('on a good server each is well, or skipped with a reason', () => {
  const findings = judgeAll(TOPICS, seenWith({}))
  assert.deepEqual(
    findings.filter(({ status }) => status === 'warn' || status === 'fail'),
    [],
  )
  assert.deepEqual(
    findings.flatMap(({ id, status }) => (status === 'skipped' ? [id] : [])),
    ['access.deploy-keys', 'storage.point-in-time', 'storage.backup-copy'],
  )
})

describe('what makes it wrong', () => {
  for (const [id, { status = 'fail', ...change }] of Object.entries(rows)) {
    test(id, () => {
      const found = findingOf(id, change)
      assert.equal(found?.status, status, JSON.stringify(found))
      assert.ok(found.status === status)
      assert.ok(found.reason.length > 0 && !/undefined|NaN/.test(found.reason), found.reason)
      assert.ok(found.remedy.length > 0 && !/undefined|NaN/.test(found.remedy), found.remedy)
      assert.ok(['ok', 'skipped'].includes(findingOf(id, {})?.status ?? ''), 'and without it is well')
    })
  }
})

test('before an installation: what is about a server is skipped, all that the preflight asks is there, a bare machine is no fault', () => {
  const bare = {
    ...seenWith(facts({ isInstalled: false })),
    probe: parseProbe(''),
    health: { ...health, conditions: [] },
  }
  const findings = judgeAll(TOPICS, bare)
  const state = (id: string) => findings.find((finding) => finding.id === id)?.status
  assert.equal(state('files.config'), 'skipped')
  assert.equal(state('preflight.memory'), 'ok')
  assert.equal(findings.filter(({ status, id }) => status === 'fail' && !/^(machine|network)\./.test(id)).length, 0)
})

test('the text: what is wrong first, with its reason and what to type here; what a host wrote commands no terminal', () => {
  const findings = judgeAll(TOPICS, seenWith({ probe: ['enabled dis\u001b[2Jabled', 'oom-kills 1'] }))
  const text = renderFindings(findings, './tappass', false)
  assert.deepEqual(text.trimEnd().split('\n'), [
    'WRONG  units.enabled: tappass.target is dis\\u{1b}[2Jabled',
    '       next:  ./tappass bootstrap',
    'look   machine.oom: 1 since the machine was started',
    '       next:  journalctl -k --grep "Killed process" -n 5   (on the host)',
    `${ids.length} checks: 1 wrong, 1 to look at, ${ids.length - 5} well, 3 skipped`,
  ])
  assert.deepEqual(countFindings(findings), { ok: ids.length - 5, skipped: 3, warn: 1, fail: 1 })
  assert.match(renderFindings(findings, 'tappass', true), /^ok {5}machine\.cgroup: /m)
})

test('what is asked is shell without a mistake, and each subject answers here', async () => {
  const fact = probeFact(TOPICS.map(({ probe }) => probe).filter((text) => text !== ''))
  execFileSync('sh', ['-n', '-c', fact.query.argv[2] ?? ''])
  const probe = await factsHere()(fact)
  for (const key of ['kernel', 'MemTotal', 'apparmor', 'stat', 'next-backup', 'listen-queue', 'backups'])
    assert.ok(probe.all(key).length > 0, key)
})

describe('a database and a Redis elsewhere', () => {
  const external = parseHostSpec({ storage: { database: 'external', redis: 'external' } }, 'the test')
  const verdictOf = (id: string, change: Change = {}) =>
    judgeAll(TOPICS, seenWith({ spec: external, ...change })).find((each) => each.id === id)

  test('what only a container can say is not asked', () => {
    const skipped = judgeAll(
      TOPICS,
      seenWith({ spec: external, without: ['postgres', 'docker-version', 'redis-ours'] }),
    )
      .filter(({ status }) => status === 'skipped')
      .map(({ id }) => id)
    for (const id of [
      'database.postgres',
      'database.superuser',
      'docker.answers',
      'storage.redis',
      'storage.backup',
      'units.timer',
      'files.cluster',
    ])
      assert.ok(skipped.includes(id), id)
    assert.equal(skipped.includes('storage.checkpoint'), false)
  })

  test('the addresses take the place of the passwords', () => {
    const stored = GENERATED_SECRET_IDS.filter((id) => !id.startsWith('postgres')).map((id) => `stored ${id}`)
    assert.equal(verdictOf('secrets.stored', { probe: stored })?.status, 'fail')
    const all = [...stored, 'stored database-url', 'stored redis-url']
    assert.equal(verdictOf('secrets.stored', { probe: all })?.status, 'ok')
  })
})
