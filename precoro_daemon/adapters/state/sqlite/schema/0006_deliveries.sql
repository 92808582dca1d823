-- Webhooks: one row for each record that was announced. It waits while it came after it was last applied.
CREATE TABLE deliveries (
    type       INTEGER NOT NULL,
    id         INTEGER NOT NULL,
    idn        INTEGER,
    received   INTEGER NOT NULL,
    first_at   REAL    NOT NULL,
    last_at    REAL    NOT NULL,
    applied_at REAL,
    heard_at   REAL,
    outcome    TEXT,
    PRIMARY KEY (type, id)
) WITHOUT ROWID;

CREATE INDEX deliveries_waiting ON deliveries (last_at) WHERE heard_at IS NULL OR heard_at < last_at;
