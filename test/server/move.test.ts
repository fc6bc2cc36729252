/**
 * Moving the data of a host's database to one elsewhere, over a real PostgreSQL: copied, compared, closed; what is refused; what a failure and a kill leave; and the way
 * back. Needs: postgres. On one Node: the one of servers.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { demand } from '../lab/execution.ts'
import { createTestHost, type TestHost } from './backup-host.ts'
import { migrate } from './migrate-process.ts'

const PASSWORD = 'only-for-tests'
let host: TestHost
let note: string

before(async () => {
  host = await createTestHost()
  note = join(host.root, 'var/lib/tappass/moved-database.json')
  await host.server.superuser(
    `CREATE ROLE serving LOGIN PASSWORD '${PASSWORD}'; CREATE ROLE owning LOGIN PASSWORD '${PASSWORD}'`,
  )
  const url = (role: string) => `postgresql://${role}:${PASSWORD}@127.0.0.1:${host.server.port}/elsewhere\n`
  writeFileSync(join(host.credentials, 'database-url'), url('serving'))
  writeFileSync(join(host.credentials, 'database-owner-url'), url('owning'))
})
after(() => host.dispose())

/** Everything as before a move. */
beforeEach(async () => {
  host.useTools({})
  rmSync(note, { force: true })
  await host.server.superuser(
    'ALTER DATABASE tappass CONNECTION LIMIT -1; DROP DATABASE IF EXISTS elsewhere WITH (FORCE)',
  )
  await host.server.superuser(`CREATE DATABASE elsewhere OWNER owning TEMPLATE template0 ENCODING 'UTF8'`)
})

const entriesOf = async (database: string) =>
  Number(await host.server.superuser('SELECT count(*) FROM audit_events', database))
const relationsOf = async (database: string) =>
  Number(
    await host.server.superuser(
      `SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
      database,
    ),
  )
const connectionsMax = async () =>
  await host.server.superuser(`SELECT datconnlimit FROM pg_database WHERE datname = 'tappass'`)
const services = () =>
  host
    .calls()
    .filter((line) => line.startsWith('systemctl'))
    .map((line) => line.split(' ')[1])

test('move: all rows are there, each the same, the ledger holds, and the host’s own database is closed but for a superuser', async () => {
  // A letter that some take for the end of a line.
  await host.asOwner(
    `INSERT INTO agents (agent_uuid, agent_id, org_id, description) SELECT 'ag_separator', 'separator', id, 'one\u2028two' FROM organizations`,
  )
  const { code, stdout, stderr } = await host.move('move')
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /copied: \d+ rows in \d+ tables, each the same; ledger intact \(40\d entries\)/)
  assert.match(stdout, /moved [\d.]+ s after the gateway was stopped; the data on this host are kept in \S+postgres/)
  assert.deepEqual(
    [await entriesOf('elsewhere'), await connectionsMax(), services()],
    [await entriesOf('tappass'), '0', ['stop']],
  )
  const { state, address } = JSON.parse(readFileSync(note, 'utf8'))
  assert.deepEqual([state, address.includes(PASSWORD)], ['moved', false])
  const owners = await host.server.superuser(
    `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`,
    'elsewhere',
  )
  assert.equal(owners, 'owning')
  // Migrations of the same release find nothing to run there, and give the role that serves what it needs.
  const read = (id: string) => readFileSync(join(host.credentials, id), 'utf8').trim()
  const settings = { DATABASE_URL: read('database-url'), DATABASE_OWNER_URL: read('database-owner-url') }
  const migrated = await migrate(settings, 'up')
  assert.deepEqual([migrated.code, /applied/.test(migrated.stdout)], [0, false], migrated.stdout)
  const counted = await host.server.superuser('SET ROLE serving; SELECT count(*) FROM agents', 'elsewhere')
  assert.match(counted, /^\d+$/)
  // The way back by hand: a dump of there, with whatever roles, is a backup here.
  const dump = join(host.root, 'back.dump')
  const url = readFileSync(join(host.credentials, 'database-owner-url'), 'utf8').trim()
  const words = ['--format', 'custom', '--no-owner', '--no-privileges', '--file', dump, url]
  await demand([host.server.program('pg_dump'), ...words])
  const restored = await host.run('restore', dump, '--database', 'tappass_look')
  assert.equal(restored.code, 0, restored.stderr)
  assert.equal(await entriesOf('tappass_look'), await entriesOf('elsewhere'))
  await host.server.superuser('DROP DATABASE tappass_look')
  // For a gateway that is given the host's own database again.
  assert.equal((await host.move('open')).code, 0)
  assert.deepEqual([await connectionsMax(), existsSync(note)], ['-1', false])
})

test('move: a database with anything in it is refused before the gateway is stopped', async () => {
  await host.server.superuser('CREATE TABLE theirs (one integer)', 'elsewhere')
  const { code, stderr } = await host.move('move')
  assert.equal(code, 5)
  assert.match(stderr, /is not empty: there is theirs in its schema public\n {2}next: .*--data leave/)
  assert.deepEqual([services(), await connectionsMax(), existsSync(note)], [[], '-1', false])
})

/** What goes wrong while rows are copied, and what is said. */
const faults = [
  { name: 'a dump that breaks off', tools: { dumpFails: true }, says: /connection lost|breaks off/ },
  {
    name: 'rows that are missing in the dump',
    tools: { dumpWith: '--exclude-table-data=public.audit_checkpoints' },
    says: /the copy has other rows of public\.audit_checkpoints: 0, and there are \d/,
  },
] as const
for (const { name, tools, says } of faults)
  test(`move: ${name}: nothing is there, the host’s own database serves on`, async () => {
    host.useTools(tools)
    const { code, stderr } = await host.move('move')
    assert.equal(code, 1)
    assert.match(stderr, /nothing was moved, and the database on this host serves on: /)
    assert.match(stderr, says)
    assert.deepEqual([await relationsOf('elsewhere'), await connectionsMax(), existsSync(note)], [0, '-1', false])
    assert.deepEqual(services(), ['stop', 'start'])
  })

/** The commands after which the process is killed. */
for (const place of ['systemctl stop', 'CONNECTION LIMIT 0'])
  test(`move: killed after ${place}: settled, the host’s own database serves on, and the next move ends well`, async () => {
    host.useTools({ killAt: place })
    const killed = await host.move('move')
    assert.notEqual(killed.code, 0)
    host.useTools({})
    assert.equal((await host.move('settle')).code, 0)
    assert.deepEqual([await relationsOf('elsewhere'), await connectionsMax()], [0, '-1'])
    assert.deepEqual(services(), ['start'])
    assert.equal((await host.move('move')).code, 0)
    // What has ended is not undone by what comes after it.
    assert.equal((await host.move('settle')).code, 0)
    assert.equal(await connectionsMax(), '0')
  })

test('return: before anything is recorded there; the copy may be replaced by the next move, and by nothing else', async () => {
  assert.equal((await host.move('move')).code, 0)
  assert.equal((await host.move('return')).code, 0)
  assert.deepEqual([await connectionsMax(), services().at(-1)], ['-1', 'start'])
  assert.equal((await host.move('move')).code, 0)
  // What only the other one has is not given up.
  await host.server.superuser(`CREATE TABLE theirs (one integer)`, 'elsewhere')
  const { code, stderr } = await host.move('return')
  assert.deepEqual([code, await connectionsMax()], [5, '0'])
  assert.match(stderr, /has recorded something since .*\n {2}next: mend/)
})

test('move: an entry that somebody has changed ends it', async () => {
  await host.server.superuser(
    `ALTER TABLE audit_events DISABLE TRIGGER ALL; UPDATE audit_events SET event_type = 'forged' WHERE seq = 7`,
    'tappass',
  )
  const { code, stderr } = await host.move('move')
  assert.equal(code, 1)
  assert.match(stderr, /the ledger is broken: entry 7 of chain/)
  assert.deepEqual([await relationsOf('elsewhere'), await connectionsMax()], [0, '-1'])
})
