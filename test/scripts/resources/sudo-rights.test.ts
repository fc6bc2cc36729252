/** Rules of sudo that are not ours: which let an account become root, and which don't. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { groupFact } from '../../../scripts/facts/account.ts'
import { everyCommandRulesFact } from '../../../scripts/facts/sudo-rights.ts'
import { sudoRights } from '../../../scripts/resources/sudo-rights.ts'
import { factReaderOf, factRow } from '../known-host.ts'

const listing = (...rules: readonly string[]) =>
  `Matching Defaults entries for ops on server:\n    env_reset, secure_path=/usr/bin\\:/bin\n\nUser ops may run the following commands on server:\n${rules.map((rule) => `    ${rule}\n`).join('')}`

const ours = '(root) NOPASSWD: /usr/bin/systemctl start tappass.target, /usr/bin/systemctl stop tappass.target'
const rows = [
  { name: 'sudo was not asked', said: '', isInSudo: false, isRefused: false },
  { name: 'no rule', said: 'User ops is not allowed to run sudo on server.', isInSudo: false, isRefused: false },
  { name: 'ours', said: listing(ours), isInSudo: false, isRefused: false },
  { name: 'a command of somebody', said: listing('(ALL) /usr/bin/apt update'), isInSudo: false, isRefused: false },
  { name: 'as another user', said: listing('(postgres) ALL'), isInSudo: false, isRefused: false },
  { name: 'that of the group sudo', said: listing('(ALL : ALL) ALL', ours), isInSudo: true, isRefused: false },
  { name: 'cloud-init’s', said: listing(ours, '(ALL) NOPASSWD: ALL'), isInSudo: false, isRefused: true },
  { name: 'both', said: listing('(ALL : ALL) ALL', '(ALL) NOPASSWD: ALL'), isInSudo: true, isRefused: true },
  { name: 'all but one', said: listing('(root) ALL, !/usr/bin/su'), isInSudo: false, isRefused: true },
  {
    name: 'many commands, as a deploy user has: read in one way only, so that it ends',
    said: listing(
      `(root) NOPASSWD: ${Array.from({ length: 200 }, (_, index) => `/usr/bin/systemctl restart a${index}`).join(', ')}`,
    ),
    isInSudo: false,
    isRefused: false,
  },
  {
    name: 'all with a tag behind one',
    said: listing('(ALL) /usr/bin/id, NOPASSWD: ALL'),
    isInSudo: false,
    isRefused: true,
  },
  { name: 'all behind one', said: listing('(ALL) /usr/bin/id, ALL'), isInSudo: false, isRefused: true },
]

for (const { name, said, isInSudo, isRefused } of rows) {
  test(`sudo rights: ${name} is ${isRefused ? 'refused' : 'fine'}`, async () => {
    const rules = everyCommandRulesFact('ops')
    const facts = [
      factRow(rules, rules.parse({ code: 0, stdout: said, stderr: '' })),
      factRow(groupFact('sudo'), { gid: 27, members: isInSudo ? ['ops'] : [] }),
    ]
    const planning = sudoRights({ name: 'ops', groups: ['sudo'] }).plan(factReaderOf(facts))
    if (!isRefused) return assert.deepEqual(await planning, [])
    await assert.rejects(planning, ({ code, text }: Failure) => code === 5 && /ALL/.test(text.why ?? ''))
  })
}
