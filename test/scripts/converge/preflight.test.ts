/** Preflight: every reason at once, none on a good host, and that looking touches nothing. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Circumstances, lookAround, preflightFaults } from '../../../scripts/converge/preflight.ts'
import { here, lookHere, trixie } from '../known-host.ts'

const limits = { diskFreeMegabytesMin: 8000, memoryMegabytesMin: 2000, clockSkewSecondsMax: 60 }
const nowMs = Date.parse('2026-11-24T12:00:00Z')
const good: Circumstances = {
  uid: 0,
  traits: trixie,
  isSystemdRunning: true,
  isInstalled: false,
  isOurSocketOpen: false,
  listeners: [],
  diskFreeMegabytes: { '/opt': 9000, '/var/lib': 9000 },
  memoryMegabytes: 4000,
  clockMs: nowMs,
}

const listener = (port: number, program: string, unit: string) => ({ port, program, unit })

const rows: readonly Readonly<{ name: string; seen: Partial<Circumstances>; faults: readonly string[] }>[] = [
  { name: 'a good host', seen: {}, faults: [] },
  { name: 'not root', seen: { uid: 1000 }, faults: ['root is needed: commands run as user 1000'] },
  {
    name: 'another system',
    seen: { traits: { ...trixie, distribution: 'fedora', versionId: '43', codename: '' } },
    faults: ['the operating system is not supported: it is fedora 43, not one of Ubuntu 24.04, Debian 12, Debian 13'],
  },
  {
    name: 'a release that calls itself by the number of another',
    seen: { traits: { ...trixie, codename: 'forky' } },
    faults: [
      'the operating system is not supported: it is debian 13 (forky), not one of Ubuntu 24.04, Debian 12, Debian 13',
    ],
  },
  {
    name: 'an older Ubuntu',
    seen: { traits: { ...trixie, distribution: 'ubuntu', versionId: '22.04', codename: 'jammy' } },
    faults: [
      'the operating system is not supported: it is ubuntu 22.04 (jammy), not one of Ubuntu 24.04, Debian 12, Debian 13',
    ],
  },
  {
    name: 'Ubuntu 24.04',
    seen: { traits: { ...trixie, distribution: 'ubuntu', versionId: '24.04', codename: 'noble' } },
    faults: [],
  },
  { name: 'Debian 12', seen: { traits: { ...trixie, versionId: '12', codename: 'bookworm' } }, faults: [] },
  {
    name: 'another processor',
    seen: { traits: { ...trixie, platform: 'linux-riscv64' } },
    faults: ['the processor is not supported: it is linux-riscv64'],
  },
  {
    name: 'no systemd',
    seen: { isSystemdRunning: false },
    faults: ['systemd does not run here: /run/systemd/system is absent'],
  },
  {
    name: 'a web server in the way, on both families',
    seen: { listeners: [listener(80, 'nginx', 'nginx.service'), listener(80, 'nginx', 'nginx.service')] },
    faults: ['port 80 is taken: nginx (nginx.service) listens on it'],
  },
  { name: 'our ingress', seen: { listeners: [listener(443, 'caddy', 'tappass-caddy.service')] }, faults: [] },
  {
    name: 'our socket',
    seen: { listeners: [listener(9620, 'systemd', 'init.scope')], isOurSocketOpen: true },
    faults: [],
  },
  {
    name: 'a development gateway on our port',
    seen: { listeners: [listener(9620, 'node', 'session-1.scope')] },
    faults: ['port 9620 is taken: node (session-1.scope) listens on it'],
  },
  {
    name: 'nobody can be seen',
    seen: { listeners: [listener(443, '', '')] },
    faults: ['port 443 is taken: an unknown program listens on it'],
  },
  {
    name: 'too little disk for a first run',
    seen: { diskFreeMegabytes: { '/opt': 9000, '/var/lib': 7999 } },
    faults: ['too little disk under /var/lib: 7999 MB are free, 8000 MB are needed'],
  },
  {
    name: 'a host in use may be fuller',
    seen: { diskFreeMegabytes: { '/opt': 800, '/var/lib': 800 }, isInstalled: true },
    faults: [],
  },
  { name: 'too little memory', seen: { memoryMegabytes: 1999 }, faults: ['too little memory: 1999 MB'] },
  { name: 'a clock that is a little off', seen: { clockMs: nowMs - 60_000 }, faults: [] },
  {
    name: 'a clock that is far off',
    seen: { clockMs: nowMs + 61_000 },
    faults: ["the clock is far off: it differs from this machine's by 61 s"],
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
    faults: [
      'root is needed',
      'systemd does not run here',
      'too little memory',
      'port 80 is taken',
      'too little disk',
      'the clock is far off',
    ],
  },
]

for (const { name, seen, faults } of rows) {
  test(`preflight: ${name}`, () => {
    const found = preflightFaults({ ...good, ...seen }, limits, nowMs)
    assert.equal(found.length, faults.length, JSON.stringify(found))
    for (const [index, { what, why, next }] of found.entries()) {
      assert.ok(`${what}: ${why}`.startsWith(faults[index] ?? '?'), `${what}: ${why}`)
      assert.ok(next, 'says what to do')
    }
  })
}

test('preflight: this machine, as it is', async () => {
  const startMs = Date.now()
  const seen = await lookAround(lookHere())
  const uid = Number((await here({ argv: ['id', '-u'], effect: 'read' })).stdout)
  assert.equal(seen.uid, uid)
  assert.ok(seen.memoryMegabytes > 0)
  // In whole seconds.
  assert.ok(seen.clockMs > startMs - 1000 && seen.clockMs <= Date.now(), `${seen.clockMs}`)
  for (const free of Object.values(seen.diskFreeMegabytes)) assert.ok(free > 0)
})
