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

test('status: on a host without TapPass it says so, with the command that installs it', async () => {
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
  assert.equal(command.stdout(), '')
  assert.match(
    command.stderr(),
    /^TapPass is not installed here \(\S+ s, 1 round trip\)\n {2}next: {2}tappass bootstrap --host \S+@127\.0\.0\.1:\d+ /,
  )
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
