-- Salts of commitments apart from the entries, so that one content can be made unprovable without touching the ledger; and
-- checkpoints as signed notes, one log for each chain.

CREATE TABLE audit_salts (
  chain text NOT NULL,
  seq bigint NOT NULL,
  salt text NOT NULL CHECK (salt ~ '^[0-9a-f]{64}$'),
  PRIMARY KEY (chain, seq)
);
COMMENT ON TABLE audit_salts IS 'The salt of an entry''s commitments. Without it nobody can prove, or test a guess of, what the content was.';

-- No release has written to it: its statements were a form of our own.
DROP TABLE audit_checkpoints;
CREATE TABLE audit_checkpoints (
  chain text NOT NULL CHECK (chain <> ''),
  size bigint NOT NULL CHECK (size > 0),
  note text NOT NULL CHECK (note <> ''),
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (chain, size)
);
COMMENT ON TABLE audit_checkpoints IS 'How far each chain had come, signed by a key that is not in this database. Older ones may go: the last one covers them.';
COMMENT ON COLUMN audit_checkpoints.note IS 'A signed note of a checkpoint, see docs/reference/ledger.md.';

-- A row that is not behind the place where readers begin would never be read.
ALTER TABLE audit_events ADD CONSTRAINT audit_events_place_check CHECK (chain <> '' AND seq > 0) NOT VALID;
