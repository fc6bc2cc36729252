/** Whether the database still has what checkpoints that are kept elsewhere have signed. */
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import type { Head } from '../core/entry.ts'
import type { Database } from '../core/ports.ts'

const LOST = `SELECT kept.chain, kept.seq::float8 AS seq, kept.hash
  FROM json_to_recordset($1::json) AS kept (chain text, seq bigint, hash text)
  WHERE NOT EXISTS (
    SELECT 1 FROM audit_events e WHERE e.chain = kept.chain AND e.seq = kept.seq AND e.hash = kept.hash)
  ORDER BY kept.chain, kept.seq`

/** Returns the heads that the database does not have, or has with another hash. */
export function lostHeads(database: Database, heads: readonly Head[]): Promise<readonly Head[]> {
  return database.query<Head>(LOST, [JSON.stringify(heads.map(({ chain, seq, hash }) => ({ chain, seq, hash })))])
}

/** The head that a checkpoint has signed. */
export function headOf({ chain, size, head }: Checkpoint): Head {
  return { chain, seq: size, hash: head }
}
