-- What bounds the turns of several classes together, and turns beyond the slots of a class.

-- Leased although the class had no slot free, to be worked by a process of its own. Counted from these rows, never kept as a number.
ALTER TABLE session ADD COLUMN overflow INTEGER NOT NULL DEFAULT 0
  CHECK(overflow IN (0, 1) AND (overflow = 0 OR lease_holder IS NOT NULL));
DROP INDEX session_active;
CREATE INDEX session_active ON session(class_key, overflow) WHERE lease_holder IS NOT NULL;

ALTER TABLE class ADD COLUMN depth INTEGER NOT NULL DEFAULT 0; -- how many runs stand above its runs
ALTER TABLE class ADD COLUMN cold INTEGER NOT NULL DEFAULT 0 CHECK(cold IN (0, 1)); -- each attempt has a process of its own
ALTER TABLE class ADD COLUMN project BLOB;             -- the one project of its runs, which bounds their turns
ALTER TABLE project ADD COLUMN max_concurrent INTEGER CHECK(max_concurrent > 0);

-- A class had its project's bound for itself alone.
UPDATE class SET max_concurrent=(SELECT value FROM setting WHERE name='default_cap') WHERE own_cap=1;
ALTER TABLE class DROP COLUMN own_cap;
INSERT INTO setting(name, value) VALUES('cold_cap', 2);
