/**
 * What the fourteen files make: the same on PostgreSQL 16 and on PGlite (18 inside), so nothing newer than 16 is used;
 * conventions that every table keeps; and rules that the database itself enforces. Needs: postgres.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { parsePostgresAddress } from '../../contract/postgres-address.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from '../../server/adapters/migration-folder.ts'
import { openPglite } from '../../server/adapters/pglite/pglite.ts'
import { openPostgres } from '../../server/adapters/postgres.ts'
import type { Database, SessionDatabase } from '../../server/core/ports.ts'
import { DatabaseError } from '../../server/database/database-error.ts'
import { parseMigrations } from '../../server/migration/migration.ts'
import { type MigrationRun, migrateUp } from '../../server/migration/migrator.ts'
import { compareSnapshots, formatDrift, readSnapshot } from '../../server/migration/schema-snapshot.ts'
import { verifyMigrations } from '../../server/migration/verification.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'

let server: PostgresServer
let real: SessionDatabase
let embedded: SessionDatabase
const { migrations } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
const run: MigrationRun = {
  toolVersion: 'test',
  who: 'test',
  host: 'test',
  lockTimeoutMs: 0,
  nowMs: () => 0,
  sleep: async () => {},
  isBeforeAcceptance: false,
  runtimeRole: undefined,
  emit: () => {},
}
before(async () => {
  server = await startPostgres()
  const address = parsePostgresAddress(server.socketUrl())
  real = openPostgres({ kind: 'local', address, applicationName: 'test', onConnectionLost: () => {} })
  embedded = await openPglite({ nowMs: () => 0 })
  for (const database of [real, embedded]) assert.equal((await migrateUp(database, migrations, run)).status, 'current')
})
after(async () => {
  await Promise.all([real.close(), embedded.close()])
  await server.dispose()
})

const catalogOf = (database: Database) => database.transaction((inside) => readSnapshot(inside, 'public'))
const columnOf = async (database: Database, sql: string): Promise<readonly string[]> =>
  (await database.query<{ name: string }>(sql)).map(({ name }) => name)

describe('one SQL text', () => {
  test('is for PostgreSQL 16 and PGlite', async () => {
    const version = async (database: Database) =>
      (await database.query<{ v: string }>(`SELECT split_part(current_setting('server_version'), '.', 1) AS v`))[0]?.v
    assert.deepEqual([await version(real), await version(embedded)], ['16', '18'])
    const [one, other] = [await catalogOf(real), await catalogOf(embedded)]
    assert.ok(one.size > 500, `${one.size} objects`)
    assert.deepEqual(compareSnapshots(one, other).map(formatDrift), [])
  })

  test('is verified by the snapshot in its schema history on both', async () => {
    for (const database of [real, embedded]) {
      const { problems, drift, pending } = await verifyMigrations(database, migrations)
      assert.deepEqual({ problems, drift, pending }, { problems: [], drift: [], pending: [] })
    }
  })
})

const tables = `SELECT c.oid, c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'`

/** Each query lists what breaks a convention. */
const conventions: readonly Readonly<{ name: string; sql: string }>[] = [
  {
    name: 'every table says in a comment what it is',
    sql: `SELECT relname AS name FROM (${tables}) t WHERE obj_description(oid, 'pg_class') IS NULL`,
  },
  {
    name: 'every table has a primary key',
    sql: `SELECT relname AS name FROM (${tables}) t
      WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'p')`,
  },
  {
    name: 'every foreign key has an index that begins with its columns',
    sql: `SELECT k.conrelid::regclass || '.' || k.conname AS name FROM pg_constraint k
      WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT 1 FROM pg_index i WHERE i.indrelid = k.conrelid
          AND (i.indkey::int2[])[0:array_length(k.conkey, 1) - 1] @> k.conkey
          AND (i.indpred IS NULL OR pg_get_expr(i.indpred, i.indrelid) = (SELECT '(' || a.attname || ' IS NOT NULL)'
            FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = k.conkey[1])))`,
  },
  {
    name: 'every updated_at is kept by a trigger, but for running sums',
    sql: `SELECT t.relname AS name FROM (${tables}) t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'updated_at'
      WHERE t.relname <> 'budget_usage' AND NOT EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = t.oid
        AND g.tgfoid = 'touch_updated_at'::regproc)`,
  },
  {
    name: 'every point in time has its zone',
    sql: `SELECT t.relname || '.' || a.attname AS name FROM (${tables}) t JOIN pg_attribute a ON a.attrelid = t.oid
      WHERE a.atttypid IN ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype)`,
  },
  {
    name: 'no column has a type that goes wrong: money, char(n), varchar(n), json',
    sql: `SELECT t.relname || '.' || a.attname AS name FROM (${tables}) t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0
      WHERE a.atttypid IN ('money'::regtype, 'bpchar'::regtype, 'varchar'::regtype, 'json'::regtype)`,
  },
  {
    name: 'every jsonb says whether it is an object or an array',
    sql: `SELECT t.relname || '.' || a.attname AS name FROM (${tables}) t
      JOIN pg_attribute a ON a.attrelid = t.oid AND a.atttypid = 'jsonb'::regtype
      WHERE NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conrelid = t.oid AND k.contype = 'c'
        AND pg_get_constraintdef(k.oid) LIKE '%jsonb_typeof(' || a.attname || ')%')`,
  },
  {
    name: 'no two indexes of a table are the same',
    sql: `SELECT i.indexrelid::regclass || ' = ' || j.indexrelid::regclass AS name FROM pg_index i JOIN pg_index j
      ON i.indrelid = j.indrelid AND i.indexrelid < j.indexrelid AND i.indkey = j.indkey AND i.indclass = j.indclass
      AND i.indoption = j.indoption AND coalesce(pg_get_expr(i.indexprs, i.indrelid), '') = coalesce(pg_get_expr(j.indexprs, j.indrelid), '')
      AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') = coalesce(pg_get_expr(j.indpred, j.indrelid), '')
      JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace = 'public'::regnamespace`,
  },
  {
    name: 'every function has a fixed search_path',
    sql: `SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      AND coalesce(array_to_string(proconfig, ' '), '') NOT LIKE '%search_path=%'`,
  },
]

describe('conventions', () => {
  for (const { name, sql } of conventions) {
    test(name, async () => assert.deepEqual(await columnOf(real, sql), []))
  }
})

const hash = "repeat('a', 64)"
const event = `INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, entry, prev_hash, hash)
  VALUES ('c', 1, 'ae_1', now(), 'chat', 'llm_call', 'info', '{}', NULL, ${hash})`
const agent = `INSERT INTO agents (id, agent_uuid, agent_id, org_id) SELECT '00000000-0000-4000-8000-0000000000aa', 'ag_AbC-_123', 'a', id FROM organizations`
const approval = (
  id: string,
  more = '',
) => `INSERT INTO approvals (request_id, org_id, agent_id, fingerprint, tool, expires_at${more && ', state, decided_at, decided_by'})
  SELECT '${id}', org_id, id, 'fp_${'b'.repeat(16)}', 't', now()${more} FROM agents`
const draft = `INSERT INTO policies (id, org_id, name) SELECT '00000000-0000-4000-8000-0000000000bb', id, 'p' FROM organizations;
  INSERT INTO policy_versions (id, policy_id, version_no) SELECT '00000000-0000-4000-8000-0000000000cc', id, 1 FROM policies;
  INSERT INTO policy_rules (version_id, ordinal, kind) SELECT id, 1, 'BlockTool' FROM policy_versions`
const published = `${draft}; UPDATE policy_versions SET status = 'active', published_at = now()`
const secret = (
  version: number,
  retired: string,
) => `INSERT INTO vault_secrets (name, version, key_fingerprint, nonce, sealed, retired_at)
  VALUES ('openai', ${version}, repeat('0', 16), decode(repeat('00', 12), 'hex'), decode(repeat('00', 16), 'hex'), ${retired})`

/** What the database itself refuses, by SQLSTATE; undefined: it takes it. `given` comes before, and is taken. */
const rules: readonly Readonly<{ given?: string; sql: string; refused: string | undefined }>[] = [
  { given: event, sql: 'UPDATE audit_events SET entry = entry', refused: '23001' },
  { given: event, sql: 'DELETE FROM audit_events', refused: '23001' },
  { sql: 'DELETE FROM audit_events WHERE false', refused: '23001' },
  { given: event, sql: 'TRUNCATE audit_events', refused: '23001' },
  { given: event, sql: event, refused: '23505' },
  { given: event, sql: event.replace("'c', 1", "'d', 1"), refused: '23505' },
  { given: event, sql: event.replace("'c', 1, 'ae_1'", "'d', 1, 'ae_2'"), refused: undefined },
  { sql: event.replace("'info'", "'fatal'"), refused: '23514' },
  { sql: event.replace('NULL', "'nothash'"), refused: '23514' },
  { sql: event.replace("'c', 1", "'', 1"), refused: '23514' },
  { sql: event.replace("'c', 1", "'c', 0"), refused: '23514' },
  { sql: `INSERT INTO audit_salts (chain, seq, salt) VALUES ('c', 1, 'short')`, refused: '23514' },
  { sql: 'TRUNCATE mcp_server_audit', refused: '23001' },
  { sql: `INSERT INTO organizations (slug, name) VALUES ('default', 'Again')`, refused: '23505' },
  { sql: `INSERT INTO organizations (slug, name) VALUES ('Not A Slug', 'x')`, refused: '23514' },
  { sql: `INSERT INTO organizations (slug, name) VALUES ('name-3fa9c1', 'x')`, refused: undefined },
  { sql: agent, refused: undefined },
  { sql: agent.replace('ag_AbC-_123', 'AbC-_123'), refused: '23514' },
  { given: agent, sql: agent.replace('ag_AbC-_123', 'ag_other-_1').replace('00aa', '00ab'), refused: '23505' },
  { given: agent, sql: 'DELETE FROM organizations', refused: '23503' },
  {
    given: agent,
    sql: `INSERT INTO api_keys (kind, key_hash, key_prefix, agent_id, org_id, role) SELECT 'agent', ${hash}, 'tp_', id, org_id, 'AGENT' FROM agents`,
    refused: undefined,
  },
  {
    given: agent,
    sql: `INSERT INTO api_keys (kind, key_hash, key_prefix, org_id, role) SELECT 'agent', ${hash}, 'tp_', org_id, 'AGENT' FROM agents`,
    refused: '23514',
  },
  {
    given: agent,
    sql: `INSERT INTO api_keys (kind, key_hash, key_prefix, org_id, role) SELECT 'pat', ${hash}, 'tp_pat_', org_id, 'ADMIN' FROM agents`,
    refused: undefined,
  },
  {
    given: agent,
    sql: `INSERT INTO api_keys (kind, key_hash, key_prefix, org_id, role) SELECT 'pat', upper(${hash}), 'tp_', org_id, 'ADMIN' FROM agents`,
    refused: '23514',
  },
  { given: `${agent}; ${approval('r1')}`, sql: approval('r2'), refused: '23505' },
  {
    given: `${agent}; ${approval('r1')}; UPDATE approvals SET state = 'denied', decided_at = now(), decided_by = 'me'`,
    sql: approval('r2'),
    refused: undefined,
  },
  { given: `${agent}; ${approval('r1')}`, sql: `UPDATE approvals SET state = 'approved'`, refused: '23514' },
  { given: secret(1, 'NULL'), sql: secret(2, 'NULL'), refused: '23505' },
  { given: secret(1, 'now()'), sql: secret(2, 'NULL'), refused: undefined },
  { given: draft, sql: `UPDATE policy_rules SET payload = '{"a":1}'`, refused: undefined },
  {
    given: draft,
    sql: `INSERT INTO policy_versions (policy_id, version_no) SELECT id, 2 FROM policies`,
    refused: '23505',
  },
  { given: published, sql: `UPDATE policy_rules SET payload = '{"a":1}'`, refused: '23001' },
  { given: published, sql: 'DELETE FROM policy_rules', refused: '23001' },
  {
    given: published,
    sql: `INSERT INTO policy_rules (version_id, ordinal, kind) SELECT id, 2, 'BlockPII' FROM policy_versions`,
    refused: '23001',
  },
  {
    given: published,
    sql: `INSERT INTO policy_versions (policy_id, version_no) SELECT id, 2 FROM policies`,
    refused: undefined,
  },
  { given: published, sql: 'DELETE FROM policies', refused: undefined },
  {
    given: `${agent}; INSERT INTO budgets (org_id, scope, time_window, limit_usd) SELECT org_id, 'org', 'day', 1 FROM agents`,
    sql: `INSERT INTO budgets (org_id, scope, time_window, limit_usd) SELECT org_id, 'org', 'day', 2 FROM agents`,
    refused: '23505',
  },
  {
    given: agent,
    sql: `INSERT INTO budgets (org_id, scope, time_window) SELECT org_id, 'org', 'day' FROM agents`,
    refused: '23514',
  },
  {
    sql: `INSERT INTO signing_keys (key_id, purpose, algorithm, public_jwk) VALUES ('kid_12345678', 'token', 'ES256', '{"kty":"EC","d":"x"}')`,
    refused: '23514',
  },
]

describe('rules', () => {
  class Undo extends Error {}
  for (const [kind, database] of [
    ['PostgreSQL 16', () => real],
    ['PGlite', () => embedded],
  ] as const) {
    for (const [index, { given, sql, refused }] of rules.entries()) {
      test(`${kind}, row ${index}: ${sql.slice(0, 70).replaceAll('\n', ' ')} … ${refused ?? 'is taken'}`, async () => {
        const attempt = database().transaction(async (inside) => {
          if (given !== undefined) await inside.script(given)
          const error = await inside
            .transaction((nested) => nested.query(sql))
            .then(
              () => undefined,
              (reason: unknown) => reason,
            )
          assert.ok(error === undefined || error instanceof DatabaseError, `${error}`)
          assert.equal(error?.sqlState, refused, `${error}`)
          throw new Undo()
        })
        await assert.rejects(attempt, Undo)
      })
    }
  }

  test('a superuser who plays replica does not get past append-only', async () => {
    await real.query(event)
    const attempt = server.superuser('SET session_replication_role = replica; DELETE FROM audit_events', 'tappass')
    await assert.rejects(attempt, /append-only/)
  })

  test('updated_at follows a change', async () => {
    const [row] = await real.query<{ isLater: boolean }>(
      `UPDATE organizations SET name = name RETURNING updated_at > created_at AS "isLater"`,
    )
    assert.equal(row?.isLater, true)
  })
})
