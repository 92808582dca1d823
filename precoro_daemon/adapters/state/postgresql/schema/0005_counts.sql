-- How many there are, kept by those who write them, as SQLite's 0022 has it.
CREATE TABLE record_counts (
    collection text COLLATE "C" PRIMARY KEY,
    records    bigint NOT NULL,
    vanished   bigint NOT NULL,
    unwanted   bigint NOT NULL,
    due        bigint NOT NULL
);

INSERT INTO record_counts
SELECT
    collection, count(*), count(vanished_at), count(*) FILTER (WHERE vanished_at IS NULL AND NOT wanted),
    count(*) FILTER (WHERE wanted AND vanished_at IS NULL AND detail_version IS DISTINCT FROM version)
FROM records
GROUP BY collection;

DROP INDEX records_left_out;

-- Files that are kept and that a document still has.
CREATE TABLE file_counts (
    collection text COLLATE "C" PRIMARY KEY,
    stored     bigint NOT NULL,
    bytes      bigint NOT NULL
);

INSERT INTO file_counts
SELECT collection, count(*), coalesce(sum(length), 0) FROM attached_files
WHERE stored_at IS NOT NULL AND gone_at IS NULL
GROUP BY collection;

-- Once for all rows of a statement: a move copies all of them by one.
CREATE FUNCTION count_files_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO file_counts AS known
    SELECT collection, count(*), coalesce(sum(length), 0) FROM added
    WHERE stored_at IS NOT NULL AND gone_at IS NULL
    GROUP BY collection
    ON CONFLICT (collection) DO UPDATE
    SET stored = known.stored + excluded.stored, bytes = known.bytes + excluded.bytes;
    RETURN NULL;
END
$$;

CREATE TRIGGER files_counted_in AFTER INSERT ON attached_files REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION count_files_in();

CREATE FUNCTION count_file_anew() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was int := (OLD.stored_at IS NOT NULL AND OLD.gone_at IS NULL)::int;
    is_now int := (TG_OP = 'UPDATE' AND NEW.stored_at IS NOT NULL AND NEW.gone_at IS NULL)::int;
BEGIN
    INSERT INTO file_counts AS known
    VALUES (OLD.collection, is_now - was, is_now * coalesce(NEW.length, 0) - was * coalesce(OLD.length, 0))
    ON CONFLICT (collection) DO UPDATE
    SET stored = known.stored + excluded.stored, bytes = known.bytes + excluded.bytes;
    RETURN NULL;
END
$$;

CREATE TRIGGER files_counted_anew AFTER UPDATE OF stored_at, gone_at, length ON attached_files
FOR EACH ROW
WHEN (OLD.stored_at IS NOT NULL AND OLD.gone_at IS NULL OR NEW.stored_at IS NOT NULL AND NEW.gone_at IS NULL)
EXECUTE FUNCTION count_file_anew();

CREATE TRIGGER files_counted_out AFTER DELETE ON attached_files
FOR EACH ROW
WHEN (OLD.stored_at IS NOT NULL AND OLD.gone_at IS NULL)
EXECUTE FUNCTION count_file_anew();

CREATE TABLE intent_counts (
    direction text COLLATE "C" NOT NULL,
    state     text COLLATE "C" NOT NULL,
    intents   bigint NOT NULL,
    PRIMARY KEY (direction, state)
);

INSERT INTO intent_counts SELECT direction, state, count(*) FROM intents GROUP BY direction, state;

-- Where the oldest of a state is found at once.
CREATE INDEX intents_by_age ON intents (direction, state, since);

CREATE FUNCTION count_intents_in() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO intent_counts AS known
    SELECT direction, state, count(*) FROM added GROUP BY direction, state
    ON CONFLICT (direction, state) DO UPDATE SET intents = known.intents + excluded.intents;
    RETURN NULL;
END
$$;

CREATE TRIGGER intents_counted_in AFTER INSERT ON intents REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION count_intents_in();

CREATE FUNCTION count_intent_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE intent_counts SET intents = intents - 1 WHERE direction = OLD.direction AND state = OLD.state;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO intent_counts AS known VALUES (NEW.direction, NEW.state, 1)
        ON CONFLICT (direction, state) DO UPDATE SET intents = known.intents + 1;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER intents_counted_anew AFTER UPDATE OF state ON intents
FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION count_intent_anew();

CREATE TRIGGER intents_counted_out AFTER DELETE ON intents FOR EACH ROW EXECUTE FUNCTION count_intent_anew();

-- Payments that match no invoice so far, and no payment of ours.
CREATE INDEX ledger_payments_unmatched ON ledger_payments (ledger) WHERE intent IS NULL AND ours IS NULL;
