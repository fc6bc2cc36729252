/** The ledger over real databases: what is durable when, what happens when an INSERT fails, and that every change shows. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { openPostgres } from '../../../server/adapters/postgres.ts'
import { createRandom, systemClock } from '../../../server/adapters/system.ts'
import type { ChainHead, Database, Ledger, SessionDatabase } from '../../../server/core/ports.ts'
import { recordedHeads } from '../../../server/ledger/chain.ts'
import { createLedger } from '../../../server/ledger/ledger.ts'
import { verifyLedger } from '../../../server/ledger/verification.ts'
import { prepareSchema } from '../../../server/process/storage.ts'
import { type PostgresServer, startPostgres } from '../../postgres-server.ts'
import { ledgerEntry } from './entry-fixture.ts'

const random = createRandom()
const development = {
  environment: 'development',
  database: { kind: 'pglite', folder: undefined, cacheFolder: undefined },
} as const

const ledgerOver = (database: Database, instance = '1'): Ledger =>
  createLedger({ database, instance, clock: systemClock, random })

test('ledger: each chain begins with the fingerprint of the vault key that its process has, so that a rotation shows in it', async () => {
  const { database, dispose } = await openMemory()
  try {
    await prepareSchema(database, development, 'test', systemClock)
    for (const vaultKey of ['one', undefined, 'two']) {
      const ledger = createLedger({ database, instance: '1', vaultKey, clock: systemClock, random })
      await ledger.open()
      await ledger.close()
    }
    const rows = await database.query<{ entry: string }>(
      `SELECT entry FROM audit_events WHERE event_type = 'chain_opened' ORDER BY chain`,
    )
    const details = rows.map(({ entry }) => JSON.parse(entry).details)
    assert.deepEqual(
      details.map(({ vault_key }) => vault_key),
      ['one', undefined, 'two'],
    )
  } finally {
    await dispose()
  }
})

/** Appends an entry, and returns the head that it is then. */
async function appended(ledger: Ledger): Promise<ChainHead> {
  await ledger.append(ledgerEntry())
  return ledger.head() as ChainHead
}

/** The database, with every INSERT into the ledger handed to `insert` first. */
function watched(database: Database, insert: (write: () => Promise<unknown>) => Promise<unknown>): Database {
  const query = <Row>(sql: string, parameters?: readonly unknown[]): Promise<readonly Row[]> => {
    const write = (): Promise<readonly Row[]> => database.query<Row>(sql, parameters)
    return sql.includes('INSERT INTO audit_events') ? (insert(write) as Promise<readonly Row[]>) : write()
  }
  return { ...database, query }
}

type Opened = Readonly<{ database: SessionDatabase; dispose: () => Promise<void> }>

async function openMemory(): Promise<Opened> {
  const database = await openPglite({ nowMs: Date.now })
  return { database, dispose: () => database.close() }
}

async function openServer(): Promise<Opened> {
  const server: PostgresServer = await startPostgres()
  const address = await server.createDatabase('ledger')
  const database = openPostgres({ kind: 'local', address, applicationName: 'test', onConnectionLost: () => {} })
  const dispose = async (): Promise<void> => {
    await database.close()
    await server.dispose()
  }
  return { database, dispose }
}

const DATABASES: readonly (readonly [name: string, open: () => Promise<Opened>])[] = [
  ['PGlite', openMemory],
  ['PostgreSQL', openServer],
]

for (const [name, open] of DATABASES) {
  describe(`ledger over ${name}`, () => {
    let opened: Opened
    let database: Database
    before(async () => {
      opened = await open()
      database = opened.database
      await prepareSchema(opened.database, development, '0', systemClock)
    })
    after(() => opened.dispose())

    const intact = async (): Promise<void> => assert.equal((await verifyLedger(database)).status, 'intact')

    test('an append is durable when it resolves, and continues the chain', async () => {
      const ledger = ledgerOver(database)
      const rows = [await appended(ledger), await appended(ledger)]
      const kept = await database.query<{ seq: number; hash: string; prev_hash: string }>(
        'SELECT seq, hash, prev_hash FROM audit_events WHERE chain = $1 ORDER BY seq',
        [rows[0]?.chain],
      )
      assert.deepEqual(
        kept.map(({ seq }) => seq),
        [1, 2, 3],
      )
      assert.deepEqual(
        kept.map(({ hash }) => hash).slice(1),
        rows.map(({ hash }) => hash),
      )
      assert.deepEqual(
        kept.map(({ prev_hash }) => prev_hash),
        [null, kept[0]?.hash, kept[1]?.hash],
      )
      await intact()
    })

    test('appends that wait together are written together', async () => {
      let inserts = 0
      const ledger = ledgerOver(
        watched(database, (write) => {
          inserts += 1
          return write()
        }),
      )
      await ledger.open()
      await Promise.all(Array.from({ length: 400 }, () => ledger.append(ledgerEntry())))
      assert.equal(ledger.head()?.seq, 401)
      assert.equal(inserts, 2)
      await intact()
    })

    const ENDINGS: readonly (readonly [what: string, fail: (write: () => Promise<unknown>) => Promise<unknown>])[] = [
      ['before it wrote', async () => Promise.reject(new Error('connection lost'))],
      ['after it wrote', async (write) => write().then(() => Promise.reject(new Error('connection lost')))],
    ]
    for (const [what, fail] of ENDINGS) {
      test(`an INSERT that fails ${what} refuses its calls, and a new chain records where the old one ended`, async () => {
        let isFailing = false
        const ledger = ledgerOver(watched(database, (write) => (isFailing ? fail(write) : write())))
        const { chain } = await appended(ledger)
        isFailing = true
        const refused = await Promise.allSettled([ledger.append(ledgerEntry()), ledger.append(ledgerEntry())])
        assert.deepEqual(
          refused.map(({ status }) => status),
          ['rejected', 'rejected'],
        )
        isFailing = false
        const next = await appended(ledger)
        assert.notEqual(next.chain, chain)
        const [opening] = await database.query<{ entry: string }>(
          'SELECT entry FROM audit_events WHERE chain = $1 AND seq = 1',
          [next.chain],
        )
        const [ended] = await database.query<{ seq: number }>(
          'SELECT max(seq) AS seq FROM audit_events WHERE chain = $1',
          [chain],
        )
        const recorded = recordedHeads(opening?.entry ?? '').find((head) => head.chain === chain)
        assert.equal(recorded?.seq, ended?.seq)
        await intact()
      })
    }

    test('while the database is away every append is refused, and none is lost in silence', async () => {
      let isAway = true
      const ledger = ledgerOver({
        ...database,
        query: (...question) => (isAway ? Promise.reject(new Error('away')) : database.query(...question)),
      })
      await assert.rejects(ledger.append(ledgerEntry()))
      await assert.rejects(ledger.append(ledgerEntry()))
      isAway = false
      assert.equal((await appended(ledger)).seq, 2)
    })

    test('a new chain records the heads that nobody recorded yet, and no others', async () => {
      const first = await appended(ledgerOver(database, 'a'))
      await ledgerOver(database, 'b').append(ledgerEntry())
      const third = await appended(ledgerOver(database, 'c'))
      const [opening] = await database.query<{ entry: string }>(
        'SELECT entry FROM audit_events WHERE chain = $1 AND seq = 1',
        [third.chain],
      )
      const heads = recordedHeads(opening?.entry ?? '').map(({ chain }) => chain.split('-')[0])
      assert.deepEqual(heads, ['b'])
      assert.ok(first.chain.startsWith('a-'))
    })

    test('a ledger that was closed ends its chain, and takes nothing more', async () => {
      const ledger = ledgerOver(database)
      const { chain } = await appended(ledger)
      await ledger.close()
      await ledger.close()
      await assert.rejects(ledger.append(ledgerEntry()))
      const rows = await database.query<{ event_type: string }>(
        'SELECT event_type FROM audit_events WHERE chain = $1 ORDER BY seq',
        [chain],
      )
      assert.deepEqual(
        rows.map(({ event_type }) => event_type),
        ['chain_opened', 'govern_allow', 'chain_closed'],
      )
    })

    test('closing a ledger that was never used leaves nothing behind', async () => {
      const before = await database.query('SELECT 1 FROM audit_events')
      await ledgerOver(database).close()
      assert.equal((await database.query('SELECT 1 FROM audit_events')).length, before.length)
    })
  })
}

describe('a ledger that somebody has touched', () => {
  let opened: Opened
  before(async () => {
    opened = await openMemory()
    await prepareSchema(opened.database, development, '0', systemClock)
    await opened.database.script('ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only')
  })
  after(() => opened.dispose())

  /** Two chains of a process each, the second of which records the head of the first. */
  async function writeTwo(database: Database): Promise<Readonly<{ first: string; second: string }>> {
    await database.query('DELETE FROM audit_events')
    const chains: string[] = []
    for (const instance of ['1', '2']) {
      const ledger = ledgerOver(database, instance)
      for (let index = 0; index < 4; index++) await ledger.append(ledgerEntry())
      chains.push((await appended(ledger)).chain)
    }
    return { first: chains[0] ?? '', second: chains[1] ?? '' }
  }

  async function isIntact(chains: number, entries: number): Promise<void> {
    const { unended, ...rest } = await verifyLedger(opened.database)
    assert.deepEqual([rest, unended.length], [{ status: 'intact', chains, entries, signed: null }, chains])
  }

  const rehash = `hash = encode(sha256(convert_to(replace(entry, '"allow"', '"block"'), 'UTF8')), 'hex')`

  const TOUCHES: readonly (readonly [what: string, sql: string, chain: 'first' | 'second', seq: number])[] = [
    [
      'a text',
      `UPDATE audit_events SET entry = replace(entry, '"allow"', '"block"') WHERE chain = $1 AND seq = 3`,
      'first',
      3,
    ],
    [
      'a text with its hash',
      `UPDATE audit_events SET entry = replace(entry, '"allow"', '"block"'), ${rehash}, decision = 'block' WHERE chain = $1 AND seq = 3`,
      'first',
      4,
    ],
    [
      'the last text of a chain with its hash',
      `UPDATE audit_events SET entry = replace(entry, '"allow"', '"block"'), ${rehash}, decision = 'block' WHERE chain = $1 AND seq = 6`,
      'first',
      6,
    ],
    ['a column', `UPDATE audit_events SET decision = 'block' WHERE chain = $1 AND seq = 2`, 'first', 2],
    ['a time', `UPDATE audit_events SET ts = ts + interval '1 second' WHERE chain = $1 AND seq = 2`, 'second', 2],
    ['a link', `UPDATE audit_events SET prev_hash = hash WHERE chain = $1 AND seq = 4`, 'second', 4],
    ['an entry taken out of the middle', 'DELETE FROM audit_events WHERE chain = $1 AND seq = 3', 'first', 4],
    ['the first entry taken away', 'DELETE FROM audit_events WHERE chain = $1 AND seq = 1', 'first', 2],
    ['the tail taken away', 'DELETE FROM audit_events WHERE chain = $1 AND seq > 4', 'first', 6],
    ['the whole chain taken away', 'DELETE FROM audit_events WHERE chain = $1', 'first', 6],
  ]

  for (const [what, sql, chain, seq] of TOUCHES) {
    test(`is broken, and the entry is named: ${what}`, async () => {
      const chains = await writeTwo(opened.database)
      await isIntact(2, 12)
      await opened.database.query(sql, [chains[chain]])
      const integrity = await verifyLedger(opened.database)
      assert.equal(integrity.status, 'broken')
      if (integrity.status !== 'broken') return
      assert.deepEqual([integrity.chain, integrity.seq], [chains[chain], seq], integrity.reason)
    })
  }

  test('an entry moved to another chain is noticed', async () => {
    const { first, second } = await writeTwo(opened.database)
    await opened.database.query('UPDATE audit_events SET chain = $2, seq = 7 WHERE chain = $1 AND seq = 6', [
      first,
      second,
    ])
    assert.equal((await verifyLedger(opened.database)).status, 'broken')
  })

  test('more entries than a page are all read', async () => {
    await writeTwo(opened.database)
    const ledger = ledgerOver(opened.database, '3')
    await Promise.all(Array.from({ length: 1200 }, () => ledger.append(ledgerEntry())))
    await isIntact(3, 1213)
  })
})
