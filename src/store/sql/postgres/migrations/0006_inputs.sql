-- As on SQLite.

CREATE TABLE input(
  run uuid NOT NULL REFERENCES run,
  seq bigint NOT NULL CHECK(seq >= 1),                 -- in the order of acceptance
  pos bigint NOT NULL,                                 -- in the order in which they are put
  mode text COLLATE "C" NOT NULL CHECK(mode IN ('followup', 'steer', 'interrupt', 'queue')),
  outcome text COLLATE "C" NOT NULL CHECK(outcome IN ('direct', 'queued', 'interrupted')),
  cuts boolean NOT NULL DEFAULT FALSE,                 -- the turn under way is to be cancelled for it
  state text COLLATE "C" NOT NULL DEFAULT 'pending' CHECK(state IN ('pending', 'delivered', 'dropped')),
  attempt bigint,                                      -- that took it last
  fence bigint,                                        -- of that attempt
  accepted_at bigint NOT NULL,
  delivered_at bigint,
  ended_at bigint,                                     -- its turn ended in order, or it was dropped
  key text COLLATE "C",
  fingerprint text COLLATE "C",
  message text COLLATE "C" NOT NULL,
  PRIMARY KEY(run, seq),
  UNIQUE(run, pos),
  CHECK((state = 'delivered') = (delivered_at IS NOT NULL)),
  CHECK((delivered_at IS NULL) = (fence IS NULL) AND (fence IS NULL) = (attempt IS NULL)),
  CHECK(state <> 'pending' OR ended_at IS NULL),
  CHECK((key IS NULL) = (fingerprint IS NULL))
);
CREATE UNIQUE INDEX input_key ON input(run, key) WHERE key IS NOT NULL;

ALTER TABLE run ADD COLUMN prompted boolean NOT NULL DEFAULT FALSE;
ALTER TABLE run ADD COLUMN hook text COLLATE "C";
ALTER TABLE run ADD COLUMN archived_at bigint CHECK(archived_at IS NULL OR ended_at IS NOT NULL);

ALTER TABLE session ADD COLUMN key_scope text COLLATE "C";
ALTER TABLE session ADD COLUMN key text COLLATE "C" CHECK((key IS NULL) = (key_scope IS NULL));
ALTER TABLE session ADD COLUMN extra_system_prompt text COLLATE "C";
CREATE UNIQUE INDEX session_key ON session(key_scope, key) WHERE key IS NOT NULL;

CREATE TABLE instance_key(
  scope text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  instance uuid NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY(scope, key)
);
CREATE INDEX instance_key_of ON instance_key(instance);
