/** Accounts: what is said of one, and what would be changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountFact, groupFact, sudoUserFact } from '../../../scripts/facts/account.ts'
import { recordMadeCommand } from '../../../scripts/facts/made-record.ts'
import { type AccountOptions, account } from '../../../scripts/resources/account.ts'
import { argvOf, factReaderOf, factRow, here, planLines } from '../known-host.ts'

const deployer: AccountOptions = {
  name: 'deploy',
  isSystem: false,
  shell: '/bin/bash',
  groupsForbidden: { docker: { reason: 'its members are root' }, sudo: { reason: 'it is too wide', isSudo: true } },
}
const there = { uid: 1000, gid: 1000, home: '/home/deploy', shell: '/bin/bash' }
const own = factRow(groupFact('deploy'), { gid: 1000, members: [] })
const docker = (...members: readonly string[]) => factRow(groupFact('docker'), { gid: 99, members })
const sudo = (...members: readonly string[]) => factRow(groupFact('sudo'), { gid: 27, members })
const cameAs = (name: string | undefined) => factRow(sudoUserFact, name)
const present = factRow(accountFact('deploy'), there)

const rows = [
  {
    name: 'absent',
    options: deployer,
    facts: [factRow(accountFact('deploy'), undefined), factRow(groupFact('deploy'), undefined), docker(), sudo()],
    changes: ['add account deploy, because it is absent'],
  },
  { name: 'up to date', options: deployer, facts: [present, own, docker(), sudo('other')], changes: [] },
  {
    name: 'no group docker on this host',
    options: deployer,
    facts: [present, own, factRow(groupFact('docker'), undefined), factRow(groupFact('sudo'), undefined)],
    changes: [],
  },
  {
    name: 'in a forbidden group, with another shell',
    options: deployer,
    facts: [factRow(accountFact('deploy'), { ...there, shell: '/bin/sh' }), own, docker('deploy', 'other'), sudo()],
    changes: [
      'set the shell of deploy to /bin/bash, because it is /bin/sh',
      'remove deploy from the group docker, because its members are root',
    ],
  },
  {
    name: 'the forbidden group is its own',
    options: deployer,
    facts: [factRow(accountFact('deploy'), { ...there, gid: 99 }), own, docker(), sudo()],
    changes: ['remove deploy from the group docker, because its members are root'],
  },
  {
    name: 'in a group that has all of sudo, and another came in',
    options: deployer,
    facts: [present, own, docker(), sudo('deploy'), cameAs('other')],
    changes: ['remove deploy from the group sudo, because it is too wide'],
  },
  {
    name: 'in a group that has all of sudo, and root itself came in',
    options: deployer,
    facts: [present, own, docker(), sudo('other', 'deploy'), cameAs(undefined)],
    changes: ['remove deploy from the group sudo, because it is too wide'],
  },
  {
    name: 'not in a wanted group, another home',
    options: { name: 'deploy', isSystem: false, home: '/srv/deploy', groups: ['adm'] },
    facts: [factRow(accountFact('deploy'), there), own, factRow(groupFact('adm'), { gid: 4, members: ['root'] })],
    changes: [
      'set the home of deploy to /srv/deploy, because it is /home/deploy',
      'add deploy to the group adm, because it is not a member',
    ],
  },
] satisfies readonly { name: string; options: AccountOptions; facts: unknown; changes: readonly string[] }[]

for (const { name, options, facts, changes } of rows) {
  test(`account: ${name}`, async () => assert.deepEqual(await planLines(account(options), facts), changes))
}

const creations = [
  {
    name: 'a system account has no home and no shell',
    options: { name: 'svc', isSystem: true },
    group: undefined,
    argv: [
      'useradd',
      '--system',
      '--no-create-home',
      '--user-group',
      '--home-dir',
      '/nonexistent',
      '--shell',
      '/usr/sbin/nologin',
      'svc',
    ],
  },
  {
    name: 'a group of its name that is there already is taken',
    options: { name: 'svc', isSystem: false },
    group: { gid: 7, members: [] },
    argv: ['useradd', '--create-home', '--gid', 'svc', '--home-dir', '/home/svc', '--shell', '/bin/bash', 'svc'],
  },
] satisfies readonly { name: string; options: AccountOptions; group: unknown; argv: readonly string[] }[]

for (const { name, options, group, argv } of creations) {
  test(`account: ${name}`, async () => {
    const facts = [factRow(accountFact('svc'), undefined), factRow(groupFact('svc'), group)]
    assert.deepEqual(argvOf(await account(options).plan(factReaderOf(facts))), [
      recordMadeCommand('account', 'svc').argv,
      argv,
    ])
  })
}

test('account: the run that came in by this account’s own sudo does not take it away', async () => {
  const facts = [present, own, docker(), sudo('deploy'), cameAs('deploy')]
  await assert.rejects(
    planLines(account(deployer), facts),
    (error: Error & { code: number; text: { why: string; next: string } }) => {
      assert.equal(error.code, 5)
      assert.equal(error.message, 'deploy must be removed from the group sudo')
      assert.match(error.text.why, /it is too wide.*this run has root privileges through that group/)
      return /connect as root or as another account/.test(error.text.next)
    },
  )
})

const leavings = [
  { name: 'one that it is listed in', gid: 1000, group: own, argv: [['gpasswd', '--delete', 'deploy', 'docker']] },
  { name: 'the one it logs in with', gid: 99, group: own, argv: [['usermod', '--gid', 'deploy', 'deploy']] },
  {
    name: 'the one it logs in with, having none of its name',
    gid: 99,
    group: factRow(groupFact('deploy'), undefined),
    argv: [
      ['groupadd', 'deploy'],
      ['usermod', '--gid', 'deploy', 'deploy'],
    ],
  },
]

for (const { name, gid, group, argv } of leavings) {
  test(`account: it leaves a group: ${name}`, async () => {
    const members = gid === 99 ? [] : ['deploy']
    const facts = [factRow(accountFact('deploy'), { ...there, gid }), group, docker(...members), sudo()]
    assert.deepEqual(argvOf(await account(deployer).plan(factReaderOf(facts))), argv)
  })
}

test('account: listed in a group and logging in with it too, it leaves both ways', async () => {
  const facts = [factRow(accountFact('deploy'), { ...there, gid: 99 }), own, docker('deploy'), sudo()]
  assert.deepEqual(argvOf(await account(deployer).plan(factReaderOf(facts))), [
    ['usermod', '--gid', 'deploy', 'deploy'],
    ['gpasswd', '--delete', 'deploy', 'docker'],
  ])
})

test('account: leaving a group and another shell are guarded by what brings them back', async () => {
  const facts = [
    factRow(accountFact('deploy'), { ...there, gid: 99, shell: '/bin/sh' }),
    ...[own, docker('deploy'), sudo()],
  ]
  const changes = await account(deployer).plan(factReaderOf(facts))
  assert.deepEqual(
    changes.map(({ guard }) => guard?.reload),
    [
      "printf %s '' | usermod --shell /bin/sh deploy",
      "printf %s '' | usermod --gid docker --append --groups docker deploy",
    ],
  )
})

for (const [name, script] of [
  ['the process itself', '"$@"; :'],
  ['one above it', 'env -u SUDO_USER "$@"; :'],
] as const) {
  test(`account: who came in by sudo is told by ${name}`, async () => {
    const argv = ['env', 'SUDO_USER=ada', 'sh', '-c', script, 'sh', ...sudoUserFact.query.argv] as const
    assert.equal(sudoUserFact.parse(await here({ argv, effect: 'read' })), 'ada')
  })
}
