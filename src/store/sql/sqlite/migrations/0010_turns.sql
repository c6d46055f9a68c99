-- What a schedule may use up is counted in turns too.

ALTER TABLE run ADD COLUMN turns INTEGER NOT NULL DEFAULT 0 CHECK(turns >= 0); -- prompts that were put, over all attempts
