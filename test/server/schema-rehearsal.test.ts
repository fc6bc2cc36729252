/**
 * Migrations rehearsed with data: from every schema that a release had to the newest, up in place, and restored from a dump by the process of backups. Every row is there afterwards, as it
 * was. Needs: postgres. On one Node: the one of servers.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parsePostgresAddress } from '../../contract/postgres-address.ts'
import { readMigrationFiles } from '../../server/adapters/migration-folder.ts'
import { openPostgres } from '../../server/adapters/postgres.ts'
import { parseMigrations } from '../../server/migration/migration.ts'
import { migrateUp, migrationStatus } from '../../server/migration/migrator.ts'
import { demand } from '../lab/execution.ts'
import { shareOf } from '../rounds.ts'
import { createTestHost, type TestHost, writeChain } from './backup-host.ts'
import { roleUrl } from './divided-roles.ts'

/** Rows of all tables together that a schema is filled with. */
const ROWS = shareOf(100_000)
const { migrations } = parseMigrations(await readMigrationFiles(join(import.meta.dirname, '../../migrations')))
const newest = migrations.length

/** What fills a schema: from which one on, how many of the rows, and how. `n` counts from 1 to `:count`; an agent and a person have the number of the row. */
const ORG = "'00000000-0000-4000-8000-000000000001'"
const id = (kind: number, n = 'n') =>
  `(lpad(to_hex(${kind}), 8, '0') || '-0000-4000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`
const FILLED: readonly Readonly<{ since: number; table: string; share: number; columns: string; values: string }>[] = [
  {
    since: 1,
    table: 'accounts',
    share: 0.2,
    columns: 'id, email, name',
    values: `${id(1)}, 'p' || n || '@example.com', 'Pérson "' || n || '"'`,
  },
  {
    since: 1,
    table: 'users',
    share: 0.2,
    columns: 'id, org_id, account_id, role',
    values: `${id(2)}, ${ORG}, ${id(1)}, 'DEVELOPER'`,
  },
  {
    since: 1,
    table: 'agents',
    share: 0.2,
    columns: 'id, agent_uuid, agent_id, org_id, metadata',
    values: `${id(3)}, 'ag_' || lpad(n::text, 12, '0'), 'agent-' || n, ${ORG}, jsonb_build_object('n', n, 'text', 'ünïcode \\u2028')`,
  },
  {
    since: 2,
    table: 'api_keys',
    share: 0.2,
    columns: 'id, kind, key_hash, key_prefix, agent_id, org_id, role',
    values: `${id(4)}, 'agent', encode(sha256(n::text::bytea), 'hex'), 'tp_0123456', ${id(3)}, ${ORG}, 'AGENT'`,
  },
  {
    since: 5,
    table: 'sessions',
    share: 0.1,
    columns: 'id, session_id, org_id, agent_id, risk_score',
    values: `${id(5)}, 'ses_' || n, ${ORG}, ${id(3)}, n / 7.0`,
  },
  {
    since: 8,
    table: 'usage_records',
    share: 0.1,
    columns: 'id, request_id, org_id, agent_id, provider, model, prompt_tokens, usd',
    values: `${id(6)}, 'req_' || n, ${ORG}, ${id(3)}, 'openai', 'm', n, n / 1000.0`,
  },
]
const LEDGER = { since: 3, table: 'audit_events' } as const

let host: TestHost
let chain = ''

const database = (name: string) => {
  const address = parsePostgresAddress(roleUrl(host.server, 'tappass_owner').replace('/tappass?', `/${name}?`))
  return openPostgres({ kind: 'local', address, applicationName: 'test', onConnectionLost: () => {} })
}

/** Brings a database to a schema as `tappass migrate up` does. */
async function bring(name: string, schema: number): Promise<void> {
  const opened = database(name)
  const run = {
    lockTimeoutMs: 5000,
    nowMs: () => Date.now(),
    sleep: async () => {},
    toolVersion: 'test',
    who: 'test',
    host: 'test',
  }
  const options = { ...run, isBeforeAcceptance: false, runtimeRole: 'tappass', emit: () => {} }
  const outcome = await migrateUp(opened, migrations.slice(0, schema), options).finally(() => opened.close())
  assert.equal(outcome.status, 'current', JSON.stringify(outcome))
}

/** Its columns as they are now, by table: a later schema may have more. */
async function columnsOf(name: string, schema: number): Promise<ReadonlyMap<string, string>> {
  const tables = [...FILLED, LEDGER].filter(({ since }) => since <= schema).map(({ table }) => table)
  const sql = `SELECT table_name || ' ' || string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name IN (${tables.map((table) => `'${table}'`)}) GROUP BY table_name`
  const lines = (await host.server.superuser(sql, name)).split('\n')
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
}

/** Number and digests of the rows of each table, over these columns. */
async function contentOf(name: string, columns: ReadonlyMap<string, string>): Promise<string> {
  const select = ([table, list]: readonly [string, string]) =>
    `SELECT '${table}', count(*), sum(('x' || substr(md5(ROW(${list})::text), 1, 15))::bit(60)::bigint::numeric) FROM ${table} ${
      table === 'audit_events' ? "WHERE chain NOT LIKE 'restore-%'" : '' // The entry about a restoration.
    }`
  return await host.server.superuser(`${[...columns].map(select).join(' UNION ALL ')} ORDER BY 1`, name)
}

before(async () => {
  // Nothing here outlives the process.
  host = await createTestHost(() => ['fsync = off', 'full_page_writes = off', 'synchronous_commit = off'])
  await writeChain(host, Math.ceil(ROWS / 100))
  chain = (await host.server.superuser(`COPY audit_events TO STDOUT`, 'tappass')).concat('\n\\.\n')
})
after(() => host?.dispose())

/** Makes a database of that schema and fills it. */
async function createOld(name: string, schema: number): Promise<void> {
  await host.server.superuser(
    `CREATE DATABASE ${name} OWNER tappass_owner TEMPLATE template0; GRANT CONNECT ON DATABASE ${name} TO tappass, tappass_backup`,
  )
  await bring(name, schema)
  const rows = FILLED.filter(({ since }) => since <= schema).map(
    ({ table, share, columns, values }) =>
      `INSERT INTO ${table} (${columns}) SELECT ${values} FROM generate_series(1, ${Math.ceil(ROWS * share)}) AS n;`,
  )
  const ledger = schema >= LEDGER.since ? [`COPY audit_events FROM STDIN;\n${chain}`] : []
  await host.server.superuser(['SET ROLE tappass_owner;', ...rows, ...ledger].join('\n'), name)
}

test('every file of the folder is rehearsed', () => {
  const files = readdirSync(join(import.meta.dirname, '../../migrations')).filter((name) => name.endsWith('.sql'))
  assert.equal(files.length, newest)
})

for (const { version: schema, file } of migrations) {
  test(`from the schema ${file.slice(0, 3)}: up, and restored from a dump; every row is as it was`, async () => {
    const name = `tappass_old_${schema}`
    await createOld(name, schema)
    const columns = await columnsOf(name, schema)
    const had = await contentOf(name, columns)
    const rows = had.split('\n').map((line) => Number(line.split('|')[1]))
    assert.ok(rows.reduce((sum, count) => sum + count, 0) >= ROWS * 0.6 && rows.every((count) => count > 0), had)

    const dump = join(host.root, `${name}.dump`)
    const login = ['--host', host.server.folder, '--port', `${host.server.port}`, '--username', 'tappass_backup']
    await demand([host.server.program('pg_dump'), ...login, '--format', 'custom', '--file', dump, name])
    const restored = await host.run('restore', dump)
    assert.equal(restored.code, 0, restored.stderr)
    await bring('tappass', newest)
    await bring(name, newest)
    for (const each of [name, 'tappass']) {
      assert.equal(await contentOf(each, columns), had, each)
      const opened = database(each)
      const { pending, problems } = await migrationStatus(opened, migrations, 'read').finally(() => opened.close())
      assert.deepEqual([pending, problems], [[], []])
    }
    const kept = (
      await host.server.superuser("SELECT datname FROM pg_database WHERE datname ~ '^tappass_before'")
    ).split('\n')
    for (const each of [...kept, name]) await host.server.superuser(`DROP DATABASE ${each}`)
  })
}
