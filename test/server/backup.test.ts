/**
 * Sets over a real PostgreSQL with its own tools: what a set holds, that it is proven, what is found, what goes, and that nothing which
 * stands in the database runs with more rights. Needs: postgres. On one Node: the one of servers.
 */
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { recoveryPair } from '../../contract/recovery-key.ts'
import { unsealSet } from '../../server/copies/unseal-set.ts'
import { verifySet } from '../../server/copies/verify-set.ts'
import { createTestHost, type TestHost, type Tools, unsealed } from './backup-host.ts'

const recovery = recoveryPair(generateKeyPairSync('x25519').privateKey)
const KEEP = ['--keep-daily', '2', '--keep-weekly', '0']

let host: TestHost
before(async () => {
  host = await createTestHost()
})
after(() => host.dispose())
afterEach(() => {
  for (const name of readdirSync(host.backups)) rmSync(join(host.backups, name), { recursive: true })
  host.useTools({})
})

const names = (): readonly string[] => readdirSync(host.backups).toSorted()
const onlySet = (): string => join(host.backups, names()[0] ?? '')
const databases = () => host.server.superuser('SELECT datname FROM pg_database ORDER BY 1')
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8'))

test('backup: a set with everything, for root only, restored as a proof right away', async () => {
  const { code, stderr } = await host.run('create', ...KEEP, '--recovery-key', recovery.recipient)
  assert.deepEqual([code, stderr, names().length], [0, '', 1])
  const set = onlySet()
  const { rows, files, fingerprints, ...manifest } = json(join(set, 'manifest.json'))
  for (const { name, bytes, sha256 } of files as readonly { name: string; bytes: number; sha256: string }[]) {
    const content = readFileSync(join(set, name))
    assert.deepEqual([content.length, createHash('sha256').update(content).digest('hex')], [bytes, sha256], name)
  }
  const listed = (files as readonly { name: string }[]).map(({ name }) => name)
  assert.deepEqual(listed.toSorted(), [
    'database.dump',
    'history-head.json',
    'host.yaml',
    'ledger.json',
    'roles.sql',
    'secrets.age',
    'versions.lock',
  ])
  assert.deepEqual(
    readdirSync(set).toSorted(),
    [...listed, 'manifest.json', 'manifest.json.sig', 'verified.json'].toSorted(),
  )
  const newest = await host.server.superuser('SELECT max(version) FROM schema_migrations', 'tappass')
  assert.deepEqual([manifest.format, manifest.schema, manifest.withheld], [2, newest, []])
  assert.deepEqual(manifest.images, { postgres: 'postgres:16@sha256:aa' })
  assert.equal(rows['public.audit_events'], 402)
  assert.equal(json(join(set, 'ledger.json')).checkpoints.length, 1)
  assert.match(fingerprints['tappass-vault-key'], /^[0-9a-f]{64}$/)
  const { entries, signed, call } = json(join(set, 'verified.json'))
  assert.deepEqual([entries, signed, call], [402, 402, '200'])
  for (const name of readdirSync(set)) assert.equal(statSync(join(set, name)).mode & 0o777, 0o600)
  assert.equal(statSync(set).mode & 0o777, 0o700)
  assert.doesNotMatch(await databases(), /proof/)
  // The recovery key opens the secrets, and no other file of the set has one.
  const found = await unsealed(join(onlySet(), 'secrets.age'), recovery.identity)
  assert.equal(found['tappass-vault-key'], readFileSync(join(host.credentials, 'tappass-vault-key'), 'utf8'))
  assert.ok(!('openai-api-key' in found), 'an empty one is none')
  for (const name of readdirSync(onlySet())) {
    const content = readFileSync(join(onlySet(), name), 'latin1')
    for (const secret of Object.values(found)) assert.ok(!content.includes(secret.trim()), name)
  }
})

const failures: readonly Readonly<{ name: string; tools: Tools; says: RegExp }>[] = [
  { name: 'the dump breaks off half-way', tools: { dumpFails: true }, says: /connection lost/ },
  {
    name: 'a word of its tables is another one',
    tools: { damage: "bytes[bytes.indexOf('append_only')] ^= 1" },
    says: /makes other tables/,
  },
  {
    name: 'the archive is cut to 36 %',
    tools: { damage: 'bytes = bytes.subarray(0, bytes.length * 0.36)' },
    says: /pg_restore ended with 1/,
  },
  { name: 'the archive is empty', tools: { damage: 'bytes = bytes.subarray(0, 0)' }, says: /pg_restore ended with 1/ },
  { name: 'the disk is too small', tools: { psqlSays: 'bytes|1000000000000000000' }, says: /free space/ },
]
for (const { name, tools, says } of failures)
  test(`backup: ${name}: it fails, nothing looks like a backup, nothing goes`, async () => {
    const there = ['20200101', '20200102'].flatMap((day) => [
      `tappass-${day}T031700Z.dump`,
      `tappass-${day}T031700Z.json`,
    ])
    for (const file of there) writeFileSync(join(host.backups, file), '')
    host.useTools(tools)
    const { code, stderr } = await host.run('create', '--keep-daily', '1', '--keep-weekly', '0')
    assert.equal(code, 1)
    assert.match(stderr, says)
    assert.deepEqual(names(), there)
    if (tools.psqlSays !== undefined) assert.deepEqual(host.calls(), [], 'no dump was begun')
  })

test('backup: while one recovery key takes the place of another, a set is sealed to both; with a third one it is said which ones open it', async () => {
  const [older, stranger] = [1, 2].map(() => recoveryPair(generateKeyPairSync('x25519').privateKey))
  assert.ok(older !== undefined && stranger !== undefined)
  const both = `${recovery.recipient},${older.recipient}`
  const { code, stderr } = await host.run('create', ...KEEP, '--recovery-key', both)
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(json(join(onlySet(), 'manifest.json')).recipient, both)
  const [one, two] = await Promise.all(
    [recovery, older].map(({ identity }) => unsealed(join(onlySet(), 'secrets.age'), identity)),
  )
  assert.ok(one?.['tappass-vault-key'] !== undefined)
  assert.deepEqual(one, two)
  const end = (recipient: string): string => `age1…${recipient.slice(-8)}`
  assert.ok(
    (await host.run('list')).stdout.includes(`sealed to ${end(recovery.recipient)} and ${end(older.recipient)}`),
  )
  assert.equal((await unsealSet(onlySet(), older.identity)).manifest.recipient, both)
  const wanted = `sealed to the recovery key ${recovery.recipient} or ${older.recipient}, and the one that was given is ${stranger.recipient}`
  for (const open of [
    unsealSet(onlySet(), stranger.identity),
    verifySet(onlySet(), names()[0] ?? '', stranger.identity, []),
  ])
    await assert.rejects(open, ({ message }: Error) => message.includes(wanted))
})

/** What only a restoration finds. The set stays, and does not count. */
const unproven: readonly Readonly<{ name: string; tools: Tools; says: RegExp }>[] = [
  {
    name: 'the dump is whole, but without the ledger',
    tools: { dumpWith: '--exclude-table-data=audit_events' },
    says: /has 0 rows of public\.audit_events, and there were 402/,
  },
  ...[0.5, 0.9].map((place) => ({
    name: `a byte is flipped at ${place} of the archive`,
    tools: { damage: `bytes[Math.floor(bytes.length * ${place})] ^= 1` },
    says: /pg_restore ended with 1|rows of|ledger is broken/,
  })),
]
for (const { name, tools, says } of unproven)
  test(`backup: ${name}: it fails, and the set does not count`, async () => {
    host.useTools(tools)
    const { code, stderr } = await host.run('create', ...KEEP)
    assert.equal(code, 1)
    assert.match(stderr, says)
    assert.ok(!existsSync(join(onlySet(), 'verified.json')))
    assert.match((await host.run('list')).stdout, /not verified/)
    assert.doesNotMatch(await databases(), /proof/)
  })

test('backup: a ledger that was forged is found by the proof', async (context) => {
  const change = (from: string, to: string) =>
    host.asOwner(`ALTER TABLE audit_events DISABLE TRIGGER USER;
      UPDATE audit_events SET entry = replace(entry, '${from}', '${to}') WHERE seq = 7; ALTER TABLE audit_events ENABLE TRIGGER USER`)
  await change('"govern_allow"', '"govern_block"')
  context.after(() => change('"govern_block"', '"govern_allow"'))
  const { code, stderr } = await host.run('create', ...KEEP)
  assert.equal(code, 1)
  assert.match(stderr, /ledger is broken: entry 7 of chain/)
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
    name: 'a view in place of the checkpoints',
    sql: 'ALTER TABLE audit_checkpoints RENAME TO kept; CREATE VIEW audit_checkpoints AS SELECT seize()::text AS note, seize()::text AS chain, 1 AS size',
    undo: 'DROP VIEW audit_checkpoints; ALTER TABLE kept RENAME TO audit_checkpoints',
    says: /no table audit_checkpoints/,
  },
  {
    name: 'row security that calls a function',
    sql: 'CREATE POLICY planted ON agents USING (seize() > 0); ALTER TABLE agents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
    undo: 'ALTER TABLE agents DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY; DROP POLICY planted ON agents',
    says: /row-level security/,
  },
  {
    name: 'a constraint that a restoration checks for each row',
    sql: `CREATE FUNCTION public.patient() RETURNS integer LANGUAGE plpgsql AS
      $$ BEGIN PERFORM public.seize(); RETURN 12; EXCEPTION WHEN OTHERS THEN RETURN 12; END $$;
      ALTER TABLE audit_events ADD CONSTRAINT planted CHECK (public.patient() > 0)`,
    undo: 'ALTER TABLE audit_events DROP CONSTRAINT planted; DROP FUNCTION patient()',
    says: /^$/,
  },
  {
    name: 'functions that are named like those of the system',
    sql: `CREATE FUNCTION public.count() RETURNS bigint LANGUAGE sql AS 'SELECT seize()::bigint'; CREATE FUNCTION public.format(text, name, name) RETURNS text LANGUAGE sql AS 'SELECT seize()::text'`,
    undo: 'DROP FUNCTION public.count(); DROP FUNCTION public.format(text, name, name)',
    says: /^$/,
  },
]
for (const { name, sql, undo, says } of planted)
  test(`backup: ${name} gets nobody any rights`, async () => {
    await host.asOwner(`CREATE FUNCTION public.seize() RETURNS integer LANGUAGE plpgsql AS
      $$ BEGIN EXECUTE 'ALTER ROLE tappass SUPERUSER'; RETURN 12; END $$; ${sql}`)
    const { code, stderr } = await host.run('create', ...KEEP)
    await host.asOwner(`${undo}; DROP FUNCTION seize()`)
    assert.match(stderr, says)
    assert.equal(code, stderr === '' ? 0 : 1)
    const powers = `SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname LIKE 'tappass%'`
    assert.equal(await host.server.superuser(powers), 'f')
  })

test('backup: tables that are counted in parallel, and a large object of a gateway, are no difference', async (context) => {
  // What a table of some size brings about by itself.
  const settings = ['parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0']
  for (const setting of settings) await host.server.superuser(`ALTER DATABASE tappass SET ${setting}`)
  context.after(() => host.server.superuser('ALTER DATABASE tappass RESET ALL'))
  await host.server.superuser(`SET ROLE tappass; SELECT lo_create(4711)`, 'tappass')
  const { code, stderr, stdout } = await host.run('create', ...KEEP)
  assert.deepEqual([code, stderr], [0, ''])
  // And without a recovery key the set has no secrets, and says so.
  assert.match(stdout, /without secrets: there is no backup\.recoveryKey/)
  assert.ok(!existsSync(join(onlySet(), 'secrets.age')))
  assert.deepEqual(json(join(onlySet(), 'manifest.json')).withheld, ['secrets.age'])
})

test('backup: old ones go by the rule, what killed runs left goes, other files stay', async () => {
  const old = (day: string) => {
    writeFileSync(join(host.backups, `tappass-${day}T031700Z.dump`), 'x')
    const manifest = { bytes: 1, release: '0.12.0', schema: '15', takenAt: '2020-01-01T00:00:00Z' }
    writeFileSync(join(host.backups, `tappass-${day}T031700Z.json`), JSON.stringify(manifest))
  }
  for (const day of ['20200101', '20200102', '20200103']) old(day)
  for (const name of ['tappass-20200104T031700Z.dump', '.tappass-20200105T031700Z.partial', 'notes.txt'])
    writeFileSync(join(host.backups, name), '')
  await host.server.superuser('CREATE DATABASE tappass_proof OWNER tappass_owner')
  const { code } = await host.run('create', ...KEEP)
  assert.equal(code, 0)
  const [notes, oldDump, oldJson, ...fresh] = names()
  assert.deepEqual(
    [notes, oldDump, oldJson],
    ['notes.txt', 'tappass-20200103T031700Z.dump', 'tappass-20200103T031700Z.json'],
  )
  assert.equal(fresh.length, 1)
  assert.doesNotMatch(await databases(), /proof/)
})

test('backup: SIGKILL during the proof leaves a set that does not count; the next run clears up', async () => {
  await host.run('create', ...KEEP)
  rmSync(join(onlySet(), 'verified.json'))
  const killed = host.killOnce('CREATE DATABASE tappass_proof', 'verify')
  assert.notEqual((await killed).code, 0)
  assert.match(await databases(), /proof/)
  const { code, stderr } = await host.run('verify')
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual([names().length, existsSync(join(onlySet(), 'verified.json'))], [1, true])
  assert.doesNotMatch(await databases(), /proof/)
})
