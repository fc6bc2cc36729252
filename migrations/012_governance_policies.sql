-- Policies of organizations: versions that only go forward, their rules, whom they hold for, and breaking the glass.

CREATE TABLE policies (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  description text,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, name)
);
COMMENT ON TABLE policies IS 'A named policy. It is never deleted, only no longer assigned.';
CREATE TRIGGER policies_touch BEFORE UPDATE ON policies
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE policy_versions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  policy_id uuid NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  version_no integer NOT NULL CHECK (version_no > 0),
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'retired', 'superseded')),
  change_note text,
  -- The Rego that the rules were compiled to, and its hash, once published.
  compiled_rego text,
  compiled_sha256 text CHECK (compiled_sha256 ~ '^[0-9a-f]{64}$'),
  created_by text,
  published_by text,
  published_at timestamptz,
  retired_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (policy_id, version_no),
  CONSTRAINT policy_versions_published_check CHECK (status = 'draft' OR published_at IS NOT NULL),
  CONSTRAINT policy_versions_retired_check CHECK ((status IN ('retired', 'superseded')) = (retired_at IS NOT NULL))
);
COMMENT ON TABLE policy_versions IS 'draft → active → retired or superseded; at most one draft and one active at a time.';
CREATE UNIQUE INDEX policy_versions_draft_key ON policy_versions (policy_id) WHERE status = 'draft';
CREATE UNIQUE INDEX policy_versions_active_key ON policy_versions (policy_id) WHERE status = 'active';
CREATE TRIGGER policy_versions_touch BEFORE UPDATE ON policy_versions
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE policy_rules (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  version_id uuid NOT NULL REFERENCES policy_versions (id) ON DELETE CASCADE,
  ordinal integer NOT NULL CHECK (ordinal >= 0),
  kind text NOT NULL CHECK (kind ~ '^[A-Z][A-Za-z0-9]*$'),
  payload jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(payload) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (version_id, ordinal)
);
COMMENT ON TABLE policy_rules IS 'A rule of a version: BlockTool, RequireApproval, RedactToolArg, Conditional and the rest.';
CREATE TRIGGER policy_rules_touch BEFORE UPDATE ON policy_rules
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- Only a draft's rules can be edited: what was in force once stays readable as it was.
CREATE FUNCTION refuse_published_rules() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
DECLARE
  version_now uuid := CASE TG_OP WHEN 'INSERT' THEN NEW.version_id ELSE OLD.version_id END;
  status_now text;
BEGIN
  EXECUTE format('SELECT status FROM %I.policy_versions WHERE id = $1', TG_TABLE_SCHEMA) INTO status_now USING version_now;
  -- Without a status the version itself is going, together with its policy.
  IF status_now <> 'draft' OR (TG_OP = 'UPDATE' AND NEW.version_id <> OLD.version_id) THEN
    RAISE EXCEPTION 'rules of a version that is % are not changed', status_now
      USING ERRCODE = 'restrict_violation', HINT = 'Make a new draft.';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END
$$;
COMMENT ON FUNCTION refuse_published_rules() IS 'Keeps the rules of published versions as they were.';
CREATE TRIGGER policy_rules_draft_only BEFORE INSERT OR UPDATE OR DELETE ON policy_rules
  FOR EACH ROW EXECUTE FUNCTION refuse_published_rules();

CREATE TABLE policy_assignments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  policy_id uuid NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
  version_id uuid NOT NULL REFERENCES policy_versions (id),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  scope_type text NOT NULL CHECK (scope_type IN ('org', 'project', 'agent')),
  -- An organization's slug, a project's id or an agent's agent_uuid.
  scope_id text NOT NULL CHECK (scope_id <> ''),
  effective_from timestamptz NOT NULL DEFAULT now(),
  effective_until timestamptz,
  assigned_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (effective_until IS NULL OR effective_until > effective_from)
);
COMMENT ON TABLE policy_assignments IS 'A version of a policy for a scope, pinned to what was active when it was assigned.';
CREATE UNIQUE INDEX policy_assignments_open_key ON policy_assignments (policy_id, scope_type, scope_id)
  WHERE effective_until IS NULL;
CREATE INDEX policy_assignments_scope_idx ON policy_assignments (org_id, scope_type, scope_id);
CREATE INDEX policy_assignments_version_id_idx ON policy_assignments (version_id);
CREATE INDEX policy_assignments_policy_id_idx ON policy_assignments (policy_id);
CREATE TRIGGER policy_assignments_touch BEFORE UPDATE ON policy_assignments
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE break_glass_grants (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  level text NOT NULL CHECK (level <> ''),
  reason text NOT NULL CHECK (reason <> ''),
  opened_by text NOT NULL,
  audit_id text,
  opened_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  closed_at timestamptz,
  closed_by text,
  CHECK (expires_at > opened_at)
);
COMMENT ON TABLE break_glass_grants IS 'An emergency loosening; it ends by itself at expires_at. A null org_id holds everywhere.';
CREATE INDEX break_glass_grants_open_idx ON break_glass_grants (expires_at) WHERE closed_at IS NULL;
CREATE INDEX break_glass_grants_org_id_idx ON break_glass_grants (org_id) WHERE org_id IS NOT NULL;

CREATE TABLE govern_decisions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  behavior_id text,
  pipeline_run text NOT NULL UNIQUE CHECK (pipeline_run <> ''),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  agent_id uuid NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  session_id text,
  outcome text NOT NULL CHECK (outcome IN ('allow', 'block', 'needs_approval', 'modify', 'escalate', 'dispatch_to_sandbox')),
  reason text,
  matched_rule text,
  policy_version_id uuid REFERENCES policy_versions (id) ON DELETE SET NULL,
  obligations jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(obligations) = 'array'),
  audit_id text,
  decided_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE govern_decisions IS 'Decisions of the decision point (/v1/govern), for limits per tool and for evidence.';
CREATE INDEX govern_decisions_agent_idx ON govern_decisions (agent_id, decided_at DESC);
CREATE INDEX govern_decisions_org_idx ON govern_decisions (org_id, decided_at DESC);
CREATE INDEX govern_decisions_policy_version_id_idx ON govern_decisions (policy_version_id) WHERE policy_version_id IS NOT NULL;
