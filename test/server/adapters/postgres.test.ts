/** What only the PostgreSQL adapter has: a server that goes away, time limits, passwords, TLS. Needs: postgres, openssl. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import { parsePostgresAddress } from '../../../contract/postgres-address.ts'
import { openPostgres, type PostgresSettings } from '../../../server/adapters/postgres.ts'
import type { Database, SessionDatabase } from '../../../server/core/ports.ts'
import { DatabaseError, isUnavailable, isUnsent } from '../../../server/database/database-error.ts'
import { waitingDatabase } from '../../../server/database/waiting-database.ts'
import { makeCertificate } from '../../localhost-certificate.ts'
import { type PostgresServer, startPostgres } from '../../postgres-server.ts'

const opened: SessionDatabase[] = []

const open = (url: string, settings: Partial<PostgresSettings> = {}): SessionDatabase => {
  const fixed = { kind: 'local', applicationName: 'test', onConnectionLost: () => {} } as const
  const database = openPostgres({ ...fixed, address: parsePostgresAddress(url), ...settings })
  opened.push(database)
  return database
}

const errorOf = async (work: Promise<unknown>): Promise<DatabaseError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof DatabaseError, `expected a DatabaseError, got ${error}`)
  return error
}

/** Its connection is there, and kept, however long the machine took to make it. */
const answering = async (database: SessionDatabase): Promise<void> => {
  const isThere = () =>
    database.query('SELECT 1').then(
      () => true,
      () => false,
    )
  while (!(await isThere()));
}

const closeAll = async (): Promise<void> => {
  await Promise.all(opened.splice(0).map((database) => database.close().catch(() => {})))
}

describe('a server that comes and goes', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(async () => {
    await closeAll()
    await server.dispose()
  })

  for (const how of ['fast', 'immediate'] as const) {
    test(`after a restart (${how}) the next question is answered`, async () => {
      const lost: string[] = []
      const database = open(server.socketUrl(), { onConnectionLost: (cause) => lost.push(cause.message) })
      // Three connections at once, so that the pool holds several that break.
      await Promise.all([1, 2, 3].map(() => database.query('SELECT pg_sleep(0.05)')))
      await server.stop(how)
      const error = await errorOf(database.query('SELECT 1'))
      assert.match(error.message, /^cannot reach database tappass as tappass at \/|^database: /)
      await server.start()
      assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }])
      assert.ok(lost.length >= 1, 'told of connections that broke while idle')
    })

    test(`a transaction that is cut (${how}) throws and leaves nothing`, async () => {
      const database = open(server.socketUrl())
      await database.script('CREATE TABLE IF NOT EXISTS cut (id int)')
      const work = database.transaction(async (inside) => {
        await inside.query('INSERT INTO cut VALUES (1)')
        await server.stop(how)
        await inside.query('INSERT INTO cut VALUES (2)')
      })
      await errorOf(work)
      await server.start()
      assert.deepEqual(await database.query('SELECT * FROM cut'), [])
    })
  }

  test('calls wait while it restarts in order: each write is made once, and none is lost', async () => {
    const direct = open(server.socketUrl())
    // Its clock stands: however slow the machine is, the outage is young.
    const database = waitingDatabase(direct, { elapsedMs: () => 0 }, pause)
    await database.query('SELECT 1')
    await direct.script('CREATE TABLE once (id int)')
    let isOver = false
    const [written, unknown] = [new Set<number>(), new Set<number>()]
    const write = async (start: number): Promise<void> => {
      for (let id = start; !isOver; id += 4) {
        const insert = (inside: Database) => inside.query('INSERT INTO once VALUES ($1)', [id])
        try {
          await (id % 2 === 0 ? insert(database) : database.transaction(insert))
          written.add(id)
        } catch (error) {
          // A connection that broke under a write: it may be there or not, and is not made again.
          assert.ok(isUnavailable(error) && !isUnsent(error), String(error))
          unknown.add(id)
        }
        assert.equal((await database.query<{ id: number }>('SELECT $1::int AS id', [id]))[0]?.id, id)
      }
    }
    const writers = Promise.all([0, 1, 2, 3].map(write)).finally(() => {
      isOver = true
    })
    writers.catch(() => {})
    for (let restart = 0; restart < 3; restart += 1) {
      const before = written.size
      while (written.size < before + 20 && !isOver) await pause(10)
      await server.stop('fast')
      await server.start()
    }
    isOver = true
    await writers
    const rows = (await direct.query<{ id: number }>('SELECT id FROM once')).map(({ id }) => id)
    assert.equal(new Set(rows).size, rows.length)
    assert.deepEqual(
      rows.filter((id) => !written.has(id) && !unknown.has(id)),
      [],
    )
    assert.deepEqual(
      [...written].filter((id) => !rows.includes(id)),
      [],
    )
  })

  test('a statement that takes too long is ended, and its connection is still good', async () => {
    const database = open(server.socketUrl(), { statementTimeoutMs: 1000, connectionsMax: 1 })
    await answering(database)
    const [before] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    assert.equal((await errorOf(database.query('SELECT pg_sleep(30)'))).sqlState, '57014')
    const [later] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    // 57P… would mean that the server ended the connection; a canceled statement does not.
    assert.equal(later?.pid, before?.pid)
  })

  test('no free connection within the time is an error that says so', async () => {
    const database = open(server.socketUrl(), { connectionsMax: 1, connectTimeoutMs: 1500 })
    await answering(database)
    await database.session(async () => {
      const error = await errorOf(database.query('SELECT 1'))
      assert.match(error.message, /^cannot reach database tappass .*timeout/)
      assert.equal(error.sqlState, undefined)
    })
    assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }])
  })

  test('a backend that an operator ends is replaced', async () => {
    const database = open(server.socketUrl(), { connectionsMax: 1 })
    const error = errorOf(database.query('SELECT pg_sleep(30)'))
    const sleeping = `FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(30)%'`
    while ((await server.superuser(`SELECT count(*) ${sleeping}`)) === '0');
    await server.superuser(`SELECT pg_terminate_backend(pid) ${sleeping}`)
    assert.equal((await error).sqlState, '57P01')
    assert.deepEqual(await database.query('SELECT 1 AS one'), [{ one: 1 }])
  })

  test('a statement stays prepared, unless the address says otherwise', async () => {
    const prepared = `SELECT count(*) AS n FROM pg_prepared_statements WHERE statement LIKE 'SELECT 41 + %'`
    for (const [query, n] of [
      ['', 1],
      ['&prepare=off', 0],
    ] as const) {
      const database = open(`${server.socketUrl()}${query}`, { connectionsMax: 1 })
      for (const added of [1, 2, 3]) {
        assert.deepEqual(await database.query('SELECT 41 + $1::int AS v', [added]), [{ v: 41 + added }])
      }
      assert.deepEqual(await database.query(prepared), [{ n }])
    }
  })

  test('a prepared statement whose table has changed fails once at most', async () => {
    const database = open(server.socketUrl(), { connectionsMax: 1 })
    await database.script('CREATE TABLE changing (a int); INSERT INTO changing VALUES (1)')
    const look = () => database.query('SELECT * FROM changing')
    assert.deepEqual(await look(), [{ a: 1 }])
    await database.script('ALTER TABLE changing ADD COLUMN b int')
    assert.equal((await errorOf(look())).sqlState, '0A000')
    assert.deepEqual(await look(), [{ a: 1, b: null }])
  })

  test('it shows its name to the server', async () => {
    const database = open(server.socketUrl(), { applicationName: 'shown' })
    const [row] = await database.query<{ name: string }>(`SELECT current_setting('application_name') AS name`)
    assert.equal(row?.name, 'shown')
  })

  const doors: readonly Readonly<{ name: string; url: () => string; password?: string; is: RegExp | undefined }>[] = [
    { name: 'wrong password', url: () => server.tcpUrl(), password: 'wrong', is: /password authentication failed/ },
    { name: 'no password', url: () => server.tcpUrl(), is: /password/ },
    { name: 'no such database', url: () => server.socketUrl('nowhere'), is: /database "nowhere" does not exist/ },
    { name: 'nobody there', url: () => 'postgresql://a@127.0.0.1:1/b', is: /at 127\.0\.0\.1:1: .*ECONNREFUSED/ },
    { name: 'no socket', url: () => 'postgresql://a@/b?host=/nowhere', is: /at \/nowhere: .*ENOENT/ },
    { name: 'TLS where there is none', url: () => `${server.tcpUrl()}?sslmode=require`, is: /does not support SSL/ },
  ]
  for (const { name, url, password, is } of doors) {
    test(`${name} is one clear error, without the password`, async () => {
      const { message } = await errorOf(open(url(), { password }).query('SELECT 1'))
      assert.match(message, is ?? /./)
      assert.doesNotMatch(message, /only-for-tests/)
    })
  }

  test('either of two passwords serves, also when the server changes from the one to the other under many connections', async () => {
    const [current, next] = ['only-for-tests-current', 'only-for-tests-next'] as const
    const setPassword = (password: string) => server.superuser(`ALTER ROLE changing PASSWORD '${password}'`)
    await server.superuser(`CREATE ROLE changing LOGIN PASSWORD '${current}'`)
    const url = server.tcpUrl().replace('tappass@', 'changing@')
    // A connection is closed as soon as it is idle, so that each round connects anew.
    const database = open(url, { password: current, nextPassword: next, idleTimeoutMs: 1, connectionsMax: 5 })
    const ask = () => database.query('SELECT pg_sleep(0.02)')
    for (const password of [current, next, current]) {
      await setPassword(password)
      for (let round = 0; round < 3; round++) {
        await Promise.all(Array.from({ length: 10 }, ask))
        await pause(20)
      }
    }
    await setPassword('only-for-tests-third')
    await pause(50)
    const { message } = await errorOf(ask())
    assert.match(message, /password authentication failed/)
  })

  test('a password in the address serves too', async () => {
    const url = server.tcpUrl().replace('tappass@', `tappass:${encodeURIComponent(server.password)}@`)
    assert.deepEqual(await open(url).query('SELECT 1 AS one'), [{ one: 1 }])
  })
})

/** Puts TLS in front of a PostgreSQL, as its protocol asks for it; gives the port, and what came in over which. */
const startTls = async (port: number, key: Buffer, cert: Buffer) => {
  const seen: ('TLS' | 'plain')[] = []
  const listener = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1')
    const join = (client: Socket) => {
      client.on('error', () => upstream.destroy())
      upstream.on('error', () => client.destroy())
      client.pipe(upstream).pipe(client)
    }
    socket.on('error', () => upstream.destroy())
    socket.once('data', (first: Buffer) => {
      // SSLRequest is 8 bytes long and carries this number in place of a protocol version (PostgreSQL manual, 55.7).
      const isAsked = first.length === 8 && first.readInt32BE(4) === 80_877_103
      seen.push(isAsked ? 'TLS' : 'plain')
      if (isAsked) {
        socket.write('S')
        join(new TLSSocket(socket, { isServer: true, key, cert }))
      } else {
        upstream.write(first)
        join(socket)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return { port: (listener.address() as AddressInfo).port, seen, close: () => listener.close() }
}

describe('TLS', () => {
  let server: PostgresServer
  let door: Awaited<ReturnType<typeof startTls>>
  const folder = mkdtempSync(join(tmpdir(), 'tappass-tls-'))
  const file = (name: string) => join(folder, name)
  before(async () => {
    for (const name of ['server', 'other']) makeCertificate(file(name))
    server = await startPostgres()
    door = await startTls(server.port, readFileSync(file('server.key')), readFileSync(file('server.crt')))
  })
  after(async () => {
    await closeAll()
    door.close()
    await server.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const right = () => `&sslrootcert=${file('server.crt')}`
  const wrong = () => `&sslrootcert=${file('other.crt')}`
  const rows: readonly Readonly<{ host: string; query: () => string; over?: 'TLS' | 'plain'; refused?: RegExp }>[] = [
    { host: '127.0.0.1', query: () => 'sslmode=disable', over: 'plain' },
    { host: '127.0.0.1', query: () => 'sslmode=require', over: 'TLS' },
    { host: 'localhost', query: () => `sslmode=verify-full${right()}`, over: 'TLS' },
    { host: '127.0.0.1', query: () => `sslmode=verify-ca${right()}`, over: 'TLS' },
    {
      host: '127.0.0.1',
      query: () => `sslmode=verify-full${right()}`,
      refused: /does not match certificate's altnames/,
    },
    {
      host: 'localhost',
      query: () => `sslmode=verify-full${wrong()}`,
      refused: /self-signed|unable to verify|signature/,
    },
    {
      host: '127.0.0.1',
      query: () => `sslmode=verify-ca${wrong()}`,
      refused: /self-signed|unable to verify|signature/,
    },
    { host: 'localhost', query: () => 'sslmode=verify-full', refused: /self-signed/ },
  ]
  for (const [index, { host, query, over, refused }] of rows.entries()) {
    test(`row ${index}: ${host} ${over ?? 'refused'}`, async () => {
      const url = `postgresql://tappass@${host}:${door.port}/tappass?${query()}`
      const work = open(url, { password: server.password }).query('SELECT 1 AS one')
      if (refused === undefined) {
        assert.deepEqual(await work, [{ one: 1 }])
        assert.equal(door.seen.at(-1), over)
      } else assert.match((await errorOf(work)).message, refused)
    })
  }
})
