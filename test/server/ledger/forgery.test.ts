/**
 * Every way of forging a ledger by somebody who may write to its database, but has not the key: found with its place by the
 * gateway's verifier, in the database and in an export, by a second program, and after a restart too. Needs: python.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createCheckpointFolder, readCheckpointFolder } from '../../../server/adapters/checkpoint-folder.ts'
import { readLines } from '../../../server/adapters/line-file.ts'
import { openPglite } from '../../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../../server/adapters/system.ts'
import { sha256 } from '../../../server/core/hash.ts'
import type { Database, Ledger, SessionDatabase } from '../../../server/core/ports.ts'
import { createCheckpointTable } from '../../../server/ledger/checkpoint-table.ts'
import { createLedger } from '../../../server/ledger/ledger.ts'
import { exportLines, verifyExport } from '../../../server/ledger/ledger-export.ts'
import { type Evidence, type Integrity, verifyLedger } from '../../../server/ledger/verification.ts'
import { prepareSchema } from '../../../server/process/storage.ts'
import { ledgerEntry } from './entry-fixture.ts'
import { createSigning, createSigningKey } from './signing-fixture.ts'

const PYTHON_VERIFIER = join(import.meta.dirname, '../../../docs/programs/verify_ledger.py')
const random = createRandom()
const { signer, publicPem } = createSigningKey()
const folder = mkdtempSync(join(tmpdir(), 'tappass-forgery-'))
const keyPath = join(folder, 'key.pem')
writeFileSync(keyPath, publicPem)

const TAINTED = { agent_uuid: 'ag_1', stage: 'request', taint: ['injection', 'opaque'], taint_found: ['injection'] }

type Row = Readonly<{ chain: string; seq: number; entry: string; hash: string; prev_hash: string | null }>

/** A ledger of two processes, signed at their ends, with a checkpoint after each second entry. */
async function writeSigned(database: Database, checkpoints: string, entries = 6): Promise<readonly string[]> {
  const chains: string[] = []
  for (const instance of ['1', '2']) {
    const ledger = createLedger({ database, instance, clock: systemClock, random })
    chains.push(await writeChain(database, ledger, checkpoints, entries))
  }
  return chains
}

async function writeChain(database: Database, ledger: Ledger, checkpoints: string, entries: number): Promise<string> {
  const sign = createSigning(ledger, signer, createCheckpointTable(database), createCheckpointFolder(checkpoints))
  for (let index = 0; index < entries; index++) {
    // Among them entries of a tainted session, which are written by another statement.
    await ledger.append(ledgerEntry(index % 3 === 0 ? { details: TAINTED } : {}))
    if (index % 2 === 1) await sign()
  }
  const chain = ledger.head()?.chain ?? ''
  await ledger.close()
  await sign()
  return chain
}

/** Writes a changed entry, and hashes all that follow in its chain anew, as somebody does who knows how. */
async function rewriteFrom(
  database: Database,
  chain: string,
  from: number,
  change: (entry: string) => string,
): Promise<void> {
  const rows = await rowsOf(database, chain)
  let previous = rows.find(({ seq }) => seq === from - 1)?.hash ?? null
  for (const { seq, entry } of rows.filter((row) => row.seq >= from)) {
    const text = change(entry).replace(/"prev_hash":(?:null|"[0-9a-f]{64}")/, `"prev_hash":${JSON.stringify(previous)}`)
    const hash = sha256(text)
    const decision = (JSON.parse(text) as { decision: string | null }).decision
    await database.query(
      'UPDATE audit_events SET entry = $3, hash = $4, prev_hash = $5, decision = $6 WHERE chain = $1 AND seq = $2::bigint',
      [chain, seq, text, hash, previous, decision],
    )
    previous = hash
  }
}

function rowsOf(database: Database, chain: string): Promise<readonly Row[]> {
  return database.query<Row>(
    'SELECT chain, seq::float8 AS seq, entry, hash, prev_hash FROM audit_events WHERE chain = $1 ORDER BY seq',
    [chain],
  )
}

/** Puts a copy of an entry behind the last one of its chain, as a second writer would. */
async function appendCopy(database: Database, chain: string, of: number, as: number): Promise<void> {
  const rows = await rowsOf(database, chain)
  const source = rows.find(({ seq }) => seq === of)
  const previous = rows.find(({ seq }) => seq === as - 1)
  const text = (source?.entry ?? '')
    .replace(/"seq":\d+/, `"seq":${as}`)
    .replace(/"audit_id":"[^"]+"/, `"audit_id":"ae_copy_${as}"`)
    .replace(/"prev_hash":"[0-9a-f]{64}"/, `"prev_hash":"${previous?.hash}"`)
  await database.query(
    `INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name, org_id, agent_id,
       session_id, request_id, model, classification, policy, decision_id, entry, prev_hash, hash)
     SELECT chain, $3::bigint, 'ae_copy_' || $3::bigint, ts, event_kind, event_type, severity, decision, step_name, org_id, agent_id,
       session_id, request_id, model, classification, policy, decision_id, $4, $5, $6
     FROM audit_events WHERE chain = $1 AND seq = $2::bigint`,
    [chain, of, as, text, previous?.hash, sha256(text)],
  )
}

const toBlock = (entry: string): string => entry.replace('"decision":"allow"', '"decision":"block"')

type Forgery = Readonly<{
  what: string
  forge: (database: Database, chains: readonly string[]) => Promise<unknown>
  /** The chain and the entry that have to be named. */
  chain: 0 | 1
  seq: number
}>

/** Each chain has eight entries: its beginning, six calls, its end. Checkpoints cover 3, 5, 7 and 8 of them. */
const FORGERIES: readonly Forgery[] = [
  {
    what: 'one entry edited',
    forge: (database, [chain]) =>
      database.query(
        `UPDATE audit_events SET entry = replace(entry, '"allow"', '"block"') WHERE chain = $1 AND seq = 4`,
        [chain],
      ),
    chain: 0,
    seq: 4,
  },
  {
    what: 'one entry deleted',
    forge: (database, [chain]) => database.query('DELETE FROM audit_events WHERE chain = $1 AND seq = 4', [chain]),
    chain: 0,
    seq: 5,
  },
  {
    what: 'two entries swapped',
    forge: (database, [chain]) =>
      database.query(
        `UPDATE audit_events a SET entry = b.entry, hash = b.hash, prev_hash = b.prev_hash FROM audit_events b
         WHERE a.chain = $1 AND b.chain = $1 AND ((a.seq = 4 AND b.seq = 5) OR (a.seq = 5 AND b.seq = 4))`,
        [chain],
      ),
    chain: 0,
    seq: 4,
  },
  {
    what: 'an entry added behind the end',
    forge: (database, [chain]) => appendCopy(database, String(chain), 4, 9),
    chain: 0,
    seq: 9,
  },
  {
    what: 'an entry changed, and all hashes of its chain computed anew',
    forge: (database, [chain]) => rewriteFrom(database, String(chain), 4, toBlock),
    chain: 0,
    seq: 5,
  },
  {
    what: 'the newest chain changed, and computed anew with its checkpoints taken away',
    forge: async (database, [, chain]) => {
      await rewriteFrom(database, String(chain), 4, toBlock)
      await database.query('DELETE FROM audit_checkpoints WHERE chain = $1', [chain])
    },
    chain: 1,
    seq: 8,
  },
  {
    what: 'everything changed and computed anew, and no checkpoint left',
    forge: async (database, chains) => {
      await rewriteFrom(database, String(chains[0]), 1, toBlock)
      const [head] = (await rowsOf(database, String(chains[0]))).slice(-1)
      await rewriteFrom(database, String(chains[1]), 1, (entry) =>
        toBlock(entry).replace(/"hash":"[0-9a-f]{64}"/, `"hash":"${head?.hash}"`),
      )
      await database.query('DELETE FROM audit_checkpoints')
    },
    chain: 0,
    seq: 8,
  },
  {
    what: 'everything deleted',
    forge: async (database) => {
      await database.query('DELETE FROM audit_events')
      await database.query('DELETE FROM audit_checkpoints')
    },
    chain: 0,
    seq: 1,
  },
  {
    what: 'the tail cut, with its checkpoints',
    forge: async (database, [, chain]) => {
      await database.query('DELETE FROM audit_events WHERE chain = $1 AND seq > 5', [chain])
      await database.query('DELETE FROM audit_checkpoints WHERE chain = $1 AND size > 5', [chain])
    },
    chain: 1,
    seq: 6,
  },
  {
    what: 'rolled back to before the second process',
    forge: async (database, [, chain]) => {
      await database.query('DELETE FROM audit_events WHERE chain = $1', [chain])
      await database.query('DELETE FROM audit_checkpoints WHERE chain = $1', [chain])
    },
    chain: 1,
    seq: 1,
  },
  {
    what: 'a second writer that goes on in a chain from its middle',
    forge: async (database, [, chain]) => {
      await database.query('DELETE FROM audit_events WHERE chain = $1 AND seq > 5', [chain])
      for (const seq of [6, 7, 8]) await appendCopy(database, String(chain), 4, seq)
    },
    chain: 1,
    seq: 7,
  },
  {
    what: 'a checkpoint whose time was changed',
    forge: (database, [chain]) =>
      database.query(
        `UPDATE audit_checkpoints SET note = replace(note, 'a test', 'b test') WHERE chain = $1 AND size = 5`,
        [chain],
      ),
    chain: 0,
    seq: 5,
  },
]

describe('a forged ledger', () => {
  let database: SessionDatabase
  before(async () => {
    database = await openPglite({ nowMs: Date.now })
    await prepareSchema(
      database,
      { environment: 'development', database: { kind: 'pglite', folder: undefined } },
      '0',
      systemClock,
    )
    await database.script('ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only')
  })
  after(() => database.close())

  /** What the three verifiers say, given the checkpoints that were kept outside. */
  async function verdicts(checkpoints: string): Promise<readonly string[]> {
    const notes = await readCheckpointFolder(checkpoints)
    const evidence: Evidence = { publicKeys: [signer.publicKey], notes }
    const path = join(folder, 'export.jsonl')
    const lines: string[] = []
    for await (const line of exportLines(database, Date.now())) lines.push(line)
    writeFileSync(path, lines.join(''))
    const since = notes.flatMap((note, index) => {
      const notePath = join(folder, `${index}.note`)
      writeFileSync(notePath, note)
      return ['--since', notePath]
    })
    const python = spawnSync('python3', [PYTHON_VERIFIER, path, '--key', keyPath, ...since], { encoding: 'utf8' })
    return [
      placeOf(await verifyLedger(database, evidence)),
      placeOf(await verifyExport(() => readLines(path), evidence)),
      python.stdout.split(':').slice(0, 2).join(':').trim() || python.stderr,
    ]
  }

  const placeOf = (integrity: Integrity): string =>
    integrity.status === 'intact'
      ? `intact: entries ${integrity.entries}, chains ${integrity.chains}, signed ${integrity.signed}`
      : `broken: entry ${integrity.seq} of chain ${integrity.chain}`

  for (const { what, forge, chain, seq } of FORGERIES) {
    test(`${what}: all three name the place, before and after a restart`, async () => {
      await database.script('DELETE FROM audit_events; DELETE FROM audit_checkpoints; DELETE FROM audit_salts')
      const checkpoints = mkdtempSync(join(folder, 'kept-'))
      const chains = await writeSigned(database, checkpoints)
      const intact = 'intact: entries 16, chains 2, signed 16'
      assert.deepEqual(await verdicts(checkpoints), [intact, intact, intact])
      await forge(database, chains)
      const broken = `broken: entry ${seq} of chain ${chains[chain]}`
      assert.deepEqual(await verdicts(checkpoints), [broken, broken, broken])
      const next = createLedger({ database, instance: '3', clock: systemClock, random })
      await next.append(ledgerEntry())
      await next.close()
      const after = await verdicts(checkpoints)
      assert.deepEqual(
        after.map((verdict) => verdict.split(':')[0]),
        ['broken', 'broken', 'broken'],
        after.join('\n'),
      )
    })
  }

  test('without a key, what is signed is not looked at, and that is said', async () => {
    await database.script('DELETE FROM audit_events; DELETE FROM audit_checkpoints; DELETE FROM audit_salts')
    await writeSigned(database, mkdtempSync(join(folder, 'kept-')))
    const { status, signed } = await verifyLedger(database)
    assert.deepEqual([status, signed], ['intact', null])
  })

  test('a chain that was not closed is named', async () => {
    await database.script('DELETE FROM audit_events; DELETE FROM audit_checkpoints; DELETE FROM audit_salts')
    const ledger = createLedger({ database, instance: '1', clock: systemClock, random })
    await ledger.append(ledgerEntry())
    const { unended } = await verifyLedger(database)
    assert.deepEqual(unended, [{ chain: ledger.head()?.chain, seq: 2 }])
  })
})
