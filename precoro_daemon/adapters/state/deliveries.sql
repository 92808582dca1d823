-- name: count_waiting
-- How many announced records were not looked at since.
SELECT count(*) AS waiting FROM deliveries WHERE heard_at IS NULL OR heard_at < last_at;

-- name: note
-- Note a record that was announced for the first time.
INSERT INTO deliveries (type, id, idn, received, first_at, last_at) VALUES (:type, :id, :idn, 1, :at, :at)
ON CONFLICT (type, id) DO UPDATE SET
    received = deliveries.received + 1,
    last_at = CASE WHEN deliveries.last_at > excluded.last_at THEN deliveries.last_at ELSE excluded.last_at END,
    idn = coalesce(excluded.idn, deliveries.idn);

-- name: note_again
-- Note that a known record was announced once more.
UPDATE deliveries
SET received = received + 1, last_at = CASE WHEN last_at > :at THEN last_at ELSE :at END, idn = coalesce(:idn, idn)
WHERE type = :type AND id = :id;

-- name: due
-- Announced records that may be looked at now, oldest first.
SELECT type, id, idn, last_at FROM deliveries
WHERE (heard_at IS NULL OR heard_at < last_at) AND (applied_at IS NULL OR applied_at <= :before)
ORDER BY last_at
LIMIT :limit;

-- name: next_due
-- When the next announced record may be looked at.
SELECT min(coalesce(applied_at + :pause, 0)) AS at FROM deliveries WHERE heard_at IS NULL OR heard_at < last_at;

-- name: settle
-- Note that a record was looked at, and what came of it.
-- One that came before the first answer set our clock right may be stamped with a time that is still to come. Not one
-- of this very moment: that came while the others were looked at.
UPDATE deliveries
SET applied_at = :at, heard_at = CASE WHEN last_at > :at + 300 THEN :at ELSE :heard_at END,
    last_at = CASE WHEN last_at > :at + 300 THEN :at ELSE last_at END, outcome = :outcome
WHERE type = :type AND id = :id;

-- name: postpone
-- Let a record wait.
UPDATE deliveries SET applied_at = :at WHERE type = :type AND id = :id;

-- name: prune
-- Forget all but the newest of the records that were looked at.
DELETE FROM deliveries WHERE (type, id) IN (
    SELECT type, id FROM deliveries WHERE heard_at >= last_at ORDER BY last_at DESC LIMIT :most OFFSET :kept
);

-- name: counts
-- How many records wait, how many webhooks came, and when the last one did.
SELECT
    count(*) FILTER (WHERE heard_at IS NULL OR heard_at < last_at) AS waiting,
    coalesce(sum(received), 0) AS received,
    max(last_at) AS last_at
FROM deliveries;

-- name: unheard
-- How many changed records of a type were not announced, though others of that type were.
SELECT count(DISTINCT changes.collection || ' ' || changes.id) AS records
FROM changes
JOIN (SELECT type, min(first_at) AS since FROM deliveries GROUP BY type) AS known ON known.type = :type
LEFT JOIN deliveries
    ON deliveries.type = :type AND deliveries.id = changes.id AND deliveries.last_at >= changes.at - 3600
WHERE changes.collection = :collection AND changes.kind IN ('created', 'updated')
    AND changes.seq > (SELECT coalesce(max(seq), 0) FROM changes) - 20000
    AND changes.at >= :since AND changes.at >= known.since AND changes.at <= :until
    AND deliveries.type IS NULL;
