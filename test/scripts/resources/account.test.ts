/** Accounts: what is said of one, and what would be changed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accountFact, groupFact } from '../../../scripts/core/facts/account.ts'
import { type AccountOptions, account } from '../../../scripts/resources/account.ts'
import { argvOf, knowOf, said, shown } from '../known-host.ts'

const deployer: AccountOptions = { name: 'deploy', isSystem: false, shell: '/bin/bash', groupsForbidden: ['docker'] }
const there = { uid: 1000, gid: 1000, home: '/home/deploy', shell: '/bin/bash' }
const own = said(groupFact('deploy'), { gid: 1000, members: [] })
const docker = (...members: readonly string[]) => said(groupFact('docker'), { gid: 99, members })

const rows = [
  {
    name: 'absent',
    options: deployer,
    facts: [said(accountFact('deploy'), undefined), said(groupFact('deploy'), undefined), docker()],
    changes: ['add account deploy, because it is absent'],
  },
  { name: 'as wanted', options: deployer, facts: [said(accountFact('deploy'), there), own, docker()], changes: [] },
  {
    name: 'no group docker on this host',
    options: deployer,
    facts: [said(accountFact('deploy'), there), own, said(groupFact('docker'), undefined)],
    changes: [],
  },
  {
    name: 'in a forbidden group, with another shell',
    options: deployer,
    facts: [said(accountFact('deploy'), { ...there, shell: '/bin/sh' }), own, docker('deploy', 'other')],
    changes: [
      'set the shell of deploy to /bin/bash, because it is /bin/sh',
      'take deploy out of the group docker, because it must not be in it',
    ],
  },
  {
    name: 'the forbidden group is its own',
    options: deployer,
    facts: [said(accountFact('deploy'), { ...there, gid: 99 }), own, docker()],
    changes: ['take deploy out of the group docker, because it must not be in it'],
  },
  {
    name: 'not in a wanted group, another home',
    options: { name: 'deploy', isSystem: false, home: '/srv/deploy', groups: ['adm'] },
    facts: [said(accountFact('deploy'), there), own, said(groupFact('adm'), { gid: 4, members: ['root'] })],
    changes: [
      'set the home of deploy to /srv/deploy, because it is /home/deploy',
      'add deploy to the group adm, because it is not in it',
    ],
  },
] satisfies readonly { name: string; options: AccountOptions; facts: unknown; changes: readonly string[] }[]

for (const { name, options, facts, changes } of rows) {
  test(`account: ${name}`, async () => assert.deepEqual(await shown(account(options), facts), changes))
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
    const facts = [said(accountFact('svc'), undefined), said(groupFact('svc'), group)]
    assert.deepEqual(argvOf(await account(options).plan(knowOf(facts))), [argv])
  })
}
