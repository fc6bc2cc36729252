-- How steps are configured: presets, pipelines with their steps, and who is given which.

CREATE TABLE policy_profiles (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid REFERENCES organizations (id) ON DELETE CASCADE,
  name text NOT NULL CHECK (name <> ''),
  preset text NOT NULL DEFAULT 'starter' CHECK (preset IN ('starter', 'standard', 'regulated', 'custom')),
  description text,
  mode text NOT NULL DEFAULT 'enforce' CHECK (mode IN ('observe', 'warn', 'enforce', 'lockdown')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE policy_profiles IS 'A named starting point for pipelines. A null org_id is one that comes with the product.';
CREATE UNIQUE INDEX policy_profiles_name_key ON policy_profiles (org_id, name) NULLS NOT DISTINCT;
CREATE TRIGGER policy_profiles_touch BEFORE UPDATE ON policy_profiles
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE pipelines (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  profile_id uuid REFERENCES policy_profiles (id) ON DELETE SET NULL,
  name text NOT NULL CHECK (name <> ''),
  description text,
  version integer NOT NULL DEFAULT 1 CHECK (version > 0),
  is_default boolean NOT NULL DEFAULT false,
  is_shadow boolean NOT NULL DEFAULT false,
  -- The YAML as it was imported, for people to compare with.
  source text,
  created_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, name)
);
COMMENT ON TABLE pipelines IS 'Steps and their settings for the agents it is assigned to.';
COMMENT ON COLUMN pipelines.is_shadow IS 'Everything runs and is recorded, nothing is blocked.';
CREATE UNIQUE INDEX pipelines_default_key ON pipelines (org_id) WHERE is_default;
CREATE INDEX pipelines_profile_id_idx ON pipelines (profile_id);
CREATE TRIGGER pipelines_touch BEFORE UPDATE ON pipelines
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE step_configs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  pipeline_id uuid REFERENCES pipelines (id) ON DELETE CASCADE,
  profile_id uuid REFERENCES policy_profiles (id) ON DELETE CASCADE,
  step_name text NOT NULL CHECK (step_name ~ '^[a-z][a-z0-9_]*$'),
  position integer CHECK (position > 0),
  is_enabled boolean NOT NULL DEFAULT true,
  on_detection text CHECK (on_detection IN ('block', 'redact', 'log', 'continue', 'notify', 'flag', 'hold')),
  threshold double precision CHECK (threshold BETWEEN 0 AND 1),
  options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT step_configs_owner_check CHECK (num_nonnulls(pipeline_id, profile_id) = 1)
);
COMMENT ON TABLE step_configs IS 'One step in a pipeline or in a profile. A null position is the step''s own.';
CREATE UNIQUE INDEX step_configs_pipeline_key ON step_configs (pipeline_id, step_name) WHERE pipeline_id IS NOT NULL;
CREATE UNIQUE INDEX step_configs_profile_key ON step_configs (profile_id, step_name) WHERE profile_id IS NOT NULL;
CREATE TRIGGER step_configs_touch BEFORE UPDATE ON step_configs
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE pipeline_assignments (
  agent_id uuid PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
  pipeline_id uuid NOT NULL REFERENCES pipelines (id),
  assigned_by text,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pipeline_assignments IS 'The pipeline of an agent; without a row it is the organization''s default.';
CREATE INDEX pipeline_assignments_pipeline_id_idx ON pipeline_assignments (pipeline_id);
CREATE TRIGGER pipeline_assignments_touch BEFORE UPDATE ON pipeline_assignments
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
