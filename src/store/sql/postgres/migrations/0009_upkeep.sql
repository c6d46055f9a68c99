-- As on SQLite.

ALTER TABLE class ADD COLUMN allowed bigint CHECK(allowed >= 0); -- attempts at once; NULL: nothing stands against it
ALTER TABLE class ADD COLUMN judge_at bigint CHECK((judge_at IS NULL) = (allowed IS NULL));
CREATE INDEX class_judged ON class(judge_at) WHERE judge_at IS NOT NULL;

CREATE TABLE failure(
  class_key text COLLATE "C" NOT NULL REFERENCES class,
  run uuid NOT NULL,                                   -- may have been pruned
  attempt bigint NOT NULL,
  at bigint NOT NULL,
  kind text COLLATE "C" NOT NULL,
  pid bigint,                                          -- of the process that died: all whom it served failed once
  PRIMARY KEY(class_key, run, attempt),
  UNIQUE(class_key, pid)
);

ALTER TABLE schedule ADD COLUMN allowance text COLLATE "C"; -- NULL: as much as they will
