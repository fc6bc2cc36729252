/** `tappass migrate` over a real PostgreSQL 16: upgrades, refusals, drift, exit codes. Needs: postgres. On one Node: the one of servers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { appendFile, mkdtemp, rm, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { copyMigrations, migrate, migrateJson, removeCopies } from './migrate-process.ts'

let server: PostgresServer
before(async () => {
  server = await startPostgres()
})
after(async () => {
  await server.dispose()
  await removeCopies()
})

let count = 0
/** A new empty database of role tappass: its name, and the settings that lead there. */
const emptyDatabase = async (): Promise<Readonly<{ name: string; settings: Readonly<Record<string, string>> }>> => {
  const name = `migrate_${++count}`
  await server.createDatabase(name)
  return { name, settings: { DATABASE_URL: server.socketUrl(name) } }
}

/** One that is at the newest migration. */
const currentDatabase = async () => {
  if (!hasTemplate) {
    await server.createDatabase('migrated')
    assert.equal((await migrate({ DATABASE_URL: server.socketUrl('migrated') }, 'up')).code, 0)
    hasTemplate = true
  }
  const name = `migrate_${++count}`
  await server.createDatabase(name, 'migrated')
  return { name, settings: { DATABASE_URL: server.socketUrl(name) } }
}
let hasTemplate = false
const asOwner = (sql: string, name: string) => server.superuser(`SET ROLE tappass; ${sql}`, name)
const versions = (answer: unknown): readonly number[] => (answer as { version: number }[]).map(({ version }) => version)
const all = Array.from({ length: 15 }, (_, index) => index + 1)

describe('an empty database', () => {
  test('goes from nothing to sound, by a role without further rights', async () => {
    const { name, settings } = await emptyDatabase()
    const first = await migrateJson(settings, 'status')
    assert.equal(first.code, 2)
    assert.deepEqual([first.answer['current'], versions(first.answer['pending'])], [0, all])
    assert.equal(await server.superuser(`SELECT to_regclass('schema_migrations')`, name), '', 'status changes nothing')

    const up = await migrate(settings, 'up')
    assert.deepEqual([up.code, up.stdout], [0, '15 applied: the schema is current\n'])
    assert.match(up.stderr, /^001_schema\.sql applied in \d+ ms\n/)
    assert.deepEqual((await migrate(settings, 'up')).stdout, 'nothing to do: the schema is current\n')

    const status = await migrate(settings, 'status')
    assert.equal(status.code, 0)
    assert.match(status.stdout, /^001_schema\.sql {19}applied {2}\d{4}-.*Z {2}\d+ ms {2}\S+@\S+ {2}\d/)
    const verify = await migrate(settings, 'verify')
    assert.deepEqual([verify.code, verify.stdout], [0, 'verified: 15 migrations, files and schema are as they were\n'])
    assert.equal(
      await server.superuser(`SELECT rolsuper OR rolcreatedb OR rolcreaterole FROM pg_roles WHERE rolname = 'tappass'`),
      'f',
    )
    const owners = `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'`
    assert.equal(await server.superuser(owners, name), 'tappass')
  })

  test('has a ledger that says what, who, where and with which tool', async () => {
    const { name } = await currentDatabase()
    const row = await server.superuser(
      `SELECT version, name, length(sha256), tool_version, who <> '', host <> '', origin FROM schema_migrations WHERE version = 3`,
      name,
    )
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
    assert.equal(row, `3|audit_events|64|${version}|t|t|up`)
  })

  test('is reached with the password from its file, over TCP', async () => {
    await server.createDatabase('over_tcp')
    const folder = await mkdtemp(join(tmpdir(), 'tappass-secret-'))
    await writeFile(join(folder, 'password'), `${server.password}\n`, { mode: 0o600 })
    const settings = { DATABASE_URL: server.tcpUrl('over_tcp'), POSTGRES_PASSWORD_FILE: join(folder, 'password') }
    assert.equal((await migrate(settings, 'up')).code, 0)
    await rm(folder, { recursive: true })
  })

  test('may be PGlite in a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tappass-folder-'))
    const settings = { TAPPASS_STORAGE: 'local', TAPPASS_DATA_DIR: folder }
    assert.equal((await migrate(settings, 'up')).code, 0)
    assert.equal((await migrate(settings, 'verify')).code, 0)
    await rm(folder, { recursive: true })
  })
})

describe('an upgrade (trap 1: init scripts run on an empty database only)', () => {
  const fill = `INSERT INTO agents (agent_uuid, agent_id, org_id)
      SELECT 'ag_' || lpad(n::text, 8, '0'), 'agent-' || n, o.id FROM generate_series(1, 500) n, organizations o;
    INSERT INTO api_keys (kind, key_hash, key_prefix, agent_id, org_id, role)
      SELECT 'agent', encode(sha256(agent_id::bytea), 'hex'), 'tp_1234567', id, org_id, 'AGENT' FROM agents;
    INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, entry, prev_hash, hash)
      SELECT 'c', n, 'ae_' || n, now(), 'chat', 'llm_call', 'info', '{}', NULL, repeat('0', 64) FROM generate_series(1, 2000) n`
  const counts = `SELECT (SELECT count(*) FROM agents), (SELECT count(*) FROM api_keys), (SELECT count(*) FROM audit_events),
    (SELECT md5(string_agg((to_jsonb(a) - '{spiffe_id,svid_used_at}'::text[])::text, '' ORDER BY a.id)) FROM agents a)`

  test('from 010 with data to the newest applies each once and keeps every row', async () => {
    const { name, settings } = await emptyDatabase()
    const old = await copyMigrations(10)
    assert.equal((await migrate(settings, 'up', '--migrations', old)).code, 0)
    await asOwner(fill, name)
    const kept = await server.superuser(counts, name)
    assert.match(kept, /^500\|500\|2000\|/)

    assert.deepEqual(versions((await migrateJson(settings, 'status')).answer['pending']), [11, 12, 13, 14, 15])
    const up = await migrateJson(settings, 'up')
    assert.deepEqual(
      [up.code, up.answer],
      [
        0,
        {
          status: 'current',
          applied: [
            '011_trust_health.sql',
            '012_governance_policies.sql',
            '013_ledger_salts.sql',
            '014_session_taints.sql',
            '015_agent_spiffe_ids.sql',
          ],
          held: [],
        },
      ],
    )
    assert.equal(await server.superuser(counts, name), kept)
    assert.deepEqual((await migrateJson(settings, 'up')).answer, { status: 'current', applied: [], held: [] })
    assert.equal(
      await server.superuser('SELECT count(*), count(DISTINCT version) FROM schema_migrations', name),
      '15|15',
    )
    assert.equal((await migrate(settings, 'verify')).code, 0)
  })
})

describe('phases of a migration', () => {
  test('the contract waits, an index is built beside writes, and the release before goes on', async () => {
    const { settings } = await currentDatabase()
    const [folder, old] = [await copyMigrations(15), await copyMigrations(15)]
    const files = {
      '016_new.sql': '-- tappass: phase=expand\nCREATE TABLE newer (x int);',
      '017_index.sql':
        '-- tappass: phase=expand, concurrent\nCREATE INDEX CONCURRENTLY IF NOT EXISTS newer_idx ON newer (x);',
      '018_old.sql': '-- tappass: phase=contract\nDROP TABLE session_taints;',
      '019_more.sql': '-- tappass: phase=expand\nCREATE TABLE most (x int);',
    }
    for (const [file, sql] of Object.entries(files)) await writeFile(join(folder, file), sql)
    const before = await migrateJson(settings, 'up', '--before-acceptance', '--migrations', folder)
    const applied = ['016_new.sql', '017_index.sql', '019_more.sql']
    assert.deepEqual([before.code, before.answer], [0, { status: 'current', applied, held: ['018_old.sql'] }])
    assert.equal((await migrate(settings, 'verify', '--migrations', folder)).code, 2)
    assert.equal((await migrate(settings, 'status', '--migrations', old)).code, 0)

    const after = await migrateJson(settings, 'up', '--migrations', folder)
    assert.deepEqual(after.answer, { status: 'current', applied: ['018_old.sql'], held: [] })
    assert.equal((await migrate(settings, 'verify', '--migrations', folder)).code, 0)
    assert.equal((await migrate(settings, 'status', '--migrations', old)).code, 5)
  })

  test('an index that an interrupted try has left is built anew', async () => {
    const { name, settings } = await currentDatabase()
    const folder = await copyMigrations(15)
    const file = join(folder, '016_index.sql')
    await writeFile(
      file,
      '-- tappass: concurrent\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS lab_idx ON agents (owner_email);',
    )
    const row = (id: string) =>
      `INSERT INTO agents (agent_uuid, agent_id, org_id, owner_email) SELECT '${id}', '${id}', id, 'a@b' FROM organizations`
    await asOwner(`${row('ag_00000001')}; ${row('ag_00000002')}`, name)
    const failed = await migrate(settings, 'up', '--migrations', folder)
    assert.equal(failed.code, 1, failed.stderr)
    const valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'lab_idx'::regclass"
    assert.equal(await server.superuser(valid, name), 'f')
    await asOwner("UPDATE agents SET owner_email = agent_id || '@b'", name)
    assert.equal((await migrate(settings, 'up', '--migrations', folder)).code, 0)
    assert.equal(await server.superuser(valid, name), 't')
  })

  test('a statement that takes longer than its file allows is ended', async () => {
    const { settings } = await currentDatabase()
    const folder = await copyMigrations(15)
    await writeFile(join(folder, '016_slow.sql'), '-- tappass: statement-timeout=50ms\nSELECT pg_sleep(60);')
    const { code, stderr } = await migrate(settings, 'up', '--migrations', folder)
    assert.deepEqual([code, /statement timeout/.test(stderr)], [1, true], stderr)
  })
})

describe('files and ledger that do not agree', () => {
  const rows: readonly Readonly<{ code: string; change: (folder: string) => Promise<unknown>; says: RegExp }>[] = [
    {
      code: 'edited',
      change: (folder) => appendFile(join(folder, '005_sessions.sql'), '-- one more line\n'),
      says: /^005_sessions\.sql was changed after it was run .*\n {2}next: put migrations\/005_sessions\.sql back/,
    },
    {
      code: 'missing',
      change: (folder) => unlink(join(folder, '005_sessions.sql')),
      says: /^005_….sql is missing: the file after 004_audit_checkpoints\.sql is 006_vault\.sql/,
    },
    {
      code: 'newer',
      change: (folder) => unlink(join(folder, '015_agent_spiffe_ids.sql')),
      says: /^the database has 015_agent_spiffe_ids\.sql, which this release does not know/,
    },
    {
      code: 'unknown',
      change: (folder) => writeFile(join(folder, '14_short.sql'), 'SELECT 1'),
      says: /^14_short\.sql is not named like a migration .*\n {2}next: rename/,
    },
    {
      code: 'duplicate',
      change: (folder) => writeFile(join(folder, '015_other.sql'), 'SELECT 1'),
      says: /^015_\w+\.sql and 015_\w+\.sql have the same number/,
    },
    {
      code: 'transaction',
      change: (folder) => writeFile(join(folder, '016_own.sql'), 'BEGIN; CREATE TABLE own (i int); COMMIT;'),
      says: /^016_own\.sql has BEGIN of its own/,
    },
  ]
  for (const [index, { code, change, says }] of rows.entries()) {
    test(`row ${index}, ${code}: refused by name, and nothing is run`, async () => {
      const { name, settings } = await currentDatabase()
      const folder = await copyMigrations(15)
      await change(folder)
      const { code: exit, stderr } = await migrate(settings, 'up', '--migrations', folder)
      assert.equal(exit, 5)
      assert.match(stderr, says)
      assert.equal(await server.superuser('SELECT count(*) FROM schema_migrations', name), '15')
      assert.equal((await migrate(settings, 'status', '--migrations', folder)).code, 5)
    })
  }

  test('a late number is out of order', async () => {
    const { name, settings } = await currentDatabase()
    await server.superuser('DELETE FROM schema_migrations WHERE version = 7', name)
    const { code, stderr } = await migrate(settings, 'up')
    assert.equal(code, 5)
    assert.match(
      stderr,
      /^007_pipelines\.sql was never run here, although 015 was \(migration\.out-of-order\)\n {2}next: give/,
    )
  })
})

describe('a file that fails', () => {
  test('is rolled back whole, with its line; those before it stay; the mended one goes on', async () => {
    const { name, settings } = await emptyDatabase()
    const folder = await copyMigrations(15)
    await writeFile(join(folder, '016_good.sql'), 'CREATE TABLE good (i int);')
    await writeFile(join(folder, '017_bad.sql'), 'CREATE TABLE half (i int);\n\nINSERT INTO nowhere VALUES (1);\n')
    const failed = await migrate(settings, 'up', '--migrations', folder)
    assert.equal(failed.code, 1)
    assert.match(
      failed.stderr,
      /017_bad\.sql, line 3: .*relation "nowhere" does not exist\n {2}the whole file was rolled back; 16 before it/,
    )
    assert.equal(await server.superuser(`SELECT to_regclass('good'), to_regclass('half')`, name), 'good|')
    await writeFile(join(folder, '017_bad.sql'), 'CREATE TABLE half (i int);\n')
    assert.equal((await migrate(settings, 'up', '--migrations', folder)).code, 0)
    assert.equal((await migrate(settings, 'verify', '--migrations', folder)).code, 0)
  })

  test('at its end, by a constraint that is checked at COMMIT, is rolled back, too', async () => {
    const { name, settings } = await emptyDatabase()
    const folder = await copyMigrations(15)
    const late =
      'CREATE TABLE late (i int UNIQUE, j int REFERENCES late (i) DEFERRABLE INITIALLY DEFERRED); INSERT INTO late VALUES (1, 2)'
    await writeFile(join(folder, '016_late.sql'), late)
    const failed = await migrateJson(settings, 'up', '--migrations', folder)
    assert.deepEqual([failed.code, failed.answer['status'], failed.answer['file']], [1, 'failed', '016_late.sql'])
    assert.equal(await server.superuser(`SELECT to_regclass('late'), max(version) FROM schema_migrations`, name), '|15')
  })
})

describe('drift', () => {
  const rows: readonly Readonly<{ sql: string; says: string }>[] = [
    { sql: 'ALTER TABLE agents ADD COLUMN shoe_size int', says: 'column agents.shoe_size was added: integer' },
    {
      sql: 'ALTER TABLE agents ALTER COLUMN framework DROP NOT NULL',
      says: "column agents.framework was changed: text not null default 'custom'::text → text default 'custom'::text",
    },
    {
      sql: 'ALTER TABLE api_keys ALTER COLUMN name TYPE varchar(10)',
      says: 'column api_keys.name was changed: text → character varying(10)',
    },
    { sql: 'CREATE TABLE extra (i int)', says: 'table extra was added: table' },
    { sql: 'DROP TABLE canary_runs', says: 'table canary_runs is gone' },
    { sql: 'DROP INDEX audit_events_ts_idx', says: 'index audit_events_ts_idx is gone' },
    {
      sql: 'ALTER TABLE api_keys DROP CONSTRAINT api_keys_owner_check',
      says: 'constraint api_keys.api_keys_owner_check is gone',
    },
    {
      sql: 'ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only',
      says: 'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change() [D]',
    },
    {
      sql: 'DROP TRIGGER audit_events_append_only ON audit_events',
      says: 'trigger audit_events.audit_events_append_only is gone',
    },
    {
      sql: 'CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$ BEGIN RETURN NULL; END $$',
      says: 'function refuse_change() was changed',
    },
    { sql: 'CREATE VIEW peek AS SELECT id FROM agents', says: 'table peek was added: SELECT id FROM agents;' },
  ]
  for (const { sql, says } of rows) {
    test(`${sql} is named`, async () => {
      const { name, settings } = await currentDatabase()
      await asOwner(sql, name)
      const { code, stderr } = await migrate(settings, 'verify')
      assert.equal(code, 1)
      assert.ok(stderr.startsWith('the schema differs from its migrations (migration.drift)\n'), stderr)
      assert.ok(stderr.includes(says), stderr)
    })
  }

  test('what an operator may do freely is none: rows, statistics, and things outside of our schema', async () => {
    const { name, settings } = await currentDatabase()
    await asOwner(
      `INSERT INTO organizations (slug, name) VALUES ('x', 'X'); CREATE SCHEMA own; CREATE TABLE own.t (i int)`,
      name,
    )
    await server.superuser('ANALYZE; VACUUM', name).catch(() => server.superuser('ANALYZE', name))
    assert.equal((await migrate(settings, 'verify')).code, 0)
  })

  test('a snapshot that was changed by hand does not pass', async () => {
    const { name, settings } = await currentDatabase()
    await asOwner(
      `ALTER TABLE agents ADD COLUMN x int; UPDATE schema_migrations SET catalog = replace(catalog, 'column agents.owner_email', E'column agents.x\\tinteger\\ncolumn agents.owner_email') WHERE version = 15`,
      name,
    )
    const { code, stderr } = await migrate(settings, 'verify')
    assert.equal(code, 5)
    assert.match(stderr, /^the stored snapshot of the schema after 015_agent_spiffe_ids\.sql was changed by hand/)
  })
})

describe('a database that is not fit', () => {
  const rows: readonly Readonly<{ name: string; make: (name: string) => Promise<unknown>; says: RegExp }>[] = [
    {
      name: 'LATIN1',
      make: (name) => server.superuser(`CREATE DATABASE ${name} OWNER tappass ENCODING 'LATIN1' TEMPLATE template0`),
      says: /^the database is encoded in LATIN1 \(migration\.server\)\n {2}next: make one with ENCODING UTF8/,
    },
    {
      name: 'somebody else’s',
      make: (name) => server.superuser(`CREATE DATABASE ${name} OWNER postgres`),
      says: /^tappass may not make tables in schema public \(migration\.server\)\n {2}next: ALTER DATABASE/,
    },
    {
      name: 'with another tool’s ledger',
      make: async (name) => {
        await server.createDatabase(name)
        await asOwner('CREATE TABLE schema_migrations (version varchar PRIMARY KEY)', name)
      },
      says: /^the table schema_migrations is another tool’s \(migration\.ledger\)\n {2}next: give/,
    },
  ]
  for (const { name, make, says } of rows) {
    test(`${name}: refused, and left as it is`, async () => {
      const database = `unfit_${++count}`
      await make(database)
      for (const action of ['up', 'status']) {
        const { code, stderr } = await migrate({ DATABASE_URL: server.socketUrl(database) }, action)
        assert.equal(code, 5)
        assert.match(stderr.replace(/^(\d{3}_.* pending\n)+/, ''), says)
      }
    })
  }
})

describe('ends that are not about migrations', () => {
  const rows: readonly Readonly<{
    name: string
    words: readonly string[]
    settings?: () => Readonly<Record<string, string>>
    code: number
    says: RegExp
  }>[] = [
    { name: 'no action', words: [], code: 64, says: /^usage: migrate\.ts status\|up\|verify\|baseline/ },
    { name: 'an unknown action', words: ['down'], code: 64, says: /^usage/ },
    { name: 'an unknown option', words: ['up', '--force'], code: 64, says: /^usage/ },
    { name: 'two actions', words: ['up', 'status'], code: 64, says: /^usage/ },
    { name: 'a number that is none', words: ['baseline', '--at', 'x'], code: 64, says: /^usage/ },
    {
      name: 'no server',
      words: ['up'],
      settings: () => ({ DATABASE_URL: 'postgresql://a@127.0.0.1:1/b' }),
      code: 6,
      says: /cannot reach database b as a at 127\.0\.0\.1:1: .*ECONNREFUSED.*\n {2}next: make sure/,
    },
    {
      name: 'a wrong password',
      words: ['up'],
      settings: () => ({ DATABASE_URL: server.tcpUrl(), POSTGRES_PASSWORD: 'not-it' }),
      code: 1,
      says: /password authentication failed for user "tappass"/,
    },
    {
      name: 'a bad address',
      words: ['up'],
      settings: () => ({ DATABASE_URL: 'mysql://x' }),
      code: 5,
      says: /DATABASE_URL: it has to begin with postgresql:/,
    },
    { name: 'no folder', words: ['up', '--migrations', '/nowhere'], code: 1, says: /ENOENT.*\/nowhere/ },
  ]
  for (const { name, words, settings, code, says } of rows) {
    test(`${name}: exit ${code}`, async () => {
      const output = await migrate(settings?.() ?? { DATABASE_URL: server.socketUrl() }, ...words)
      assert.equal(output.code, code)
      assert.match(output.stderr, says)
      assert.equal(output.stdout, '')
      assert.doesNotMatch(output.stderr, /not-it|only-for-tests|\n {4}at /)
    })
  }

  test('with --json the trouble is JSON as well', async () => {
    const { code, answer } = await migrateJson({ DATABASE_URL: 'postgresql://a@127.0.0.1:1/b' }, 'up')
    assert.equal(code, 6)
    assert.equal(answer['status'], 'unreachable')
  })
})
