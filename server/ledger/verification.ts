/** Verifies the ledger of a database: every row that is there, its columns too, against what was recorded and signed. */

import { type Checkpoint, readCheckpointOfAny } from '../checkpoint/checkpoint.ts'
import type { AuditColumns, AuditRow } from '../core/entry.ts'
import type { Database } from '../core/ports.ts'
import { legibleHeads, readHeads } from './chain.ts'
import { readCheckpoints } from './checkpoint-table.ts'
import { readEntries } from './entry-page.ts'
import { LedgerVerifier, type UnendedChain, type Violation } from './ledger-verifier.ts'

/**
 * The result of a verification. `broken` names the first thing that does not hold, in the order of chain and number. `signed` are
 * the entries that checkpoints cover; null when there was no key to check them with. `unended`: chains without an end.
 */
export type Integrity = Readonly<{
  chains: number
  entries: number
  signed: number | null
  unended: readonly UnendedChain[]
}> &
  (Readonly<{ status: 'intact' }> | (Readonly<{ status: 'broken' }> & Violation))

/**
 * What a ledger is verified against beside itself: public keys (32 bytes each) of its checkpoints, and checkpoints that were
 * kept outside the database.
 */
export type Evidence = Readonly<{ publicKeys: readonly Uint8Array[]; notes: readonly string[] }>

/** Nothing but the database itself. */
export const NO_EVIDENCE: Evidence = { publicKeys: [], notes: [] }

const COLUMNS = `chain, seq::float8 AS seq, audit_id, to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ts,
    event_kind, event_type, severity, decision, step_name, org_id::text AS org_id, agent_id, session_id, request_id, model,
    classification, policy, decision_id, entry, prev_hash, hash`

/** Reads the whole ledger in pages and verifies it. Throws only when it can't read. */
export async function verifyLedger(database: Database, evidence: Evidence = NO_EVIDENCE): Promise<Integrity> {
  const heads = (await readHeads(database)).flatMap(({ firstEntry }) => legibleHeads(firstEntry))
  const stored = evidence.publicKeys.length > 0 ? await readCheckpoints(database) : []
  const { checkpoints, violation: noteViolation } = checkNotes([...stored, ...evidence.notes], evidence.publicKeys)
  const verifier = new LedgerVerifier({ heads, checkpoints })
  const violation = noteViolation ?? (await rowViolation(database, verifier)) ?? verifier.finish()
  return integrityOf(verifier, violation, evidence)
}

/** Returns what a verifier has found, as a result. */
export function integrityOf(
  { chains, entries, signed, unended }: LedgerVerifier,
  violation: Violation | undefined,
  { publicKeys }: Evidence,
): Integrity {
  const size = { chains, entries, signed: publicKeys.length > 0 ? signed : null, unended }
  return violation ? { status: 'broken', ...size, ...violation } : { status: 'intact', ...size }
}

/** Returns the checkpoints of notes, and the first note that no key has signed. Without keys none is read. */
export function checkNotes(
  notes: readonly string[],
  publicKeys: readonly Uint8Array[],
): Readonly<{ checkpoints: readonly Checkpoint[]; violation?: Violation }> {
  const checkpoints: Checkpoint[] = []
  for (const note of publicKeys.length > 0 ? notes : []) {
    const checkpoint = readCheckpointOfAny(note, publicKeys)
    if (!checkpoint) return { checkpoints, violation: unsignedViolation(note) }
    checkpoints.push(checkpoint)
  }
  return { checkpoints }
}

function unsignedViolation(note: string): Violation {
  const [origin = '', size] = note.split('\n')
  const seq = Number(size)
  const reason = 'a checkpoint of this chain is not signed by a known key'
  return { chain: origin.slice(origin.indexOf('/') + 1), seq: Number.isSafeInteger(seq) ? seq : 0, reason }
}

async function rowViolation(database: Database, verifier: LedgerVerifier): Promise<Violation | undefined> {
  for await (const row of readEntries<AuditRow>(database, COLUMNS)) {
    const violation = verifier.read(row)
    if (violation) return violation
    const reason = columnViolation(row)
    if (reason) return { chain: row.chain, seq: row.seq, reason }
  }
  return undefined
}

function columnViolation(row: AuditRow): string | undefined {
  const text = JSON.parse(row.entry) as AuditColumns
  const { entry: _entry, hash: _hash, ...columns } = row
  const wrong = (Object.keys(columns) as (keyof AuditColumns)[]).find((name) => text[name] !== columns[name])
  return wrong && `its column ${wrong} differs from its text`
}
