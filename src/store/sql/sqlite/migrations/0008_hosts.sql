-- Machines that work on what is here. In a file there is one, and its place is `local`; several share a PostgreSQL database.

CREATE TABLE host(
  place TEXT PRIMARY KEY,                              -- in class keys and of sessions, projects and instances; never changes
  id BLOB NOT NULL UNIQUE,                             -- kept in the host's home
  name TEXT NOT NULL UNIQUE,
  home TEXT NOT NULL,
  machine TEXT NOT NULL,                               -- tells a home from its copy elsewhere
  hub BLOB,                                            -- its life of now; NULL: ended in order
  version TEXT NOT NULL,
  slots INTEGER NOT NULL CHECK(slots >= 0),            -- attempts at once
  default_cap INTEGER NOT NULL CHECK(default_cap >= 0),
  cold_cap INTEGER NOT NULL CHECK(cold_cap >= 0),
  lease_ms INTEGER NOT NULL CHECK(lease_ms > 0),       -- not seen for so long, it is not there
  agents TEXT NOT NULL,                                -- that it can run
  default_agent TEXT,
  draining INTEGER NOT NULL DEFAULT 0 CHECK(draining IN (0, 1)),
  shared INTEGER NOT NULL CHECK(shared IN (0, 1)),     -- others may be there: whose something is, is worth saying
  started_at INTEGER NOT NULL,                         -- its hub
  seen_at INTEGER NOT NULL,
  forgotten_at INTEGER
) STRICT, WITHOUT ROWID;

ALTER TABLE instance ADD COLUMN place TEXT NOT NULL DEFAULT 'local';

-- Paths are unique on a host, not among hosts.
CREATE TABLE project_of_a_host(
  id BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  path TEXT NOT NULL,
  unregistered INTEGER NOT NULL DEFAULT 0 CHECK(unregistered IN (0, 1)),
  last_opened_at INTEGER,
  created_at INTEGER NOT NULL,
  trust TEXT,
  status TEXT CHECK(status IN ('error', 'initializing')),
  max_concurrent INTEGER CHECK(max_concurrent > 0),
  place TEXT NOT NULL DEFAULT 'local',
  UNIQUE(place, path)
) STRICT;
INSERT INTO project_of_a_host(id, name, path, unregistered, last_opened_at, created_at, trust, status, max_concurrent)
 SELECT id, name, path, unregistered, last_opened_at, created_at, trust, status, max_concurrent FROM project;
DROP TABLE project;
ALTER TABLE project_of_a_host RENAME TO project;
CREATE INDEX project_by_name ON project(name, id) WHERE unregistered = 0;
