-- What is said to runs, and what travels with them.

CREATE TABLE input(
  run BLOB NOT NULL REFERENCES run,
  seq INTEGER NOT NULL CHECK(seq >= 1),                -- in the order of acceptance
  pos INTEGER NOT NULL,                                -- in the order in which they are put
  mode TEXT NOT NULL CHECK(mode IN ('followup', 'steer', 'interrupt', 'queue')),
  outcome TEXT NOT NULL CHECK(outcome IN ('direct', 'queued', 'interrupted')),
  cuts INTEGER NOT NULL DEFAULT 0 CHECK(cuts IN (0, 1)), -- the turn under way is to be cancelled for it
  state TEXT NOT NULL DEFAULT 'pending' CHECK(state IN ('pending', 'delivered', 'dropped')),
  attempt INTEGER,                                     -- that took it last
  fence INTEGER,                                       -- of that attempt
  accepted_at INTEGER NOT NULL,
  delivered_at INTEGER,
  ended_at INTEGER,                                    -- its turn ended in order, or it was dropped
  key TEXT,
  fingerprint TEXT,
  message TEXT NOT NULL,
  PRIMARY KEY(run, seq),
  UNIQUE(run, pos),
  CHECK((state = 'delivered') = (delivered_at IS NOT NULL)),
  CHECK((delivered_at IS NULL) = (fence IS NULL) AND (fence IS NULL) = (attempt IS NULL)),
  CHECK(state <> 'pending' OR ended_at IS NULL),
  CHECK((key IS NULL) = (fingerprint IS NULL))
) STRICT;
CREATE UNIQUE INDEX input_key ON input(run, key) WHERE key IS NOT NULL;

ALTER TABLE run ADD COLUMN prompted INTEGER NOT NULL DEFAULT 0 CHECK(prompted IN (0, 1)); -- the turn of its prompt has ended in order
ALTER TABLE run ADD COLUMN hook TEXT;
ALTER TABLE run ADD COLUMN archived_at INTEGER CHECK(archived_at IS NULL OR ended_at IS NOT NULL);

ALTER TABLE session ADD COLUMN key_scope TEXT;
ALTER TABLE session ADD COLUMN key TEXT CHECK((key IS NULL) = (key_scope IS NULL));
ALTER TABLE session ADD COLUMN extra_system_prompt TEXT;
CREATE UNIQUE INDEX session_key ON session(key_scope, key) WHERE key IS NOT NULL;

CREATE TABLE instance_key(
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  instance BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY(scope, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX instance_key_of ON instance_key(instance);
