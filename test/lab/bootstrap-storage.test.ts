/**
 * A server whose PostgreSQL and Redis somebody else runs: here, ordinary processes on the lab host. A wrong password is refused before anything is
 * done; then a bare machine becomes a server without a container, takes calls, and its ledger is proven.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  door,
  eventsOf,
  hostWords,
  inside,
  type Server,
  toolkit,
  untilHealthy,
} from './server.ts'
import { type StorageServer, startStorage, writeExternalSpec } from './storage-server.ts'

let server: Server
let storage: StorageServer

before(async () => {
  server = await bareServer('proof-storage')
  storage = await startStorage(server)
  await writeExternalSpec(server)
})
after(async () => {
  await storage?.close()
  await server?.close()
})

const callOnce = async (name: string): Promise<void> => {
  const through = await door(server)
  try {
    const { client } = await through.agent(name)
    const messages = [{ role: 'user', content: 'good day' }] as const
    const { choices } = await client.chat.completions.create({ model: 'm', messages: [...messages] })
    assert.ok((choices[0]?.message.content ?? '') !== '')
  } finally {
    await through.close()
  }
}

const assertVerified = async (): Promise<void> => {
  const verified = await toolkit(['audit', 'verify', ...hostWords(server), '--json'])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
}

/** What there is of the database and of Redis, and where a password stands outside of what is sealed: nothing, and 0 processes. */
const tracesOf = (word: string): string =>
  `command -v docker; ls /etc/systemd/system | grep -E 'postgres|redis|backup'; ls -d /etc/tappass/postgres /etc/tappass/redis 2>/dev/null
  grep -rl '${word}' /etc /opt/tappass /var/lib/tappass /run/tappass 2>/dev/null
  cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -c '${word}'; true`

test('a wrong password is refused, and nothing is done on the machine', async () => {
  const treeOf = () => inside(server, `find /etc /opt /var/lib /home -xdev -printf '%p %m %s %T@\\n' | sort`)
  const tree = await treeOf()
  const output = await toolkit([
    'bootstrap',
    ...hostWords(server),
    '--yes',
    '--json',
    ...(await storage.words('wrong')),
  ])
  const reasons = eventsOf(output).flatMap((event) => (event.event === 'refused' ? event.reasons : []))
  assert.deepEqual(
    [output.code, reasons.map(({ what }) => what)],
    [5, ['the database refuses the password of serving']],
  )
  assert.equal(await treeOf(), tree)
})

test('a bare machine becomes a server without a container, takes a call, and its ledger is proven', async () => {
  const output = await bootstrap(server, ...(await storage.words()))
  assert.equal((output.stdout + output.stderr).includes(storage.word), false)
  await untilHealthy(server)
  await callOnce('first')
  await assertVerified()
  assert.equal(await storage.database.superuser('SELECT count(*) > 0 FROM audit_events', 'tappass'), 't')
  assert.equal(await inside(server, tracesOf(storage.word)), '0')
})

test('there is nothing to do a second time, with the secrets and without; it is well, and the doctor finds nothing', async () => {
  await assertNothingToDo(server)
  const again = await toolkit(['plan', ...hostWords(server), '--json', ...(await storage.words())])
  assert.equal(again.code, 0, again.stdout)
  const status = await toolkit(['status', ...hostWords(server)])
  assert.equal(status.code, 0, status.stdout + status.stderr)
  assert.match(status.stdout, /backup +none here: whoever runs the database backs it up/)
  const doctor = await toolkit(['doctor', ...hostWords(server), '--json'])
  const checks = eventsOf(doctor).flatMap((event) => (event.event === 'checks' ? event.checks : []))
  assert.deepEqual(
    checks.filter(({ status: found, id }) => found === 'fail' && /database|storage|docker|secrets|units/.test(id)),
    [],
  )
})
