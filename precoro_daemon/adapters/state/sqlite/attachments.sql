-- name: see_file
-- Another size or date is another content: what is kept is then no longer the document's file.
INSERT INTO attached_files (collection, record_id, id, name, size, kind, uploaded_at)
VALUES (:collection, :record_id, :id, :name, :size, :kind, :uploaded_at)
ON CONFLICT (collection, record_id, id) DO UPDATE
SET name = excluded.name, kind = excluded.kind, size = excluded.size, uploaded_at = excluded.uploaded_at,
    gone_at = NULL,
    stored_at = CASE WHEN size IS excluded.size AND uploaded_at IS excluded.uploaded_at THEN stored_at END,
    part_length = CASE WHEN size IS excluded.size AND uploaded_at IS excluded.uploaded_at THEN part_length END,
    came = CASE WHEN size IS excluded.size AND uploaded_at IS excluded.uploaded_at THEN came END;

-- name: retry_file
UPDATE set_aside SET retry_at = 0 WHERE collection = ? AND stage = 'file' AND key = ?;

-- name: lose_files
UPDATE attached_files
SET gone_at = :at
WHERE collection = :collection AND record_id = :record_id AND gone_at IS NULL
    AND id NOT IN (SELECT value FROM json_each(:ids));

-- name: clear_lost
DELETE FROM set_aside
WHERE collection = :collection AND stage = 'file' AND key IN (
    SELECT CAST(id AS TEXT) FROM attached_files
    WHERE collection = :collection AND record_id = :record_id AND gone_at IS NOT NULL
);


-- name: note_carrier
INSERT INTO carriers (collection, id) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: read_listing
SELECT at, whole_at FROM carrier_lists WHERE collection = ?;

-- name: save_listing
INSERT INTO carrier_lists (collection, at, whole_at) VALUES (?, ?, ?)
ON CONFLICT (collection) DO UPDATE SET at = excluded.at, whole_at = excluded.whole_at;


-- name: due_files
SELECT file.collection, file.record_id, records.idn, file.id, file.name, file.size, file.kind, file.uploaded_at,
    file.path, file.part_length, file.part_validator, coalesce(aside.attempts, 0) AS attempts,
    file.sha256 IS NOT NULL AS ours,
    EXISTS (
        SELECT 1 FROM attached_files AS twin
        WHERE twin.id = file.id AND (twin.collection, twin.record_id) <> (file.collection, file.record_id)
    ) AS shared
FROM attached_files AS file
JOIN records ON records.collection = file.collection AND records.id = file.record_id
LEFT JOIN set_aside AS aside
    ON aside.collection = file.collection AND aside.stage = 'file' AND aside.key = CAST(file.id AS TEXT)
WHERE file.collection = :collection AND file.stored_at IS NULL AND file.gone_at IS NULL
    AND records.wanted AND records.vanished_at IS NULL
    AND (aside.key IS NULL OR aside.retry_at < :before)
    AND coalesce(file.came, file.size, 0) <= :max_bytes
ORDER BY file.id DESC
LIMIT :limit;

-- name: count_due_files
SELECT count(*) AS files, coalesce(sum(file.size), 0) AS bytes
FROM attached_files AS file
JOIN records ON records.collection = file.collection AND records.id = file.record_id
LEFT JOIN set_aside AS aside
    ON aside.collection = file.collection AND aside.stage = 'file' AND aside.key = CAST(file.id AS TEXT)
WHERE file.collection = :collection AND file.stored_at IS NULL AND file.gone_at IS NULL
    AND records.wanted AND records.vanished_at IS NULL
    AND (aside.key IS NULL OR aside.retry_at < :before)
    AND coalesce(file.came, file.size, 0) <= :max_bytes;

-- name: too_large
SELECT file.collection, file.record_id, records.idn, file.id, file.name, coalesce(file.came, file.size) AS size,
    file.kind, file.uploaded_at, file.path, file.part_length, file.part_validator
FROM attached_files AS file
JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE file.collection = :collection AND file.stored_at IS NULL AND file.gone_at IS NULL
    AND records.wanted AND records.vanished_at IS NULL
    AND coalesce(file.came, file.size, 0) > :max_bytes
ORDER BY file.id DESC;

-- name: claim_path
UPDATE attached_files SET path = :path WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: save_part
UPDATE attached_files
SET part_length = :length, part_validator = :validator
WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: save_kept
UPDATE attached_files
SET path = :path, length = :length, sha256 = :sha256, stored_at = :at, verified_at = :at,
    seq = (SELECT coalesce(max(seq), 0) + 1 FROM attached_files),
    part_length = NULL, part_validator = NULL, came = :length
WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: clear_file
DELETE FROM set_aside WHERE collection = :collection AND stage = 'file' AND key = CAST(:id AS TEXT);

-- name: kept_elsewhere
SELECT path, length, sha256 FROM attached_files
WHERE id = :id AND size IS :size AND uploaded_at IS :uploaded_at AND stored_at IS NOT NULL
LIMIT 1;

-- name: kept_with
SELECT path, length, sha256 FROM attached_files
WHERE sha256 = :sha256 AND stored_at IS NOT NULL AND path <> :path
LIMIT 1;

-- name: note_size
UPDATE attached_files SET came = :length WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: sizes
SELECT
    (SELECT count(*) FROM attached_files WHERE came = size AND size > 0) AS confirmed,
    (SELECT count(DISTINCT came) FROM attached_files WHERE came <> size) AS contradicted;

-- name: requeue_file
UPDATE attached_files
SET stored_at = NULL, part_length = NULL
WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: newest_stored
SELECT coalesce(max(seq), 0) FROM attached_files;

-- name: count_stored
SELECT count(*) FROM attached_files WHERE stored_at IS NOT NULL;

-- name: stored_after
SELECT file.*, records.idn
FROM attached_files AS file
LEFT JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE file.seq > ? AND file.stored_at IS NOT NULL
ORDER BY file.seq
LIMIT ?;

-- name: verified_last
SELECT coalesce(max(verified_at), 0) FROM attached_files WHERE stored_at IS NOT NULL;

-- name: least_verified
SELECT file.*, records.idn
FROM attached_files AS file
LEFT JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE file.stored_at IS NOT NULL
ORDER BY file.verified_at, file.seq
LIMIT ?;

-- name: verify_file
UPDATE attached_files SET verified_at = :at WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: known_path
SELECT 1 FROM attached_files WHERE path = ?;

-- name: begun_files
SELECT path FROM attached_files WHERE part_length IS NOT NULL;

-- name: count_files
SELECT
    collection,
    sum(stored_at IS NOT NULL AND gone_at IS NULL) AS stored,
    sum(CASE WHEN stored_at IS NOT NULL AND gone_at IS NULL THEN length ELSE 0 END) AS bytes
FROM attached_files
GROUP BY collection;
