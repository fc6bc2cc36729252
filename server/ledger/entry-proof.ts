/** The proof that one entry is in its chain, under the newest checkpoint that covers it. */
import { formatProof } from '../checkpoint/inclusion-proof.ts'
import type { Database } from '../core/ports.ts'

/** The proof of an entry, and the entry's text; or why there is none. */
export type EntryProof =
  | Readonly<{ status: 'proven'; entry: string; proof: string }>
  | Readonly<{ status: 'unknown' }>
  | Readonly<{ status: 'unsigned' }>

/** Returns the proof (c2sp.org/tlog-proof) of the entry with this id. Reads its chain up to the checkpoint. */
export async function proveEntry(database: Database, auditId: string): Promise<EntryProof> {
  const [place] = await database.query<{ chain: string; seq: number }>(
    'SELECT chain, seq::float8 AS seq FROM audit_events WHERE audit_id = $1',
    [auditId],
  )
  if (!place) return { status: 'unknown' }
  const [checkpoint] = await database.query<{ size: number; note: string }>(
    `SELECT size::float8 AS size, note FROM audit_checkpoints WHERE chain = $1 AND size >= $2::bigint
     ORDER BY size DESC LIMIT 1`,
    [place.chain, place.seq],
  )
  if (!checkpoint) return { status: 'unsigned' }
  const rows = await database.query<{ entry: string }>(
    'SELECT entry FROM audit_events WHERE chain = $1 AND seq <= $2::bigint ORDER BY seq',
    [place.chain, checkpoint.size],
  )
  const entries = rows.map(({ entry }) => entry)
  const proof = formatProof(entries, place.seq - 1, checkpoint.note)
  return { status: 'proven', entry: entries[place.seq - 1] ?? '', proof }
}
