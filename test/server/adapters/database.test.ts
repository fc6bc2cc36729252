/**
 * The contract of the Database port, run over every adapter: PGlite in memory, PGlite in a folder, and PostgreSQL 16
 * over its socket and over TCP. Needs: postgres.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { parsePostgresAddress } from '../../../contract/postgres-address.ts'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { openPostgres } from '../../../server/adapters/postgres.ts'
import type { Database, SessionDatabase } from '../../../server/core/ports.ts'
import { DatabaseError } from '../../../server/database/database-error.ts'
import { type PostgresServer, startPostgres } from '../../postgres-server.ts'

let server: PostgresServer
let folder: string
before(async () => {
  server = await startPostgres()
  folder = await mkdtemp(join(tmpdir(), 'tappass-database-'))
})
after(async () => {
  await server.dispose()
  await rm(folder, { recursive: true, force: true })
})

const postgres = async (url: string): Promise<SessionDatabase> =>
  openPostgres({
    kind: 'local',
    address: parsePostgresAddress(url),
    password: server.password,
    applicationName: 'contract',
    onConnectionLost: () => {},
  })

const adapters: readonly Readonly<{ name: string; kind: Database['kind']; open: () => Promise<SessionDatabase> }>[] = [
  { name: 'PGlite in memory', kind: 'memory', open: () => openPglite({ nowMs: () => 0 }) },
  { name: 'PGlite in a folder', kind: 'local', open: () => openPglite({ folder, nowMs: () => 0 }) },
  { name: 'PostgreSQL over its socket', kind: 'local', open: () => postgres(server.socketUrl()) },
  {
    name: 'PostgreSQL over TCP',
    kind: 'local',
    open: async () => {
      await server.createDatabase('over_tcp')
      return postgres(server.tcpUrl('over_tcp'))
    },
  },
]

/** A value as the database gives it back, whatever the adapter. */
const values: readonly Readonly<{ sql: string; parameters?: readonly unknown[]; is: unknown }>[] = [
  { sql: 'SELECT 1::int4 AS v', is: 1 },
  { sql: 'SELECT 9007199254740991::int8 AS v', is: 9007199254740991 },
  { sql: 'SELECT -5::int8 AS v', is: -5 },
  { sql: 'SELECT count(*) AS v FROM generate_series(1, 3)', is: 3 },
  { sql: 'SELECT 1.50::numeric(10,2) AS v', is: '1.50' },
  { sql: 'SELECT 0.5::float8 AS v', is: 0.5 },
  { sql: 'SELECT true AS v', is: true },
  { sql: 'SELECT NULL::text AS v', is: null },
  { sql: `SELECT 'é ☃ 𝄞'::text AS v`, is: 'é ☃ 𝄞' },
  { sql: `SELECT '00000000-0000-4000-8000-000000000001'::uuid AS v`, is: '00000000-0000-4000-8000-000000000001' },
  { sql: `SELECT '2026-11-24'::date AS v`, is: '2026-11-24' },
  { sql: `SELECT '2026-11-24 10:20:30'::timestamp AS v`, is: '2026-11-24 10:20:30' },
  { sql: `SELECT '2026-11-24 12:20:30.5+02'::timestamptz AS v`, is: new Date('2026-11-24T10:20:30.500Z') },
  { sql: `SELECT '\\x00ff10'::bytea AS v`, is: new Uint8Array([0, 255, 16]) },
  { sql: `SELECT '{"a":[1,null,"x"]}'::jsonb AS v`, is: { a: [1, null, 'x'] } },
  { sql: `SELECT '[1,2]'::json AS v`, is: [1, 2] },
  { sql: `SELECT ARRAY['a', 'b"c', NULL]::text[] AS v`, is: ['a', 'b"c', null] },
  { sql: `SELECT ARRAY[1, NULL, 3]::int8[] AS v`, is: [1, null, 3] },
  { sql: `SELECT '{}'::int8[] AS v`, is: [] },
  { sql: 'SELECT $1::text AS v', parameters: ['a\'b"\\'], is: 'a\'b"\\' },
  { sql: 'SELECT $1::int8 + 1 AS v', parameters: [41], is: 42 },
  { sql: 'SELECT $1::int8 + 1 AS v', parameters: ['41'], is: 42 },
  { sql: 'SELECT $1::boolean AS v', parameters: [false], is: false },
  { sql: 'SELECT $1::text IS NULL AS v', parameters: [null], is: true },
  { sql: 'SELECT $1::text[] AS v', parameters: [['x', 'y,z', '"']], is: ['x', 'y,z', '"'] },
  { sql: `SELECT $1::jsonb AS v`, parameters: ['[{"a":1}]'], is: [{ a: 1 }] },
  { sql: 'SELECT $1::jsonb AS v', parameters: [{ a: [1] }], is: { a: [1] } },
  { sql: 'SELECT $1::timestamptz AS v', parameters: [new Date(1_800_000_000_123)], is: new Date(1_800_000_000_123) },
  { sql: 'SELECT octet_length($1::bytea) AS v', parameters: [new Uint8Array([1, 2, 3])], is: 3 },
  { sql: 'SELECT s.a::text AS v FROM json_to_recordset($1::json) AS s (a int8)', parameters: ['[{"a":7}]'], is: '7' },
]

/** A statement that is refused, with the SQLSTATE that both have to give. */
const refusals: readonly Readonly<{ sql: string; parameters?: readonly unknown[]; sqlState: string | undefined }>[] = [
  { sql: 'INSERT INTO kept VALUES (1), (1)', sqlState: '23505' },
  { sql: 'INSERT INTO kept VALUES ($1)', parameters: [null], sqlState: '23502' },
  { sql: 'SELECT * FROM nowhere', sqlState: '42P01' },
  { sql: 'SELEC', sqlState: '42601' },
  { sql: 'SELECT 1; SELECT 2', sqlState: '42601' },
  { sql: 'SELECT $1::int4', parameters: ['x'], sqlState: '22P02' },
  // Not rounded in silence: a number that JavaScript can't hold is an error of the adapter.
  { sql: 'SELECT 9007199254740993::int8', sqlState: undefined },
]

for (const { name, kind, open } of adapters) {
  describe(name, () => {
    let database: SessionDatabase
    before(async () => {
      database = await open()
      await database.script(
        'CREATE TABLE kept (id int8 PRIMARY KEY); CREATE TABLE total (n int8 NOT NULL); INSERT INTO total VALUES (0)',
      )
    })
    // The last test closes it; this is for when that one was not reached.
    after(() => database.close().catch(() => {}))
    const ids = async () =>
      (await database.query<{ id: number }>('SELECT id FROM kept ORDER BY id')).map(({ id }) => id)

    test('says what kind it is', () => assert.equal(database.kind, kind))

    for (const { sql, parameters, is } of values) {
      test(`${sql} ${parameters === undefined ? '' : JSON.stringify(parameters)}`, async () => {
        const [row] = await database.query<{ v: unknown }>(sql, parameters)
        assert.deepStrictEqual(row?.v, is)
      })
    }

    for (const { sql, parameters, sqlState } of refusals) {
      test(`refuses ${sql}`, async () => {
        const error = await database.query(sql, parameters).catch((reason: unknown) => reason)
        assert.ok(error instanceof DatabaseError)
        assert.equal(error.sqlState, sqlState)
        assert.ok(error.cause instanceof Error)
        assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }])
      })
    }

    test('gives rows of RETURNING, and none where there are none', async () => {
      assert.deepEqual(await database.query('INSERT INTO kept VALUES (100) RETURNING id'), [{ id: 100 }])
      assert.deepEqual(await database.query('DELETE FROM kept WHERE id = 100'), [])
    })

    test('a script is all or nothing', async () => {
      await assert.rejects(database.script('INSERT INTO kept VALUES (50); INSERT INTO kept VALUES (50)'), DatabaseError)
      assert.deepEqual(await ids(), [])
    })

    test('a transaction keeps what it did', async () => {
      const result = await database.transaction(async (inside) => {
        await inside.query('INSERT INTO kept VALUES (1)')
        return 'done'
      })
      assert.equal(result, 'done')
      assert.deepEqual(await ids(), [1])
    })

    test('a transaction that throws leaves nothing, and throws just that', async () => {
      const reason = new Error('on purpose')
      const error = await database
        .transaction(async (inside) => {
          await inside.query('INSERT INTO kept VALUES (2)')
          throw reason
        })
        .catch((thrown: unknown) => thrown)
      assert.equal(error, reason)
      assert.deepEqual(await ids(), [1])
    })

    test('a swallowed error does not pass for a commit', async () => {
      const work = database.transaction(async (inside) => {
        await inside.query('INSERT INTO kept VALUES (3)')
        await inside.query('SELECT * FROM nowhere').catch(() => {})
      })
      await assert.rejects(work, (error: unknown) => error instanceof DatabaseError)
      assert.deepEqual(await ids(), [1])
    })

    test('a nested transaction can fail alone', async () => {
      await database.transaction(async (outer) => {
        await outer.query('INSERT INTO kept VALUES (4)')
        const nested = outer.transaction(async (inner) => {
          await inner.query('INSERT INTO kept VALUES (5)')
          await inner.query('INSERT INTO kept VALUES (5)')
        })
        await assert.rejects(nested, (error: unknown) => error instanceof DatabaseError && error.sqlState === '23505')
        await outer.transaction((inner) => inner.query('INSERT INTO kept VALUES (6)'))
      })
      assert.deepEqual(await ids(), [1, 4, 6])
    })

    test('transactions do not mix', async () => {
      const add = () =>
        database.transaction(async (inside) => {
          const [row] = await inside.query<{ n: number }>('SELECT n FROM total FOR UPDATE')
          await inside.query('UPDATE total SET n = $1', [(row?.n ?? 0) + 1])
        })
      await Promise.all(Array.from({ length: 30 }, add))
      assert.deepEqual(await database.query('SELECT n FROM total'), [{ n: 30 }])
    })

    test('a session is one connection', async () => {
      const seen = await database.session(async (session) => {
        await session.query(`SELECT set_config('tappass.mark', 'here', false)`)
        await session.transaction((inside) => inside.query('SELECT 1'))
        return session.query(`SELECT current_setting('tappass.mark') AS mark`)
      })
      assert.deepEqual(seen, [{ mark: 'here' }])
    })

    test('once closed it answers nothing', async () => {
      await database.close()
      await assert.rejects(database.query('SELECT 1'), DatabaseError)
      await assert.rejects(
        database.transaction((inside) => inside.query('SELECT 1')),
        DatabaseError,
      )
    })
  })
}
