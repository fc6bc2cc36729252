-- What may be spent, and what was: budgets by scope and window, usage by call, and counters that outlive Redis.

CREATE TABLE budgets (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid REFERENCES agents (id) ON DELETE CASCADE,
  scope text NOT NULL CHECK (scope IN ('org', 'agent', 'session', 'call')),
  time_window text NOT NULL CHECK (time_window IN ('call', 'session', 'hour', 'day', 'month')),
  limit_usd numeric(14, 6) CHECK (limit_usd >= 0),
  limit_tokens bigint CHECK (limit_tokens >= 0),
  limit_calls bigint CHECK (limit_calls >= 0),
  warn_at double precision NOT NULL DEFAULT 0.8 CHECK (warn_at > 0 AND warn_at <= 1),
  action text NOT NULL DEFAULT 'block' CHECK (action IN ('block', 'warn')),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT budgets_limit_check CHECK (num_nonnulls(limit_usd, limit_tokens, limit_calls) > 0),
  CONSTRAINT budgets_agent_check CHECK (scope <> 'org' OR agent_id IS NULL)
);
COMMENT ON TABLE budgets IS 'A limit. Without an agent, scopes below org hold for each agent, session or call of the organization.';
CREATE UNIQUE INDEX budgets_scope_key ON budgets (org_id, agent_id, scope, time_window) NULLS NOT DISTINCT WHERE is_active;
CREATE INDEX budgets_agent_id_idx ON budgets (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX budgets_org_id_idx ON budgets (org_id);
CREATE TRIGGER budgets_touch BEFORE UPDATE ON budgets
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE budget_usage (
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  -- An agent's uuid, a session's id, or '' for the organization as a whole.
  subject text NOT NULL DEFAULT '',
  time_window text NOT NULL CHECK (time_window IN ('session', 'hour', 'day', 'month')),
  window_start timestamptz NOT NULL,
  usd numeric(16, 6) NOT NULL DEFAULT 0 CHECK (usd >= 0),
  prompt_tokens bigint NOT NULL DEFAULT 0 CHECK (prompt_tokens >= 0),
  completion_tokens bigint NOT NULL DEFAULT 0 CHECK (completion_tokens >= 0),
  calls bigint NOT NULL DEFAULT 0 CHECK (calls >= 0),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, subject, time_window, window_start)
);
COMMENT ON TABLE budget_usage IS 'Running sums, added to with INSERT … ON CONFLICT DO UPDATE.';
CREATE INDEX budget_usage_start_idx ON budget_usage (time_window, window_start);

CREATE TABLE usage_records (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  request_id text NOT NULL UNIQUE,
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid REFERENCES agents (id) ON DELETE SET NULL,
  session_id text,
  provider text NOT NULL,
  model text NOT NULL,
  prompt_tokens bigint NOT NULL DEFAULT 0 CHECK (prompt_tokens >= 0),
  completion_tokens bigint NOT NULL DEFAULT 0 CHECK (completion_tokens >= 0),
  usd numeric(14, 6) CHECK (usd >= 0),
  is_estimated boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE usage_records IS 'Tokens and cost of one call. request_id is unique, so a repeat is not counted twice.';
CREATE INDEX usage_records_org_idx ON usage_records (org_id, created_at DESC);
CREATE INDEX usage_records_agent_idx ON usage_records (agent_id, created_at DESC) WHERE agent_id IS NOT NULL;

CREATE TABLE rate_counters (
  key text NOT NULL,
  window_start timestamptz NOT NULL,
  count bigint NOT NULL DEFAULT 0 CHECK (count >= 0),
  PRIMARY KEY (key, window_start)
);
COMMENT ON TABLE rate_counters IS 'Rate limits that survive the loss of Redis, where the settings ask for that.';
CREATE INDEX rate_counters_window_start_idx ON rate_counters (window_start);
