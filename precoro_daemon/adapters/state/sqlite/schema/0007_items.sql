-- Suppliers' items. One plan for a supplier's items is in force at a time: the newest. `state` of a write: planned, sending, doubt, done,
-- refused, conflict, dropped. `before` is the item as it was when the permission to send was given, `seq` the last
-- change of the mirror that a plan knows of.
CREATE TABLE item_plans (
    number      INTEGER PRIMARY KEY,
    supplier    INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    code        TEXT,
    external_id TEXT,
    source      TEXT    NOT NULL,
    wanted      INTEGER NOT NULL,
    made_at     REAL    NOT NULL,
    as_of       REAL    NOT NULL,
    checked_at  REAL    NOT NULL,
    seq         INTEGER NOT NULL,
    approved_at REAL,
    probed      TEXT    NOT NULL DEFAULT '',
    ended       TEXT    NOT NULL DEFAULT ''
);

CREATE INDEX item_plans_by_supplier ON item_plans (supplier, number);

CREATE TABLE item_writes (
    plan     INTEGER NOT NULL REFERENCES item_plans ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    supplier INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    label    TEXT    NOT NULL,
    "row"    INTEGER NOT NULL,
    item     INTEGER,
    version  BLOB    NOT NULL,
    changes  TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    reason   TEXT    NOT NULL DEFAULT '',
    sent_at  REAL,
    looks    INTEGER NOT NULL DEFAULT 0,
    look_at  REAL,
    before   TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (plan, number)
) WITHOUT ROWID;

CREATE INDEX item_writes_by_state ON item_writes (plan, state, number);
CREATE INDEX item_writes_in_doubt ON item_writes (supplier) WHERE state IN ('sending', 'doubt');
