/** Preflight: every reason at once, none on a good host, and that looking touches nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gatherPreflightFacts, type PreflightFacts, preflightProblems } from '../../../scripts/converge/preflight.ts'
import type { GetFact } from '../../../scripts/core/host.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { factsHere, here, trixie } from '../known-host.ts'
import { text } from '../roles/blank-host.ts'

const waiting = text('scripts/first-boot.sh')

const spec = parseHostSpec(
  { preflight: { diskFreeMegabytesMin: 8000, memoryMegabytesMin: 2000, clockSkewSecondsMax: 60 } },
  'the test',
)
const nowMs = Date.parse('2026-11-24T12:00:00Z')
const good: PreflightFacts = {
  uid: 0,
  traits: trixie,
  isSystemdRunning: true,
  isInstalled: false,
  ownSocketPorts: [],
  listeners: [],
  diskFreeMegabytes: { '/opt': 9000, '/var/lib': 9000 },
  memoryMegabytes: 4000,
  clockMs: nowMs,
  calendars: [{ setting: 'backup.schedule', expression: 'daily', problem: '' }],
  firstBoot: { state: '', problem: '' },
}

const listener = (port: number, program: string, unit: string) => ({ port, program, unit })

const rows: readonly Readonly<{ name: string; seen: Partial<PreflightFacts>; problems: readonly string[] }>[] = [
  { name: 'a good host', seen: {}, problems: [] },
  { name: 'cloud-init has ended', seen: { firstBoot: { state: 'done', problem: '' } }, problems: [] },
  { name: 'cloud-init has failed', seen: { firstBoot: { state: 'error', problem: 'x' } }, problems: [] },
  {
    name: 'cloud-init does not end',
    seen: { firstBoot: { state: 'running', problem: '' } },
    problems: [
      'cloud-init is still running after 10 minutes: it rewrites the sources of apt and host keys, and may start the machine anew',
    ],
  },
  { name: 'not root', seen: { uid: 1000 }, problems: ['root privileges required: commands run as user 1000'] },
  {
    name: 'another system',
    seen: { traits: { ...trixie, distribution: 'fedora', versionId: '43', codename: '' } },
    problems: [
      'the operating system is not supported: it is fedora 43, not one of Ubuntu 26.04, Ubuntu 24.04, Debian 12, Debian 13',
    ],
  },
  {
    name: 'a release that calls itself by the number of another',
    seen: { traits: { ...trixie, codename: 'forky' } },
    problems: [
      'the operating system is not supported: it is debian 13 (forky), not one of Ubuntu 26.04, Ubuntu 24.04, Debian 12, Debian 13',
    ],
  },
  {
    name: 'an older Ubuntu',
    seen: { traits: { ...trixie, distribution: 'ubuntu', versionId: '22.04', codename: 'jammy' } },
    problems: [
      'the operating system is not supported: it is ubuntu 22.04 (jammy), not one of Ubuntu 26.04, Ubuntu 24.04, Debian 12, Debian 13',
    ],
  },
  {
    name: 'Ubuntu 24.04',
    seen: { traits: { ...trixie, distribution: 'ubuntu', versionId: '24.04', codename: 'noble' } },
    problems: [],
  },
  { name: 'Debian 12', seen: { traits: { ...trixie, versionId: '12', codename: 'bookworm' } }, problems: [] },
  {
    name: 'another processor',
    seen: { traits: { ...trixie, platform: 'linux-riscv64' } },
    problems: ['the processor is not supported: it is linux-riscv64'],
  },
  {
    name: 'no systemd',
    seen: { isSystemdRunning: false },
    problems: ['systemd is not running: /run/systemd/system is absent'],
  },
  {
    name: 'a web server in the way, on both families',
    seen: { listeners: [listener(80, 'nginx', 'nginx.service'), listener(80, 'nginx', 'nginx.service')] },
    problems: ['port 80 is in use: nginx (nginx.service) listens on it'],
  },
  { name: 'our ingress', seen: { listeners: [listener(443, 'caddy', 'tappass-caddy.service')] }, problems: [] },
  {
    name: 'our socket',
    seen: { listeners: [listener(9620, 'systemd', 'init.scope')], ownSocketPorts: [9620] },
    problems: [],
  },
  {
    name: 'our socket for SPIFFE, and SPIRE',
    seen: {
      listeners: [
        listener(9621, 'systemd', 'init.scope'),
        listener(9622, 'spire-server', 'tappass-spire-server.service'),
      ],
      ownSocketPorts: [9621],
    },
    problems: [],
  },
  {
    name: 'others where identities are to be served',
    seen: { listeners: [listener(9621, 'nc', 'a.service'), listener(9622, 'nc', 'b.service')], ownSocketPorts: [9620] },
    problems: [
      'port 9621 is in use: nc (a.service) listens on it',
      'port 9622 is in use: nc (b.service) listens on it',
    ],
  },
  {
    name: 'a development gateway on our port',
    seen: { listeners: [listener(9620, 'node', 'session-1.scope')] },
    problems: ['port 9620 is in use: node (session-1.scope) listens on it'],
  },
  {
    name: 'the listener cannot be seen',
    seen: { listeners: [listener(443, '', '')] },
    problems: ['port 443 is in use: an unknown program listens on it'],
  },
  {
    name: 'not enough disk space for a first run',
    seen: { diskFreeMegabytes: { '/opt': 9000, '/var/lib': 7999 } },
    problems: ['not enough disk space in /var/lib: 7999 MB free, 8000 MB needed'],
  },
  {
    name: 'a host in use may be fuller',
    seen: { diskFreeMegabytes: { '/opt': 800, '/var/lib': 800 }, isInstalled: true },
    problems: [],
  },
  { name: 'not enough memory', seen: { memoryMegabytes: 1999 }, problems: ['not enough memory: 1999 MB'] },
  { name: 'a clock that is a little off', seen: { clockMs: nowMs - 60_000 }, problems: [] },
  {
    name: 'a clock that is wrong',
    seen: { clockMs: nowMs + 61_000 },
    problems: ['the clock of the host is wrong: it differs from the clock of this machine by 61 s'],
  },
  {
    name: 'a calendar that systemd does not understand',
    seen: {
      calendars: [
        {
          setting: 'backup.schedule',
          expression: 'daily at noon',
          problem: 'Failed to parse calendar specification',
        },
      ],
    },
    problems: ['backup.schedule: systemd does not accept "daily at noon": Failed to parse'],
  },
  {
    name: 'everything at once',
    seen: {
      uid: 1,
      isSystemdRunning: false,
      memoryMegabytes: 1,
      diskFreeMegabytes: { '/opt': 1 },
      clockMs: 0,
      listeners: [listener(80, 'a', '')],
    },
    problems: [
      'root privileges required',
      'systemd is not running',
      'not enough memory',
      'port 80 is in use',
      'not enough disk space',
      'the clock of the host is wrong',
    ],
  },
]

for (const { name, seen, problems } of rows) {
  test(`preflight: ${name}`, () => {
    const found = preflightProblems({ ...good, ...seen }, spec, nowMs)
    assert.equal(found.length, problems.length, JSON.stringify(found))
    for (const [index, { what, why, next }] of found.entries()) {
      assert.ok(`${what}: ${why}`.startsWith(problems[index] ?? '?'), `${what}: ${why}`)
      assert.ok(next, 'says what to do')
    }
  })
}

const ways = [
  {
    listener: listener(80, 'nginx', 'nginx.service'),
    next: /^keep it, .*ingress: \{ http: 8080.*ingress: none.*127\.0\.0\.1:9620; or if nothing needs nginx\.service: systemctl disable --now nginx/,
  },
  {
    listener: listener(443, 'haproxy', ''),
    next: /^keep it, .*ingress: none.*; or see what it is: ss -ltnp sport = :443/,
  },
  { listener: listener(9620, 'x', 'x.service'), next: /^if nothing needs x\.service: systemctl disable --now x/ },
]

for (const { listener: found, next } of ways) {
  test(`preflight: the ways out for ${found.program} on ${found.port}`, () => {
    const [problem] = preflightProblems({ ...good, listeners: [found] }, spec, nowMs)
    assert.match(problem?.next ?? '', next)
  })
}

test('preflight: of too little memory it says which settings fit', () => {
  const [problem] = preflightProblems({ ...good, memoryMegabytes: 970 }, spec, nowMs)
  assert.match(
    problem?.next ?? '',
    /"policy: \{ engine: embedded \}" and "instances: 1" and "preflight: \{ memoryMegabytesMin: 896 \}"$/,
  )
})

const asked = [
  { ingress: 'none', ports: ['9620'] },
  {
    ingress: { kind: 'caddy' as const, http: 8080, https: 8443, http3: true, names: [] },
    ports: ['8080', '8443', '9620'],
  },
  { ingress: { kind: 'caddy' as const, http: 80, https: 443, http3: true, names: [] }, ports: ['80', '443', '9620'] },
] as const

const { housekeeping } = parseHostSpec({}, 'the test')

for (const { ingress, ports } of asked) {
  test(`preflight: with ingress ${JSON.stringify(ingress)} it looks at ${ports.join(', ')}`, async () => {
    const seen: (readonly string[])[] = []
    const getFact: GetFact = async (fact) => {
      const { argv } = fact.query
      if (argv[2]?.startsWith('ss ')) seen.push(argv.slice(4))
      return fact.parse({ code: 1, stdout: '', stderr: '' })
    }
    const backup = { schedule: 'daily', keepDaily: 1, keepWeekly: 1, pointInTimeDays: 0 }
    await gatherPreflightFacts(
      getFact,
      { backup, housekeeping, ingress: ingress === 'none' ? ingress : { ...ingress, names: [] } },
      waiting,
    )
    assert.deepEqual(seen, [ports])
  })
}

test('preflight: this machine, as it is', async () => {
  const startMs = Date.now()
  const spec = {
    backup: { schedule: 'daily', keepDaily: 1, keepWeekly: 1, pointInTimeDays: 0 },
    housekeeping,
    ingress: { kind: 'caddy' as const, http: 80, https: 443, http3: true, names: [] },
  }
  const seen = await gatherPreflightFacts(factsHere(), spec, waiting)
  const uid = Number((await here({ argv: ['id', '-u'], effect: 'read' })).stdout)
  assert.equal(seen.uid, uid)
  assert.ok(seen.memoryMegabytes > 0)
  // In whole seconds.
  assert.ok(seen.clockMs > startMs - 1000 && seen.clockMs <= Date.now(), `${seen.clockMs}`)
  for (const free of Object.values(seen.diskFreeMegabytes)) assert.ok(free > 0)
})
