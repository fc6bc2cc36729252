/** Writes sealed entries, and the salts of their commitments. */
import type { SealedEntry } from '../core/entry.ts'
import type { Database } from '../core/ports.ts'

/**
 * Its parameter is `[{entry, hash, salt}, …]`. The columns are read from the hashed text itself, so they can't differ from
 * it. The type json keeps a member's text exactly as it was sent.
 */
const INSERT = `WITH sealed AS (
    SELECT row.entry, row.hash, row.salt, member.*
    FROM json_to_recordset($1::json) AS row (entry json, hash text, salt text)
    CROSS JOIN LATERAL json_to_record(row.entry) AS member (chain text, seq bigint, audit_id text, ts timestamptz,
      event_kind text, event_type text, severity text, decision text, step_name text, org_id uuid, agent_id text,
      session_id text, request_id text, model text, classification text, policy text, decision_id text, prev_hash text)
  ), salted AS (
    INSERT INTO audit_salts (chain, seq, salt) SELECT chain, seq, salt FROM sealed WHERE salt IS NOT NULL
  )
  INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, entry, prev_hash, hash)
  SELECT chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, entry::text, prev_hash, hash
  FROM sealed`

/** Inserts the rows, all or none, in one statement. */
export async function insertEntries(database: Database, rows: readonly SealedEntry[]): Promise<void> {
  // An entry is already JSON.
  const members = rows.map(({ entry, hash, salt }) => {
    const salted = salt === undefined ? '' : `,"salt":"${salt}"`
    return `{"entry":${entry},"hash":"${hash}"${salted}}`
  })
  await database.query(INSERT, [`[${members.join(',')}]`])
}
