/** A database that somebody else runs, looked at before a run: over a real PostgreSQL, each way in which it may be wrong. Needs: postgres. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Duplex } from 'node:stream'
import { after, before, test } from 'node:test'
import { connected, relayArgv } from '../../../scripts/connection/relay.ts'
import { connectLocal } from '../../../scripts/runners/local.ts'
import { checkDatabase, type DatabaseSecrets } from '../../../scripts/storage/database-check.ts'
import type { Dial, VersionFloors } from '../../../scripts/storage/finding.ts'
import { type PostgresServer, startPostgres } from '../../postgres-server.ts'
import { assertRefusedOnce } from './refusal.ts'

const FLOORS: VersionFloors = { atLeast: '15.0.0', because: 'the schema needs it' }
const WORD = ['only', 'for', 'this', 'test'].join('-')
const { dial } = connectLocal(true)

/** As over SSH: a process of the host connects, and its ends are those of a channel. */
const relayed: Dial = async (host, port) => {
  const [file, ...args] = relayArgv(host, port)
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const channel = new Duplex({
    autoDestroy: false,
    read: () => undefined,
    write: (piece, _, done) => child.stdin.write(piece, done),
    final: (done) => child.stdin.end(done),
  })
  child.stdin.on('error', () => undefined)
  child.stdout.on('data', (piece) => channel.push(piece))
  child.once('close', () => channel.destroy())
  return await connected(channel, child.stderr, 5000)
}

let server: PostgresServer
before(async () => {
  server = await startPostgres()
  await server.superuser(`CREATE ROLE serving LOGIN PASSWORD '${WORD}'; CREATE ROLE almighty LOGIN SUPERUSER PASSWORD '${WORD}';
    CREATE ROLE nobody_in LOGIN PASSWORD '${WORD}' CONNECTION LIMIT 0`)
  await server.superuser(`CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 OWNER tappass`)
  await server.superuser('CREATE DATABASE other OWNER tappass')
})
after(() => server?.dispose())

const address = (user: string, password: string, rest = 'tappass') =>
  `postgresql://${user}:${password}@127.0.0.1:${server.port}/${rest}`
const owner = (rest?: string) => address('tappass', server.password, rest)
const serving = (rest?: string) => address('serving', WORD, rest)

const check = (secrets: DatabaseSecrets, floors: VersionFloors = FLOORS, over: Dial = dial) =>
  checkDatabase(over, secrets, floors)

test('two roles of one database: nothing to say', async () => {
  const found = await check({ url: serving(), ownerUrl: owner() })
  assert.deepEqual(found, { refusals: [], warnings: [] })
})

test('over the relay of a host it is the same', async () => {
  const found = await check({ url: serving(), ownerUrl: owner() }, FLOORS, relayed)
  assert.deepEqual(found, { refusals: [], warnings: [] })
  const [refusal] = (await check({ url: address('serving', 'wrong'), ownerUrl: owner() }, FLOORS, relayed)).refusals
  assert.match(refusal?.what ?? '', /refuses the password of serving/)
})

test('one role for everything is told, and no reason to stop', async () => {
  const { refusals, warnings } = await check({ url: owner() })
  assert.deepEqual([refusals, warnings.map(({ what }) => what)], [[], ['one role of the database does everything']])
})

test('older than what is pinned is told where fixes of the same version are missed', async () => {
  const warningsOf = async (atLeast: string) => {
    const { warnings } = await check(
      { url: serving(), ownerUrl: owner() },
      { ...FLOORS, pinned: { atLeast, because: 'x' } },
    )
    return warnings.map(({ what }) => what.replace(/16\.\d+/, '16.…'))
  }
  assert.deepEqual(await warningsOf('16.99.0'), ['PostgreSQL 16.… is older than 16.99'])
  assert.deepEqual([await warningsOf('17.9.0'), await warningsOf('16.0.0')], [[], []])
})

const rows: readonly Readonly<{
  name: string
  given: () => DatabaseSecrets
  what: RegExp
  also?: RegExp
  floors?: VersionFloors
}>[] = [
  {
    name: 'a wrong password',
    given: () => ({ url: address('serving', 'wrong'), ownerUrl: owner() }),
    what: /refuses the password of serving/,
  },
  {
    name: 'a wrong password of the owner',
    given: () => ({ url: serving(), ownerUrl: address('tappass', 'wrong') }),
    what: /refuses the password of tappass/,
  },
  {
    name: 'an unknown role',
    given: () => ({ url: address('unheard', WORD), ownerUrl: owner() }),
    what: /refuses the password of unheard/,
  },
  {
    name: 'no such database',
    given: () => ({ url: serving('nowhere'), ownerUrl: owner() }),
    what: /there is no database nowhere/,
  },
  {
    name: 'no connection left',
    given: () => ({ url: address('nobody_in', WORD), ownerUrl: owner() }),
    what: /no connection left/,
  },
  {
    name: 'TLS where there is none',
    given: () => ({ url: serving('tappass?sslmode=verify-full'), ownerUrl: owner() }),
    what: /TLS with the database was refused/,
    also: /sslmode=disable/,
  },
  {
    name: 'a superuser that serves',
    given: () => ({ url: address('almighty', WORD), ownerUrl: owner() }),
    what: /almighty is a superuser/,
    also: /triggers/,
  },
  {
    name: 'an owner that makes no tables',
    given: () => ({ url: serving() }),
    what: /serving may not make tables/,
    also: /database-owner-url=FILE/,
  },
  { name: 'one role twice', given: () => ({ url: owner(), ownerUrl: owner() }), what: /are of one role, tappass/ },
  { name: 'two databases', given: () => ({ url: serving('other'), ownerUrl: owner() }), what: /not of one database/ },
  {
    name: 'another encoding',
    given: () => ({ url: serving('ascii'), ownerUrl: owner('ascii') }),
    what: /encoded in SQL_ASCII/,
  },
  {
    name: 'a pooler in transaction mode',
    given: () => ({ url: owner('tappass?prepare=off') }),
    what: /migrations need a session/,
  },
  {
    name: 'too old',
    given: () => ({ url: serving(), ownerUrl: owner() }),
    floors: { atLeast: '99.0.0', because: 'the schema needs it' },
    what: /PostgreSQL 16\.\d+ is too old: 99\.0 at least/,
    also: /the schema needs it/,
  },
]
for (const { name, given, what, also = /./, floors } of rows)
  test(`refused: ${name}`, async () => {
    const { refusals } = await check(given(), floors)
    assertRefusedOnce(refusals, what, also, [WORD, server.password])
  })

test('refused: nobody listens, here and over the relay', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as { port: number }
  closed.close()
  await once(closed, 'close')
  for (const over of [dial, relayed]) {
    const url = `postgresql://serving:${WORD}@127.0.0.1:${port}/tappass`
    const [refusal, ...others] = (await check({ url }, FLOORS, over)).refusals
    assert.match(refusal?.what ?? '', /cannot be reached from this host/)
    assert.match(refusal?.why ?? '', /refused/i)
    assert.deepEqual(others, [])
  }
})

/** As Supabase sets up a project: default privileges of the role that makes tables, and tables that were made under them. */
const supabase = [
  {
    name: 'what it makes is given to the roles of the web API',
    before: 'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO anon, authenticated, service_role',
    roles: 'anon, authenticated',
  },
  {
    name: 'a table is open to one of them',
    before: 'CREATE TABLE public.agents (one integer); GRANT SELECT ON public.agents TO anon',
    roles: 'anon',
  },
  {
    name: 'other tables are open to them',
    before: 'CREATE TABLE public.pages (one integer); GRANT ALL ON public.pages TO anon, authenticated',
    roles: '',
  },
] as const
for (const { name, before: sql, roles } of supabase)
  test(`Supabase: ${name}: ${roles === '' ? 'nothing to say' : 'refused, with what closes it'}`, async () => {
    await server.superuser('CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role')
    await server.superuser('CREATE DATABASE project OWNER tappass')
    await server.superuser(`SET ROLE tappass; ${sql}`, 'project')
    try {
      const secrets = { url: serving('project'), ownerUrl: owner('project') }
      const { refusals } = await check(secrets)
      if (roles === '') return assert.deepEqual(refusals, [])
      assertRefusedOnce(refusals, new RegExp(`: ${roles} may use what tappass makes`), /PostgREST/, [WORD])
      const [remedy] = (refusals[0]?.next ?? '').split('   (there')
      await server.superuser(`SET ROLE tappass; ${remedy}`, 'project')
      assert.deepEqual((await check(secrets)).refusals, [])
    } finally {
      await server.superuser('DROP DATABASE project')
      await server.superuser('DROP ROLE anon; DROP ROLE authenticated; DROP ROLE service_role')
    }
  })
