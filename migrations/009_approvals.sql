-- Approvals: requests that wait for a person, and the ledger of verdicts by fingerprint and scope.

CREATE TABLE approvals (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  request_id text NOT NULL UNIQUE,
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  session_id text,
  fingerprint text NOT NULL CHECK (fingerprint ~ '^fp_[0-9a-f]{16,64}$'),
  tool text NOT NULL,
  model text,
  -- Redacted: what the approver is shown, never the raw arguments.
  args_summary jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(args_summary) = 'object'),
  reason text,
  tier text NOT NULL DEFAULT 'authenticated' CHECK (tier IN ('authenticated', 'elevated', 'signed')),
  matched_rule text,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'denied', 'expired', 'canceled')),
  decided_by text,
  decided_at timestamptz,
  decision_reason text,
  assertion_id text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  CONSTRAINT approvals_decided_check CHECK ((state IN ('approved', 'denied')) = (decided_at IS NOT NULL)),
  CONSTRAINT approvals_decider_check CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
  CONSTRAINT approvals_signed_check CHECK (tier <> 'signed' OR state <> 'approved' OR assertion_id IS NOT NULL)
);
COMMENT ON TABLE approvals IS 'An action that waits for a person''s word.';
COMMENT ON COLUMN approvals.fingerprint IS 'fp_ and the hash of agent, tool, arguments and model: the same action has the same one.';
-- Asking again for the same action finds the request that is open already.
CREATE UNIQUE INDEX approvals_open_key ON approvals (org_id, fingerprint) WHERE state = 'pending';
CREATE INDEX approvals_org_idx ON approvals (org_id, state, created_at DESC);
CREATE INDEX approvals_agent_id_idx ON approvals (agent_id, created_at DESC);
CREATE INDEX approvals_expiry_idx ON approvals (expires_at) WHERE state = 'pending';
CREATE TRIGGER approvals_touch BEFORE UPDATE ON approvals
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE approval_verdicts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  approval_id uuid REFERENCES approvals (id) ON DELETE SET NULL,
  fingerprint text NOT NULL CHECK (fingerprint ~ '^fp_[0-9a-f]{16,64}$'),
  verdict text NOT NULL CHECK (verdict IN ('allow', 'deny', 'revoke')),
  scope text NOT NULL CHECK (scope IN ('once', 'session', 'always')),
  session_id text,
  given_by text NOT NULL,
  reason text,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz,
  -- Set by the one call that used it up: UPDATE … WHERE consumed_at IS NULL RETURNING.
  consumed_at timestamptz,
  consumed_by text,
  CONSTRAINT approval_verdicts_session_check CHECK ((scope = 'session') = (session_id IS NOT NULL)),
  CONSTRAINT approval_verdicts_consumed_check CHECK (consumed_at IS NULL OR scope = 'once'),
  CONSTRAINT approval_verdicts_consumer_check CHECK ((consumed_at IS NULL) = (consumed_by IS NULL))
);
COMMENT ON TABLE approval_verdicts IS 'Verdict × scope, newest wins; a grant for once is consumed by the next identical call, in one statement.';
CREATE INDEX approval_verdicts_lookup_idx ON approval_verdicts (org_id, fingerprint, created_at DESC);
CREATE INDEX approval_verdicts_agent_id_idx ON approval_verdicts (agent_id);
CREATE INDEX approval_verdicts_approval_id_idx ON approval_verdicts (approval_id) WHERE approval_id IS NOT NULL;
CREATE UNIQUE INDEX approval_verdicts_open_once_key ON approval_verdicts (org_id, fingerprint)
  WHERE verdict = 'allow' AND scope = 'once' AND consumed_at IS NULL;
