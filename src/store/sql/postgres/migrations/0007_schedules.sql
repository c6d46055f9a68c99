-- As on SQLite.

CREATE TABLE schedule(
  id uuid PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  cron text COLLATE "C" NOT NULL,
  zone text COLLATE "C" NOT NULL,
  work text COLLATE "C" NOT NULL,                      -- what is delegated
  overlap text COLLATE "C" NOT NULL CHECK(overlap IN ('skip', 'queue', 'parallel')),
  misfire text COLLATE "C" NOT NULL CHECK(misfire IN ('once', 'skip', 'all')),
  misfire_max bigint NOT NULL CHECK(misfire_max > 0),
  next_at bigint,                                      -- NULL: it is not active
  disabled_reason text COLLATE "C" CHECK(disabled_reason IS NULL OR next_at IS NULL),
  last_at bigint,
  last_run uuid,                                       -- may have been pruned
  session uuid,                                        -- the one conversation of those that queue
  last_error text COLLATE "C",
  created_at bigint NOT NULL
);
CREATE INDEX schedule_next ON schedule(next_at) WHERE next_at IS NOT NULL;

-- One for each time, whoever was there first; those that a person asked for have no time.
CREATE TABLE occurrence(
  schedule uuid NOT NULL REFERENCES schedule,
  tick bigint,
  run uuid,                                            -- NULL: none was begun
  reason text COLLATE "C" CHECK((reason IS NULL) = (run IS NOT NULL)),
  at bigint NOT NULL,
  UNIQUE(schedule, tick)
);
CREATE INDEX occurrence_by_age ON occurrence(schedule, at);
CREATE INDEX occurrence_by_run ON occurrence(run) WHERE run IS NOT NULL;
