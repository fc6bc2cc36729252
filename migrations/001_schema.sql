-- Who there is: organizations, people, and the agents that make governed calls.

CREATE FUNCTION touch_updated_at() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog
AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END
$$;
COMMENT ON FUNCTION touch_updated_at() IS 'Keeps updated_at true whoever writes the row.';

CREATE TABLE organizations (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
  name text NOT NULL CHECK (name <> ''),
  -- Governance flags that callers may not loosen, as {"flag": "value"}.
  locked_flags jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(locked_flags) = 'object'),
  settings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE organizations IS 'A tenant. Its slug is what routes and policies name it by.';
CREATE TRIGGER organizations_touch BEFORE UPDATE ON organizations
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

-- A fixed id, so that every installation's default organization is the same one in backups and exports.
INSERT INTO organizations (id, slug, name)
VALUES ('00000000-0000-4000-8000-000000000001', 'default', 'Default organization');

CREATE TABLE accounts (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL CHECK (email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
  name text,
  -- bcrypt or argon2 in its own encoding; null where people log in through their identity provider only.
  password_hash text,
  is_active boolean NOT NULL DEFAULT true,
  email_verified_at timestamptz,
  last_login_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE accounts IS 'A person who can log in. What they may do is in users, one row per organization.';
CREATE UNIQUE INDEX accounts_email_key ON accounts (lower(email));
CREATE TRIGGER accounts_touch BEFORE UPDATE ON accounts
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  role text NOT NULL DEFAULT 'EMPLOYEE'
    CHECK (role IN ('EMPLOYEE', 'AUDITOR', 'DEVELOPER', 'ADMIN', 'PLATFORM')),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, account_id)
);
COMMENT ON TABLE users IS 'An account in an organization, with its role there. PLATFORM reaches across organizations.';
CREATE INDEX users_account_id_idx ON users (account_id);
CREATE TRIGGER users_touch BEFORE UPDATE ON users
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE invites (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  email text NOT NULL,
  role text NOT NULL DEFAULT 'EMPLOYEE'
    CHECK (role IN ('EMPLOYEE', 'AUDITOR', 'DEVELOPER', 'ADMIN', 'PLATFORM')),
  token_hash text NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
  invited_by uuid REFERENCES accounts (id) ON DELETE SET NULL,
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  revoked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CHECK (accepted_at IS NULL OR revoked_at IS NULL)
);
COMMENT ON TABLE invites IS 'An invitation by mail; the link holds a token of which only the hash is here.';
CREATE UNIQUE INDEX invites_open_key ON invites (org_id, lower(email))
  WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invites_invited_by_idx ON invites (invited_by);
CREATE INDEX invites_org_id_idx ON invites (org_id);
CREATE TRIGGER invites_touch BEFORE UPDATE ON invites
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE projects (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
  kind text NOT NULL DEFAULT 'project' CHECK (kind IN ('project', 'team')),
  name text NOT NULL CHECK (name <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, kind, name)
);
COMMENT ON TABLE projects IS 'A project, or a team, inside an organization: a scope for agents, members and policies.';
CREATE TRIGGER projects_touch BEFORE UPDATE ON projects
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE project_members (
  project_id uuid NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
  role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'admin', 'auditor')),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (project_id, account_id)
);
COMMENT ON TABLE project_members IS 'Who belongs to a project or team, and as what.';
CREATE INDEX project_members_account_id_idx ON project_members (account_id);
CREATE TRIGGER project_members_touch BEFORE UPDATE ON project_members
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE TABLE agents (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  agent_uuid text NOT NULL UNIQUE CHECK (agent_uuid ~ '^ag_[A-Za-z0-9_-]{8,}$'),
  agent_id text NOT NULL CHECK (agent_id <> '' AND length(agent_id) <= 200),
  org_id uuid NOT NULL REFERENCES organizations (id),
  project_id uuid REFERENCES projects (id) ON DELETE SET NULL,
  framework text NOT NULL DEFAULT 'custom',
  description text,
  owner_email text,
  intended_use text,
  -- From a self-declared public key to labels; never secrets.
  metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
  is_active boolean NOT NULL DEFAULT true,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (org_id, agent_id)
);
COMMENT ON TABLE agents IS 'A program that makes governed calls. agent_id is its name in its organization, agent_uuid its name everywhere.';
COMMENT ON COLUMN agents.agent_uuid IS 'ag_ and 8 characters that are safe in URLs.';
CREATE INDEX agents_project_id_idx ON agents (project_id) WHERE project_id IS NOT NULL;
CREATE TRIGGER agents_touch BEFORE UPDATE ON agents
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
