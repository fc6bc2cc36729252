/** Changes and their entries in one transaction; and when a call may go on, in both modes. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../../server/adapters/system.ts'
import type { Database, Ledger, SessionDatabase } from '../../../server/core/ports.ts'
import { createLedger } from '../../../server/ledger/ledger.ts'
import { verifyLedger } from '../../../server/ledger/verification.ts'
import { prepareSchema } from '../../../server/process/storage.ts'
import { ledgerEntry } from './entry-fixture.ts'

const random = createRandom()
let database: SessionDatabase
before(async () => {
  database = await openPglite({ nowMs: Date.now })
  const place = { kind: 'pglite', folder: undefined } as const
  await prepareSchema(database, { environment: 'development', database: place }, '0', systemClock)
  await database.script('CREATE TABLE kept (i int PRIMARY KEY)')
})
after(() => database.close())

const insert = (transaction: Database, value: number): Promise<unknown> =>
  transaction.query('INSERT INTO kept VALUES ($1)', [value])
const kept = async (value: number): Promise<boolean> =>
  (await database.query('SELECT 1 FROM kept WHERE i = $1', [value])).length > 0

/** The database, whose INSERTs into the ledger wait for `gate` first. */
function gated(gate: () => Promise<unknown>): Database {
  const query: Database['query'] = async (sql, parameters) => {
    if (sql.includes('INSERT INTO audit_events')) await gate()
    return database.query(sql, parameters)
  }
  const transaction: Database['transaction'] = (work) =>
    database.transaction((inner) =>
      work({
        ...inner,
        query: async (sql, parameters) => {
          if (sql.includes('INSERT INTO audit_events')) await gate()
          return inner.query(sql, parameters)
        },
      }),
    )
  return { ...database, query, transaction }
}

describe('a change', () => {
  const ledgerOver = (over: Database): Ledger =>
    createLedger({ database: over, instance: '1', clock: systemClock, random })

  test('and its entry are there together, and its value is returned', async () => {
    const ledger = ledgerOver(database)
    const entry = ledgerEntry({ eventType: 'changed' })
    const value = await ledger.change(async (transaction) => {
      await insert(transaction, 1)
      return { value: 'done', entry }
    })
    assert.deepEqual([value, await kept(1), ledger.head()?.seq], ['done', true, 2])
  })

  test('that fails leaves neither, says why, and the chain goes on', async () => {
    const ledger = ledgerOver(database)
    await ledger.append(ledgerEntry())
    const before = ledger.head()
    const failing = ledger.change(async (transaction) => {
      await insert(transaction, 2)
      throw new Error('no')
    })
    await assert.rejects(failing, /^Error: no$/)
    assert.deepEqual([await kept(2), ledger.head()], [false, before])
    await ledger.append(ledgerEntry())
    assert.equal(ledger.head()?.seq, (before?.seq ?? 0) + 1)
  })

  test('whose entry can not be written is undone', async () => {
    let isFailing = false
    const ledger = ledgerOver(gated(async () => isFailing && Promise.reject(new Error('disk full'))))
    await ledger.open()
    isFailing = true
    const failing = ledger.change(async (transaction) => {
      await insert(transaction, 3)
      return { value: undefined, entry: ledgerEntry() }
    })
    await assert.rejects(failing, /the entry of a change was not written/)
    assert.equal(await kept(3), false)
  })

  test('of nothing has no entry', async () => {
    const ledger = ledgerOver(database)
    await ledger.open()
    assert.equal(await ledger.change(async () => ({ value: 7 })), 7)
    assert.equal(ledger.head()?.seq, 1)
  })

  test('keeps its place among entries', async () => {
    const ledger = ledgerOver(database)
    await Promise.all([
      ...[1, 2].map(() => ledger.append(ledgerEntry())),
      ledger.change(async () => ({ value: undefined, entry: ledgerEntry({ eventType: 'changed' }) })),
      ...[1, 2].map(() => ledger.append(ledgerEntry())),
    ])
    const rows = await database.query<{ event_type: string }>(
      'SELECT event_type FROM audit_events WHERE chain = $1 ORDER BY seq',
      [ledger.head()?.chain],
    )
    assert.deepEqual(
      rows.map(({ event_type }) => event_type === 'changed'),
      [false, false, false, true, false, false],
    )
    assert.equal((await verifyLedger(database)).status, 'intact')
  })
})

describe('grouped mode', () => {
  type Grouped = Readonly<{
    ledger: Ledger
    lost: number[]
    open: () => void
    fail: () => void
    setMs: (ms: number) => void
  }>

  /** A ledger whose writes wait until they are let go, after a first one has succeeded; its clock is set by hand. */
  async function grouped(): Promise<Grouped> {
    let gate = Promise.withResolvers<void>()
    let elapsedMs = 0
    gate.resolve()
    const lost: number[] = []
    const clock = { nowMs: Date.now, elapsedMs: () => elapsedMs }
    const onLost = (entries: number): void => void lost.push(entries)
    const over = gated(() => gate.promise)
    const ledger = createLedger({ database: over, instance: '2', clock, random, mode: 'grouped', onLost })
    await ledger.append(ledgerEntry())
    gate = Promise.withResolvers<void>()
    gate.promise.catch(() => {})
    return {
      ledger,
      lost,
      open: () => gate.resolve(),
      fail: () => gate.reject(new Error('gone')),
      setMs: (ms) => {
        elapsedMs = ms
      },
    }
  }

  const isSettled = async (promise: Promise<unknown>): Promise<boolean> =>
    Promise.race([
      promise.then(
        () => true,
        () => true,
      ),
      pause(20).then(() => false),
    ])

  test('the first call waits: only a database that writes is trusted', async () => {
    const gate = Promise.withResolvers<void>()
    const options = { database: gated(() => gate.promise), instance: '2', clock: systemClock, random }
    const ledger = createLedger({ ...options, mode: 'grouped' })
    const first = ledger.append(ledgerEntry())
    assert.equal(await isSettled(first), false)
    gate.resolve()
    await first
  })

  test('calls go on at once for five milliseconds, and then wait for the oldest entry', async () => {
    const { ledger, open, setMs, lost } = await grouped()
    const early = [ledger.append(ledgerEntry())]
    setMs(4.9)
    early.push(ledger.append(ledgerEntry()))
    for (const append of early) assert.equal(await isSettled(append), true)
    setMs(5)
    const late = ledger.append(ledgerEntry())
    assert.equal(await isSettled(late), false)
    open()
    await late
    assert.deepEqual([ledger.head()?.seq, lost], [5, []])
  })

  test('what could not be written is counted, and then every call waits again', async () => {
    const { ledger, fail, lost } = await grouped()
    await Promise.all([1, 2].map(() => ledger.append(ledgerEntry())))
    fail()
    await pause(20)
    assert.equal(
      lost.reduce((sum, each) => sum + each, 0),
      2,
    )
    await assert.rejects(ledger.append(ledgerEntry()))
  })
})
