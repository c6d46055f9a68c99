-- As on SQLite.

ALTER TABLE session ADD COLUMN overflow boolean NOT NULL DEFAULT FALSE CHECK(NOT overflow OR lease_holder IS NOT NULL);
DROP INDEX session_active;
CREATE INDEX session_active ON session(class_key, overflow) WHERE lease_holder IS NOT NULL;

ALTER TABLE class ADD COLUMN depth bigint NOT NULL DEFAULT 0;
ALTER TABLE class ADD COLUMN cold boolean NOT NULL DEFAULT FALSE;
ALTER TABLE class ADD COLUMN project uuid;
ALTER TABLE project ADD COLUMN max_concurrent bigint CHECK(max_concurrent > 0);

UPDATE class SET max_concurrent=(SELECT value FROM setting WHERE name='default_cap') WHERE own_cap;
ALTER TABLE class DROP COLUMN own_cap;
INSERT INTO setting(name, value) VALUES('cold_cap', 2);

-- The items of a JSON array with their places from 0, as SQLite's json_each gives them.
CREATE FUNCTION each_of(list text) RETURNS TABLE(key bigint, value jsonb) LANGUAGE sql IMMUTABLE AS
  $$ SELECT item.n - 1, item.value FROM jsonb_array_elements(CAST(list AS jsonb)) WITH ORDINALITY AS item(value, n) $$;
