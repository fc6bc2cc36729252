-- What taints a session, by the agent's and the session's own ids: rows are written by the statement that writes the entry of the
-- ledger which says so, and a call must not wait for rows of other tables there.

-- No release has written to it: it hung on rows of `sessions`, which no call has.
DROP TABLE session_taints;
CREATE TABLE session_taints (
  agent_uuid text NOT NULL CHECK (agent_uuid <> ''),
  session_id text NOT NULL CHECK (session_id <> '' AND length(session_id) <= 200),
  family text NOT NULL CHECK (family <> ''),
  tainted_at timestamptz NOT NULL,
  PRIMARY KEY (agent_uuid, session_id, family)
);
COMMENT ON TABLE session_taints IS 'Sessions with something in them that may be an attack; each family of findings counts for a while from its last cause.';
COMMENT ON COLUMN session_taints.tainted_at IS 'When the last call came in which it was found. Rows that do not count any more are removed.';
