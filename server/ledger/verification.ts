/** Verifies the ledger: every hash, every link, every column, and every head that a later chain recorded. */

import type { AuditColumns, AuditRow, Head } from '../core/entry.ts'
import { sha256 } from '../core/hash.ts'
import type { Database } from '../core/ports.ts'
import { readHeads, recordedHeads } from './chain.ts'

/** The result of a verification. `broken` names the first invalid entry, in the order of chain and number. */
export type Integrity = Readonly<{ chains: number; entries: number }> &
  (Readonly<{ status: 'intact' }> | Readonly<{ status: 'broken'; chain: string; seq: number; reason: string }>)

/** Rows read at a time; between two pages other work can run. */
const PAGE_ROWS = 500

const PAGE = `SELECT chain, seq::float8 AS seq, audit_id, to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ts,
    event_kind, event_type, severity, decision, step_name, org_id::text AS org_id, agent_id, session_id, request_id, model,
    classification, policy, decision_id, entry, prev_hash, hash
  FROM audit_events WHERE (chain, seq) > ($1, $2::bigint) ORDER BY chain, seq LIMIT ${PAGE_ROWS}`

/** Reads the whole ledger in pages and verifies it. Throws only when it can't read. */
export async function verifyLedger(database: Database): Promise<Integrity> {
  const expected = new Map<string, Head>()
  for (const { firstEntry } of await readHeads(database)) {
    for (const head of parsedHeads(firstEntry)) expected.set(`${head.chain} ${head.seq}`, head)
  }
  let last: AuditRow | undefined
  let chains = 0
  let entries = 0
  for (;;) {
    const rows = await database.query<AuditRow>(PAGE, [last?.chain ?? '', last?.seq ?? 0])
    for (const row of rows) {
      if (row.chain !== last?.chain) chains += 1
      entries += 1
      const reason = findFlaw(row, last) ?? headFlaw(row, expected)
      if (reason) return { status: 'broken', chains, entries, chain: row.chain, seq: row.seq, reason }
      last = row
    }
    if (rows.length < PAGE_ROWS) break
  }
  const [lost] = expected.values()
  if (!lost) return { status: 'intact', chains, entries }
  const reason = 'a later chain recorded this entry, and it is gone'
  return { status: 'broken', chains, entries, chain: lost.chain, seq: lost.seq, reason }
}

/** Given a row and the row read before it (of any chain), returns what is wrong with it, or undefined. */
export function findFlaw(row: AuditRow, previousRow: AuditRow | undefined): string | undefined {
  const previous = previousRow?.chain === row.chain ? previousRow : undefined
  if (row.seq !== (previous?.seq ?? 0) + 1) return `the entry before it, ${row.seq - 1}, is gone`
  if (row.prev_hash !== (previous?.hash ?? null)) return 'it does not continue the entry before it'
  if (sha256(row.entry) !== row.hash) return 'its text does not have its hash'
  return columnFlaw(row)
}

function columnFlaw(row: AuditRow): string | undefined {
  let text: AuditColumns
  try {
    text = JSON.parse(row.entry) as AuditColumns
  } catch {
    return 'its text is not JSON'
  }
  const { entry: _entry, hash: _hash, ...columns } = row
  for (const name of Object.keys(columns) as (keyof AuditColumns)[]) {
    if (text[name] !== columns[name]) return `its column ${name} differs from its text`
  }
  return undefined
}

function headFlaw(row: AuditRow, expected: Map<string, Head>): string | undefined {
  const position = `${row.chain} ${row.seq}`
  const head = expected.get(position)
  expected.delete(position)
  return head && head.hash !== row.hash ? 'a later chain recorded another hash for it' : undefined
}

/** A damaged first entry is reported when its own row is read, so here it records nothing. */
function parsedHeads(firstEntry: string): readonly Head[] {
  try {
    return recordedHeads(firstEntry)
  } catch {
    return []
  }
}
