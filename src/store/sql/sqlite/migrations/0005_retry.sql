-- What is tried again, and what an attempt that did not do its work left to the next one.

ALTER TABLE run ADD COLUMN retry TEXT;                 -- NULL: as by default
ALTER TABLE run ADD COLUMN budget TEXT;                -- NULL: none
ALTER TABLE run ADD COLUMN leftover TEXT;              -- by the last attempt that did not do its work

-- A hub that stops in order interrupts its attempts: one more outcome. Nothing refers to this table.
CREATE TABLE attempt_anew(
  run BLOB NOT NULL REFERENCES run,
  n INTEGER NOT NULL CHECK(n >= 1),
  fence INTEGER NOT NULL,
  holder BLOB NOT NULL,
  outcome TEXT CHECK(outcome IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'released', 'interrupted', 'lost')),
  reason TEXT,
  warm INTEGER NOT NULL DEFAULT 0 CHECK(warm IN (0, 1)),
  persona_route TEXT,
  pid INTEGER,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  touched TEXT,                                        -- calls that may have changed something; written before the first is allowed
  stderr_tail TEXT,
  PRIMARY KEY(run, n),
  CHECK((outcome IS NULL) = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO attempt_anew(run, n, fence, holder, outcome, reason, warm, persona_route, pid, started_at, ended_at, stderr_tail)
  SELECT run, n, fence, holder, outcome, reason, warm, persona_route, pid, started_at, ended_at, stderr_tail FROM attempt;
DROP TABLE attempt;
ALTER TABLE attempt_anew RENAME TO attempt;
