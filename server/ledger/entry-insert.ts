/** Writes sealed entries, the salts of their commitments, and what they say taints a session. */
import type { SealedEntry } from '../core/entry.ts'
import type { Database } from '../core/ports.ts'

/**
 * Its parameter is `[{entry, hash, salt}, …]`. The columns are read from the hashed text itself, so they can't differ from
 * it. The type json keeps a member's text exactly as it was sent.
 */
const SEALED = `WITH sealed AS (
    SELECT row.entry, row.hash, row.salt, member.*
    FROM json_to_recordset($1::json) AS row (entry json, hash text, salt text)
    CROSS JOIN LATERAL json_to_record(row.entry) AS member (chain text, seq bigint, audit_id text, ts timestamptz,
      event_kind text, event_type text, severity text, decision text, step_name text, org_id uuid, agent_id text,
      session_id text, request_id text, model text, classification text, policy text, decision_id text, prev_hash text)
  ), salted AS (
    INSERT INTO audit_salts (chain, seq, salt) SELECT chain, seq, salt FROM sealed WHERE salt IS NOT NULL
  )`

/** Rows in one order everywhere: two processes may write about the same sessions. */
const TAINTED = `, tainted AS (
    INSERT INTO session_taints (agent_uuid, session_id, family, tainted_at)
    SELECT entry->'details'->>'agent_uuid', session_id, found.family, max(ts)
    FROM sealed CROSS JOIN LATERAL json_array_elements_text(entry->'details'->'taint_found') AS found (family)
    WHERE session_id IS NOT NULL
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (agent_uuid, session_id, family)
      DO UPDATE SET tainted_at = greatest(session_taints.tainted_at, excluded.tainted_at)
  )`

const EVENTS = `
  INSERT INTO audit_events (chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, entry, prev_hash, hash)
  SELECT chain, seq, audit_id, ts, event_kind, event_type, severity, decision, step_name,
    org_id, agent_id, session_id, request_id, model, classification, policy, decision_id, entry::text, prev_hash, hash
  FROM sealed`

const INSERT = SEALED + EVENTS
const INSERT_TAINTED = SEALED + TAINTED + EVENTS

/** Inserts the rows, all or none, in one statement. */
export async function insertEntries(database: Database, rows: readonly SealedEntry[]): Promise<void> {
  // An entry is already JSON.
  const members = rows.map(({ entry, hash, salt }) => {
    const salted = salt === undefined ? '' : `,"salt":"${salt}"`
    return `{"entry":${entry},"hash":"${hash}"${salted}}`
  })
  const statement = rows.some(({ hasTaint }) => hasTaint === true) ? INSERT_TAINTED : INSERT
  await database.query(statement, [`[${members.join(',')}]`])
}
