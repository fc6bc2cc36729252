/** One entry of the ledger, and the row that it becomes. Holds no text of a call. */

/** The head of a chain: the number and hash of its last entry. */
export type Head = Readonly<{ chain: string; seq: number; hash: string }>

/** What is to be recorded. The members are the columns of `audit_events`; everything else is in `details`. */
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
  /** The salt of the commitments in `details`, in hex. It is kept apart from the entry, and may be erased. */
  salt?: string | undefined
}>

/** A row of `audit_events`: `entry` is the canonical text that `hash` is the SHA-256 of. */
export type AuditRow = Readonly<{
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

/** The columns that are in the hashed text as well, so that neither can be changed alone. */
export type AuditColumns = Omit<AuditRow, 'entry' | 'hash'>

/** A sealed entry: its position, its text, its hash. The database takes the columns, and what taints a session, from the text. */
export type SealedEntry = Pick<AuditRow, 'chain' | 'seq' | 'entry' | 'hash'> &
  Readonly<{ salt?: string | undefined; hasTaint?: boolean }>
