/** `doctor` over a real sshd, of a machine that is no server: all that can be judged before an installation, in one round trip. Needs: sshd, root. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TOPICS } from '../../../scripts/checkup.ts'
import type { Event } from '../../../scripts/output/event.ts'
import { typeCommand } from '../command-line.ts'
import { type SshServer, startSshServer } from '../runners/ssh-server.ts'

let server: SshServer
before(async () => {
  server = await startSshServer()
})
after(() => server.stop())

const words = () => {
  const { user, port } = server.address
  const keys = ['--identity', server.file('identity'), '--known-hosts', server.file('known_hosts')]
  return ['doctor', '--host', `${user}@127.0.0.1:${port}`, ...keys]
}

test('doctor: each check is told with its state; what is about a server is skipped, the preflight is judged', async () => {
  const command = typeCommand([...words(), '--json'])
  const code = await command.code
  const events = command
    .stdout()
    .trimEnd()
    .split('\n')
    .map((row) => JSON.parse(row) as Event)
  assert.deepEqual(
    events.map(({ event }) => event),
    ['run-started', 'checks', 'run-finished'],
    command.stderr(),
  )
  const checks = events.flatMap((event) => (event.event === 'checks' ? event.checks : []))
  assert.deepEqual(
    checks.map(({ id }) => id),
    TOPICS.flatMap((topic) => topic.checks.map(({ id }) => id)),
  )
  const stateOf = (id: string) => checks.find((each) => each.id === id)?.status
  assert.deepEqual(
    [stateOf('preflight.root'), stateOf('files.config'), stateOf('machine.seccomp')],
    ['ok', 'skipped', 'ok'],
  )
  for (const { id, status, reason, remedy } of checks) {
    assert.equal(status !== 'ok', reason !== undefined, id)
    assert.equal(status === 'fail' || status === 'warn', remedy !== undefined, id)
  }
  const end = events.at(-1)
  assert.ok(end?.event === 'run-finished')
  assert.equal(end.exitCode, code)
  assert.equal(code, checks.some(({ status }) => status === 'fail') ? 1 : 0)
  // The settings of the host, and all else together.
  assert.equal(end.roundTrips, 2)
})

test('doctor: the text ends with how many of what, and --all shows those that are well', async () => {
  const [short, whole] = [typeCommand(words()), typeCommand([...words(), '--all'])]
  await Promise.all([short.code, whole.code])
  const count = TOPICS.flatMap((topic) => topic.checks).length
  assert.match(
    short.stdout(),
    new RegExp(`^${count} checks: \\d+ wrong, \\d+ to look at, \\d+ well, \\d+ skipped$`, 'm'),
  )
  assert.doesNotMatch(short.stdout(), /^(ok|skip) /m)
  assert.match(whole.stdout(), /^ok {5}preflight\.root: commands run as root$/m)
})
