-- Capability tokens that were minted or refused, the keys that sign them, and the tools and servers they are about.

CREATE TABLE signing_keys (
  key_id text PRIMARY KEY CHECK (key_id ~ '^kid_[A-Za-z0-9_-]{8,}$'),
  purpose text NOT NULL CHECK (purpose IN ('token', 'audit', 'license')),
  algorithm text NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA')),
  public_jwk jsonb NOT NULL CHECK (jsonb_typeof(public_jwk) = 'object' AND NOT public_jwk ? 'd'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz,
  revoked_at timestamptz
);
COMMENT ON TABLE signing_keys IS 'Public keys, for /.well-known/jwks.json and for verifying old records. Private ones are credentials, never here.';
CREATE TRIGGER signing_keys_touch BEFORE UPDATE ON signing_keys
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE capability_tokens (
  token_id text PRIMARY KEY CHECK (token_id <> ''),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  session_id text,
  request_id text,
  state text NOT NULL CHECK (state IN ('minted', 'denied', 'used', 'revoked')),
  tools text[] NOT NULL DEFAULT '{}',
  clearance text CHECK (clearance IN ('UNTRUSTED', 'EXTERNAL', 'PARTNER', 'INTERNAL', 'PRIVILEGED', 'SYSTEM')),
  constraints jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(constraints) = 'object'),
  key_id text REFERENCES signing_keys (key_id),
  issued_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  revoked_at timestamptz,
  reason text,
  CHECK (expires_at >= issued_at)
);
COMMENT ON TABLE capability_tokens IS 'A signed permission of 60 seconds by its id; the token itself is not kept. Rows long expired may go.';
CREATE INDEX capability_tokens_agent_idx ON capability_tokens (agent_id, issued_at DESC);
CREATE INDEX capability_tokens_org_idx ON capability_tokens (org_id, issued_at DESC);
CREATE INDEX capability_tokens_expires_at_idx ON capability_tokens (expires_at);
CREATE INDEX capability_tokens_key_id_idx ON capability_tokens (key_id) WHERE key_id IS NOT NULL;

CREATE TABLE mcp_servers (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  url text NOT NULL CHECK (url ~ '^[a-z][a-z0-9+.-]*:'),
  transport text NOT NULL DEFAULT 'http' CHECK (transport IN ('http', 'sse', 'stdio')),
  auth_vault_ref text CHECK (auth_vault_ref ~ '^vault://'),
  trust_tier text NOT NULL DEFAULT 'registered_review_required'
    CHECK (trust_tier IN ('registered_auto_approve', 'registered_review_required')),
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'revoked')),
  advertised_tools jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(advertised_tools) = 'array'),
  last_seen_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, name)
);
COMMENT ON TABLE mcp_servers IS 'Servers of the Model Context Protocol that an organization registered.';
CREATE TRIGGER mcp_servers_touch BEFORE UPDATE ON mcp_servers
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE mcp_server_audit (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL,
  server_id uuid NOT NULL,
  event text NOT NULL CHECK (event <> ''),
  actor text,
  details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE mcp_server_audit IS 'What happened to a registered server; outlives it, so there are no foreign keys. Append-only.';
CREATE INDEX mcp_server_audit_server_idx ON mcp_server_audit (server_id, created_at DESC);
CREATE TRIGGER mcp_server_audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON mcp_server_audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE mcp_server_audit ENABLE ALWAYS TRIGGER mcp_server_audit_append_only;

CREATE TABLE tools (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  mcp_server_id uuid REFERENCES mcp_servers (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  source text NOT NULL CHECK (source IN ('builtin', 'tenant', 'discovered', 'mcp_advertised', 'sdk_declared')),
  -- An unknown tool is refused until somebody looked at it.
  status text NOT NULL DEFAULT 'pending' CHECK (status IN ('approved', 'pending', 'denied')),
  definition jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(definition) = 'object'),
  definition_hash text CHECK (definition_hash ~ '^[0-9a-f]{64}$'),
  capabilities text[] NOT NULL DEFAULT '{}',
  slot_bindings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(slot_bindings) = 'object'),
  reviewed_by text,
  reviewed_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT tools_server_check CHECK (mcp_server_id IS NULL OR source = 'mcp_advertised')
);
COMMENT ON TABLE tools IS 'Tools that agents may call, and the queue of those to be reviewed. A null org_id is one of the product''s own.';
CREATE UNIQUE INDEX tools_name_key ON tools (org_id, mcp_server_id, name) NULLS NOT DISTINCT;
CREATE INDEX tools_mcp_server_id_idx ON tools (mcp_server_id) WHERE mcp_server_id IS NOT NULL;
CREATE INDEX tools_review_idx ON tools (org_id, created_at) WHERE status = 'pending';
CREATE TRIGGER tools_touch BEFORE UPDATE ON tools
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE tool_executions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  session_id text,
  pipeline_run text,
  tool text NOT NULL,
  succeeded boolean NOT NULL,
  duration_ms double precision CHECK (duration_ms >= 0),
  args_hash text CHECK (args_hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE tool_executions IS 'What agents report of tools they ran. Arguments are not here, only their hash.';
CREATE INDEX tool_executions_agent_idx ON tool_executions (agent_id, created_at DESC);
CREATE INDEX tool_executions_org_idx ON tool_executions (org_id, created_at DESC);
