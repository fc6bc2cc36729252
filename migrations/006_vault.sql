-- Secrets that have to be given back in clear (provider keys), sealed by TAPPASS_VAULT_KEY; and which provider uses which.

CREATE TABLE vault_secrets (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9/._-]{0,199}$'),
  version integer NOT NULL DEFAULT 1 CHECK (version > 0),
  algorithm text NOT NULL DEFAULT 'AES-256-GCM' CHECK (algorithm IN ('AES-256-GCM')),
  key_fingerprint text NOT NULL CHECK (key_fingerprint ~ '^[0-9a-f]{16,64}$'),
  nonce bytea NOT NULL CHECK (octet_length(nonce) = 12),
  -- Ciphertext followed by its 16-byte tag; organization, name and version are the additional data.
  sealed bytea NOT NULL CHECK (octet_length(sealed) >= 16),
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz
);
COMMENT ON TABLE vault_secrets IS 'Every version of every secret; the one without retired_at is in force. A null org_id is the installation''s own.';
COMMENT ON COLUMN vault_secrets.key_fingerprint IS 'Which vault key sealed it, so that a wrong or a new key is told apart from damage.';
CREATE UNIQUE INDEX vault_secrets_version_key ON vault_secrets (org_id, name, version) NULLS NOT DISTINCT;
CREATE UNIQUE INDEX vault_secrets_current_key ON vault_secrets (org_id, name) NULLS NOT DISTINCT WHERE retired_at IS NULL;
CREATE INDEX vault_secrets_key_fingerprint_idx ON vault_secrets (key_fingerprint);
CREATE TRIGGER vault_secrets_touch BEFORE UPDATE ON vault_secrets
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE provider_configs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  provider text NOT NULL CHECK (provider ~ '^[a-z][a-z0-9_-]*$'),
  base_url text,
  secret_name text,
  region text,
  is_eu_resident boolean NOT NULL DEFAULT false,
  models text[] NOT NULL DEFAULT '{}',
  priority integer NOT NULL DEFAULT 100,
  options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE provider_configs IS 'A model server, and the name of its key in the vault. A null org_id serves every organization.';
COMMENT ON COLUMN provider_configs.models IS 'Models it is asked for; empty: those whose name has the provider''s prefix.';
CREATE UNIQUE INDEX provider_configs_name_key ON provider_configs (org_id, name) NULLS NOT DISTINCT;
CREATE TRIGGER provider_configs_touch BEFORE UPDATE ON provider_configs
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE model_prices (
  provider text NOT NULL,
  model text NOT NULL,
  prompt_usd_per_million numeric(14, 6) NOT NULL CHECK (prompt_usd_per_million >= 0),
  completion_usd_per_million numeric(14, 6) NOT NULL CHECK (completion_usd_per_million >= 0),
  valid_from timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (provider, model, valid_from)
);
COMMENT ON TABLE model_prices IS 'US dollars per million tokens, by the time from which they hold.';
