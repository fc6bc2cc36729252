/**
 * Bringing the data of a database elsewhere back to the host's own, over a real PostgreSQL: copied, compared, the other one closed; the earlier database set aside; what is refused;
 * what a failure and a kill leave; and the way back. Needs: postgres. On one Node: the one of servers.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { createTestHost, type TestHost } from './backup-host.ts'
import { roleUrl } from './divided-roles.ts'
import { migrate } from './migrate-process.ts'

const PASSWORD = 'only-for-tests'
let host: TestHost
let note: string
let progress: string

const url = (role: string) => `postgresql://${role}:${PASSWORD}@127.0.0.1:${host.server.port}/elsewhere`
const layAddresses = () => {
  writeFileSync(join(host.credentials, 'database-url'), `${url('serving')}\n`)
  writeFileSync(join(host.credentials, 'database-owner-url'), `${url('owning')}\n`)
}
const sql = (text: string, database = 'elsewhere') => host.server.superuser(text, database)

/** The database elsewhere as a move has left it, and what that has noted. */
let noted: string

before(async () => {
  host = await createTestHost()
  note = join(host.root, 'var/lib/tappass/moved-database.json')
  progress = join(host.root, 'var/lib/tappass/brought-database.json')
  await sql(
    `CREATE ROLE serving LOGIN PASSWORD '${PASSWORD}'; CREATE ROLE owning LOGIN PASSWORD '${PASSWORD}'`,
    'postgres',
  )
  await sql(`CREATE DATABASE elsewhere OWNER owning TEMPLATE template0 ENCODING 'UTF8'`, 'postgres')
  layAddresses()
  const moved = await host.move('move')
  assert.deepEqual([moved.code, moved.stderr], [0, ''])
  const up = await migrate({ DATABASE_URL: url('serving'), DATABASE_OWNER_URL: url('owning') }, 'up')
  assert.equal(up.code, 0, up.stderr)
  await sql('ALTER DATABASE elsewhere RENAME TO as_moved', 'postgres')
  noted = readFileSync(note, 'utf8')
})
after(() => host.dispose())

const earlierNames = async () =>
  (await sql(`SELECT datname FROM pg_database WHERE datname LIKE 'tappass\\_before\\_%' ORDER BY 1`, 'postgres'))
    .split('\n')
    .filter((name) => name !== '')
const databases = async () =>
  await sql(`SELECT string_agg(datname, ' ' ORDER BY 1) FROM pg_database WHERE datname LIKE 'tappass%'`)
const entries = async (database: string) => Number(await sql('SELECT count(*) FROM audit_events', database))
const connectionsMax = async () => await sql(`SELECT datconnlimit FROM pg_database WHERE datname = 'tappass'`)
const stateOf = () => JSON.parse(readFileSync(note, 'utf8')).state
const services = () =>
  host
    .calls()
    .filter((line) => line.startsWith('systemctl'))
    .map((line) => line.split(' ')[1])
/** Whether a role may write there, by its rights. */
const mayWrite = (role = 'serving') =>
  sql(`SET ROLE ${role}; DELETE FROM session_taints`).then(
    () => true,
    ({ message }: Error) => {
      assert.match(message, /the data of TapPass were moved from this database to another one/)
      return false
    },
  )

/** All that is read as lines by some and as text by others. */
const ODD = 'one\u2028two\u0085\\.\r\n\t"three'
const addAgent = (id: string) =>
  sql(
    `INSERT INTO agents (agent_uuid, agent_id, org_id, description) SELECT 'ag_${id}', '${id}', id, $odd$${ODD}$odd$ FROM organizations LIMIT 1`,
  )

/** The data are elsewhere, where something was recorded since; the host's own database is closed, with what it had. */
beforeEach(async () => {
  host.useTools({})
  rmSync(progress, { force: true })
  writeFileSync(note, noted)
  layAddresses()
  await sql('ALTER DATABASE tappass CONNECTION LIMIT 0; DROP DATABASE IF EXISTS elsewhere WITH (FORCE)', 'as_moved')
  for (const name of await earlierNames()) await sql(`DROP DATABASE ${name}`, 'postgres')
  await sql('CREATE DATABASE elsewhere OWNER owning TEMPLATE as_moved', 'postgres')
  assert.equal(await mayWrite(), true)
  await addAgent(`there-${process.hrtime.bigint()}`)
})

/** What a failure before the end leaves: everything as it was. */
const assertNothingMoved = async () => {
  assert.deepEqual(
    [await databases(), await mayWrite(), stateOf(), existsSync(progress), await connectionsMax()],
    ['tappass', true, 'moved', false, '0'],
  )
}

test('bring: all rows are there, each the same, with the schema and the privileges; the earlier database is kept, and nobody writes the other one', async () => {
  const [had, snapshot] = [
    await entries('elsewhere'),
    `SELECT string_agg(a::text, '|' ORDER BY agent_id) FROM agents a`,
  ]
  const agents = await sql(snapshot)
  const { code, stdout, stderr } = await host.move('bring')
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /copied: \d+ rows in \d+ tables, each the same; ledger intact \(40\d entries\)/)
  assert.match(stdout, /what the database on this host had before is kept as tappass_before_\d+t\d+z/)
  assert.match(
    stdout,
    /moved [\d.]+ s after the gateway was stopped; the data in 127\.0\.0\.1:\d+\/elsewhere stay there/,
  )
  assert.deepEqual([await entries('tappass'), await sql(snapshot, 'tappass')], [had, agents])
  assert.ok(agents.includes('\u2028'))
  const [earlier] = await earlierNames()
  assert.equal(await sql(snapshot, earlier).then((text) => text === agents), false)
  assert.deepEqual([await mayWrite(), stateOf(), services(), existsSync(progress)], [false, 'brought', ['stop'], false])
  assert.equal(await sql('SET ROLE serving; SELECT count(*) > 0 FROM agents'), 't')
  assert.equal(readFileSync(note, 'utf8').includes(PASSWORD), false)
  // Migrations give rights to the role that serves, as at the boot of a host that has lost its power.
  const again = await migrate({ DATABASE_URL: url('serving'), DATABASE_OWNER_URL: url('owning') }, 'up')
  assert.deepEqual([again.code, await mayWrite(), await mayWrite('owning')], [0, false, false])
  // As any database of the host: whoever serves may what it has to, the ledger refuses changes, the schema is the one of the migrations.
  const settings = {
    DATABASE_URL: roleUrl(host.server, 'tappass'),
    DATABASE_OWNER_URL: roleUrl(host.server, 'tappass_owner'),
  }
  const verified = await migrate(settings, 'verify')
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  await assert.rejects(sql('UPDATE audit_events SET event_type = event_type', 'tappass'), /append/)
  await sql(`SET ROLE tappass; UPDATE agents SET description = description`, 'tappass')
  assert.deepEqual(
    [
      await connectionsMax(),
      await sql(
        `SELECT setconfig IS NULL FROM pg_database d LEFT JOIN pg_db_role_setting ON setdatabase = d.oid WHERE datname = 'tappass'`,
      ),
    ],
    ['-1', 't'],
  )
  // A moment when the data were elsewhere is not one of this host's.
  const meanwhile = new Date(Date.parse(JSON.parse(noted).movedAt) + 1).toISOString()
  const asked = await host.run('restore', '--to', meanwhile, '--check')
  assert.equal(asked.code, 5)
  assert.match(asked.stderr, /the data were in 127\.0\.0\.1:\d+\/elsewhere until /)
  // Listed as what a restoration leaves, and pruned by the same rule.
  const { earlier: listed } = JSON.parse((await host.run('list', '--json')).stdout)
  assert.deepEqual(
    listed.map(({ name }: { name: string }) => name),
    [earlier],
  )
})

test('bring: a database that never had anything is not kept', async () => {
  await sql('DROP DATABASE tappass WITH (FORCE)', 'postgres')
  await sql('CREATE DATABASE tappass OWNER tappass_owner', 'postgres')
  await sql('GRANT CONNECT ON DATABASE tappass TO tappass, tappass_backup', 'postgres')
  const { code, stdout } = await host.move('bring')
  assert.deepEqual([code, /is kept/.test(stdout), await databases()], [0, false, 'tappass'], stdout)
})

test('bring: one role for everything is kept from writing, too', async () => {
  rmSync(join(host.credentials, 'database-owner-url'))
  writeFileSync(join(host.credentials, 'database-url'), `${url('owning')}\n`)
  assert.equal((await host.move('bring')).code, 0)
  assert.equal(await mayWrite('owning'), false)
  assert.equal((await host.move('return')).code, 0)
  assert.equal(await mayWrite('owning'), true)
})

/** What is refused before the gateway is stopped. */
const refusals = [
  {
    name: 'a table of somebody else',
    make: 'CREATE TABLE theirs (one integer)',
    says: /is not the one that its migrations have made: .*theirs.* was added[\s\S]*next: undo that there/,
  },
  {
    name: 'a trigger that was turned off',
    make: 'ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only',
    says: /trigger audit_events\.audit_events_append_only was changed/,
  },
  {
    name: 'a migration of a later release',
    make: `INSERT INTO schema_migrations (version, name, sha256, duration_ms, tool_version, who, host, origin, phase) SELECT 99, 'later', sha256, 1, '9', 'x', 'x', 'up', 'expand' FROM schema_migrations LIMIT 1`,
    says: /has a migration that this release does not have: later[\s\S]*next: use a clone/,
  },
  {
    name: 'nothing',
    make: 'DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION owning',
    says: /has no data of TapPass[\s\S]*next: .*--data leave/,
    isGone: true,
  },
]
for (const { name, make, says, isGone = false } of refusals)
  test(`bring: ${name} there: refused, the gateway is not stopped, nothing has changed`, async () => {
    await sql(make)
    const { code, stderr } = await host.move('bring')
    assert.equal(code, 5, stderr)
    assert.match(stderr, says)
    assert.deepEqual([services(), await databases(), stateOf()], [[], 'tappass', 'moved'])
    if (!isGone) assert.equal(await mayWrite(), true)
  })

test('bring: an entry that somebody has changed there ends it: the other one serves on', async () => {
  await sql(
    `ALTER TABLE audit_events DISABLE TRIGGER ALL; UPDATE audit_events SET event_type = 'forged' WHERE seq = 7;
    ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_append_only`,
  )
  const { code, stderr } = await host.move('bring')
  assert.equal(code, 1)
  assert.match(stderr, /nothing was moved, and 127\.0\.0\.1:\d+\/elsewhere serves on: its ledger is broken: entry 7/)
  assert.deepEqual(services(), ['stop', 'start'])
  await assertNothingMoved()
})

/** The commands after which the process is killed, and what is in force then. */
const kills = [
  { place: 'CREATE DATABASE tappass_restored', isMoved: false, started: ['start'] },
  { place: 'systemctl stop', isMoved: false, started: ['start'] },
  { place: 'DATABASE tappass_restored RESET ALL', isMoved: false, started: ['start'] },
  { place: 'RENAME TO tappass;', isMoved: true, started: [] },
]
for (const { place, isMoved, started } of kills)
  test(`bring: killed after ${place}: ${isMoved ? 'completed' : 'the other one serves on, and the next one ends well'}`, async () => {
    const had = await entries('elsewhere')
    host.useTools({ killAt: place })
    assert.notEqual((await host.move('bring')).code, 0)
    host.useTools({})
    const settled = await host.move('settle')
    assert.equal(settled.code, 0, settled.stderr)
    if (isMoved)
      assert.deepEqual(
        [stateOf(), await mayWrite(), existsSync(progress), services()],
        ['brought', false, false, started],
      )
    else {
      // Without anything stopped there is nothing to start.
      if (place.startsWith('CREATE')) await sql('DROP DATABASE tappass_restored', 'postgres')
      else assert.deepEqual(services(), started)
      await assertNothingMoved()
      assert.equal((await host.move('bring')).code, 0)
    }
    // What has ended is not undone by what comes after it.
    assert.equal((await host.move('settle')).code, 0)
    assert.deepEqual([stateOf(), await mayWrite(), await entries('tappass')], ['brought', false, had])
  })

test('bring: killed between closing the other one and the change of names: that one is opened again', async () => {
  await sql(
    `CREATE FUNCTION tappass_moved() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''the data of TapPass were moved from this database to another one''; END';
    CREATE TRIGGER tappass_moved BEFORE DELETE ON session_taints EXECUTE FUNCTION tappass_moved(); ALTER FUNCTION tappass_moved OWNER TO owning`,
  )
  assert.equal(await mayWrite(), false)
  await sql('CREATE DATABASE tappass_restored', 'postgres')
  writeFileSync(progress, JSON.stringify({ earlier: 'tappass_before_20261127t100000z', address: 'x', content: {} }))
  assert.equal((await host.move('settle')).code, 0)
  assert.deepEqual(services(), ['start'])
  await assertNothingMoved()
})

test('return: before anything is recorded here, the other one serves again; after it, nothing is given up', async () => {
  assert.equal((await host.move('bring')).code, 0)
  const back = await host.move('return')
  assert.deepEqual([back.code, stateOf(), services().at(-1)], [0, 'moved', 'start'], back.stderr)
  assert.deepEqual([await connectionsMax(), await mayWrite()], ['0', true])
  // Names have seconds.
  for (const name of await earlierNames()) await sql(`DROP DATABASE ${name}`, 'postgres')
  assert.equal((await host.move('bring')).code, 0)
  await sql(`UPDATE agents SET description = 'another' WHERE agent_id LIKE 'there-%'`, 'tappass')
  const { code, stderr } = await host.move('return')
  assert.deepEqual([code, await connectionsMax(), await mayWrite(), stateOf()], [5, '-1', false, 'brought'])
  assert.match(stderr, /has recorded something since .*\n {2}next: mend/)
  // For a gateway whose database is another one from now on.
  assert.equal((await host.move('forget')).code, 0)
  assert.equal(existsSync(note), false)
})
