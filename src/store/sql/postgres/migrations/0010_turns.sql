-- As on SQLite.

ALTER TABLE run ADD COLUMN turns bigint NOT NULL DEFAULT 0 CHECK(turns >= 0); -- prompts that were put, over all attempts

-- A class is written by the statement that first names it, and never removed: the server would look for it, and lock it, with each run. On
-- SQLite, where that costs little, the same statements are held to it.
ALTER TABLE run DROP CONSTRAINT run_class_key_fkey;
ALTER TABLE session DROP CONSTRAINT session_class_key_fkey;
