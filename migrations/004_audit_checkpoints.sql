-- What ties the ledger's chains together and moves them elsewhere: signed checkpoints, archives, exports.

CREATE TABLE audit_checkpoints (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  seq bigint NOT NULL UNIQUE CHECK (seq > 0),
  -- [{"chain", "seq", "hash"}] of every chain at that moment, in order of chain.
  heads jsonb NOT NULL CHECK (jsonb_typeof(heads) = 'array'),
  entries_total bigint NOT NULL CHECK (entries_total >= 0),
  statement text NOT NULL,
  prev_hash text CHECK (prev_hash ~ '^[0-9a-f]{64}$'),
  hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
  key_id text NOT NULL,
  signature text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CHECK ((seq = 1) = (prev_hash IS NULL))
);
COMMENT ON TABLE audit_checkpoints IS 'Signed statements of where all chains ended; each holds the hash of the one before it.';
COMMENT ON COLUMN audit_checkpoints.statement IS 'The canonical JSON that hash is the SHA-256 of, and that was signed.';
COMMENT ON COLUMN audit_checkpoints.signature IS 'Base64 Ed25519 signature of statement by key_id.';
CREATE TRIGGER audit_checkpoints_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE audit_checkpoints ENABLE ALWAYS TRIGGER audit_checkpoints_append_only;

CREATE TABLE audit_archives (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  chain text NOT NULL,
  first_seq bigint NOT NULL CHECK (first_seq >= 0),
  last_seq bigint NOT NULL,
  entry_count bigint NOT NULL,
  first_ts timestamptz NOT NULL,
  last_ts timestamptz NOT NULL,
  -- The chain goes on from here when the entries themselves are gone from audit_events.
  prev_hash text CHECK (prev_hash ~ '^[0-9a-f]{64}$'),
  last_hash text NOT NULL CHECK (last_hash ~ '^[0-9a-f]{64}$'),
  location text NOT NULL,
  bytes bigint NOT NULL CHECK (bytes >= 0),
  sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  verified_at timestamptz,
  delete_after date,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (chain, first_seq),
  CHECK (last_seq >= first_seq),
  CHECK (entry_count = last_seq - first_seq + 1),
  CHECK (last_ts >= first_ts)
);
COMMENT ON TABLE audit_archives IS 'A stretch of a chain that was written to a file, with what is needed to verify across the gap.';
COMMENT ON COLUMN audit_archives.delete_after IS 'End of retention; null keeps it for good.';
CREATE TRIGGER audit_archives_touch BEFORE UPDATE ON audit_archives
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE export_configs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  destination text NOT NULL CHECK (destination IN ('splunk_hec', 'azure_sentinel', 'webhook', 's3', 'syslog')),
  format text NOT NULL DEFAULT 'json' CHECK (format IN ('json', 'cef')),
  -- Where to, how to batch and retry; secrets are names in the vault.
  options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
  secret_name text,
  min_severity text NOT NULL DEFAULT 'info' CHECK (min_severity IN ('info', 'warn', 'error', 'critical')),
  event_kinds text[] NOT NULL DEFAULT '{}',
  redact_categories text[] NOT NULL DEFAULT '{}',
  redact_strategy text NOT NULL DEFAULT 'mask' CHECK (redact_strategy IN ('mask', 'remove')),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, name)
);
COMMENT ON TABLE export_configs IS 'Where an organization wants its events sent. An empty event_kinds means all.';
CREATE TRIGGER export_configs_touch BEFORE UPDATE ON export_configs
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE export_deliveries (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  export_id uuid NOT NULL REFERENCES export_configs (id) ON DELETE CASCADE,
  chain text NOT NULL,
  first_seq bigint NOT NULL,
  last_seq bigint NOT NULL,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sending', 'delivered', 'dead')),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  last_error text,
  delivered_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (export_id, chain, first_seq),
  CHECK (last_seq >= first_seq),
  CHECK ((state = 'delivered') = (delivered_at IS NOT NULL))
);
COMMENT ON TABLE export_deliveries IS 'A stretch of a chain on its way to a destination; dead ones are the dead-letter queue.';
CREATE INDEX export_deliveries_due_idx ON export_deliveries (next_attempt_at) WHERE state IN ('pending', 'sending');
CREATE TRIGGER export_deliveries_touch BEFORE UPDATE ON export_deliveries
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
