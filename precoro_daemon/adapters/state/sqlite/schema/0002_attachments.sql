-- How far each follower of the change log has read it.
CREATE TABLE log_positions (
    follower TEXT    PRIMARY KEY,
    seq      INTEGER NOT NULL
);

-- Records that are listed as having files, of collections whose details are fetched for nothing else.
CREATE TABLE carriers (
    collection TEXT    NOT NULL,
    id         INTEGER NOT NULL,
    PRIMARY KEY (collection, id)
) WITHOUT ROWID;

CREATE TABLE carrier_lists (
    collection TEXT PRIMARY KEY,
    at         REAL NOT NULL,
    whole_at   REAL
);

-- The files that details name. `path` is below the directory of files, given before anything appears there; `stored_at`
-- is set while what is there is known to be good. `came`: the bytes that came when it last came whole.
CREATE TABLE attached_files (
    collection     TEXT    NOT NULL,
    record_id      INTEGER NOT NULL,
    id             INTEGER NOT NULL,
    name           TEXT    NOT NULL,
    size           INTEGER,
    kind           TEXT    NOT NULL,
    uploaded_at    TEXT,
    gone_at        REAL,
    path           TEXT,
    part_length    INTEGER,
    part_validator TEXT,
    came           INTEGER,
    length         INTEGER,
    sha256         BLOB,
    stored_at      REAL,
    verified_at    REAL,
    seq            INTEGER,
    PRIMARY KEY (collection, record_id, id)
);

CREATE INDEX attached_files_due ON attached_files (collection, id) WHERE stored_at IS NULL AND gone_at IS NULL;
CREATE INDEX attached_files_by_id ON attached_files (id);
CREATE INDEX attached_files_by_content ON attached_files (sha256) WHERE stored_at IS NOT NULL;
CREATE UNIQUE INDEX attached_files_by_seq ON attached_files (seq);
CREATE INDEX attached_files_by_path ON attached_files (path);
