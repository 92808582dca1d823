-- name: see_file
-- Note a file that a detail names, if it is new or another one.
-- Another size or date is another content: what is kept is then no longer the document's file.
INSERT INTO attached_files (collection, record_id, id, name, size, kind, uploaded_at)
VALUES (:collection, :record_id, :id, :name, :size, :kind, :uploaded_at)
ON CONFLICT (collection, record_id, id) DO UPDATE
SET name = excluded.name, kind = excluded.kind, size = excluded.size, uploaded_at = excluded.uploaded_at,
    gone_at = NULL,
    stored_at = CASE
        WHEN attached_files.size IS NOT DISTINCT FROM excluded.size
            AND attached_files.uploaded_at IS NOT DISTINCT FROM excluded.uploaded_at
        THEN attached_files.stored_at
    END,
    part_length = CASE
        WHEN attached_files.size IS NOT DISTINCT FROM excluded.size
            AND attached_files.uploaded_at IS NOT DISTINCT FROM excluded.uploaded_at
        THEN attached_files.part_length
    END,
    came = CASE
        WHEN attached_files.size IS NOT DISTINCT FROM excluded.size
            AND attached_files.uploaded_at IS NOT DISTINCT FROM excluded.uploaded_at
        THEN attached_files.came
    END
WHERE attached_files.gone_at IS NOT NULL
    OR attached_files.name <> excluded.name
    OR attached_files.kind <> excluded.kind
    OR attached_files.size IS DISTINCT FROM excluded.size
    OR attached_files.uploaded_at IS DISTINCT FROM excluded.uploaded_at;

-- name: retry_file
-- Let a file be tried at once.
UPDATE quarantine SET retry_at = 0 WHERE collection = ? AND stage = 'file' AND key = ?;

-- name: lose_files
-- Note which files of a record its detail names no longer.
UPDATE attached_files
SET gone_at = :at
WHERE collection = :collection AND record_id = :record_id AND gone_at IS NULL
    AND id NOT IN (SELECT value FROM @ints(:ids));

-- name: release_lost
-- End the quarantine of the files that a record lost.
DELETE FROM quarantine
WHERE collection = :collection AND stage = 'file' AND key IN (
    SELECT CAST(id AS TEXT) FROM attached_files
    WHERE collection = :collection AND record_id = :record_id AND gone_at IS NOT NULL
);


-- name: note_with_attachments
-- Note that a record was listed with attachments.
INSERT INTO with_attachments (collection, id) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: read_listing
-- When the records with attachments were listed last, and when as a whole.
SELECT at, whole_at FROM with_attachments_lists WHERE collection = ?;

-- name: save_listing
-- Keep when the records with attachments were listed.
INSERT INTO with_attachments_lists (collection, at, whole_at) VALUES (?, ?, ?)
ON CONFLICT (collection) DO UPDATE SET at = excluded.at, whole_at = excluded.whole_at;


-- name: due_files
-- The newest files of a collection that are missing, not too large, and may be asked for now.
SELECT file.collection, file.record_id, records.idn, file.id, file.name, file.size, file.kind, file.uploaded_at,
    file.path, file.part_length, file.part_validator, coalesce(failed.attempts, 0) AS attempts,
    file.sha256 IS NOT NULL AS ours,
    EXISTS (
        SELECT 1 FROM attached_files AS duplicate
        WHERE duplicate.id = file.id AND (duplicate.collection, duplicate.record_id) <> (file.collection, file.record_id)
    ) AS shared
FROM attached_files AS file
JOIN records ON records.collection = file.collection AND records.id = file.record_id
LEFT JOIN quarantine AS failed
    ON failed.collection = file.collection AND failed.stage = 'file' AND failed.key = CAST(file.id AS TEXT)
WHERE file.collection = :collection AND file.stored_at IS NULL AND file.gone_at IS NULL
    AND records.wanted AND records.vanished_at IS NULL
    AND (failed.key IS NULL OR failed.retry_at < :before)
    AND coalesce(file.came, file.size, 0) <= :max_bytes
ORDER BY file.id DESC
LIMIT :limit;

-- name: count_due_files
-- How many files of a collection are missing, not too large, and may be asked for now.
SELECT count(*) AS files, coalesce(sum(file.size), 0) AS bytes
FROM attached_files AS file
JOIN records ON records.collection = file.collection AND records.id = file.record_id
LEFT JOIN quarantine AS failed
    ON failed.collection = file.collection AND failed.stage = 'file' AND failed.key = CAST(file.id AS TEXT)
WHERE file.collection = :collection AND file.stored_at IS NULL AND file.gone_at IS NULL
    AND records.wanted AND records.vanished_at IS NULL
    AND (failed.key IS NULL OR failed.retry_at < :before)
    AND coalesce(file.came, file.size, 0) <= :max_bytes;

-- name: too_large
-- The files of a collection that are left out for their size, newest first.
SELECT file.collection, file.record_id, records.idn, file.id, file.name, coalesce(file.came, file.size) AS size,
    file.kind, file.uploaded_at, file.path, file.part_length, file.part_validator
FROM attached_files AS file
JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE file.collection = :collection AND file.stored_at IS NULL AND file.gone_at IS NULL
    AND records.wanted AND records.vanished_at IS NULL
    AND coalesce(file.came, file.size, 0) > :max_bytes
ORDER BY file.id DESC;

-- name: reserve_path
-- Reserve the path at which a file will be.
UPDATE attached_files SET path = :path WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: save_part
-- Note how much of a file is there, and what tells whether the rest still fits.
UPDATE attached_files
SET part_length = :length, part_validator = :validator
WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: save_kept
-- Note that a file is there, complete and right.
UPDATE attached_files
SET path = :path, length = :length, sha256 = :sha256, stored_at = :at, verified_at = :at,
    seq = (SELECT coalesce(max(seq), 0) + 1 FROM attached_files),
    part_length = NULL, part_validator = NULL, came = :length
WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: is_kept
-- Whether it is noted that a file is there, as it is.
SELECT id FROM attached_files
WHERE collection = :collection AND record_id = :record_id AND id = :id AND stored_at IS NOT NULL
    AND path = :path AND length = :length AND sha256 = :sha256;

-- name: release_file
-- End the quarantine of a file.
DELETE FROM quarantine WHERE collection = :collection AND stage = 'file' AND key = CAST(:id AS TEXT);

-- name: kept_elsewhere
-- Where another document has the same attachment.
SELECT path, length, sha256 FROM attached_files
WHERE id = :id AND size IS NOT DISTINCT FROM :size AND uploaded_at IS NOT DISTINCT FROM :uploaded_at
    AND stored_at IS NOT NULL
LIMIT 1;

-- name: kept_with
-- Where another file has the same content.
SELECT path, length, sha256 FROM attached_files
WHERE sha256 = :sha256 AND stored_at IS NOT NULL AND path <> :path
LIMIT 1;

-- name: note_size
-- Note how many bytes really came.
UPDATE attached_files SET came = :length WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: sizes
-- How often the size that a detail names was right, and how many other ones came instead.
SELECT
    (SELECT count(*) FROM attached_files WHERE came = size AND size > 0) AS confirmed,
    (SELECT count(DISTINCT came) FROM attached_files WHERE came <> size) AS contradicted;

-- name: requeue_file
-- Let a file be fetched anew.
UPDATE attached_files
SET stored_at = NULL, part_length = NULL
WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: newest_stored
-- The number of the file that was stored last.
SELECT coalesce(max(seq), 0) AS seq FROM attached_files;

-- name: count_stored
-- How many files are stored.
SELECT count(*) AS files FROM attached_files WHERE stored_at IS NOT NULL;

-- name: stored_after
-- The next stored files after a number.
SELECT file.*, records.idn
FROM attached_files AS file
LEFT JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE file.seq > ? AND file.stored_at IS NOT NULL
ORDER BY file.seq
LIMIT ?;

-- name: verified_last
-- When a file was verified last.
SELECT coalesce(max(verified_at), 0) AS at FROM attached_files WHERE stored_at IS NOT NULL;

-- name: least_verified
-- The stored files whose verification is the longest ago.
SELECT file.*, records.idn
FROM attached_files AS file
LEFT JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE file.stored_at IS NOT NULL
ORDER BY file.verified_at, file.seq
LIMIT ?;

-- name: verify_file
-- Note that a file was found as it should be.
UPDATE attached_files SET verified_at = :at WHERE collection = :collection AND record_id = :record_id AND id = :id;

-- name: known_path
-- Whether a path belongs to a file.
SELECT 1 FROM attached_files WHERE path = ?;

-- name: begun_files
-- Paths of files of which a part is there.
SELECT path FROM attached_files WHERE part_length IS NOT NULL;

-- name: count_files
-- Stored files and their bytes, by collection, as those who write them keep count.
SELECT collection, stored, bytes FROM file_counts WHERE stored > 0;
