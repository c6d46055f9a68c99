-- As on SQLite.

ALTER TABLE run ADD COLUMN retry text COLLATE "C";     -- NULL: as by default
ALTER TABLE run ADD COLUMN budget text COLLATE "C";    -- NULL: none
ALTER TABLE run ADD COLUMN leftover text COLLATE "C";  -- by the last attempt that did not do its work

ALTER TABLE attempt ADD COLUMN touched text COLLATE "C"; -- calls that may have changed something; written before the first is allowed
ALTER TABLE attempt DROP CONSTRAINT attempt_outcome_check;
ALTER TABLE attempt ADD CONSTRAINT attempt_outcome_check
  CHECK(outcome IN ('succeeded', 'failed', 'cancelled', 'timed_out', 'released', 'interrupted', 'lost'));
