-- What became of each record that an export pushed: delivered (for 30 days, and the last 10,000 of each export),
-- waiting, or dead.
CREATE TABLE pushes (
    export     TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    collection TEXT    NOT NULL,
    record     INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    settled_at REAL    NOT NULL,
    since      REAL    NOT NULL,
    state      TEXT    NOT NULL,
    tried_at   REAL    NOT NULL,
    attempts   INTEGER NOT NULL,
    due_at     REAL    NOT NULL,
    answer     TEXT    NOT NULL,
    PRIMARY KEY (export, id)
) WITHOUT ROWID;

CREATE INDEX pushes_by_change ON pushes (export, seq);

CREATE INDEX pushes_by_time ON pushes (export, tried_at);

CREATE INDEX pushes_undelivered ON pushes (export, collection, record) WHERE state <> 'delivered';

CREATE INDEX pushes_waiting ON pushes (export, due_at) WHERE state = 'waiting';
