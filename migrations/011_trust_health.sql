-- How far an agent is trusted, and how well it behaves: scores, events, pacts, snapshots, attestations, canaries.

CREATE TABLE agent_trust (
  agent_id uuid PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
  score integer NOT NULL DEFAULT 0 CHECK (score BETWEEN 0 AND 1000),
  tier text NOT NULL DEFAULT 'observer' CHECK (tier IN ('observer', 'worker', 'standard', 'full')),
  clean_calls bigint NOT NULL DEFAULT 0 CHECK (clean_calls >= 0),
  violations bigint NOT NULL DEFAULT 0 CHECK (violations >= 0),
  is_pinned boolean NOT NULL DEFAULT false,
  tier_changed_at timestamptz NOT NULL DEFAULT now(),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE agent_trust IS 'Where an agent stands now; trust_events say how it came there.';
COMMENT ON COLUMN agent_trust.is_pinned IS 'A person set the tier; it is not raised or lowered by itself.';
CREATE TRIGGER agent_trust_touch BEFORE UPDATE ON agent_trust
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE trust_events (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  kind text NOT NULL CHECK (kind <> ''),
  delta integer NOT NULL,
  score_after integer NOT NULL CHECK (score_after BETWEEN 0 AND 1000),
  tier_after text NOT NULL CHECK (tier_after IN ('observer', 'worker', 'standard', 'full')),
  audit_id text,
  details jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(details) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE trust_events IS 'Each change of an agent''s score, with the ledger entry that caused it.';
CREATE INDEX trust_events_agent_idx ON trust_events (agent_id, created_at DESC);
CREATE INDEX trust_events_org_idx ON trust_events (org_id, created_at DESC);

CREATE TABLE agent_pacts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  version integer NOT NULL CHECK (version > 0),
  purpose text NOT NULL,
  classification_max text NOT NULL DEFAULT 'INTERNAL'
    CHECK (classification_max IN ('PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED', 'TOP_SECRET')),
  tools_allowed text[] NOT NULL DEFAULT '{}',
  usd_per_day_max numeric(14, 6) CHECK (usd_per_day_max >= 0),
  pii_exposure text NOT NULL DEFAULT 'none' CHECK (pii_exposure IN ('none', 'masked', 'allowed')),
  is_active boolean NOT NULL DEFAULT true,
  agreed_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (agent_id, version)
);
COMMENT ON TABLE agent_pacts IS 'What an agent is for and how it means to behave; adherence is measured against the active one.';
CREATE UNIQUE INDEX agent_pacts_active_key ON agent_pacts (agent_id) WHERE is_active;
CREATE TRIGGER agent_pacts_touch BEFORE UPDATE ON agent_pacts
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE agent_health_snapshots (
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  period_start timestamptz NOT NULL,
  period_end timestamptz NOT NULL,
  score numeric(5, 2) CHECK (score BETWEEN 0 AND 100),
  grade text CHECK (grade IN ('A', 'B', 'C', 'D', 'F')),
  -- {"compliance": {"score", "weight"}, …}
  dimensions jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(dimensions) = 'object'),
  calls bigint NOT NULL DEFAULT 0 CHECK (calls >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (agent_id, period_start, period_end),
  CHECK (period_end > period_start),
  CHECK ((score IS NULL) = (grade IS NULL))
);
COMMENT ON TABLE agent_health_snapshots IS 'An agent''s health over a period. A null score means that there was nothing to judge.';
CREATE INDEX agent_health_snapshots_period_idx ON agent_health_snapshots (period_end DESC);

CREATE TABLE agent_baselines (
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  metric text NOT NULL CHECK (metric <> ''),
  mean double precision NOT NULL,
  deviation double precision NOT NULL CHECK (deviation >= 0),
  samples bigint NOT NULL CHECK (samples >= 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (agent_id, metric)
);
COMMENT ON TABLE agent_baselines IS 'What is usual for an agent, so that drift can be told.';
CREATE TRIGGER agent_baselines_touch BEFORE UPDATE ON agent_baselines
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE agent_attestations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  statement text NOT NULL,
  key_id text NOT NULL REFERENCES signing_keys (key_id),
  signature text NOT NULL,
  issued_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CHECK (expires_at > issued_at)
);
COMMENT ON TABLE agent_attestations IS 'Signed statements about an agent''s trust, as they were given out.';
CREATE INDEX agent_attestations_agent_idx ON agent_attestations (agent_id, issued_at DESC);
CREATE INDEX agent_attestations_key_id_idx ON agent_attestations (key_id);

CREATE TABLE canary_runs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'passed', 'failed', 'error')),
  results jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(results) = 'array'),
  started_at timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  CHECK ((state = 'running') = (finished_at IS NULL))
);
COMMENT ON TABLE canary_runs IS 'Known-bad probes sent through an agent''s pipeline, and whether each was stopped.';
CREATE INDEX canary_runs_agent_idx ON canary_runs (agent_id, started_at DESC);
