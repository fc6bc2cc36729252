/** Several runs at once, runs that are killed, and tables that somebody holds, over a real PostgreSQL 16. Needs: postgres. On one Node: the one of servers. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { copyMigrations, migrate, migrateJson, removeCopies, startMigrate } from './migrate-process.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(async () => {
  await server.dispose()
  await removeCopies()
})

let count = 0
/** An empty database with a gate: a file that holds `AT_THE_GATE` waits there until `open` is called. */
const gatedDatabase = async () => {
  const name = `lock_${++count}`
  await server.createDatabase(name)
  await server.superuser('SET ROLE tappass; CREATE SCHEMA test; CREATE TABLE test.gate (i int)', name)
  const open = () => server.superuser('INSERT INTO test.gate VALUES (1)', name)
  return { name, open, settings: { DATABASE_URL: server.socketUrl(name) } }
}

const AT_THE_GATE =
  'DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM test.gate) LOOP PERFORM pg_sleep(0.01); END LOOP; END $$;'

/** Somebody else's connection, of role tappass. */
const connect = async (name: string): Promise<pg.Client> => {
  const client = new pg.Client({ host: server.folder, port: server.port, user: 'tappass', database: name })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Waits until a run's connection is there (and, with `isAtGate`, waits at the gate). */
const seen = async (pid: number | undefined, name: string, isAtGate: boolean): Promise<void> => {
  const sql = `SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'tappass-migrate ${pid}@%'
    AND (query LIKE '%test.gate%' AND state = 'active' OR NOT ${isAtGate})`
  while ((await server.superuser(sql, name)) === '') await sleep(20)
}

test('of four runs at once each migration is applied by exactly one', async () => {
  const { name, settings } = await gatedDatabase()
  const ends = await Promise.all([1, 2, 3, 4].map(() => migrateJson(settings, 'up')))
  assert.deepEqual(
    ends.map(({ code }) => code),
    [0, 0, 0, 0],
  )
  const applied = ends.flatMap(({ answer }) => answer['applied'] as string[])
  assert.equal(applied.length, 15)
  assert.equal(new Set(applied).size, 15)
  assert.equal(await server.superuser('SELECT count(*) FROM schema_migrations', name), '15')
  assert.equal(await server.superuser(`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'`, name), '0')
})

test('a run that finds the lock taken says by whom and since when, and exits 4', async () => {
  const { name, settings, open } = await gatedDatabase()
  const folder = await copyMigrations(15)
  await writeFile(join(folder, '016_slow.sql'), AT_THE_GATE)
  const first = startMigrate(settings, 'up', '--migrations', folder)
  await seen(first.pid, name, true)
  const second = await migrate(settings, 'up', '--migrations', folder, '--lock-timeout', '0')
  assert.equal(second.code, 4)
  const words = `another run holds the lock: tappass-migrate ${first.pid}@\\S+ \\(backend \\d+\\) since \\d{4}-.*Z\n {2}next: wait`
  assert.match(second.stderr, new RegExp(`^${words}`))
  assert.equal((await migrate(settings, 'baseline', '--lock-timeout', '0')).code, 4)
  assert.equal((await migrate(settings, 'status', '--migrations', folder)).code, 2, 'looking needs no lock')
  const closed = once(first, 'close')
  await open()
  assert.deepEqual(await closed, [0, null])
  assert.equal((await migrate(settings, 'up', '--migrations', folder)).stdout, 'nothing to do: the schema is current\n')
})

test('a run that waits goes on when the other is done, and has nothing left to do', async () => {
  const { name, settings, open } = await gatedDatabase()
  const folder = await copyMigrations(15)
  await writeFile(join(folder, '016_slow.sql'), AT_THE_GATE)
  const first = startMigrate(settings, 'up', '--migrations', folder)
  await seen(first.pid, name, true)
  const waiting = startMigrate(settings, 'up', '--migrations', folder)
  let said = ''
  waiting.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  await seen(waiting.pid, name, false)
  const ends = Promise.all([once(first, 'close'), once(waiting, 'close')])
  await open()
  assert.deepEqual(await ends, [
    [0, null],
    [0, null],
  ])
  assert.equal(said, 'nothing to do: the schema is current\n')
})

for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
  test(`a run that dies of ${signal} inside a file leaves nothing of it, and the next one completes it`, async () => {
    const { name, settings, open } = await gatedDatabase()
    const folder = await copyMigrations(15)
    await writeFile(join(folder, '016_good.sql'), 'CREATE TABLE good (i int);')
    const half = 'CREATE TABLE half (i int); INSERT INTO half VALUES (1); ALTER TABLE agents ADD COLUMN half int;'
    await writeFile(join(folder, '017_half.sql'), `${half} ${AT_THE_GATE}`)
    const child = startMigrate(settings, 'up', '--migrations', folder)
    await seen(child.pid, name, true)
    child.kill(signal)
    await once(child, 'close')
    const now = `SELECT max(version), to_regclass('good'), to_regclass('half') FROM schema_migrations`
    assert.equal(await server.superuser(now, name), '16|good|')

    await open()
    const next = await migrateJson(settings, 'up', '--migrations', folder)
    assert.deepEqual([next.code, next.answer['applied']], [0, ['017_half.sql']])
    assert.equal(await server.superuser(now, name), '17|good|half')
    assert.equal(await server.superuser('SELECT count(*) FROM half', name), '1')
    assert.equal((await migrate(settings, 'verify', '--migrations', folder)).code, 0)
  })
}

test('the server crashes inside a file: nothing of it is left, and the next run completes it', async () => {
  const { name, settings } = await gatedDatabase()
  const folder = await copyMigrations(15)
  await writeFile(join(folder, '016_half.sql'), `CREATE TABLE half (i int); ${AT_THE_GATE}`)
  const child = startMigrate(settings, 'up', '--migrations', folder)
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  await seen(child.pid, name, true)
  const closed = once(child, 'close')
  await server.stop('immediate')
  const [code] = await closed
  assert.ok(code === 1 || code === 6, `exit ${code}`)
  assert.match(stderr, /tappass migrate: database: |016_half\.sql/)
  await server.start()
  assert.equal(await server.superuser(`SELECT max(version), to_regclass('half') FROM schema_migrations`, name), '15|')
  await writeFile(join(folder, '016_half.sql'), 'CREATE TABLE half (i int);')
  assert.equal((await migrate(settings, 'up', '--migrations', folder)).code, 0)
})

test('a table that is in use makes a migration step back and try again, so that calls are not held up behind it', async () => {
  const { name, settings } = await gatedDatabase()
  await migrate(settings, 'up')
  const folder = await copyMigrations(15)
  await writeFile(join(folder, '016_alter.sql'), 'ALTER TABLE agents ADD COLUMN extra int;')
  const holder = await connect(name)
  await holder.query('BEGIN; LOCK TABLE agents IN ACCESS SHARE MODE')
  const child = startMigrate(settings, 'up', '--migrations', folder)
  let stderr = ''
  for await (const chunk of child.stderr) {
    stderr += chunk
    if (stderr.includes('tries again')) await holder.query('COMMIT').catch(() => {})
  }
  assert.match(
    stderr,
    /^016_alter\.sql waits 1000 ms and tries again: .*lock timeout\n(016_alter\.sql waits .*\n)*016_alter\.sql applied in \d+ ms/,
  )
  await holder.end()
  assert.equal(await server.superuser('SELECT max(version) FROM schema_migrations', name), '16')
})
