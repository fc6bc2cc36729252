/** `status` against this machine over a real sshd, as root. Needs: sshd, root. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { typeCommand } from '../command-line.ts'
import { type SshServer, startSshServer } from '../runners/ssh-server.ts'

let server: SshServer
before(async () => {
  server = await startSshServer()
})
after(() => server.stop())

test('status: the table on stdout, talk on stderr; a host without TapPass is not well', async () => {
  const { user, port } = server.address
  const words = [
    '--host',
    `${user}@127.0.0.1:${port}`,
    '--identity',
    server.file('identity'),
    '--known-hosts',
    server.file('known_hosts'),
  ]
  const command = typeCommand(['status', ...words])
  assert.equal(await command.code, 1)
  assert.match(command.stdout(), /^UNIT {2}STATE {2}SINCE {2}REVISION$/m)
  assert.match(command.stdout(), /^last backup {2}none yet$/m)
  assert.match(command.stderr(), /1 round trip/)
  const json = typeCommand(['status', ...words, '--json'])
  assert.equal(await json.code, 1)
  const events = json
    .stdout()
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row))
  assert.deepEqual(
    events.map(({ event }) => event),
    ['run-started', 'health', 'run-finished'],
  )
  assert.equal(json.stderr(), '')
})
