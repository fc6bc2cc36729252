/**
 * `bootstrap`, `plan` and `status` typed as a user would, against this machine over a real sshd. The specification asks for more disk than
 * any machine has, so every host is refused and nothing can be changed by these tests. Needs: sshd.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { typeCommand } from '../command-line.ts'
import { type SshServer, startSshServer } from '../runners/ssh-server.ts'

let server: SshServer
let access: readonly string[]
before(async () => {
  server = await startSshServer()
  const impossible = server.file('host.yaml', 'preflight: { diskFreeMegabytesMin: 1000000000 }\n')
  access = ['--identity', server.file('identity'), '--known-hosts', server.file('known_hosts'), '--config', impossible]
})
after(() => server.stop())

const hostAt = (port: number) => ['--host', `${server.address.user}@127.0.0.1:${port}`]
const typed = async (...words: readonly string[]) => {
  const command = typeCommand(words)
  const code = await command.code
  return { code, stdout: command.stdout(), stderr: command.stderr() }
}

for (const verb of ['bootstrap', 'plan'] as const) {
  test(`${verb}: a host that is refused: every reason, exit 5, nothing changed`, async () => {
    const { code, stdout } = await typed(
      verb,
      ...hostAt(server.address.port),
      ...access,
      '--json',
      ...(verb === 'bootstrap' ? ['--yes'] : []),
    )
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row))
    assert.equal(code, 5, stdout)
    assert.deepEqual(
      events.map(({ event }) => event),
      ['run-started', 'refused', 'run-finished'],
    )
    assert.ok(
      events.every(({ v, host }) => v === 3 && host === `${server.address.user}@127.0.0.1:${server.address.port}`),
    )
    assert.match(JSON.stringify(events[1].reasons), /not enough disk space in \/opt/)
  })
}

for (const verb of ['bootstrap', 'plan'] as const) {
  test(`${verb}: a model server that is called without encryption is warned about, once, before anything else`, async () => {
    const words = [
      verb,
      ...hostAt(server.address.port),
      ...access,
      '--upstream',
      'http://models.example.com/v1',
      '--json',
    ]
    const { stdout } = await typed(...words, ...(verb === 'bootstrap' ? ['--yes'] : []))
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((row) => JSON.parse(row))
    assert.deepEqual(
      events.map(({ event }) => event),
      ['run-started', 'warning', 'refused', 'run-finished'],
    )
    assert.match(events[1].warning.what, /models\.example\.com are not encrypted/)
  })
}

test('bootstrap: one of two hosts is dark: the other is still told about, the worst code is given', async () => {
  const { code, stderr } = await typed('bootstrap', ...hostAt(1), ...hostAt(server.address.port), ...access, '--yes')
  assert.equal(code, 6)
  assert.match(stderr, /^\S+@127\.0\.0\.1:1: tappass: cannot connect to \S+$/m)
  assert.match(stderr, /^\S+@127\.0\.0\.1:\d+: cannot install here, \d problems?:$/m)
})

const usage: readonly (readonly [name: string, words: readonly string[], says: RegExp])[] = [
  ['a host without a user', ['--host', 'server'], /the form is user@name/],
  ['a role that there is not', ['--only', 'gatewy'], /there is no role "gatewy"/],
  ['a flag of a role that is not chosen', ['--only', 'gateway', '--domain', 'a.example'], /--domain.*role ingress/],
  ['a domain that is none', ['--domain', 'nonsense'], /"--domain" must be a domain name/],
  ['a specification that is not there', ['--config', '/none.yaml'], /cannot read \/none\.yaml/],
  ['a secret without a file', ['--secret', 'openai-api-key'], /ID=FILE/],
]

for (const [name, words, says] of usage) {
  test(`plan: ${name} is a usage failure`, async () => {
    const { code, stderr } = await typed('plan', ...words)
    assert.equal(code, 64, stderr)
    assert.match(stderr, says)
    assert.match(stderr, /next:/)
  })
}
