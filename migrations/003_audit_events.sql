-- The ledger: one chain of hashes for each replica, written before anything is released, never changed.

CREATE TABLE audit_events (
  chain text NOT NULL,
  seq bigint NOT NULL CHECK (seq >= 0),
  audit_id text NOT NULL UNIQUE,
  ts timestamptz NOT NULL,
  event_kind text NOT NULL,
  event_type text NOT NULL,
  severity text NOT NULL CHECK (severity IN ('info', 'warn', 'error', 'critical')),
  decision text,
  step_name text,
  org_id uuid,
  agent_id text,
  session_id text,
  request_id text,
  model text,
  classification text,
  policy text,
  decision_id text,
  entry text NOT NULL,
  prev_hash text CHECK (prev_hash ~ '^[0-9a-f]{64}$'),
  hash text NOT NULL CHECK (hash ~ '^[0-9a-f]{64}$'),
  PRIMARY KEY (chain, seq)
);
COMMENT ON TABLE audit_events IS 'Append-only, by trigger. No foreign keys: a record outlives what it tells about.';
COMMENT ON COLUMN audit_events.entry IS 'The canonical JSON that hash is the SHA-256 of; the other columns repeat parts of it for queries.';
COMMENT ON COLUMN audit_events.prev_hash IS 'Hash of the entry before it in this chain; null in the first.';
CREATE INDEX audit_events_ts_idx ON audit_events (ts DESC);
CREATE INDEX audit_events_org_ts_idx ON audit_events (org_id, ts DESC);
CREATE INDEX audit_events_agent_ts_idx ON audit_events (agent_id, ts DESC) WHERE agent_id IS NOT NULL;
CREATE INDEX audit_events_session_idx ON audit_events (session_id, ts) WHERE session_id IS NOT NULL;
CREATE INDEX audit_events_request_idx ON audit_events (request_id) WHERE request_id IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation',
      HINT = 'Old entries leave through an archive, see audit_archives.';
END
$$;
COMMENT ON FUNCTION refuse_change() IS 'Makes a table append-only.';

CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- ALWAYS: session_replication_role = replica does not switch it off.
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_append_only;
