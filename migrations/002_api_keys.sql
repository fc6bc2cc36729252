-- Keys of agents, of developers for one agent, and of people for the control plane. Only their hashes are kept.

CREATE TABLE api_keys (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind text NOT NULL CHECK (kind IN ('agent', 'developer', 'pat')),
  key_hash text NOT NULL UNIQUE CHECK (key_hash ~ '^[0-9a-f]{64}$'),
  key_prefix text NOT NULL CHECK (length(key_prefix) <= 10),
  agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  account_id uuid REFERENCES accounts (id) ON DELETE CASCADE,
  role text NOT NULL
    CHECK (role IN ('AGENT', 'EMPLOYEE', 'AUDITOR', 'DEVELOPER', 'ADMIN', 'PLATFORM')),
  name text,
  developer_email text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_reason text,
  last_used_at timestamptz,
  -- A person's key is the person's; the other kinds belong to one agent.
  CONSTRAINT api_keys_owner_check CHECK ((kind = 'pat') = (agent_id IS NULL)),
  CONSTRAINT api_keys_developer_check CHECK (kind <> 'developer' OR developer_email IS NOT NULL)
);
COMMENT ON TABLE api_keys IS 'One row per key ever given out; revoked ones stay, so that their use can be told apart from nonsense.';
COMMENT ON COLUMN api_keys.key_hash IS 'Lower-case hex SHA-256 of the whole key. Keys hold 256 random bits, so no salt and no slow hash.';
COMMENT ON COLUMN api_keys.key_prefix IS 'First 10 characters, to recognise a key by.';
CREATE INDEX api_keys_agent_id_idx ON api_keys (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX api_keys_org_id_idx ON api_keys (org_id, kind);
CREATE INDEX api_keys_account_id_idx ON api_keys (account_id) WHERE account_id IS NOT NULL;
CREATE TRIGGER api_keys_touch BEFORE UPDATE ON api_keys
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
