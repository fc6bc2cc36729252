/** Seals an entry to the one before it: the text that is hashed, and its hash. */

import { canonicalJson } from '../core/canonical-json.ts'
import type { Entry, SealedEntry } from '../core/entry.ts'
import { sha256 } from '../core/hash.ts'

/**
 * Given an entry and the head before it (`hash` null before a chain's first), returns the sealed entry. The hashed
 * text holds its chain, number and predecessor, so no entry can be moved.
 */
export function seal(entry: Entry, chain: string, seq: number, prevHash: string | null): SealedEntry {
  const columns = {
    agent_id: entry.agentId,
    audit_id: entry.auditId,
    chain,
    classification: entry.classification,
    decision: entry.decision,
    decision_id: entry.decisionId,
    // Not a column of its own, and here for the order: sorted members have a cheap canonical form.
    details: entry.details,
    event_kind: entry.eventKind,
    event_type: entry.eventType,
    model: entry.model,
    org_id: entry.orgId,
    policy: entry.policy,
    prev_hash: prevHash,
    request_id: entry.requestId,
    seq,
    session_id: entry.sessionId,
    severity: entry.severity,
    step_name: entry.stepName,
    ts: new Date(entry.tsMs).toISOString(),
  }
  const text = canonicalJson(columns)
  const hasTaint = entry.details['taint_found'] !== undefined
  return { chain, seq, entry: text, hash: sha256(text), salt: entry.salt, hasTaint }
}
