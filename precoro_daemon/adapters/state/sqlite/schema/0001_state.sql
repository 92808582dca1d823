-- The mirror. `idn` has no type on purpose: it keeps numbers as numbers and text as text.
-- `data` is the record's JSON exactly as it came; it stands last, so that reading the other columns never reads it.
CREATE TABLE records (
    collection     TEXT    NOT NULL,
    id             INTEGER NOT NULL,
    idn,
    status         INTEGER,
    updated_at     TEXT,
    external_id    TEXT,
    version        BLOB    NOT NULL,
    wanted         INTEGER NOT NULL,
    first_seen_at  REAL    NOT NULL,
    changed_at     REAL    NOT NULL,
    vanished_at    REAL,
    detail_version BLOB,
    data           TEXT    NOT NULL,
    PRIMARY KEY (collection, id)
);

CREATE INDEX records_by_idn ON records (collection, idn);

-- Not in order of `updated_at`: lists come in another order, and an index written all over its breadth would cost a
-- first mirror as much as the records themselves. Sorting what is due costs less.
CREATE INDEX records_due ON records (collection)
WHERE wanted AND vanished_at IS NULL AND detail_version IS NOT version;

CREATE TABLE details (
    collection TEXT    NOT NULL,
    id         INTEGER NOT NULL,
    fetched_at REAL    NOT NULL,
    data       TEXT    NOT NULL,
    PRIMARY KEY (collection, id)
);

-- What became of which record, in order: created, updated, vanished, returned, detailed. Rows are never removed.
CREATE TABLE changes (
    seq        INTEGER PRIMARY KEY,
    collection TEXT    NOT NULL,
    id         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    version    BLOB    NOT NULL,
    at         REAL    NOT NULL
);

CREATE TABLE passes (
    number     INTEGER PRIMARY KEY,
    collection TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    since      REAL,
    filter     TEXT    NOT NULL,
    started_at REAL,
    next_page  INTEGER NOT NULL,
    total      INTEGER,
    last_page  INTEGER,
    "rows"     INTEGER NOT NULL,
    rejected   INTEGER NOT NULL,
    "distinct" INTEGER NOT NULL,
    drifted    INTEGER NOT NULL,
    UNIQUE (collection, kind)
);

-- The ids an open pass has seen.
CREATE TABLE pass_rows (
    pass INTEGER NOT NULL REFERENCES passes ON DELETE CASCADE,
    id   INTEGER NOT NULL,
    PRIMARY KEY (pass, id)
) WITHOUT ROWID;

CREATE TABLE cursors (
    collection  TEXT PRIMARY KEY,
    at          REAL,
    whole_at    REAL,
    pages       INTEGER NOT NULL,
    unproved    INTEGER NOT NULL,
    unproved_at REAL,
    tries       INTEGER NOT NULL,
    filter      TEXT    NOT NULL
);

CREATE TABLE set_aside (
    collection TEXT    NOT NULL,
    stage      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    since      REAL    NOT NULL,
    seen_at    REAL    NOT NULL,
    retry_at   REAL,
    raw        TEXT,
    PRIMARY KEY (collection, stage, key)
);

-- The account of API calls: one row a call, the windows kept closed, and how often the key was refused in a row.
CREATE TABLE calls (
    at       REAL NOT NULL,
    key_hash BLOB NOT NULL
);

CREATE INDEX calls_by_time ON calls (at);

CREATE TABLE closures (
    "window" TEXT PRIMARY KEY,
    until    REAL NOT NULL
);

CREATE TABLE refusals (
    fingerprint TEXT    PRIMARY KEY,
    count       INTEGER NOT NULL,
    at          REAL    NOT NULL
);

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
