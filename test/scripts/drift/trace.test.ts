/** Who was it: lines of a journal, times, and what may be said of them. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { changeTime, whoChanged } from '../../../scripts/drift/culprit.ts'
import { type Subject, subjectOf } from '../../../scripts/drift/subject.ts'
import { parseSessions, type RootSession, type Times, timesFact } from '../../../scripts/drift/trace.ts'
import { factsHere, scratch } from '../known-host.ts'

const subjects: readonly (readonly [resource: string, action: string, subject: Partial<Subject>])[] = [
  [
    'file:/etc/tappass/Caddyfile',
    'set owner and mode of /etc/tappass/Caddyfile',
    { paths: ['/etc/tappass/Caddyfile'], words: ['/etc/tappass/Caddyfile'] },
  ],
  ['directory:/opt/tappass/node', 'set owner and mode of /opt/tappass/node', { paths: ['/opt/tappass/node'] }],
  [
    'archive:/opt/tappass/caddy/2.11.7',
    'unpack the file that was sent to it at /opt/tappass/caddy/2.11.7',
    { paths: ['/opt/tappass/caddy/2.11.7'] },
  ],
  [
    'link:/usr/local/bin/tappass',
    'link /usr/local/bin/tappass to /opt/tappass/current/tappass',
    { paths: ['/usr/local/bin/tappass'] },
  ],
  ['surplus-version:/opt/tappass/node', 'remove /opt/tappass/node/1.0.0', { paths: ['/opt/tappass/node/1.0.0'] }],
  [
    'unit:tappass@.service',
    'write /etc/systemd/system/tappass@.service',
    { paths: ['/etc/systemd/system/tappass@.service'] },
  ],
  [
    'unit:tappass-backup.timer',
    'enable tappass-backup.timer',
    { paths: ['/etc/systemd/system/tappass.target.wants'], words: ['tappass-backup.timer', 'tappass-backup.timer'] },
  ],
  [
    'unit:tappass-redis.service',
    'start tappass-redis.service',
    { paths: [], unit: 'tappass-redis.service', words: ['tappass-redis.service', 'tappass-redis'] },
  ],
  ['apt-package:prerequisites', 'install libatomic1 curl', { paths: [], packages: ['libatomic1', 'curl'] }],
  [
    'account:gebruiker',
    'remove gebruiker from the group docker',
    { paths: ['/etc/passwd', '/etc/group'], words: ['gebruiker'] },
  ],
  ['firewall:x', 'close it', { paths: [], words: ['x'] }],
]

for (const [resource, action, expected] of subjects) {
  test(`subject: ${resource}: ${action}`, () => {
    const subject = subjectOf({ resource, action, reason: '' })
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(subject[key as keyof Subject], value, key)
  })
}

test('subject: a process with libraries of before says nothing of who has replaced them', () => {
  const reason = 'it still uses libraries that were replaced: libc.so.6'
  const change = { resource: 'unit:tappass@1.service', action: 'restart tappass@1.service', reason }
  assert.deepEqual(
    [subjectOf(change).unit, subjectOf({ ...change, reason: 'it runs revision a, not b' }).unit],
    [undefined, 'tappass@1.service'],
  )
})

const line = (at: number, ident: string, message: string) => `${at}.000000 ${ident}: ${message}`
const command = (who: string, typed: string) =>
  `${who.padStart(8)} : TTY=pts/0 ; PWD=/home/${who} ; USER=root ; COMMAND=${typed}`
const opened = (service: string, by: string) =>
  `pam_unix(${service}:session): session opened for user root(uid=0) by ${by}`
const closed = (service: string) => `pam_unix(${service}:session): session closed for user root`
const chmod = '/usr/bin/chmod 0666 /etc/tappass/Caddyfile'

const journals: readonly (readonly [name: string, lines: readonly string[], sessions: readonly RootSession[]])[] = [
  ['nothing', [], []],
  [
    'sudo, with what it ran',
    [
      line(100, 'sudo[7]', command('ada', chmod)),
      line(100, 'sudo[7]', opened('sudo', 'ada(uid=1000)')),
      line(101, 'sudo[7]', closed('sudo')),
    ],
    [{ account: 'ada', by: 'sudo', command: chmod, from: 100, until: 101 }],
  ],
  [
    'ssh as root, still there',
    [
      line(100, 'sshd[8]', 'Accepted publickey for root from 192.0.2.9 port 5022 ssh2: ED25519 SHA256:abc'),
      line(100, 'sshd[8]', opened('sshd', 'root(uid=0)')),
    ],
    [{ account: 'root', by: 'sshd from 192.0.2.9', from: 100 }],
  ],
  [
    'a newer sshd, and nobody by name',
    [line(100, 'sshd-session[8]', opened('sshd', '(uid=0)')), line(109, 'sshd-session[8]', closed('sshd'))],
    [{ account: 'root', by: 'sshd', from: 100, until: 109 }],
  ],
  [
    'su, by whom',
    [line(100, 'su[9]', opened('su', 'grace(uid=1001)')), line(105, 'su[9]', closed('su'))],
    [{ account: 'grace', by: 'su', from: 100, until: 105 }],
  ],
  ['the manager of a user is nobody', [line(100, '(systemd)[9]', opened('systemd-user', 'root(uid=0)'))], []],
  [
    'a number that is used again',
    [
      line(100, 'sudo[7]', command('ada', '/bin/true')),
      line(100, 'sudo[7]', opened('sudo', 'ada(uid=1000)')),
      line(101, 'sudo[7]', closed('sudo')),
      line(200, 'sudo[7]', opened('sudo', 'grace(uid=1001)')),
      line(201, 'sudo[7]', closed('sudo')),
    ],
    [
      { account: 'ada', by: 'sudo', command: '/bin/true', from: 100, until: 101 },
      { account: 'grace', by: 'sudo', from: 200, until: 201 },
    ],
  ],
  [
    'what a start of the machine has ended',
    ['boot 150', line(100, 'su[4]', opened('su', 'ada(uid=1000)')), line(160, 'su[9]', opened('su', 'ada(uid=1000)'))],
    [
      { account: 'ada', by: 'su', from: 100, until: 150 },
      { account: 'ada', by: 'su', from: 160 },
    ],
  ],
  ['lines of somebody else', ['-- Boot --', 'x', line(1, 'sudo[1]', 'pam_unix(sudo:auth): conversation failed')], []],
]

for (const [name, lines, sessions] of journals) {
  test(`sessions: ${name}`, () => {
    assert.deepEqual(parseSessions(`${lines.join('\n')}\n`), sessions)
  })
}

const caddyfile = subjectOf({
  resource: 'file:/etc/tappass/Caddyfile',
  action: 'write /etc/tappass/Caddyfile',
  reason: '',
})
const library = subjectOf({ resource: 'apt-package:prerequisites', action: 'install libatomic1', reason: '' })
const times: Times = {
  paths: new Map([['/etc/tappass/Caddyfile', 1000.5]]),
  units: new Map(),
  packages: new Map([['libatomic1', { at: 900, command: 'apt-get purge libatomic1', account: 'ada (1000)' }]]),
}
const ada: RootSession = { account: 'ada', by: 'sudo', command: chmod, from: 1000, until: 1001 }
const edit: RootSession = { account: 'grace', by: 'sudo', command: '/usr/bin/vi /etc/hosts', from: 990, until: 1100 }
const ssh: RootSession = { account: 'root', by: 'sshd from 192.0.2.9', from: 10 }

const judged = [
  ['nobody', caddyfile, [], [], { kind: 'unknown' }],
  ['somebody who had gone', caddyfile, [{ ...ada, from: 900, until: 990 }], [], { kind: 'unknown' }],
  [
    'a command that names it',
    caddyfile,
    [ssh, edit, ada],
    [],
    { kind: 'account', account: 'ada', by: 'sudo', command: chmod },
  ],
  [
    'a command about something like it is repeated nowhere',
    caddyfile,
    [{ ...ada, command: `${chmod}.old --token x` }, ssh],
    [],
    { kind: 'present', sessions: ['ada by sudo', 'root by sshd from 192.0.2.9'] },
  ],
  [
    'two who name it: neither is chosen',
    caddyfile,
    [ada, { ...ada, account: 'grace' }],
    [],
    { kind: 'present', sessions: ['ada by sudo', 'grace by sudo'] },
  ],
  ['a run of ours', caddyfile, [ssh], [{ number: 3, from: 990, until: 1010 }], { kind: 'run', number: 3 }],
  ['a run that had ended', caddyfile, [], [{ number: 3, from: 990, until: 1000 }], { kind: 'unknown' }],
  ['a package', library, [ssh], [], { kind: 'packages', command: 'apt-get purge libatomic1', account: 'ada (1000)' }],
  ['no time', subjectOf({ resource: 'firewall:x', action: 'close it', reason: '' }), [ssh], [], { kind: 'unknown' }],
] as const

for (const [name, subject, sessions, runs, expected] of judged) {
  test(`who: ${name}`, () => {
    assert.deepEqual(whoChanged(subject, changeTime(subject, times), { times, sessions, runs }), expected)
  })
}

test('times: this machine says when a file, a folder’s newest part and the folder of a file that is gone were changed', async (context) => {
  const folder = scratch(context)
  const path = (name: string) => join(folder, name)
  const startedSeconds = Date.now() / 1000
  mkdirSync(path('program'))
  for (const name of ['file', 'gone', 'program/node']) writeFileSync(path(name), 'x')
  symlinkSync('nowhere', path('link'))
  rmSync(path('gone'))
  const names = ['file', 'gone', 'program', 'link']
  const subject = { paths: names.map(path), words: [], packages: ['no-such-package'], unit: 'no-such.service' }
  const found = await factsHere()(timesFact([subject]))
  assert.deepEqual([...found.paths.keys()], names.map(path))
  for (const at of found.paths.values()) assert.ok(Math.abs(at - startedSeconds) < 60, `${at}`)
  assert.deepEqual([found.packages.size, found.units.size], [0, 0])
})
