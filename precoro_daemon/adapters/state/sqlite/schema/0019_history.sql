-- Laps that brought something or failed at something, and whole runs (job ''), for 90 days.
CREATE TABLE history (
    id       INTEGER PRIMARY KEY,
    job      TEXT    NOT NULL,
    ended_at REAL    NOT NULL,
    seconds  REAL    NOT NULL,
    brought  INTEGER NOT NULL,
    failed   INTEGER NOT NULL,
    reason   TEXT    NOT NULL
);

CREATE INDEX history_by_time ON history (ended_at);
