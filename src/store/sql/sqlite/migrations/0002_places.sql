-- Where runs happen: instances and projects. Runs outlive both, so nothing refers to these rows.

CREATE TABLE instance(
  id BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  persona TEXT,
  agent TEXT,
  role TEXT,
  parent TEXT,
  project BLOB,
  model TEXT,
  workspace TEXT NOT NULL,
  status TEXT NOT NULL,
  health TEXT NOT NULL,
  restart_count INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  deleted_at INTEGER                                   -- when it went to the trash
) STRICT;
CREATE UNIQUE INDEX instance_name ON instance(name) WHERE deleted_at IS NULL;
CREATE INDEX instance_by_project ON instance(project, name) WHERE deleted_at IS NULL;
CREATE INDEX instance_by_persona ON instance(persona) WHERE deleted_at IS NULL;
CREATE INDEX instance_trash ON instance(name, deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX instance_deleted ON instance(deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE project(
  id BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  path TEXT NOT NULL UNIQUE,
  unregistered INTEGER NOT NULL DEFAULT 0 CHECK(unregistered IN (0, 1)),
  last_opened_at INTEGER,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX project_by_name ON project(name, id) WHERE unregistered = 0;
