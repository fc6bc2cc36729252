-- Agents that come with a SPIFFE identity (an SVID of the host's trust domain) instead of an API key.

ALTER TABLE agents
  ADD COLUMN spiffe_id text UNIQUE
    CHECK (length(spiffe_id) <= 2048 AND spiffe_id ~ '^spiffe://[a-z0-9._-]{1,255}(/[A-Za-z0-9._-]+)+$'),
  ADD COLUMN svid_used_at timestamptz;
COMMENT ON COLUMN agents.spiffe_id IS 'Whoever has an SVID with this id is this agent. It stays when the agent is deactivated: its SVIDs are then known as revoked ones.';
COMMENT ON COLUMN agents.svid_used_at IS 'When it last came with an SVID. api_keys says when a key of it was used.';
