/** The salts of commitments, which are kept apart from the entries: to prove one content, or to make it unprovable for ever. */
import type { Entry } from '../core/entry.ts'
import type { Clock, Database, Ledger, Random } from '../core/ports.ts'
import { ulid } from '../core/ulid.ts'

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
export type SaltErasure = Readonly<{ ledger: Pick<Ledger, 'change'>; clock: Clock; random: Random }>

/**
 * Erases a salt, and records who did, in one transaction. Returns false when there is none. The entry stays as it is, and so do
 * all proofs that it is in the ledger.
 */
export function eraseSalt(
  { ledger, clock, random }: SaltErasure,
  auditId: string,
  by: string,
  requestId: string,
): Promise<boolean> {
  return ledger.change(async (transaction) => {
    const erased = await transaction.query(`DELETE FROM audit_salts WHERE (chain, seq) = (${OF_ENTRY}) RETURNING seq`, [
      auditId,
    ])
    if (erased.length === 0) return { value: false }
    return { value: true, entry: erasureEntry(auditId, by, requestId, clock, random) }
  })
}

function erasureEntry(auditId: string, by: string, requestId: string, clock: Clock, random: Random): Entry {
  return {
    auditId: `ae_${ulid(clock, random)}`,
    tsMs: clock.nowMs(),
    eventKind: 'admin',
    eventType: 'salt.erased',
    severity: 'warn',
    decision: null,
    stepName: null,
    orgId: null,
    agentId: null,
    sessionId: null,
    requestId,
    model: null,
    classification: null,
    policy: null,
    decisionId: null,
    details: { audit_id: auditId, by },
  }
}
