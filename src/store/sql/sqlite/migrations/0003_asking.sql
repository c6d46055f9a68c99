-- What runs ask of people, what they may do, where they work, and who delegated them.

ALTER TABLE run ADD COLUMN parent BLOB;                -- the run whose agent delegated it; may have been pruned
ALTER TABLE run ADD COLUMN depth INTEGER NOT NULL DEFAULT 0 CHECK(depth >= 0 AND (depth = 0) = (parent IS NULL));
ALTER TABLE run ADD COLUMN isolation TEXT NOT NULL DEFAULT 'shared' CHECK(isolation IN ('shared', 'worktree'));
ALTER TABLE run ADD COLUMN policy TEXT;                -- NULL: accepted before there were any
ALTER TABLE run ADD COLUMN worktree TEXT;
ALTER TABLE run ADD COLUMN worktree_state TEXT AS (worktree ->> '$.state') VIRTUAL
  CHECK(worktree_state IN ('planned', 'open', 'kept', 'applied', 'dropped'));
ALTER TABLE run ADD COLUMN tool TEXT;
ALTER TABLE run ADD COLUMN said TEXT;
-- Time that waiting for people took does not count: the deadline moves along with waited_ms.
ALTER TABLE run ADD COLUMN waited_ms INTEGER NOT NULL DEFAULT 0 CHECK(waited_ms >= 0);
ALTER TABLE run ADD COLUMN input_since INTEGER CHECK((input_since IS NOT NULL) = (state = 'input_required'));
CREATE INDEX run_by_parent ON run(parent, created_at, id) WHERE parent IS NOT NULL;
CREATE INDEX run_worktree ON run(created_at, id) WHERE worktree_state IN ('planned', 'open', 'kept');

CREATE TABLE request(
  n INTEGER PRIMARY KEY,                               -- in the order they were asked
  id TEXT NOT NULL UNIQUE,
  run BLOB NOT NULL REFERENCES run,
  fence INTEGER,                                       -- of the attempt that asks; NULL once that has given its run back
  kind TEXT NOT NULL CHECK(kind IN ('permission', 'question')),
  fingerprint TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  deadline INTEGER,
  decided_by TEXT CHECK(decided_by IN ('person', 'deadline', 'withdrawn')),
  decided_at INTEGER,
  used INTEGER NOT NULL DEFAULT 0 CHECK(used IN (0, 1)), -- no attempt is to take it up
  title TEXT NOT NULL,
  detail TEXT,
  options TEXT NOT NULL,
  face TEXT,
  answer TEXT,
  why TEXT,
  CHECK((decided_by IS NULL) = (decided_at IS NULL) AND (decided_by IS NULL) = (answer IS NULL)),
  CHECK(face IS NULL OR decided_by = 'person'),
  -- Only a person's answer is kept for an attempt to come, and only what is decided is used up.
  CHECK(used = (decided_by IS NOT NULL) OR (used = 0 AND decided_by = 'person'))
) STRICT;
CREATE INDEX request_by_run ON request(run);
CREATE INDEX request_open ON request(run) WHERE decided_by IS NULL;
CREATE INDEX request_left ON request(deadline) WHERE decided_by IS NULL AND fence IS NULL AND deadline IS NOT NULL;

-- What belongs to no run has nothing to be removed with.
CREATE INDEX event_beside ON event(at) WHERE run IS NULL;

ALTER TABLE project ADD COLUMN trust TEXT;
ALTER TABLE project ADD COLUMN status TEXT CHECK(status IN ('error', 'initializing'));
