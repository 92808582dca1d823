-- Custom fields: one row for each that a record was seen to refer to or that was listed. `fetched_at` is when its
-- definition with all options was asked for, `stale_at` when something said that it is another one by now.
CREATE TABLE field_definitions (
    collection TEXT    NOT NULL,
    id         INTEGER NOT NULL,
    referenced INTEGER NOT NULL DEFAULT 0,
    name       TEXT,
    type       TEXT,
    stale_at   REAL,
    fetched_at REAL,
    PRIMARY KEY (collection, id)
) WITHOUT ROWID;

-- Every state that was seen of an option. The latest one has no `until` as long as the definition lists it.
-- `sole` says that its name alone tells which option of the field is meant: documents may name options by what they
-- were called then.
CREATE TABLE field_options (
    collection  TEXT    NOT NULL,
    field_id    INTEGER NOT NULL,
    id          TEXT    NOT NULL,
    since       REAL    NOT NULL,
    until       REAL,
    latest      INTEGER NOT NULL,
    sole        INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    code        TEXT,
    external_id TEXT,
    parent_id   TEXT,
    path        TEXT    NOT NULL,
    enabled     INTEGER,
    PRIMARY KEY (collection, field_id, id, since)
) WITHOUT ROWID;

CREATE UNIQUE INDEX field_options_latest ON field_options (collection, field_id, id) WHERE latest;

CREATE INDEX field_options_by_name ON field_options (collection, field_id, name);
