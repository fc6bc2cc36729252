/**
 * The ledger: seals entries into this process's own chain and resolves only once they are durable. Concurrent appends
 * share one INSERT (group commit); no lock is shared with other processes.
 */

import type { Entry, Head, SealedEntry } from '../core/entry.ts'
import type { Clock, Database, Ledger, Random } from '../core/ports.ts'
import { ulid } from '../core/ulid.ts'
import { chainClosedEntry, chainOpenedEntry, unrecordedHeads } from './chain.ts'
import { seal } from './seal.ts'

/** Rows in one INSERT: large enough for any number of waiting calls, small enough for one round trip. */
const BATCH_ROWS_MAX = 500

/** Appends that may be pending; beyond it a call is refused at once instead of queueing behind a slow database. */
const PENDING_MAX = 20_000

/**
 * Its parameter is `[{entry, hash}, …]`. The columns are read from the hashed text itself, so they can't differ from
 * it. The type json keeps a member's text exactly as it was sent.
 */
const INSERT = `INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, entry, prev_hash, hash)
  SELECT chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, sealed.entry::text, prev_hash, sealed.hash
  FROM json_to_recordset($1::json) AS sealed (entry json, hash text)
  CROSS JOIN LATERAL json_to_record(sealed.entry) AS member (chain text, seq bigint, audit_id text, ts timestamptz,
    event_kind text, event_type text, severity text, decision text, step_name text, org_id uuid, agent_id text,
    session_id text, request_id text, model text, classification text, policy text, decision_id text, prev_hash text)`

type PendingAppend = Readonly<{
  entry: Entry
  resolve: (sealed: SealedEntry) => void
  reject: (cause: unknown) => void
}>

/** What a ledger needs: the database, this process's instance name, and clock and randomness for the chain's name. */
type LedgerContext = Readonly<{ database: Database; instance: string; clock: Clock; random: Random }>

/**
 * Creates a ledger. After an INSERT with an unknown result (a lost connection), the chain is abandoned and the next
 * append opens a new one, whose first entry records where the old one ended.
 */
export function createLedger(database: Database, instance: string, clock: Clock, random: Random): Ledger {
  const context: LedgerContext = { database, instance, clock, random }
  const pending: PendingAppend[] = []
  let head: Head | undefined
  let draining: Promise<void> | undefined
  let isClosed = false

  async function drain(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending.splice(0, BATCH_ROWS_MAX)
      try {
        head = await write(context, head ?? (await openChain(context)), batch)
      } catch (cause) {
        head = undefined
        for (const { reject } of batch) reject(cause)
      }
    }
    draining = undefined
  }

  function append(entry: Entry): Promise<SealedEntry> {
    if (isClosed) return Promise.reject(new Error('the ledger is closed'))
    if (pending.length >= PENDING_MAX) return Promise.reject(new Error(`${PENDING_MAX} entries wait to be written`))
    return new Promise((resolve, reject) => {
      pending.push({ entry, resolve, reject })
      draining ??= Promise.resolve().then(drain)
    })
  }

  return {
    append,
    open: async () => {
      await draining
      head ??= await openChain(context)
    },
    close: async () => {
      if (isClosed) return
      const isOpen = head !== undefined || draining !== undefined
      const last = isOpen ? append(chainClosedEntry(clock, random)) : undefined
      isClosed = true
      await last
    },
  }
}

/** Opens a chain of this process, with an entry that records the heads of other chains. */
async function openChain({ database, instance, clock, random }: LedgerContext): Promise<Head> {
  const chain = `${instance}-${ulid(clock, random)}`
  const first = seal(chainOpenedEntry(await unrecordedHeads(database), instance, clock, random), chain, 1, null)
  await insert(database, [first])
  return first
}

/** Seals a batch behind a head, inserts it, resolves its appends, and returns the new head. */
async function write({ database }: LedgerContext, head: Head, batch: readonly PendingAppend[]): Promise<Head> {
  const rows: SealedEntry[] = []
  let last = head
  for (const { entry } of batch) {
    const sealed = seal(entry, last.chain, last.seq + 1, last.hash)
    rows.push(sealed)
    last = sealed
  }
  await insert(database, rows)
  for (const [index, row] of rows.entries()) batch[index]?.resolve(row)
  return last
}

async function insert(database: Database, rows: readonly SealedEntry[]): Promise<void> {
  // An entry is already JSON.
  const members = rows.map(({ entry, hash }) => `{"entry":${entry},"hash":"${hash}"}`)
  await database.query(INSERT, [`[${members.join(',')}]`])
}
