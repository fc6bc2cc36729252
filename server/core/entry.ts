/** One entry of the ledger, and how it is sealed to the one before it. Holds no text of a call. */
import { canonicalJson } from './canonical.ts'
import { sha256 } from './hash.ts'

/** Where a chain ends: the last entry's number and hash. */
export type Head = Readonly<{ chain: string; seq: number; hash: string }>

/** What is to be recorded. The members are the columns of `audit_events`; everything else stands in `details`. */
export type Entry = Readonly<{
  auditId: string
  /** Milliseconds since 1970. */
  tsMs: number
  eventKind: string
  eventType: string
  severity: 'info' | 'warn' | 'error' | 'critical'
  decision: string | null
  stepName: string | null
  orgId: string | null
  agentId: string | null
  sessionId: string | null
  requestId: string | null
  model: string | null
  classification: string | null
  policy: string | null
  decisionId: string | null
  details: Readonly<Record<string, unknown>>
}>

/** A row of `audit_events`: `entry` is the canonical text that `hash` is the SHA-256 of. */
export type Row = Readonly<{
  chain: string
  seq: number
  audit_id: string
  ts: string
  event_kind: string
  event_type: string
  severity: string
  decision: string | null
  step_name: string | null
  org_id: string | null
  agent_id: string | null
  session_id: string | null
  request_id: string | null
  model: string | null
  classification: string | null
  policy: string | null
  decision_id: string | null
  entry: string
  prev_hash: string | null
  hash: string
}>

/** The members of a row that stand in the hashed text as well, so that neither can be changed alone. */
export type Columns = Omit<Row, 'entry' | 'hash'>

/**
 * Takes an entry and the head before it (`hash` null before a chain's first), gives the row that continues the chain.
 * The hashed text names its chain, number and predecessor, so no entry can be moved.
 */
export function seal(entry: Entry, chain: string, seq: number, prevHash: string | null): Row {
  const columns: Columns = {
    chain,
    seq,
    audit_id: entry.auditId,
    ts: new Date(entry.tsMs).toISOString(),
    event_kind: entry.eventKind,
    event_type: entry.eventType,
    severity: entry.severity,
    decision: entry.decision,
    step_name: entry.stepName,
    org_id: entry.orgId,
    agent_id: entry.agentId,
    session_id: entry.sessionId,
    request_id: entry.requestId,
    model: entry.model,
    classification: entry.classification,
    policy: entry.policy,
    decision_id: entry.decisionId,
    prev_hash: prevHash,
  }
  const text = canonicalJson({ ...columns, details: entry.details })
  return { ...columns, entry: text, hash: sha256(text) }
}
