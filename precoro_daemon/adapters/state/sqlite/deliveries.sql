-- name: count_waiting
SELECT count(*) FROM deliveries WHERE heard_at IS NULL OR heard_at < last_at;

-- name: note
INSERT INTO deliveries (type, id, idn, received, first_at, last_at) VALUES (:type, :id, :idn, 1, :at, :at)
ON CONFLICT (type, id) DO UPDATE SET
    received = received + 1, last_at = max(last_at, excluded.last_at), idn = coalesce(excluded.idn, idn);

-- name: note_again
UPDATE deliveries SET received = received + 1, last_at = max(last_at, :at), idn = coalesce(:idn, idn)
WHERE type = :type AND id = :id;

-- name: due
SELECT type, id, idn, last_at FROM deliveries
WHERE (heard_at IS NULL OR heard_at < last_at) AND (applied_at IS NULL OR applied_at <= :before)
ORDER BY last_at
LIMIT :limit;

-- name: next_due
SELECT min(coalesce(applied_at + :pause, 0)) FROM deliveries WHERE heard_at IS NULL OR heard_at < last_at;

-- name: settle
-- One that came before the first answer set our clock right may be stamped with a time that is still to come. Not one
-- of this very moment: that came while the others were looked at.
UPDATE deliveries
SET applied_at = :at, heard_at = CASE WHEN last_at > :at + 300 THEN :at ELSE :heard_at END,
    last_at = CASE WHEN last_at > :at + 300 THEN :at ELSE last_at END, outcome = :outcome
WHERE type = :type AND id = :id;

-- name: postpone
UPDATE deliveries SET applied_at = :at WHERE type = :type AND id = :id;

-- name: prune
DELETE FROM deliveries WHERE (type, id) IN (
    SELECT type, id FROM deliveries WHERE heard_at >= last_at ORDER BY last_at DESC LIMIT -1 OFFSET :kept
);

-- name: counts
SELECT
    coalesce(sum(heard_at IS NULL OR heard_at < last_at), 0) AS waiting,
    coalesce(sum(received), 0) AS received,
    max(last_at) AS last_at
FROM deliveries;

-- name: unheard
SELECT count(DISTINCT changes.collection || ' ' || changes.id)
FROM changes
JOIN (SELECT type, min(first_at) AS since FROM deliveries GROUP BY type) AS known ON known.type = :type
LEFT JOIN deliveries ON deliveries.type = :type AND deliveries.id = changes.id AND deliveries.last_at >= changes.at - 3600
WHERE changes.collection = :collection AND changes.kind IN ('created', 'updated')
    AND changes.seq > (SELECT coalesce(max(seq), 0) FROM changes) - 20000
    AND changes.at >= :since AND changes.at >= known.since AND changes.at <= :until
    AND deliveries.type IS NULL;
