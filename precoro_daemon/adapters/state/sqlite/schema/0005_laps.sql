-- Which lane made a call (domain.budget.Lane), where that was noted: what some lanes may make of a day survives a restart.
ALTER TABLE calls ADD COLUMN lane INTEGER;

-- The last lap of each job, so that a restart begins none that is not due.
CREATE TABLE laps (
    job        TEXT PRIMARY KEY,
    started_at REAL NOT NULL,
    ended_at   REAL NOT NULL,
    good_at    REAL
) WITHOUT ROWID;
