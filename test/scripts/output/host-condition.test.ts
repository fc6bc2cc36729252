/** What a server stands on: rows of what a host prints, and the question put to this machine. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { conditionsFact, judgeConditions } from '../../../scripts/output/host-condition.ts'

const at = (text: string): number => Date.parse(text) / 1000
const now = at('2026-11-26T12:00:00Z')
const takenAt = '2026-11-26T03:20:00.000Z'

/** A host on which all is well, as it prints it. */
const well: Readonly<Record<string, string | readonly string[]>> = {
  NOW: String(now),
  BACKUP: `{  "takenAt": "${takenAt}", "bytes": 123}`,
  DUMP_BYTES: '123',
  DUE: `@${at('2026-11-26T03:19:59Z')}`,
  RUNNING: 'inactive',
  DATABASE: String(at('2026-11-01T00:00:00Z')),
  DISK: ['/dev/sda1 40000000 20000000 18000000 53% /', '/dev/sda1 40000000 20000000 18000000 53% /'],
  INODES: ['/dev/sda1 2500000 100000 2400000 4% /'],
  CERTIFICATE_notBefore: 'Oct 27 00:00:00 2026 GMT',
  CERTIFICATE_notAfter: 'Jan 25 00:00:00 2027 GMT',
  CONNECTOR: ['1 {"status":200,"readyConnections":4}', '2 {"status":200,"readyConnections":3}'],
  CLOCK: 'yes',
  DOCKER: '29.1.0',
  SITE: '/var/lib/tappass/site/builds/pages-0123456789ab',
}

/** The manifest of a set. */
const set = (withheld: readonly string[]): string =>
  JSON.stringify({ format: 2, takenAt, files: [{ name: 'database.dump', bytes: 123 }], withheld })

const printed = (changes: Readonly<Record<string, string | readonly string[] | undefined>>): string =>
  Object.entries({ ...well, ...changes })
    .flatMap(([name, value = []]) => [value].flat().map((each) => `${name}=${each}\n`))
    .join('')

const conditionsOf = (text: string) =>
  judgeConditions(text).conditions.map(({ name, state, isWell }) => [name, state, isWell])

test('conditions: all is well', () => {
  assert.deepEqual(conditionsOf(printed({})), [
    ['backup', `${takenAt}, 8 h old, 123 bytes, verified when it was taken`, true],
    ['disk', '/: 17578 MB free', true],
    ['certificate', '59 days left', true],
    ['tunnel', '2 of 2 connectors, 7 connections to the edge', true],
    ['clock', 'synchronised', true],
    ['docker', '29.1.0', true],
    ['site', 'pages-0123456789ab', true],
  ])
})

type Row = readonly [
  name: string,
  changes: Readonly<Record<string, string | readonly string[] | undefined>>,
  condition: string,
  state: RegExp,
  isWell: boolean,
]

/** What the check has found so many hours ago: a license, a secret, an SVID, the webhook, each at a level. */
function check(levels: readonly string[], hours = 24): string {
  const things = [
    ['license', 'tappass-license'],
    ['secret', 'tappass-jwt-secret'],
    ['svid', 'svid.pem'],
    ['webhook', 'tappass-alert-url'],
  ] as const
  const findings = levels.map((level, at) => ({ check: things[at]?.[0], subject: things[at]?.[1], level, state: 's' }))
  return JSON.stringify({ at: new Date((now - hours * 3600) * 1000).toISOString(), findings })
}

const rows: readonly Row[] = [
  [
    'a connector that has lost the edge',
    { CONNECTOR: ['1 {"status":503,"readyConnections":0}', '2 {"status":200,"readyConnections":4}'] },
    ...(['tunnel', /^1 of 2 connectors, 4 connections/, false] as const),
  ],
  ['connectors that do not answer', { CONNECTOR: ['1 ', '2 '] }, 'tunnel', /^0 of 2 connectors/, false],
  ['no backup on the first day', { BACKUP: undefined, DUE: '' }, 'backup', /^none yet$/, true],
  [
    'no backup, and the stamp of the timer from the first run',
    { BACKUP: undefined, DUE: `@${at('2026-11-01T00:02:00Z')}` },
    ...(['backup', /^none yet$/, true] as const),
  ],
  ['no backup though one was due', { BACKUP: undefined }, 'backup', /^none, though one was due 8 h ago$/, false],
  [
    'the first backup is being taken',
    { BACKUP: undefined, RUNNING: 'activating' },
    ...(['backup', /^none yet; one is being taken$/, true] as const),
  ],
  [
    'the last night has none',
    { BACKUP: '{"takenAt":"2026-11-25T03:20:00.000Z","bytes":123}' },
    ...(['backup', /32 h old, 123 bytes: a newer one was due 8 h ago$/, false] as const),
  ],
  [
    'the last night is late, and on its way',
    { BACKUP: '{"takenAt":"2026-11-25T03:20:00.000Z","bytes":123}', RUNNING: 'activating' },
    ...(['backup', /32 h old.*; one is being taken$/, true] as const),
  ],
  [
    'a database that a restoration has taken out of force',
    { EARLIER: 'tappass_before_20261126t100000z' },
    ...(['earlier-database', /^tappass_before_20261126t100000z: kept/, true] as const),
  ],
  ...(
    [
      ['an archive before its first base backup', {}, /^no base backup yet/, true],
      [
        'an archive',
        { ARCHIVE_BASE: ['base-20261124T120000Z', 'base-20261126T030000Z'] },
        /^any moment of the last 2 days$/,
        true,
      ],
      [
        'an archive whose newest base is old',
        { ARCHIVE_BASE: 'base-20261101T030000Z' },
        /newest base backup is 25 days old$/,
        false,
      ],
      ['a segment that waits for a moment', { ARCHIVE_WAITS: String(now - 20) }, /^no base/, true],
      ['a segment that waits', { ARCHIVE_WAITS: String(now - 600) }, /^the log has waited for 10 min/, false],
      [
        'a segment that was let go',
        { ARCHIVE_GAP: '7 000000010000000000000003 2026-11-26T10:00:00Z /tappass/wal has 5 kB free' },
        /^the log was let go at 2026-11-26T10:00:00Z \(0{7}10{15}3: \/tappass\/wal has 5 kB free\): no moment since/,
        false,
      ],
    ] as const
  ).map(([name, changes, state, isWell]): Row => [name, { ARCHIVE: 'on', ...changes }, 'point-in-time', state, isWell]),
  ['one a week is no failure for six days', { NOW: String(now + 6 * 86_400) }, 'backup', /6 days old/, true],
  [
    'a set, proven by a restoration',
    { BACKUP: set([]), PROOF: '{"seconds":4.2}' },
    ...(['backup', /8 h old, 123 bytes, restored as a proof in 4\.2 s$/, true] as const),
  ],
  [
    'a set without secrets',
    { BACKUP: set(['secrets.age']), PROOF: '{"seconds":4.2}' },
    ...(['backup', /without secrets: there is no backup\.recoveryKey$/, true] as const),
  ],
  [
    'the newest one is not proven',
    { UNPROVEN: 'tappass-20261126T032000Z' },
    ...(['backup', /a newer one, tappass-20261126T032000Z, is not proven$/, false] as const),
  ],
  [
    'none is proven',
    { BACKUP: undefined, UNPROVEN: 'tappass-20261126T032000Z' },
    ...(['backup', /was never proven/, false] as const),
  ],
  [
    'the first one is being proven',
    { BACKUP: undefined, UNPROVEN: 'tappass-20261126T032000Z', RUNNING: 'activating' },
    ...(['backup', /one is being taken$/, true] as const),
  ],
  ['the dump is gone', { DUMP_BYTES: '' }, 'backup', /its dump is gone$/, false],
  ['the dump was cut', { DUMP_BYTES: '100' }, 'backup', /its dump has 100 bytes$/, false],
  ['a manifest that was cut', { BACKUP: '{"takenAt":"2026-' }, 'backup', /cannot be read$/, false],
  ['a full disk', { DISK: ['/dev/sda1 40000000 39000000 1000000 98% /'] }, 'disk', /^\/: 976 MB free$/, false],
  [
    'no inodes',
    { INODES: ['/dev/sda1 2500000 2499000 1000 100% /'] },
    ...(['disk', /^\/: 17578 MB free, only 1000 inodes$/, false] as const),
  ],
  ['a file system that keeps no inodes', { INODES: ['/dev/sda1 0 0 0 - /'] }, 'disk', /MB free$/, true],
  [
    'a mount point with a blank',
    { DISK: ['/dev/sdb 400 399 1 99% /var/lib/my docker'] },
    ...(['disk', /^\/var\/lib\/my docker: 0 MB free$/, false] as const),
  ],
  ['no certificate', { CERTIFICATE_notAfter: undefined }, 'certificate', /^none: nothing answers/, false],
  [
    'a certificate that was not renewed',
    { CERTIFICATE_notAfter: 'Dec 02 12:00:00 2026 GMT', CERTIFICATE_notBefore: 'Sep 03 12:00:00 2026 GMT' },
    ...(['certificate', /^6 days left: it was not renewed in time$/, false] as const),
  ],
  [
    'one of twelve hours, with three left',
    { CERTIFICATE_notAfter: 'Nov 26 15:00:00 2026 GMT', CERTIFICATE_notBefore: 'Nov 26 03:00:00 2026 GMT' },
    ...(['certificate', /^3 h left$/, true] as const),
  ],
  [
    'an expired one',
    { CERTIFICATE_notAfter: 'Nov 24 11:00:00 2026 GMT' },
    ...(['certificate', /^expired 2 days ago$/, false] as const),
  ],
  ['a clock that nothing sets', { CLOCK: 'no' }, 'clock', /^not synchronised/, false],
  ['no timedatectl', { CLOCK: '' }, 'clock', /^not synchronised/, false],
  ['a container', { CLOCK: 'container' }, 'clock', /^kept by the machine/, true],
  [
    'Docker is down',
    { DOCKER: undefined, DOCKER_PROBLEM: 'Cannot connect to the Docker daemon' },
    ...(['docker', /^Cannot connect/, false] as const),
  ],
  ['no site', { SITE: undefined }, 'site', /^none: the documentation was not built$/, false],
  ['Docker says nothing', { DOCKER: undefined }, 'docker', /^no answer$/, false],
  ...(
    [
      ['a check a day ago', check(['ok']), 'check', /^24 h ago$/, true],
      ['a check three days ago', check(['ok'], 72), 'check', /^3 days ago$/, false],
      ['a record that was cut', '{"at":"2026', 'check', /cannot be read$/, false],
      ['a license that holds', check(['ok']), 'license', /^tappass-license: s$/, true],
      ['a license that ends soon', check(['soon']), 'license', /^tappass-license: s$/, true],
      ['a license that has expired', check(['failed']), 'license', /^tappass-license: s$/, false],
      ['an old secret', check(['ok', 'soon']), 'secret', /^tappass-jwt-secret: s$/, true],
      ['an SVID that was not renewed', check(['ok', 'ok', 'failed']), 'svid', /^svid\.pem: s$/, false],
      [
        'a webhook that does not answer',
        check(['ok', 'ok', 'ok', 'failed']),
        'webhook',
        /^tappass-alert-url: s$/,
        false,
      ],
    ] as const
  ).map(([name, CHECK, ...rest]): Row => [name, { CHECK }, ...rest]),
  ['updates want a reboot', { REBOOT: 'required' }, 'reboot', /^required by updates$/, true],
]

for (const [name, changes, condition, state, isWell] of rows) {
  test(`conditions: ${name}`, () => {
    const found = judgeConditions(printed(changes)).conditions.find((each) => each.name === condition)
    assert.match(found?.state ?? '', state)
    assert.equal(found?.isWell, isWell)
  })
}

test('conditions: the script asks this machine, whatever it has, and ends well', () => {
  const [program = '', ...words] = conditionsFact.query.argv
  const { status, stdout } = spawnSync(program, words, { encoding: 'utf8' })
  assert.equal(status, 0)
  const names = judgeConditions(stdout).conditions.map(({ name }) => name)
  for (const name of ['backup', 'disk', 'certificate', 'clock', 'docker']) assert.ok(names.includes(name), name)
  assert.match(stdout, /^NOW=\d{10}$/m)
  assert.match(stdout, /^DISK=.* \/$/m)
})
