/** ~/.ssh/config is honoured as ssh does: rows of configurations, answered by ssh itself. Needs: sshd. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseTypedAddress } from '../../../scripts/connection/host-address.ts'
import { expandProxyCommand } from '../../../scripts/connection/proxy-command.ts'
import { readSshAccess } from '../../../scripts/connection/ssh-access.ts'
import { parseSshSettings, readSshSettings } from '../../../scripts/connection/ssh-config.ts'
import type { Failure } from '../../../scripts/core/failure.ts'
import { scratch } from '../known-host.ts'

const homeWith = (context: TestContext, config: string): string => {
  const home = scratch(context)
  mkdirSync(join(home, '.ssh'))
  writeFileSync(join(home, '.ssh/config'), config, { mode: 0o600 })
  return home
}

const read = (home: string, text: string) => readSshSettings({ environment: { HOME: home } }, parseTypedAddress(text))

const plain = { hostName: 'web', user: undefined, port: 22, identities: [], isAgentUsed: true, proxy: undefined }

const rows = [
  ['nothing of this host', 'Host other\n  Port 2222\n', 'bob@web', { ...plain, user: 'bob' }],
  ['HostName', 'Host web\n  HostName 10.0.0.1\n', 'web', { ...plain, hostName: '10.0.0.1' }],
  ['a token in HostName', 'Host *\n  HostName %h.example.com\n', 'web', { ...plain, hostName: 'web.example.com' }],
  ['User and Port', 'Host w*\n  user ada\n  PORT=2222\n', 'web', { ...plain, user: 'ada', port: 2222 }],
  ['what is typed comes first', 'Host web\n  User ada\n  Port 2222\n', 'bob@web:22', { ...plain, user: 'bob' }],
  ['the first value counts', 'Host web\n  Port 1\nHost *\n  Port 2\n', 'web', { ...plain, port: 1 }],
  ['a pattern that excludes', 'Host * !web\n  Port 2222\n', 'web', plain],
  ['Match', 'Match originalhost web\n  Port 2222\n', 'web', { ...plain, port: 2222 }],
  ['IdentitiesOnly', 'IdentitiesOnly yes\n', 'web', { ...plain, isAgentUsed: false }],
  ['ProxyJump none', 'Host web\n  ProxyJump none\nHost *\n  ProxyJump gate\n', 'web', plain],
] as const

for (const [name, config, typed, settings] of rows) {
  test(`ssh config: ${name}`, async (context) => {
    assert.deepEqual(await read(homeWith(context, config), typed), settings)
  })
}

test('ssh config: identities are added up, default ones do not count, and ~ is the home', async (context) => {
  const home = homeWith(context, 'Host web\n  IdentityFile ~/.ssh/web\nHost *\n  IdentityFile /keys/all\n')
  const settings = await read(home, 'web')
  assert.deepEqual(settings?.identities, [join(home, '.ssh/web'), '/keys/all'])
  writeFileSync(join(home, '.ssh/web'), '')
  const invocation = { options: {}, environment: { HOME: home, SSH_AUTH_SOCK: '/agent' }, workingFolder: '/w' } as never
  const { identities, agent } = readSshAccess(invocation, settings)
  assert.deepEqual([identities, agent], [[join(home, '.ssh/web')], '/agent'])
  assert.equal(readSshAccess(invocation, { ...plain, isAgentUsed: false }).agent, undefined)
})

test('ssh config: another file may be included', async (context) => {
  const home = scratch(context)
  mkdirSync(join(home, '.ssh'))
  writeFileSync(join(home, 'more'), 'Host web\n  Port 2222\n')
  writeFileSync(join(home, '.ssh/config'), `Include ${join(home, 'more')}\n`)
  assert.equal((await read(home, 'web'))?.port, 2222)
})

test('ssh config: without the file nothing is asked', async (context) => {
  assert.equal(await read(scratch(context), 'web'), undefined)
})

const jump = (name: string, more: object = {}) => ({
  kind: 'jump',
  address: { user: userInfo().username, name, port: 22 },
  settings: { ...plain, hostName: name, ...more },
})
const viaRows = [
  ['ProxyJump', 'Host web\n  ProxyJump gate\n', jump('gate')],
  [
    'ProxyJump with user and port, which come before what is configured of it',
    'Host web\n  ProxyJump ada@gate:2222\nHost gate\n  HostName 10.0.0.9\n  User bob\n  Port 1\n',
    {
      kind: 'jump',
      address: { user: 'ada', name: '10.0.0.9', port: 2222 },
      settings: { ...plain, hostName: '10.0.0.9', user: 'ada', port: 2222 },
    },
  ],
  [
    'several: the last one is reached through those before it',
    'Host web\n  ProxyJump one,two\n',
    jump('two', { via: jump('one') }),
  ],
  [
    'one behind another one',
    'Host web\n  ProxyJump two\nHost two\n  ProxyJump one\n',
    jump('two', { proxy: 'proxyjump one', via: jump('one') }),
  ],
  [
    'ProxyCommand',
    'Host web\n  ProxyCommand nc -X 5 %h %p\n',
    { kind: 'command', command: 'nc -X 5 %h %p', typedName: 'web' },
  ],
] as const

for (const [name, config, via] of viaRows) {
  test(`ssh config: the way to a host: ${name}`, async (context) => {
    const settings = await read(homeWith(context, config), 'root@web')
    assert.deepEqual(settings?.via, via)
    assert.match(settings?.proxy ?? '', /^proxy(jump|command) /)
  })
}

test('ssh config: a jump host that is behind itself is what ssh says of it', async (context) => {
  const reading = read(homeWith(context, 'Host *\n  ProxyJump gate\n'), 'root@web')
  await assert.rejects(reading, (error: Failure) => /jumphost loop/.test(error.text.why ?? ''))
})

test('ssh config: the tokens of a ProxyCommand', () => {
  const address = { user: 'ada', name: '10.0.0.1', port: 2222 }
  const expand = (command: string) => expandProxyCommand({ kind: 'command', command, typedName: 'web' }, address)
  assert.equal(expand('nc %h %p %r %n 100%%'), 'nc 10.0.0.1 2222 ada web 100%')
  for (const command of ['nc %C', 'nc %']) assert.throws(() => expand(command), { code: 64 })
})

test('ssh config: what ssh rejects is told with its own words', async (context) => {
  await assert.rejects(read(homeWith(context, 'Nonsense yes\n'), 'web'), (error: Error & { text: { why: string } }) =>
    /Bad configuration option: nonsense/.test(error.text.why),
  )
})

test('ssh config: a user that is the local one is none', () => {
  assert.equal(parseSshSettings('user ada\nhostname web\nport 22\n', '/home/ada', 'ada').user, undefined)
})
