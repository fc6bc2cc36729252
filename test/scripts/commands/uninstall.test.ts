/** `uninstall` on this machine, which is no server: nothing to take away, nothing touched, nothing asked. Needs: root, sshd. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { typeCommand } from '../command-line.ts'
import { type SshServer, startSshServer } from '../runners/ssh-server.ts'

let server: SshServer
before(async () => {
  server = await startSshServer()
})
after(() => server.stop())

test('on a host without TapPass: no plan, no question, 0', async () => {
  const { user, port } = server.address
  const words = ['--host', `${user}@127.0.0.1:${port}`, '--identity', server.file('identity')]
  const command = typeCommand(['uninstall', '--data', ...words, '--known-hosts', server.file('known_hosts'), '--json'])
  assert.equal(await command.code, 0, command.stderr())
  const events = command
    .stdout()
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row))
  assert.deepEqual(
    events.map(({ event }) => event),
    ['run-started', 'plan', 'run-finished'],
  )
  assert.deepEqual(events[1].changes, [])
})
