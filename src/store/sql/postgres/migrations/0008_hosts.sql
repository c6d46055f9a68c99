-- As on SQLite. The first host of a database has the place `local`: what was there before is its own.

CREATE TABLE host(
  place text COLLATE "C" PRIMARY KEY,                  -- in class keys and of sessions, projects and instances; never changes
  id uuid NOT NULL UNIQUE,                             -- kept in the host's home
  name text COLLATE "C" NOT NULL UNIQUE,
  home text COLLATE "C" NOT NULL,
  machine text COLLATE "C" NOT NULL,                   -- tells a home from its copy elsewhere
  hub uuid,                                            -- its life of now; NULL: ended in order
  version text COLLATE "C" NOT NULL,
  slots bigint NOT NULL CHECK(slots >= 0),             -- attempts at once
  default_cap bigint NOT NULL CHECK(default_cap >= 0),
  cold_cap bigint NOT NULL CHECK(cold_cap >= 0),
  lease_ms bigint NOT NULL CHECK(lease_ms > 0),        -- not seen for so long, it is not there
  agents text COLLATE "C" NOT NULL,                    -- that it can run
  default_agent text COLLATE "C",
  draining boolean NOT NULL DEFAULT FALSE,
  shared boolean NOT NULL,                             -- others may be there: whose something is, is worth saying
  started_at bigint NOT NULL,                          -- its hub
  seen_at bigint NOT NULL,
  forgotten_at bigint
);

ALTER TABLE instance ADD COLUMN place text COLLATE "C" NOT NULL DEFAULT 'local';

ALTER TABLE project ADD COLUMN place text COLLATE "C" NOT NULL DEFAULT 'local';
ALTER TABLE project DROP CONSTRAINT project_path_key;
ALTER TABLE project ADD CONSTRAINT project_path_key UNIQUE(place, path);
