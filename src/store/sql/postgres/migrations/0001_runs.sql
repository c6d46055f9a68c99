-- The same tables as on SQLite, by the same names; why they are so is said there. Texts compare by their bytes, as there.
-- Sessions and runs are updated often: room in the pages keeps that within them, and vacuum comes by soon.

CREATE TABLE setting(name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL);
INSERT INTO setting(name, value) VALUES('default_cap', 4);

CREATE TABLE class(
  class_key text COLLATE "C" PRIMARY KEY,              -- place/agent/lane
  place text COLLATE "C" NOT NULL,
  agent text COLLATE "C" NOT NULL,
  lane text COLLATE "C" NOT NULL,
  max_concurrent bigint NOT NULL CHECK(max_concurrent >= 0),
  own_cap boolean NOT NULL DEFAULT FALSE               -- FALSE: follows the default cap
);

CREATE TABLE session(
  id uuid PRIMARY KEY,
  place text COLLATE "C" NOT NULL DEFAULT 'local',
  agent text COLLATE "C" NOT NULL,
  class_key text COLLATE "C" NOT NULL REFERENCES class, -- of the head run
  next_seq bigint NOT NULL DEFAULT 1,
  head_run uuid,                                       -- oldest unfinished run
  fence bigint NOT NULL DEFAULT 0,                     -- +1 in every claim, never reset
  ready_rank bigint,
  wake_at bigint,
  lease_holder uuid,
  lease_until bigint,                                  -- in no index: renewing must stay cheap
  tree text COLLATE "C",                               -- of the head run; NULL: need not take turns
  waiting text COLLATE "C" CHECK(waiting IN ('slot', 'tree', 'session', 'environment', 'retry')),
  instance uuid,
  project uuid,
  persona text COLLATE "C",
  cwd text COLLATE "C" NOT NULL,
  agent_session text COLLATE "C",
  CHECK(num_nonnulls(ready_rank, wake_at, lease_holder) = num_nonnulls(head_run)),
  CHECK((lease_holder IS NULL) = (lease_until IS NULL)),
  CHECK(waiting IS NULL OR wake_at IS NOT NULL OR ready_rank IS NOT NULL)
) WITH (fillfactor=70, autovacuum_vacuum_scale_factor=0.02, autovacuum_vacuum_threshold=200, autovacuum_vacuum_cost_delay=0);
CREATE INDEX session_ready ON session(class_key, ready_rank, tree) WHERE ready_rank IS NOT NULL;
CREATE INDEX session_wake ON session(wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX session_active ON session(class_key) WHERE lease_holder IS NOT NULL;
CREATE INDEX session_waiting ON session(waiting) WHERE waiting IS NOT NULL;
CREATE UNIQUE INDEX session_tree ON session(tree) WHERE lease_holder IS NOT NULL AND tree IS NOT NULL;

CREATE TABLE run(
  id uuid PRIMARY KEY,
  session uuid NOT NULL REFERENCES session,
  seq bigint NOT NULL,
  class_key text COLLATE "C" NOT NULL REFERENCES class,
  state text COLLATE "C" NOT NULL DEFAULT 'queued'
    CHECK(state IN ('queued', 'running', 'input_required', 'succeeded', 'failed', 'cancelled', 'timed_out')),
  attempt bigint NOT NULL DEFAULT 0,
  fence bigint,                                        -- the session's, while held
  cancel_requested boolean NOT NULL DEFAULT FALSE,
  event_seq bigint NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  started_at bigint,
  ended_at bigint,
  timeout_ms bigint,
  deadline bigint,                                     -- created_at + timeout_ms + waited_ms
  instance uuid,
  project uuid,
  previous uuid,
  label text COLLATE "C",
  lane text COLLATE "C" NOT NULL,
  tree text COLLATE "C",
  mode text COLLATE "C" NOT NULL,
  warm boolean NOT NULL DEFAULT FALSE,
  continuity text COLLATE "C",
  cancel_reason text COLLATE "C",
  step text COLLATE "C",
  warnings text COLLATE "C",
  usage text COLLATE "C",
  error text COLLATE "C",
  conclusion text COLLATE "C",
  prompt text COLLATE "C" NOT NULL,
  parent uuid,                                         -- the run whose agent delegated it; may have been pruned
  depth bigint NOT NULL DEFAULT 0 CHECK(depth >= 0 AND (depth = 0) = (parent IS NULL)),
  isolation text COLLATE "C" NOT NULL DEFAULT 'shared' CHECK(isolation IN ('shared', 'worktree')),
  policy text COLLATE "C",
  worktree text COLLATE "C",
  worktree_state text COLLATE "C" GENERATED ALWAYS AS (CAST(worktree AS json) ->> 'state') STORED
    CHECK(worktree_state IN ('planned', 'open', 'kept', 'applied', 'dropped')),
  tool text COLLATE "C",
  said text COLLATE "C",
  waited_ms bigint NOT NULL DEFAULT 0 CHECK(waited_ms >= 0),
  input_since bigint CHECK((input_since IS NOT NULL) = (state = 'input_required')),
  UNIQUE(session, seq),
  CHECK((state IN ('running', 'input_required')) = (fence IS NOT NULL)),
  CHECK((state IN ('queued', 'running', 'input_required')) = (ended_at IS NULL))
) WITH (fillfactor=85);
CREATE UNIQUE INDEX run_one_held ON run(session) WHERE state IN ('running', 'input_required');
CREATE INDEX run_open ON run(project) WHERE ended_at IS NULL;
CREATE INDEX run_deadline ON run(deadline) WHERE state = 'queued' AND deadline IS NOT NULL;
CREATE INDEX run_newest ON run(created_at, id);
CREATE INDEX run_by_state ON run(state, created_at, id);
CREATE INDEX run_by_project ON run(project, created_at, id) WHERE project IS NOT NULL;
CREATE INDEX run_by_instance ON run(instance, created_at, id) WHERE instance IS NOT NULL;
CREATE INDEX run_by_label ON run(label, created_at, id) WHERE label IS NOT NULL;
CREATE INDEX run_by_parent ON run(parent, created_at, id) WHERE parent IS NOT NULL;
CREATE INDEX run_worktree ON run(created_at, id) WHERE worktree_state IN ('planned', 'open', 'kept');

CREATE TABLE attempt(
  run uuid NOT NULL REFERENCES run,
  n bigint NOT NULL CHECK(n >= 1),
  fence bigint NOT NULL,
  holder uuid NOT NULL,
  outcome text COLLATE "C" CHECK(outcome IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'released', 'lost')),
  reason text COLLATE "C",
  warm boolean NOT NULL DEFAULT FALSE,
  persona_route text COLLATE "C",
  pid bigint,
  started_at bigint NOT NULL,
  ended_at bigint,
  stderr_tail text COLLATE "C",
  PRIMARY KEY(run, n),
  CHECK((outcome IS NULL) = (ended_at IS NULL))
) WITH (fillfactor=85);

-- Drawn only by the one transaction that writes, so that the order of cursors is that of the commits. A number that was rolled back is
-- missing. CACHE must stay 1: else each connection would draw from numbers of its own.
CREATE SEQUENCE event_cursor AS bigint CACHE 1;
CREATE TABLE event(
  cursor bigint PRIMARY KEY DEFAULT nextval('event_cursor'),
  at bigint NOT NULL,
  run uuid,
  run_seq bigint,
  project uuid,
  instance uuid,
  kind text COLLATE "C" NOT NULL,
  data text COLLATE "C" NOT NULL,
  UNIQUE(run, run_seq),
  CHECK((run IS NULL) = (run_seq IS NULL))
);
ALTER SEQUENCE event_cursor OWNED BY event.cursor;
CREATE INDEX event_by_run ON event(run, cursor) WHERE run IS NOT NULL;
CREATE INDEX event_by_project ON event(project, cursor) WHERE project IS NOT NULL;
CREATE INDEX event_by_instance ON event(instance, cursor) WHERE instance IS NOT NULL;
CREATE INDEX event_beside ON event(at) WHERE run IS NULL;

CREATE TABLE idempotency(
  scope text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  run uuid NOT NULL,
  created_at bigint NOT NULL,
  PRIMARY KEY(scope, key)
);

CREATE TABLE outbox(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run uuid NOT NULL,
  kind text COLLATE "C" NOT NULL,
  at bigint NOT NULL
);

CREATE TABLE request(
  n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,   -- in the order they were asked
  id text COLLATE "C" NOT NULL UNIQUE,
  run uuid NOT NULL REFERENCES run,
  fence bigint,                                        -- of the attempt that asks; NULL once that has given its run back
  kind text COLLATE "C" NOT NULL CHECK(kind IN ('permission', 'question')),
  fingerprint text COLLATE "C" NOT NULL,
  created_at bigint NOT NULL,
  deadline bigint,
  decided_by text COLLATE "C" CHECK(decided_by IN ('person', 'deadline', 'withdrawn')),
  decided_at bigint,
  used boolean NOT NULL DEFAULT FALSE,                 -- no attempt is to take it up
  title text COLLATE "C" NOT NULL,
  detail text COLLATE "C",
  options text COLLATE "C" NOT NULL,
  face text COLLATE "C",
  answer text COLLATE "C",
  why text COLLATE "C",
  CHECK((decided_by IS NULL) = (decided_at IS NULL) AND (decided_by IS NULL) = (answer IS NULL)),
  CHECK(face IS NULL OR decided_by = 'person'),
  CHECK(used = (decided_by IS NOT NULL) OR (NOT used AND decided_by = 'person'))
);
CREATE INDEX request_by_run ON request(run, n);
CREATE INDEX request_open ON request(run) WHERE decided_by IS NULL;
CREATE INDEX request_left ON request(deadline) WHERE decided_by IS NULL AND fence IS NULL AND deadline IS NOT NULL;

CREATE TABLE instance(
  id uuid PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  display_name text COLLATE "C" NOT NULL,
  persona text COLLATE "C",
  agent text COLLATE "C",
  role text COLLATE "C",
  parent text COLLATE "C",
  project uuid,
  model text COLLATE "C",
  workspace text COLLATE "C" NOT NULL,
  status text COLLATE "C" NOT NULL,
  health text COLLATE "C" NOT NULL,
  restart_count bigint NOT NULL DEFAULT 0,
  created_at bigint NOT NULL,
  deleted_at bigint                                    -- when it went to the trash
);
CREATE UNIQUE INDEX instance_name ON instance(name) WHERE deleted_at IS NULL;
CREATE INDEX instance_by_project ON instance(project, name) WHERE deleted_at IS NULL;
CREATE INDEX instance_by_persona ON instance(persona) WHERE deleted_at IS NULL;
CREATE INDEX instance_trash ON instance(name, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX instance_deleted ON instance(deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE project(
  id uuid PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  path text COLLATE "C" NOT NULL UNIQUE,
  unregistered boolean NOT NULL DEFAULT FALSE,
  last_opened_at bigint,
  created_at bigint NOT NULL,
  trust text COLLATE "C",
  status text COLLATE "C" CHECK(status IN ('error', 'initializing'))
);
CREATE INDEX project_by_name ON project(name, id) WHERE NOT unregistered;
