/** The salts of commitments, which are kept apart from the entries: to prove one content, or to make it unprovable for ever. */
import type { Database, Ledger } from '../core/ports.ts'
import { type EntryContext, plainEntry } from './entry-builder.ts'

const OF_ENTRY = 'SELECT chain, seq FROM audit_events WHERE audit_id = $1'

/** Returns the salt of an entry's commitments; undefined when there is no such entry, or it has none, or none any more. */
export async function readSalt(database: Database, auditId: string): Promise<string | undefined> {
  const [row] = await database.query<{ salt: string }>(
    `SELECT salt FROM audit_salts WHERE (chain, seq) = (${OF_ENTRY})`,
    [auditId],
  )
  return row?.salt
}

/** What an erasure needs. */
export type SaltErasure = EntryContext & Readonly<{ ledger: Pick<Ledger, 'change'> }>

/**
 * Erases a salt, and records who did, in one transaction. Returns false when there is none. The entry stays as it is, and so do
 * all proofs that it is in the ledger.
 */
export function eraseSalt(
  { ledger, ...context }: SaltErasure,
  auditId: string,
  by: string,
  requestId: string,
): Promise<boolean> {
  return ledger.change(async (transaction) => {
    const erased = await transaction.query(`DELETE FROM audit_salts WHERE (chain, seq) = (${OF_ENTRY}) RETURNING seq`, [
      auditId,
    ])
    if (erased.length === 0) return { value: false }
    const details = { audit_id: auditId, by }
    const known = { eventKind: 'admin', eventType: 'salt.erased', severity: 'warn', requestId, details } as const
    return { value: true, entry: plainEntry(context, known) }
  })
}
