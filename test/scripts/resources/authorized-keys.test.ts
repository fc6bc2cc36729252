/** Keys of the deploy user: what is said of a host, and what would be changed there. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { authorizedKeysFact } from '../../../scripts/facts/authorized-keys.ts'
import { authorizedKeys } from '../../../scripts/resources/authorized-keys.ts'
import { factReaderOf, factRow, planLines } from '../known-host.ts'

const key = (letter: string) => `ssh-ed25519 ${Buffer.alloc(51, letter).toString('base64')} ${letter}@laptop`
const [a, b] = [key('a'), key('b')]
const sshd = 'pubkeyauthentication yes\nauthorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2'
const ops = 'uid 1000\nhome /home/ops\npath drwxr-xr-x 1000 /home/ops'
const folder = 'path drwx------ 1000 /home/ops/.ssh\npath -rw------- 1000 /home/ops/.ssh/authorized_keys'

type Row = Readonly<{ name: string; keys: readonly string[]; said: string; changes: readonly string[] }>

const SUM_A = 'ed25519 SHA256:'
const rows: readonly Row[] = [
  { name: 'none wanted, none there', keys: [], said: '', changes: [] },
  {
    name: 'none wanted any more',
    keys: [],
    said: 'other ops',
    changes: ['take our keys from ops, because deployUser has no keys any more'],
  },
  { name: 'as wanted', keys: [a, b], said: `${ops}\n${folder}\nline ${a}\nline ${b}\n${sshd}`, changes: [] },
  { name: 'sshd is not here', keys: [a], said: `${ops}\n${folder}\nline ${a}`, changes: [] },
  {
    name: 'no account yet',
    keys: [a],
    said: '',
    changes: ['set the password of ops to "*"', 'let ops log in with its keys'],
  },
  { name: 'no key there', keys: [a], said: `${ops}\n${sshd}`, changes: ['let ops log in with its keys'] },
  {
    name: 'one too few and one too many',
    keys: [a],
    said: `${ops}\n${folder}\nline ${b}`,
    changes: ['let ops log in with its keys'],
  },
  {
    name: 'one twice',
    keys: [a],
    said: `${ops}\n${folder}\nline ${a}\nline ${a}`,
    changes: ['let ops log in with its keys, because a key is there twice'],
  },
  {
    name: 'a folder that the group may write',
    keys: [a],
    said: `${ops}\n${folder.replace('drwx------', 'drwxrwx---')}\nline ${a}`,
    changes: ['let ops log in with its keys, because /home/ops/.ssh may be written by others'],
  },
  {
    name: 'locked for want of a password',
    keys: [a],
    said: `${ops}\n${folder}\nline ${a}\nlocked`,
    changes: ['set the password of ops to "*"'],
  },
  {
    name: 'another deploy user before',
    keys: [a],
    said: `other gebruiker\n${ops}\n${folder}\nline ${a}`,
    changes: ['take our keys from gebruiker, because the deploy user is ops'],
  },
]

const factOf = (keys: readonly string[], said: string) => {
  const fact = authorizedKeysFact('ops', keys.length > 0)
  return factRow(fact, fact.parse({ code: 0, stdout: `${said}\n`, stderr: '' }))
}

for (const { name, keys, said, changes } of rows) {
  test(`authorized keys: ${name}`, async () => {
    const lines = await planLines(authorizedKeys({ name: 'ops', keys }), [factOf(keys, said)])
    assert.deepEqual(
      lines.map((line, index) => line.slice(0, changes[index]?.length ?? 0)),
      changes,
    )
  })
}

test('authorized keys: what takes one away is guarded, and brings exactly those back', async () => {
  const guards = async (keys: readonly string[], said: string) =>
    (await authorizedKeys({ name: 'ops', keys }).plan(factReaderOf([factOf(keys, said)]))).map(({ guard }) => guard)
  assert.deepEqual(await guards([a], `${ops}\n${sshd}`), [undefined])
  for (const [keys, said, account] of [
    [[a], `${ops}\n${folder}\nline ${b}`, 'ops'],
    [[], `other eve\nother ops\nother-line eve ${b}\nother-line ops ${a}`, 'eve'],
  ] as const) {
    const reload = (await guards(keys, said))[0]?.reload ?? ''
    const [shown = ''] = reload.split(' | ')
    assert.equal(execFileSync('sh', ['-c', shown], { encoding: 'utf8' }), `${b} managed-by-tappass\n`)
    assert.ok(reload.includes(`setpriv`) && reload.includes(` sh ${account} `), reload)
  }
})

test('authorized keys: a plan names keys as ssh-keygen does, and no password or mark', async () => {
  const [, line = ''] = await planLines(authorizedKeys({ name: 'ops', keys: [a] }), [factOf([a], '')])
  assert.ok(line.includes(SUM_A), line)
  assert.match(line, /SHA256:[A-Za-z0-9+/]{43} a@laptop is not there$/)
})

const refusals = [
  {
    name: 'keys are read from elsewhere',
    said: `${ops}\npubkeyauthentication yes\nauthorizedkeysfile /etc/ssh/keys/%u`,
    why: /reads keys from \/etc\/ssh\/keys/,
  },
  {
    name: 'keys are not taken',
    said: `${ops}\n${sshd.replace('yes', 'no')}`,
    why: /PubkeyAuthentication is no/,
  },
  { name: 'no home', said: 'uid 1000\nhome /home/ops', why: /does not exist/ },
  {
    name: 'a folder of root',
    said: `${ops}\npath drwx------ 0 /home/ops/.ssh`,
    why: /\.ssh belongs to account 0/,
  },
]
for (const { name, said, why } of refusals) {
  test(`authorized keys: refused: ${name}`, async () => {
    const resource = authorizedKeys({ name: 'ops', keys: [a] })
    await assert.rejects(resource.plan(factReaderOf([factOf([a], said)])), ({ code, text }: Failure) => {
      assert.equal(code, 5)
      assert.match(text.why ?? '', why)
      return text.next !== undefined
    })
  })
}
