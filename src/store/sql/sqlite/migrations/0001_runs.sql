-- Runs, the sessions they are claimed by, and the log.
-- Exactly one of ready_rank (claimable now), wake_at (claimable later) and lease_holder (held) is set while a session has an unfinished
-- run; the CHECKs and the unique indexes are the proof of order, of exclusivity and of one writer per tree, whatever the code does.

CREATE TABLE setting(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO setting(name, value) VALUES('default_cap', 4);

CREATE TABLE class(
  class_key TEXT PRIMARY KEY,                          -- place/agent/lane
  place TEXT NOT NULL,
  agent TEXT NOT NULL,
  lane TEXT NOT NULL,
  max_concurrent INTEGER NOT NULL CHECK(max_concurrent >= 0),
  own_cap INTEGER NOT NULL DEFAULT 0 CHECK(own_cap IN (0, 1)) -- 0: follows the default cap
) STRICT, WITHOUT ROWID;

CREATE TABLE session(
  id BLOB PRIMARY KEY,
  place TEXT NOT NULL DEFAULT 'local',
  agent TEXT NOT NULL,
  class_key TEXT NOT NULL REFERENCES class,            -- of the head run
  next_seq INTEGER NOT NULL DEFAULT 1,
  head_run BLOB,                                       -- oldest unfinished run
  fence INTEGER NOT NULL DEFAULT 0,                    -- +1 in every claim, never reset
  ready_rank INTEGER,
  wake_at INTEGER,
  lease_holder BLOB,
  lease_until INTEGER,                                 -- in no index: renewing must stay cheap
  tree TEXT,                                           -- of the head run; NULL: need not take turns
  waiting TEXT CHECK(waiting IN ('slot', 'tree', 'session', 'environment', 'retry')),
  instance BLOB,
  project BLOB,
  persona TEXT,
  cwd TEXT NOT NULL,
  agent_session TEXT,
  CHECK((ready_rank IS NOT NULL) + (wake_at IS NOT NULL) + (lease_holder IS NOT NULL) = (head_run IS NOT NULL)),
  CHECK((lease_holder IS NULL) = (lease_until IS NULL)),
  CHECK(waiting IS NULL OR wake_at IS NOT NULL OR ready_rank IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_ready ON session(class_key, ready_rank, tree) WHERE ready_rank IS NOT NULL;
CREATE INDEX session_wake ON session(wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX session_active ON session(class_key) WHERE lease_holder IS NOT NULL;
CREATE INDEX session_waiting ON session(waiting) WHERE waiting IS NOT NULL;
CREATE UNIQUE INDEX session_tree ON session(tree) WHERE lease_holder IS NOT NULL AND tree IS NOT NULL;

-- What a claim or a list looks at comes first, long texts last, so that reading the former does not walk the latter's overflow pages.
CREATE TABLE run(
  id BLOB PRIMARY KEY,
  session BLOB NOT NULL REFERENCES session,
  seq INTEGER NOT NULL,
  class_key TEXT NOT NULL REFERENCES class,
  state TEXT NOT NULL DEFAULT 'queued'
    CHECK(state IN ('queued', 'running', 'input_required', 'succeeded', 'failed', 'cancelled', 'timed_out')),
  attempt INTEGER NOT NULL DEFAULT 0,
  fence INTEGER,                                       -- the session's, while held
  cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK(cancel_requested IN (0, 1)),
  event_seq INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  ended_at INTEGER,
  timeout_ms INTEGER,
  deadline INTEGER,                                    -- created_at + timeout_ms
  instance BLOB,
  project BLOB,
  previous BLOB,
  label TEXT,
  lane TEXT NOT NULL,
  tree TEXT,
  mode TEXT NOT NULL,
  warm INTEGER NOT NULL DEFAULT 0 CHECK(warm IN (0, 1)),
  continuity TEXT,
  cancel_reason TEXT,
  step TEXT,
  warnings TEXT,
  usage TEXT,
  error TEXT,
  conclusion TEXT,
  prompt TEXT NOT NULL,
  UNIQUE(session, seq),
  CHECK((state IN ('running', 'input_required')) = (fence IS NOT NULL)),
  CHECK((state IN ('queued', 'running', 'input_required')) = (ended_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX run_one_held ON run(session) WHERE state IN ('running', 'input_required');
CREATE INDEX run_open ON run(project) WHERE ended_at IS NULL;
CREATE INDEX run_deadline ON run(deadline) WHERE state = 'queued' AND deadline IS NOT NULL;
CREATE INDEX run_newest ON run(created_at, id);
CREATE INDEX run_by_state ON run(state, created_at, id);
CREATE INDEX run_by_project ON run(project, created_at, id) WHERE project IS NOT NULL;
CREATE INDEX run_by_instance ON run(instance, created_at, id) WHERE instance IS NOT NULL;
CREATE INDEX run_by_label ON run(label, created_at, id) WHERE label IS NOT NULL;

CREATE TABLE attempt(
  run BLOB NOT NULL REFERENCES run,
  n INTEGER NOT NULL CHECK(n >= 1),
  fence INTEGER NOT NULL,
  holder BLOB NOT NULL,
  outcome TEXT CHECK(outcome IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'released', 'lost')),
  reason TEXT,
  warm INTEGER NOT NULL DEFAULT 0 CHECK(warm IN (0, 1)),
  persona_route TEXT,
  pid INTEGER,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  stderr_tail TEXT,
  PRIMARY KEY(run, n),
  CHECK((outcome IS NULL) = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE event(
  cursor INTEGER PRIMARY KEY AUTOINCREMENT,            -- never used twice, also after a row is gone
  at INTEGER NOT NULL,
  run BLOB,
  run_seq INTEGER,
  project BLOB,
  instance BLOB,
  kind TEXT NOT NULL,
  data TEXT NOT NULL,
  UNIQUE(run, run_seq),
  CHECK((run IS NULL) = (run_seq IS NULL))
) STRICT;
-- Each ends in the cursor, as every index ends in the row's key.
CREATE INDEX event_by_run ON event(run) WHERE run IS NOT NULL;
CREATE INDEX event_by_project ON event(project) WHERE project IS NOT NULL;
CREATE INDEX event_by_instance ON event(instance) WHERE instance IS NOT NULL;

CREATE TABLE idempotency(
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  run BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY(scope, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run BLOB NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
