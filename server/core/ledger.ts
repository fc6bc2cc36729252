/**
 * The ledger: seals entries into this process's own chain and answers only once they are durable. It joins appends that
 * wait at the same time into one INSERT (group commit); no lock is shared with other processes.
 */
import { closingEntry, openingEntry, unrecordedHeads } from './chain.ts'
import { type Entry, type Head, type Sealed, seal } from './entry.ts'
import type { Clock, Database, Random } from './ports.ts'
import { ulid } from './ulid.ts'

/** Appends. `append` resolves when the entry is durable and rejects when nobody knows whether it is. */
export type Ledger = Readonly<{
  append: (entry: Entry) => Promise<Sealed>
  /** Opens the chain if it is not open: used at start, and by readiness. */
  open: () => Promise<void>
  /** Records that the chain ends here, waits for everything before it, and takes nothing more. */
  close: () => Promise<void>
}>

/** Rows in one INSERT: large enough for any number of waiting calls, small enough for one round trip. */
const BATCH_ROWS_MAX = 500

/** Appends that may wait at once; beyond it a call is refused at once instead of piling up behind a slow database. */
const WAITING_MAX = 20_000

/** Takes `[{entry, hash}, …]`. The columns come out of the hashed text itself, so they can't say anything else. */
const INSERT = `INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, entry, prev_hash, hash)
  SELECT chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, sealed.entry, prev_hash, sealed.hash
  FROM json_to_recordset($1::json) AS sealed (entry text, hash text)
  CROSS JOIN LATERAL json_to_record(sealed.entry::json) AS member (chain text, seq bigint, audit_id text, ts timestamptz,
    event_kind text, event_type text, severity text, decision text, step_name text, org_id uuid, agent_id text,
    session_id text, request_id text, model text, classification text, policy text, decision_id text, prev_hash text)`

type Waiting = Readonly<{ entry: Entry; resolve: (sealed: Sealed) => void; reject: (cause: unknown) => void }>

/**
 * Takes the database, this process's instance name, and clock and randomness for the chain's name. After an INSERT whose
 * end nobody knows (a lost connection), the chain is left where it is and the next append opens a new one, whose first
 * entry records where the old one was found to end.
 */
export function makeLedger(database: Database, instance: string, clock: Clock, random: Random): Ledger {
  const waiting: Waiting[] = []
  let head: Head | undefined
  let working: Promise<void> | undefined
  let isClosed = false

  const insert = (rows: readonly Sealed[]): Promise<unknown> =>
    database.query(INSERT, [JSON.stringify(rows.map(({ entry, hash }) => ({ entry, hash })))])

  async function openChain(): Promise<Head> {
    const chain = `${instance}-${ulid(clock, random)}`
    const first = seal(openingEntry(await unrecordedHeads(database), instance, clock, random), chain, 1, null)
    await insert([first])
    return first
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    try {
      head ??= await openChain()
      const rows: Sealed[] = []
      for (const { entry } of batch) {
        const last: Head = rows.at(-1) ?? head
        rows.push(seal(entry, last.chain, last.seq + 1, last.hash))
      }
      await insert(rows)
      head = rows.at(-1) ?? head
      for (const [index, row] of rows.entries()) batch[index]?.resolve(row)
    } catch (cause) {
      head = undefined
      for (const { reject } of batch) reject(cause)
    }
  }

  async function work(): Promise<void> {
    while (waiting.length > 0) await write(waiting.splice(0, BATCH_ROWS_MAX))
    working = undefined
  }

  function append(entry: Entry): Promise<Sealed> {
    if (isClosed) return Promise.reject(new Error('the ledger is closed'))
    if (waiting.length >= WAITING_MAX) return Promise.reject(new Error(`${WAITING_MAX} entries wait to be written`))
    return new Promise((resolve, reject) => {
      waiting.push({ entry, resolve, reject })
      working ??= Promise.resolve().then(work)
    })
  }

  async function close(): Promise<void> {
    if (isClosed) return
    const isOpen = head !== undefined || working !== undefined
    const last = isOpen ? append(closingEntry(clock, random)) : undefined
    isClosed = true
    await last
  }

  async function open(): Promise<void> {
    await working
    head ??= await openChain()
  }

  return { append, open, close }
}
