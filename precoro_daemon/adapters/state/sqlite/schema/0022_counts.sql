-- How many there are, kept by those who write them: to count a million rows for a person takes as long as a page of them.
-- Records by the statements of the program, as a trigger takes longer than to write the row; all else by triggers.
-- `unwanted`: of those that are not vanished · `due`: wanted, and their detail is missing or old.
CREATE TABLE record_counts (
    collection TEXT    PRIMARY KEY,
    records    INTEGER NOT NULL,
    vanished   INTEGER NOT NULL,
    unwanted   INTEGER NOT NULL,
    due        INTEGER NOT NULL
) WITHOUT ROWID;

-- Off the indexes: the rows themselves may be gigabytes.
INSERT INTO record_counts
SELECT collection, records, coalesce(vanished, 0), coalesce(unwanted, 0), coalesce(due, 0)
FROM (SELECT collection, count(*) AS records FROM records GROUP BY collection)
LEFT JOIN (
    SELECT collection, count(vanished_at) AS vanished, count(*) FILTER (WHERE vanished_at IS NULL) AS unwanted
    FROM records
    WHERE vanished_at IS NOT NULL OR NOT wanted
    GROUP BY collection
) USING (collection)
LEFT JOIN (
    SELECT collection, count(*) AS due
    FROM records
    WHERE wanted AND vanished_at IS NULL AND detail_version IS NOT version
    GROUP BY collection
) USING (collection);

DROP INDEX records_left_out;

-- Files that are kept and that a document still has.
CREATE TABLE file_counts (
    collection TEXT    PRIMARY KEY,
    stored     INTEGER NOT NULL,
    bytes      INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO file_counts
SELECT collection, count(*), coalesce(sum(length), 0) FROM attached_files
WHERE stored_at IS NOT NULL AND gone_at IS NULL
GROUP BY collection;

CREATE TRIGGER files_counted_in AFTER INSERT ON attached_files
WHEN NEW.stored_at IS NOT NULL AND NEW.gone_at IS NULL
BEGIN
    INSERT INTO file_counts VALUES (NEW.collection, 1, coalesce(NEW.length, 0))
    ON CONFLICT (collection) DO UPDATE SET stored = stored + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER files_counted_anew AFTER UPDATE OF stored_at, gone_at, length ON attached_files
WHEN OLD.stored_at IS NOT NULL AND OLD.gone_at IS NULL OR NEW.stored_at IS NOT NULL AND NEW.gone_at IS NULL
BEGIN
    INSERT INTO file_counts
    VALUES (
        NEW.collection,
        (NEW.stored_at IS NOT NULL AND NEW.gone_at IS NULL) - (OLD.stored_at IS NOT NULL AND OLD.gone_at IS NULL),
        coalesce(NEW.length, 0) * (NEW.stored_at IS NOT NULL AND NEW.gone_at IS NULL)
            - coalesce(OLD.length, 0) * (OLD.stored_at IS NOT NULL AND OLD.gone_at IS NULL)
    )
    ON CONFLICT (collection) DO UPDATE SET stored = stored + excluded.stored, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER files_counted_out AFTER DELETE ON attached_files
WHEN OLD.stored_at IS NOT NULL AND OLD.gone_at IS NULL
BEGIN
    UPDATE file_counts SET stored = stored - 1, bytes = bytes - coalesce(OLD.length, 0)
    WHERE collection = OLD.collection;
END;

CREATE TABLE intent_counts (
    direction TEXT    NOT NULL,
    state     TEXT    NOT NULL,
    intents   INTEGER NOT NULL,
    PRIMARY KEY (direction, state)
) WITHOUT ROWID;

INSERT INTO intent_counts SELECT direction, state, count(*) FROM intents GROUP BY direction, state;

-- Where the oldest of a state is found at once.
CREATE INDEX intents_by_age ON intents (direction, state, since);

CREATE TRIGGER intents_counted_in AFTER INSERT ON intents
BEGIN
    INSERT INTO intent_counts VALUES (NEW.direction, NEW.state, 1)
    ON CONFLICT (direction, state) DO UPDATE SET intents = intents + 1;
END;

CREATE TRIGGER intents_counted_anew AFTER UPDATE OF state ON intents
WHEN OLD.state <> NEW.state
BEGIN
    UPDATE intent_counts SET intents = intents - 1 WHERE direction = OLD.direction AND state = OLD.state;
    INSERT INTO intent_counts VALUES (NEW.direction, NEW.state, 1)
    ON CONFLICT (direction, state) DO UPDATE SET intents = intents + 1;
END;

CREATE TRIGGER intents_counted_out AFTER DELETE ON intents
BEGIN
    UPDATE intent_counts SET intents = intents - 1 WHERE direction = OLD.direction AND state = OLD.state;
END;

-- Payments that match no invoice so far, and no payment of ours.
CREATE INDEX ledger_payments_unmatched ON ledger_payments (ledger) WHERE intent IS NULL AND ours IS NULL;
