-- What is delegated again and again, and what became of each of its times.

CREATE TABLE schedule(
  id BLOB PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  cron TEXT NOT NULL,
  zone TEXT NOT NULL,
  work TEXT NOT NULL,                                  -- what is delegated
  overlap TEXT NOT NULL CHECK(overlap IN ('skip', 'queue', 'parallel')),
  misfire TEXT NOT NULL CHECK(misfire IN ('once', 'skip', 'all')),
  misfire_max INTEGER NOT NULL CHECK(misfire_max > 0),
  next_at INTEGER,                                     -- NULL: it is not active
  disabled_reason TEXT CHECK(disabled_reason IS NULL OR next_at IS NULL),
  last_at INTEGER,
  last_run BLOB,                                       -- may have been pruned
  session BLOB,                                        -- the one conversation of those that queue
  last_error TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_next ON schedule(next_at) WHERE next_at IS NOT NULL;

-- One for each time, whoever was there first; those that a person asked for have no time.
CREATE TABLE occurrence(
  schedule BLOB NOT NULL REFERENCES schedule,
  tick INTEGER,
  run BLOB,                                            -- NULL: none was begun
  reason TEXT CHECK((reason IS NULL) = (run IS NOT NULL)),
  at INTEGER NOT NULL,
  UNIQUE(schedule, tick)
) STRICT;
CREATE INDEX occurrence_by_age ON occurrence(schedule, at);
CREATE INDEX occurrence_by_run ON occurrence(run) WHERE run IS NOT NULL;
