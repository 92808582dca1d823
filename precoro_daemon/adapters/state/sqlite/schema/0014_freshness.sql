-- What scans saw of when collections change: hours by Precoro's clock, and what came of polls in them.
CREATE TABLE watched_hours (
    collection TEXT NOT NULL,
    begins     INTEGER NOT NULL, -- Unix seconds
    seconds    REAL NOT NULL,    -- of the hour for which is known what changed
    changes    INTEGER NOT NULL,
    polled     INTEGER NOT NULL, -- changes that a poll brought, no webhook
    scans      INTEGER NOT NULL,
    calls      INTEGER NOT NULL,
    delayed    INTEGER NOT NULL, -- changes of which is known how late they came
    delay      REAL NOT NULL,    -- seconds, of all of them together
    worst      REAL NOT NULL,    -- seconds, of one
    PRIMARY KEY (begins, collection)
) WITHOUT ROWID;
