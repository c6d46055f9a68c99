-- Classes of work that are degraded, and what stands against them; what schedules may use up.

ALTER TABLE class ADD COLUMN allowed INTEGER CHECK(allowed >= 0); -- attempts at once; NULL: nothing stands against it
ALTER TABLE class ADD COLUMN judge_at INTEGER CHECK((judge_at IS NULL) = (allowed IS NULL));
CREATE INDEX class_judged ON class(judge_at) WHERE judge_at IS NOT NULL;

-- One for each attempt whose end tells of its class. What is old, or made good by work that succeeded, goes.
CREATE TABLE failure(
  class_key TEXT NOT NULL REFERENCES class,
  run BLOB NOT NULL,                                   -- may have been pruned
  attempt INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  pid INTEGER,                                         -- of the process that died: all whom it served failed once
  PRIMARY KEY(class_key, run, attempt),
  UNIQUE(class_key, pid)
) STRICT, WITHOUT ROWID;

-- What the runs of a schedule may use up together.
ALTER TABLE schedule ADD COLUMN allowance TEXT;        -- NULL: as much as they will
