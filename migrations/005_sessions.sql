-- Sessions of people who logged in, and sessions of agents: turns, taint, risk, and the tools first seen.

CREATE TABLE oauth_identities (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  provider text NOT NULL CHECK (provider <> ''),
  issuer text NOT NULL DEFAULT '',
  subject text NOT NULL CHECK (subject <> ''),
  email text,
  last_login_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (provider, issuer, subject)
);
COMMENT ON TABLE oauth_identities IS 'Who an account is at an identity provider (OIDC or SAML).';
CREATE INDEX oauth_identities_account_id_idx ON oauth_identities (account_id);
CREATE TRIGGER oauth_identities_touch BEFORE UPDATE ON oauth_identities
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE auth_sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  org_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  token_hash text NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
  method text NOT NULL CHECK (method IN ('password', 'oidc', 'saml', 'device')),
  ip inet,
  user_agent text,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  CHECK (expires_at > created_at)
);
COMMENT ON TABLE auth_sessions IS 'A person''s login. Only the hash of its token (or of the JWT''s id) is here.';
CREATE INDEX auth_sessions_account_id_idx ON auth_sessions (account_id);
CREATE INDEX auth_sessions_org_id_idx ON auth_sessions (org_id) WHERE org_id IS NOT NULL;
CREATE INDEX auth_sessions_expires_at_idx ON auth_sessions (expires_at);

CREATE TABLE login_attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  subject_kind text NOT NULL CHECK (subject_kind IN ('ip', 'email')),
  subject text NOT NULL,
  succeeded boolean NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE login_attempts IS 'For locking out by address and by mail; rows older than a day may go.';
CREATE INDEX login_attempts_subject_idx ON login_attempts (subject_kind, subject, at DESC);

CREATE TABLE sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  session_id text NOT NULL CHECK (session_id <> '' AND length(session_id) <= 200),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  turn_count integer NOT NULL DEFAULT 0 CHECK (turn_count >= 0),
  classification text NOT NULL DEFAULT 'PUBLIC'
    CHECK (classification IN ('PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED', 'TOP_SECRET')),
  -- Insider risk as of risk_at; it halves with time, so it is worthless without it.
  risk_score double precision NOT NULL DEFAULT 0 CHECK (risk_score >= 0),
  risk_at timestamptz NOT NULL DEFAULT now(),
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  last_seen_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL DEFAULT now() + interval '30 minutes',
  closed_at timestamptz,
  -- Clients choose session ids, so one is an agent's own and never reaches into another agent's.
  UNIQUE (agent_id, session_id)
);
COMMENT ON TABLE sessions IS 'Turns of one agent that belong together.';
CREATE INDEX sessions_org_seen_idx ON sessions (org_id, last_seen_at DESC);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at) WHERE closed_at IS NULL;
CREATE TRIGGER sessions_touch BEFORE UPDATE ON sessions
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE session_turns (
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  turn_index integer NOT NULL CHECK (turn_index > 0),
  request_id text NOT NULL,
  audit_id text,
  decision text,
  model text,
  prompt_tokens integer CHECK (prompt_tokens >= 0),
  completion_tokens integer CHECK (completion_tokens >= 0),
  -- Redacted, and only where the organization asked for it.
  input_summary text,
  output_summary text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_id, turn_index)
);
COMMENT ON TABLE session_turns IS 'One governed call of a session. What was said is not here, unless an organization opts in.';
CREATE INDEX session_turns_request_id_idx ON session_turns (request_id);

CREATE TABLE session_taints (
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  label text NOT NULL CHECK (label ~ '^[A-Z][A-Z0-9_]*$'),
  source text,
  first_turn integer,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL DEFAULT now() + interval '30 minutes',
  PRIMARY KEY (session_id, label)
);
COMMENT ON TABLE session_taints IS 'What a session has touched (PII, SECRET, EXTERNAL, …); each label lasts 30 minutes from its last cause.';

CREATE TABLE session_tools (
  session_id uuid NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  tool_name text NOT NULL,
  definition_hash text NOT NULL CHECK (definition_hash ~ '^[0-9a-f]{64}$'),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_id, tool_name)
);
COMMENT ON TABLE session_tools IS 'A tool''s definition as the session first saw it: a change later on is a rug-pull.';
