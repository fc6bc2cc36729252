/**
 * The backup program over a real PostgreSQL with its own tools: what it holds, what it finds, what it lets go, and that nothing which
 * stands in the database runs with more rights. Docker's client is a stand-in that runs the tool here. Needs: postgres.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { demand, execute } from '../lab/execution.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { divideRoles, roleUrl } from './divided-roles.ts'
import { migrate } from './migrate-process.ts'

const program = join(import.meta.dirname, '../../server/backup.ts')

let server: PostgresServer
let folder: string
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tappass-backup-'))
  server = await startPostgres()
  await divideRoles(server)
  const settings = { DATABASE_URL: roleUrl(server, 'tappass'), DATABASE_OWNER_URL: roleUrl(server, 'tappass_owner') }
  assert.equal((await migrate(settings, 'up')).code, 0)
  // Noise, which can't be compressed: most of the dump is data, as it is after a day of use.
  await asOwner(`INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, entry, hash)
    SELECT '1', n, n::text, now(), 'call', 'x', 'info', (SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 8) WHERE n = n), md5(n::text) || md5(n::text)
    FROM generate_series(1, 2000) n`)
})
after(async () => {
  await server.dispose()
  rmSync(folder, { recursive: true })
})

const asOwner = (sql: string) => server.superuser(`SET ROLE tappass_owner; ${sql}`, 'tappass')

/** What is done to the tools: more arguments for pg_dump, what becomes of its archive (a body of JavaScript over `bytes`), a line of psql. */
type Tools = Readonly<{ dumpWith?: string; damage?: string; dumpFails?: true; psqlSays?: string }>

/** Runs in place of Docker's client: `exec [--interactive] CONTAINER TOOL ARGUMENT…`. */
const layDocker = (bin: string, { dumpWith = '', damage, dumpFails, psqlSays }: Tools): void => {
  const source = `import { readFileSync } from 'node:fs'
let bytes = readFileSync(0)
${damage}
process.stdout.write(bytes)
`
  writeFileSync(join(bin, 'damage.mjs'), source)
  const tool = `${server.program('')}/$tool`
  const after = [
    ...(psqlSays === undefined ? [] : [`[ $tool != psql ] || exec "${tool}" "$@" | sed -u 's/^bytes|.*/${psqlSays}/'`]),
    ...(dumpFails ? [`[ $tool != pg_dump ] || { printf PGDMP-half; echo 'connection lost' >&2; exit 1; }`] : []),
    ...(damage
      ? [`case "$tool $*" in pg_dump*custom*) "${tool}" "$@" | ${process.execPath} ${bin}/damage.mjs; exit ;; esac`]
      : []),
  ]
  const script = `#!/bin/sh
shift; [ "$1" != --interactive ] || shift
[ "$1" = tappass-postgres ] || exit 64
tool=$2; shift 2
for word do shift; [ "$word" != /tappass/run ] || word=${server.folder}; set -- "$@" "$word"; done
export PGPORT=${server.port}
[ $tool != pg_dump ] || { echo dumped >>${bin}/calls; set -- "$@" ${dumpWith}; }
${after.join('\n')}
exec "${tool}" "$@"
`
  writeFileSync(join(bin, 'docker'), script, { mode: 0o755 })
}

/** Runs the program in a folder of its own, with `there` in it beforehand. */
const backUp = async (context: TestContext, tools: Tools, there: readonly string[] = [], keep = ['2', '0']) => {
  const own = mkdtempSync(join(folder, 'run-'))
  context.after(() => rmSync(own, { recursive: true, force: true }))
  const [backups, bin] = [join(own, 'backups'), join(own, 'bin')]
  for (const each of [backups, bin]) mkdirSync(each)
  for (const name of there) writeFileSync(join(backups, name), '')
  layDocker(bin, tools)
  const words = ['--into', backups, '--keep-daily', keep[0] ?? '', '--keep-weekly', keep[1] ?? '']
  const env = { PATH: [bin, process.env['PATH']].join(delimiter) }
  const { code, stdout, stderr } = await execute([process.execPath, program, ...words], { env })
  return { code, stdout, stderr, backups, bin, names: readdirSync(backups).toSorted() }
}

const whole = /^tappass-\d{8}T\d{6}Z\.(dump|json)$/

test('backup: a dump and its manifest, for root only', async (context) => {
  const { code, stderr, names, backups } = await backUp(context, {})
  assert.deepEqual([code, stderr, names.length, names.every((name) => whole.test(name))], [0, '', 2, true])
  const [dump = '', json = ''] = names
  const bytes = readFileSync(join(backups, dump))
  const { rows, ...manifest } = JSON.parse(readFileSync(join(backups, json), 'utf8'))
  const newest = await server.superuser('SELECT max(version) FROM schema_migrations', 'tappass')
  assert.deepEqual(
    { ...manifest, takenAt: '', release: '' },
    {
      format: 1,
      dump,
      takenAt: '',
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      release: '',
      schema: newest,
    },
  )
  assert.deepEqual([rows['public.audit_events'], rows['public.schema_migrations']], [2000, Number(newest)])
  for (const name of names) assert.equal(statSync(join(backups, name)).mode & 0o777, 0o600)
})

test('backup: it restores as the owner, with the same rows and the same privileges, and without a superuser', async (context) => {
  const { backups, names } = await backUp(context, {})
  await server.superuser('CREATE DATABASE restored OWNER tappass_owner TEMPLATE template0')
  const login = [
    '--host',
    server.folder,
    '--port',
    `${server.port}`,
    '--username',
    'tappass_owner',
    '--dbname',
    'restored',
  ]
  const restore = [
    server.program('pg_restore'),
    ...login,
    '--no-owner',
    '--exit-on-error',
    join(backups, names[0] ?? ''),
  ]
  await demand(restore as [string, ...string[]])
  const content = `SELECT md5(string_agg(entry || hash, '' ORDER BY chain, seq)) FROM audit_events; SELECT relname, pg_get_userbyid(relowner), string_agg(p, ' ' ORDER BY p)
    FROM pg_class, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER}'::text[]) p
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_table_privilege('tappass', pg_class.oid, p) GROUP BY 1, 2 ORDER BY 1`
  assert.equal(await server.superuser(content, 'restored'), await server.superuser(content, 'tappass'))
})

const failures: readonly Readonly<{ name: string; tools: Tools; says: RegExp }>[] = [
  { name: 'the dump breaks off half-way', tools: { dumpFails: true }, says: /connection lost/ },
  {
    name: 'the dump is whole, but without the ledger',
    tools: { dumpWith: '--exclude-table-data=audit_events' },
    says: /no rows of public\.audit_events, and there were 2000/,
  },
  {
    name: 'the dump is whole, but without another table',
    tools: { dumpWith: '--exclude-table-data=vault_secrets' },
    says: /no rows of public\.vault_secrets, and there were 0/,
  },
  {
    name: 'the archive is cut to 36 %',
    tools: { damage: 'bytes = bytes.subarray(0, bytes.length * 0.36)' },
    says: /pg_restore ended with 1/,
  },
  {
    name: 'the archive lacks its last byte',
    tools: { damage: 'bytes = bytes.subarray(0, -1)' },
    says: /pg_restore ended with 1|the dump holds/,
  },
  ...[0.5, 0.7, 0.9].map((place) => ({
    name: `a byte is flipped at ${place} of the archive`,
    tools: { damage: `bytes[Math.floor(bytes.length * ${place})] ^= 1` },
    says: /pg_restore ended with 1|the dump holds/,
  })),
  {
    name: 'a word of its tables is another one',
    tools: { damage: "bytes[bytes.indexOf('append_only')] ^= 1" },
    says: /makes other tables/,
  },
  { name: 'the archive is empty', tools: { damage: 'bytes = bytes.subarray(0, 0)' }, says: /pg_restore ended with 1/ },
  { name: 'the disk is too small', tools: { psqlSays: 'bytes|1000000000000000000' }, says: /free space/ },
]

for (const { name, tools, says } of failures) {
  test(`backup: ${name}: it fails, nothing looks like a backup, nothing goes`, async (context) => {
    const there = ['20200101', '20200102'].flatMap((day) => [
      `tappass-${day}T031700Z.dump`,
      `tappass-${day}T031700Z.json`,
    ])
    const { code, stderr, names } = await backUp(context, tools, there, ['1', '0'])
    assert.equal(code, 1)
    assert.match(stderr, says)
    assert.deepEqual(names, there)
  })
}

test('backup: where the disk is too small no dump is even begun', async (context) => {
  const { bin } = await backUp(context, { psqlSays: 'bytes|1000000000000000000' })
  assert.throws(() => readFileSync(join(bin, 'calls')), /ENOENT/)
})

/** What somebody who had the rights of the tables' owner left there; `undo` takes it away. */
const planted: readonly Readonly<{ name: string; sql: string; undo: string; says: RegExp }>[] = [
  {
    name: 'a view in place of the schema history',
    sql: 'ALTER TABLE schema_migrations RENAME TO kept; CREATE VIEW schema_migrations AS SELECT seize() AS version',
    undo: 'DROP VIEW schema_migrations; ALTER TABLE kept RENAME TO schema_migrations',
    says: /no table schema_migrations/,
  },
  {
    name: 'a view in place of the ledger',
    sql: 'ALTER TABLE audit_events RENAME TO kept; CREATE VIEW audit_events AS SELECT seize() AS entry',
    undo: 'DROP VIEW audit_events; ALTER TABLE kept RENAME TO audit_events',
    says: /no table audit_events/,
  },
  {
    name: 'row security that calls a function',
    sql: 'CREATE POLICY planted ON agents USING (seize() > 0); ALTER TABLE agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    undo: 'ALTER TABLE agents DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY planted ON agents',
    says: /row-level security/,
  },
  {
    name: 'functions that are named like those of the system',
    sql: `CREATE FUNCTION public.count() RETURNS bigint LANGUAGE sql AS 'SELECT seize()::bigint'; CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE sql AS 'SELECT seize()::text'`,
    undo: 'DROP FUNCTION public.count(); DROP FUNCTION public.format(text, name, name)',
    says: /^$/,
  },
]
for (const { name, sql, undo, says } of planted) {
  test(`backup: ${name} gets nobody any rights`, async (context) => {
    await asOwner(`CREATE FUNCTION public.seize() RETURNS integer LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE 'ALTER ROLE tappass SUPERUSER'; RETURN 12; END $$; ${sql}`)
    const { code, stderr } = await backUp(context, {})
    await asOwner(`${undo}; DROP FUNCTION seize()`)
    assert.match(stderr, says)
    assert.equal(code, stderr === '' ? 0 : 1)
    assert.equal(await server.superuser(`SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname LIKE 'tappass%'`), 'f')
  })
}

test('backup: a large object that a gateway made does not end the backups', async (context) => {
  await server.superuser(`SET ROLE tappass; SELECT lo_create(4711)`, 'tappass')
  assert.deepEqual([(await backUp(context, {})).code], [0])
})

test('backup: old ones go by the rule, what a killed run left goes, other files stay', async (context) => {
  const days = ['20200101', '20200102', '20200103'].flatMap((day) => [
    `tappass-${day}T031700Z.dump`,
    `tappass-${day}T031700Z.json`,
  ])
  const { code, names } = await backUp(context, {}, [
    ...days,
    'tappass-20200104T031700Z.dump',
    'tappass-20200105T031700Z.dump.partial',
    'notes.txt',
  ])
  assert.equal(code, 0)
  const [notes, oldDump, oldJson, ...fresh] = names
  assert.deepEqual(
    [notes, oldDump, oldJson],
    ['notes.txt', 'tappass-20200103T031700Z.dump', 'tappass-20200103T031700Z.json'],
  )
  assert.equal(fresh.length, 2)
})
