-- name: read_position
-- How far a follower has read the change log.
SELECT seq FROM log_positions WHERE follower = ?;

-- name: move_position
-- Note how far a follower has read the change log.
-- Only from where the changes were read: nobody moves a position that somebody else has moved meanwhile.
INSERT INTO log_positions (follower, seq)
SELECT :follower, :upto
WHERE :after = coalesce((SELECT seq FROM log_positions WHERE follower = :follower), 0)
ON CONFLICT (follower) DO UPDATE SET seq = excluded.seq;

-- name: last_change
-- The number of the newest change.
SELECT coalesce(max(seq), 0) AS seq FROM changes;

-- name: read_changes
-- The next changes, those that a follower wants with what was stored then.
SELECT
    changes.seq, changes.collection, changes.id, changes.kind,
    @bytes(CASE changes.kind WHEN 'detailed' THEN details.data ELSE records.data END) AS data,
    details.fetched_at AS at
FROM changes
LEFT JOIN records
    ON records.collection = changes.collection AND records.id = changes.id
    AND changes.collection IN (SELECT value FROM @texts(:collections))
    AND changes.kind IN (SELECT value FROM @texts(:kinds))
LEFT JOIN details
    ON details.collection = records.collection AND details.id = records.id AND changes.kind = 'detailed'
WHERE changes.seq > :after
ORDER BY changes.seq
LIMIT :limit;

-- name: end_of_range
-- The last of the next changes.
SELECT coalesce(max(seq), :after) AS seq
FROM (SELECT seq FROM changes WHERE seq > :after ORDER BY seq LIMIT :limit) AS following;

-- name: read_touched
-- Every record whose row may be another after a range of changes: at its own last change there, and payments also
-- with the document that they pay, which has their supplier and their currency.
WITH changed AS (
    SELECT seq, collection, id FROM changes
    WHERE seq > :after AND seq <= :upto AND kind NOT IN ('attached', 'redefined', 'offered')
)
SELECT max(seq) AS seq, collection, id
FROM (
    SELECT seq, collection, id FROM changed
    UNION ALL
    SELECT :upto, records.collection, records.id FROM records
    WHERE records.collection = 'payments'
        AND EXISTS (SELECT 1 FROM changed WHERE collection = 'invoices')
        AND @whole(records, invoice.id) IN (SELECT id FROM changed WHERE collection = 'invoices')
    UNION ALL
    SELECT :upto, records.collection, records.id FROM records
    WHERE records.collection = 'expense_payments'
        AND EXISTS (SELECT 1 FROM changed WHERE collection = 'expenses')
        AND @whole(records, expense.id) IN (SELECT id FROM changed WHERE collection = 'expenses')
) AS touched
GROUP BY collection, id
ORDER BY 1;

-- name: read_touched_files
-- Every record that has or had files, of which what is known may be another after a range of changes.
SELECT max(seq) AS seq, collection, id
FROM changes
WHERE seq > :after AND seq <= :upto AND kind NOT IN ('redefined', 'offered') AND EXISTS (
    SELECT 1 FROM attached_files AS file
    WHERE file.collection = changes.collection AND file.record_id = changes.id
)
GROUP BY collection, id
ORDER BY 1;

-- name: read_fields
-- Custom fields that are others after a range of changes, and since when.
SELECT collection, id, kind, min(at) AS since
FROM changes
WHERE seq > :after AND seq <= :upto AND kind IN ('redefined', 'offered')
GROUP BY collection, id, kind;
