/** Adopting databases that init scripts or psql made, over a real PostgreSQL 16. Needs: postgres. On one Node: the one of servers. */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { migrate, migrateJson } from './migrate-process.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(() => server.dispose())

const folder = join(import.meta.dirname, '../../migrations')
let count = 0

/** A database as an image's init scripts leave it: the files run by psql, by the superuser or by the owner. */
const initScripted = async (versionMax: number, role: 'postgres' | 'tappass' = 'tappass') => {
  const name = `baseline_${++count}`
  await server.createDatabase(name)
  const files = (await readdir(folder)).filter((file) => Number(file.slice(0, 3)) <= versionMax).sort()
  for (const file of files) {
    await server.superuser(`SET ROLE ${role}; ${await readFile(join(folder, file), 'utf8')}`, name)
  }
  return { name, settings: { DATABASE_URL: server.socketUrl(name) } }
}

for (const at of [1, 7, 10, 12, 13, 14, 15]) {
  test(`one that stands at ${at} is recognised, adopted there, and goes on`, async () => {
    const { name, settings } = await initScripted(at)
    await server.superuser(`INSERT INTO organizations (slug, name) VALUES ('kept', 'Kept')`, name)
    const refused = await migrate(settings, 'up')
    assert.equal(refused.code, 5)
    assert.match(refused.stderr, /no schema history.*\(migration\.adoptable\)\n {2}next: tappass migrate baseline/)

    const adopted = await migrateJson(settings, 'baseline')
    assert.deepEqual([adopted.code, adopted.answer], [0, { status: 'adopted', at }])
    const ledger = `SELECT count(*), min(origin), max(origin) FROM schema_migrations`
    assert.equal(await server.superuser(ledger, name), `${at}|baseline|baseline`)
    assert.equal(await server.superuser(`SELECT to_regnamespace('tappass_baseline')`, name), '')

    const up = await migrateJson(settings, 'up')
    assert.deepEqual([up.code, (up.answer['applied'] as string[]).length], [0, 15 - at])
    assert.equal((await migrate(settings, 'verify')).code, 0)
    assert.equal(await server.superuser(`SELECT count(*) FROM organizations WHERE slug = 'kept'`, name), '1')
  })
}

test('one that the superuser made is adopted as well', async () => {
  const { settings } = await initScripted(15, 'postgres')
  // Its tables belong to postgres, so that tappass could not even read them.
  const { name } = { name: `baseline_${count}` }
  await server.superuser('GRANT ALL ON ALL TABLES IN SCHEMA public TO tappass', name)
  assert.equal((await migrate(settings, 'baseline')).code, 0)
})

test('asked for a number, it takes that one only', async () => {
  const { settings } = await initScripted(10)
  const wrong = await migrate(settings, 'baseline', '--at', '011')
  assert.equal(wrong.code, 5)
  assert.match(wrong.stderr, /^the schema matches no migration; nearest is 011_trust_health\.sql .*\n {2}column agent_/)
  assert.equal((await migrate(settings, 'baseline', '--at', '010')).code, 0)
})

test('one that looks like none is refused, with each difference by name', async () => {
  const { name, settings } = await initScripted(12)
  await server.superuser('ALTER TABLE agents ADD COLUMN mine int; DROP INDEX api_keys_org_id_idx', name)
  const { code, stderr } = await migrate(settings, 'baseline')
  assert.equal(code, 5)
  assert.match(
    stderr,
    /nearest is 012_governance_policies\.sql \(migration\.unlike\)\n {2}column agents\.mine was added: integer\n {2}index api_keys_org_id_idx is gone\n {2}next: bring these in line/,
  )
  assert.equal(await server.superuser(`SELECT to_regclass('schema_migrations')`, name), '')
})

test('an empty one has nothing to adopt, and one with a ledger needs no adopting', async () => {
  const { settings } = await initScripted(0)
  const empty = await migrate(settings, 'baseline')
  assert.deepEqual([empty.code, empty.stderr.split('\n')[1]], [5, '  next: tappass migrate up'])
  await migrate(settings, 'up')
  const twice = await migrate(settings, 'baseline')
  assert.deepEqual([twice.code, twice.stderr.split('\n')[1]], [5, '  next: tappass migrate status'])
})
