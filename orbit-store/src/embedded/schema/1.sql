-- Columns that end in _order or _folded exist to search and sort by; everything else that Orbit
-- knows of a row is in its JSON column.

CREATE TABLE installation (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  id       TEXT NOT NULL
) STRICT;

-- The catalog: one row per image, for ever.

CREATE TABLE images (
  row             INTEGER PRIMARY KEY,
  image_uid       TEXT NOT NULL,
  image_version   TEXT NOT NULL,
  version_order   TEXT NOT NULL,
  environment     TEXT NOT NULL,
  status          TEXT NOT NULL,
  name_folded     TEXT NOT NULL,
  category        TEXT NOT NULL,
  category_folded TEXT NOT NULL,
  part            TEXT,
  tail            TEXT,
  text_folded     TEXT NOT NULL,
  scanned         INTEGER NOT NULL,
  created         INTEGER NOT NULL,
  updated         INTEGER NOT NULL,
  image           TEXT NOT NULL,
  revision        INTEGER NOT NULL,
  writer          TEXT NOT NULL,
  UNIQUE (image_uid, version_order)
) STRICT;

CREATE INDEX images_by_created     ON images (created);
CREATE INDEX images_by_updated     ON images (updated);
CREATE INDEX images_by_name        ON images (name_folded, image_uid, version_order);
CREATE INDEX images_by_environment ON images (environment, created);
CREATE INDEX images_by_status      ON images (status, created);
CREATE INDEX images_by_category    ON images (category_folded, created);
CREATE INDEX images_by_part        ON images (part, created);
CREATE INDEX images_by_tail        ON images (tail, created);
CREATE INDEX images_by_version     ON images (image_version, created);
CREATE INDEX images_by_scanned     ON images (scanned, created);

-- Finds a text of three characters or more anywhere in text_folded, without reading every row.
CREATE VIRTUAL TABLE images_text USING fts5 (
  text_folded,
  content = 'images', content_rowid = 'row', columnsize = 0,
  tokenize = 'trigram case_sensitive 1'
);

CREATE TRIGGER images_text_insert AFTER INSERT ON images BEGIN
  INSERT INTO images_text (rowid, text_folded) VALUES (new.row, new.text_folded);
END;

CREATE TRIGGER images_text_update AFTER UPDATE ON images
WHEN old.text_folded <> new.text_folded BEGIN
  INSERT INTO images_text (images_text, rowid, text_folded)
  VALUES ('delete', old.row, old.text_folded);
  INSERT INTO images_text (rowid, text_folded) VALUES (new.row, new.text_folded);
END;

-- Charts, revision by revision.

CREATE TABLE charts (
  shelf                  TEXT NOT NULL,
  image_uid              TEXT NOT NULL,
  image_version          TEXT NOT NULL,
  revision               TEXT NOT NULL,
  table_name             TEXT NOT NULL,
  writer                 TEXT NOT NULL,
  chart                  TEXT NOT NULL,
  created_timestamp_utc  TEXT NOT NULL,
  created_timestamp_unix TEXT NOT NULL,
  PRIMARY KEY (shelf, image_uid, image_version, revision)
) STRICT;

-- Actions, with their lock and lease, their facts, their events and their idempotency keys.

CREATE TABLE actions (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL,
  image_uid  TEXT NOT NULL,
  state      TEXT NOT NULL,
  begun      INTEGER NOT NULL,
  record     TEXT NOT NULL,
  owner      TEXT NOT NULL,
  lease      INTEGER NOT NULL,
  outcome    TEXT,
  ended      INTEGER
) STRICT;

-- The lock of a UID is held by its one running action.
CREATE UNIQUE INDEX actions_running  ON actions (image_uid) WHERE state = 'running';
CREATE INDEX        actions_by_time  ON actions (begun, id);
CREATE INDEX        actions_by_state ON actions (state, begun, id);
CREATE INDEX        actions_by_kind  ON actions (kind, begun, id);
CREATE INDEX        actions_by_uid   ON actions (image_uid, begun, id);

CREATE TABLE entries (
  action TEXT NOT NULL REFERENCES actions (id),
  number INTEGER NOT NULL,
  name   TEXT NOT NULL,
  fact   TEXT NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (action, number)
) STRICT, WITHOUT ROWID;

-- An event belongs to the entry it was written with; the first one, with which its action began,
-- to entry 0.
CREATE TABLE events (
  action                 TEXT NOT NULL REFERENCES actions (id),
  sequence               INTEGER NOT NULL,
  entry                  INTEGER NOT NULL,
  table_name             TEXT NOT NULL,
  kind                   TEXT NOT NULL,
  event_type             TEXT NOT NULL,
  pid                    TEXT NOT NULL,
  image_uid              TEXT NOT NULL,
  image_version          TEXT NOT NULL,
  environment            TEXT NOT NULL,
  username               TEXT NOT NULL,
  at                     INTEGER NOT NULL,
  event                  TEXT NOT NULL,
  created_timestamp_utc  TEXT NOT NULL,
  created_timestamp_unix TEXT NOT NULL,
  PRIMARY KEY (action, sequence)
) STRICT;

CREATE INDEX events_by_time    ON events (at, action, sequence);
CREATE INDEX events_by_table   ON events (table_name, at, action, sequence);
CREATE INDEX events_by_kind    ON events (kind, at, action, sequence);
CREATE INDEX events_by_uid     ON events (image_uid, at, action, sequence);
CREATE INDEX events_by_version ON events (image_uid, image_version, at, action, sequence);
CREATE INDEX events_by_user    ON events (username, at, action, sequence);

CREATE TABLE idempotency_keys (
  scope   TEXT PRIMARY KEY,
  action  TEXT NOT NULL REFERENCES actions (id),
  meaning TEXT NOT NULL,
  at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_time   ON idempotency_keys (at);
CREATE INDEX idempotency_keys_by_action ON idempotency_keys (action);

-- Plain records.

CREATE TABLE records (
  table_name             TEXT NOT NULL,
  partition_key          TEXT NOT NULL,
  sort_key               TEXT NOT NULL,
  writer                 TEXT NOT NULL,
  at                     INTEGER NOT NULL,
  record                 TEXT NOT NULL,
  created_timestamp_utc  TEXT NOT NULL,
  created_timestamp_unix TEXT NOT NULL,
  PRIMARY KEY (table_name, partition_key, sort_key)
) STRICT;

CREATE INDEX records_by_time      ON records (table_name, at, partition_key, sort_key);
CREATE INDEX records_by_partition ON records (table_name, partition_key, at, sort_key);
CREATE INDEX records_by_writer    ON records (writer, table_name, at, partition_key, sort_key);
