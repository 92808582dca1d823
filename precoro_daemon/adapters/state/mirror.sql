-- name: known_records
-- Of these ids the records that the mirror has: their version, and whether they are wanted or vanished.
SELECT id, version, wanted, vanished_at IS NOT NULL AS vanished
FROM records
WHERE collection = ? AND id IN (SELECT value FROM @ints(?));

-- name: create_record
-- Keep a record that was never seen before.
INSERT INTO records (
    idn, status, updated_at, external_id, version, wanted, changed_at, data, collection, id, first_seen_at
)
VALUES (?, ?, ?, ?, ?, ?, ?, @utf8(?), ?, ?, ?);

-- name: update_record
-- Keep the newer version of a record, which is there (again).
UPDATE records
SET idn = ?, status = ?, updated_at = ?, external_id = ?, version = ?, wanted = ?, changed_at = ?, data = @utf8(?),
    vanished_at = NULL
WHERE collection = ? AND id = ?;

-- name: count
-- Count records of a collection in (sign 1), or out (-1) as they are about to change.
INSERT INTO record_counts (collection, records, vanished, unwanted, due)
SELECT
    :collection, :sign * count(*), :sign * count(vanished_at),
    :sign * count(*) FILTER (WHERE vanished_at IS NULL AND NOT wanted),
    :sign * count(*) FILTER (WHERE wanted AND vanished_at IS NULL AND detail_version IS DISTINCT FROM version)
FROM records
WHERE collection = :collection AND id IN (
    SELECT value FROM @ints(:ids)
    UNION ALL
    SELECT id FROM records WHERE collection = :collection AND idn = :idn
)
ON CONFLICT (collection) DO UPDATE
SET records = record_counts.records + excluded.records, vanished = record_counts.vanished + excluded.vanished,
    unwanted = record_counts.unwanted + excluded.unwanted, due = record_counts.due + excluded.due;

-- name: log_change
-- Write into the change log what became of a record.
INSERT INTO changes (collection, id, kind, version, at) VALUES (?, ?, ?, ?, ?);

-- name: log_change_of_record
-- Write into the change log what became of a record, with the version that is stored.
INSERT INTO changes (collection, id, kind, version, at)
SELECT collection, id, :kind, version, :at FROM records WHERE collection = :collection AND id = :id;


-- name: read_scans
-- The open scans of a list, as the jobs know them.
SELECT collection, kind, since, filter, started_at, next_page, total, last_page, "rows", rejected, "distinct", drifted
FROM scans
WHERE collection = ?
ORDER BY kind;

-- name: begin_scan
-- Open a scan; its number names the ids that it sees.
INSERT INTO scans (
    collection, kind, since, filter, started_at, next_page, total, last_page, "rows", rejected, "distinct", drifted
) VALUES (
    :collection, :kind, :since, :filter, :started_at, :next_page, :total, :last_page, :rows, :rejected, :distinct,
    :drifted
)
RETURNING number;

-- name: find_scan
-- The number of the open scan, and how many ids it has seen.
SELECT number, "distinct" FROM scans WHERE collection = ? AND kind = ?;

-- name: save_scan
-- Keep how far the open scan got.
UPDATE scans
SET since = :since, filter = :filter, started_at = :started_at, next_page = :next_page, total = :total,
    last_page = :last_page, "rows" = :rows, rejected = :rejected, "distinct" = :distinct, drifted = :drifted
WHERE collection = :collection AND kind = :kind;

-- name: see_rows
-- Note that the scan has seen these ids, unless it has already.
INSERT INTO scan_rows (scan, id) SELECT ?, value FROM @ints(?) AS listed WHERE TRUE ON CONFLICT DO NOTHING;

-- name: forget_scan
-- End a scan, with all the ids it saw.
DELETE FROM scans WHERE collection = ? AND kind = ?;

-- name: forget_scans
-- End all scans of a collection.
DELETE FROM scans WHERE collection = ?;

-- name: missing_records
-- Records that should be in the list and that the open scan has not seen, and whether a live record shares their idn.
SELECT id, idn, EXISTS (
    SELECT 1 FROM records AS duplicate
    WHERE duplicate.collection = records.collection AND duplicate.idn = records.idn AND duplicate.id <> records.id
        AND duplicate.vanished_at IS NULL
) AS shares_idn
FROM records
WHERE collection = :collection AND wanted AND vanished_at IS NULL AND changed_at < :started_at
    AND NOT EXISTS (
        SELECT 1 FROM scan_rows
        WHERE scan_rows.scan = (SELECT number FROM scans WHERE collection = :collection AND kind = :kind)
            AND scan_rows.id = records.id
    )
ORDER BY id;

-- name: first_missing
-- A record that should be in the list, where a scan saw just these ids.
SELECT id
FROM records
WHERE collection = :collection AND wanted AND vanished_at IS NULL AND changed_at < :started_at
    AND id NOT IN (SELECT value FROM @ints(:ids))
LIMIT 1;

-- name: count_live
-- How many records of a collection Precoro still has and the filter keeps.
SELECT count(*) AS live FROM records WHERE collection = ? AND wanted AND vanished_at IS NULL;

-- name: mark_vanished
-- Mark that a record is gone, unless it is marked already or was listed as new or changed since that time.
UPDATE records SET vanished_at = :at
WHERE collection = :collection AND id = :id AND vanished_at IS NULL AND (:since IS NULL OR changed_at < :since);


-- name: read_cursor
-- How far the changes of a collection are known.
SELECT collection, at, whole_at, pages, unproved, unproved_at, tries, filter, anchor, short, hidden FROM cursors WHERE collection = ?;

-- name: save_cursor
-- Keep how far the changes of a collection are known.
INSERT INTO cursors (collection, at, whole_at, pages, unproved, unproved_at, tries, filter, anchor, short, hidden)
VALUES (:collection, :at, :whole_at, :pages, :unproved, :unproved_at, :tries, :filter, :anchor, :short, :hidden)
ON CONFLICT (collection) DO UPDATE
SET at = excluded.at, whole_at = excluded.whole_at, pages = excluded.pages, unproved = excluded.unproved,
    unproved_at = excluded.unproved_at, tries = excluded.tries, filter = excluded.filter, anchor = excluded.anchor,
    short = excluded.short, hidden = excluded.hidden;

-- name: newest_dates
-- When the newest records of a collection were changed, as far as that is not after a time.
SELECT updated_at FROM records
WHERE collection = ? AND wanted AND vanished_at IS NULL AND updated_at <= ?
ORDER BY updated_at DESC
LIMIT 100;


-- name: stored_records
-- The next 500 records of a collection in the order of their ids, each with its detail if that is up to date.
SELECT
    records.id, idn, status, updated_at, external_id, version, records.data AS raw, wanted,
    CASE WHEN detail_version IS NOT DISTINCT FROM version THEN details.data END AS detail
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection = ? AND records.id > ?
ORDER BY records.id
LIMIT 500;

-- name: want_record
-- Let the filter keep a record, or not.
-- Only a detail may show whether a record is wanted, so one that is wanted anew without one is asked for.
UPDATE records
SET wanted = :wanted, detail_version = CASE WHEN :wanted AND :ask THEN NULL ELSE detail_version END
WHERE collection = :collection AND id = :id;

-- name: first_seen
-- When the mirror saw its first record.
SELECT first_seen_at FROM records ORDER BY rowid LIMIT 1;

-- name: due_details
-- The newest records of a collection whose detail is missing or old and may be asked for now.
SELECT records.collection, records.id, records.idn, records.version, coalesce(failed.attempts, 0) AS attempts,
    coalesce(failed.absent, FALSE) AS absent, records.updated_at
FROM records
LEFT JOIN quarantine AS failed
    ON failed.collection = records.collection AND failed.stage = 'detail' AND failed.key = CAST(records.id AS TEXT)
WHERE records.collection = :collection
    AND records.wanted AND records.vanished_at IS NULL AND records.detail_version IS DISTINCT FROM records.version
    AND (failed.key IS NULL OR failed.retry_at < :before)
    AND (NOT :with_attachments_only OR EXISTS (
        SELECT 1 FROM with_attachments
        WHERE with_attachments.collection = records.collection AND with_attachments.id = records.id
    ))
    AND (
        :recent IS NULL
        OR :recent = (records.detail_version IS NOT NULL OR coalesce(records.updated_at >= :since, FALSE))
    )
ORDER BY records.updated_at DESC NULLS LAST, records.id
LIMIT :limit;

-- name: count_unseen
-- How many of these ids the open scan has not seen.
SELECT count(*) AS unseen FROM @ints(:ids) AS wanted
WHERE NOT EXISTS (
    SELECT 1 FROM scan_rows
    WHERE scan_rows.scan = (SELECT number FROM scans WHERE collection = :collection AND kind = :kind)
        AND scan_rows.id = wanted.value
);

-- name: count_due
-- How many records of a collection lack an up-to-date detail that may be asked for now.
-- Without a bound of age those who write records keep count of them.
SELECT CASE
    WHEN :recent IS NULL THEN coalesce((SELECT due FROM record_counts WHERE collection = :collection), 0)
    ELSE (
        SELECT count(*) FROM records
        WHERE collection = :collection AND wanted AND vanished_at IS NULL AND detail_version IS DISTINCT FROM version
            AND :recent = (records.detail_version IS NOT NULL OR coalesce(records.updated_at >= :since, FALSE))
    )
END - (
    SELECT count(*)
    FROM quarantine AS failed
    JOIN records ON records.collection = failed.collection AND records.id = @number(failed.key)
    WHERE failed.collection = :collection AND failed.stage = 'detail'
        AND (failed.retry_at IS NULL OR failed.retry_at >= :before)
        AND records.wanted AND records.vanished_at IS NULL AND records.detail_version IS DISTINCT FROM records.version
        AND (
            :recent IS NULL
            OR :recent = (records.detail_version IS NOT NULL OR coalesce(records.updated_at >= :since, FALSE))
        )
) AS due;

-- name: count_due_with_attachments
-- The same, of those records only that were listed with attachments.
SELECT count(*) AS due
FROM with_attachments
JOIN records ON records.collection = with_attachments.collection AND records.id = with_attachments.id
LEFT JOIN quarantine AS failed
    ON failed.collection = records.collection AND failed.stage = 'detail' AND failed.key = CAST(records.id AS TEXT)
WHERE with_attachments.collection = :collection
    AND records.wanted AND records.vanished_at IS NULL AND records.detail_version IS DISTINCT FROM records.version
    AND (failed.key IS NULL OR failed.retry_at < :before)
    AND (
        :recent IS NULL
        OR :recent = (records.detail_version IS NOT NULL OR coalesce(records.updated_at >= :since, FALSE))
    );

-- name: known_with_details
-- Of these ids the live records, with when their detail came, whether it is up to date, and what failed.
SELECT records.id, records.idn, records.version, details.fetched_at,
    records.detail_version IS NOT DISTINCT FROM records.version AS good, failed.attempts, failed.retry_at
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
LEFT JOIN quarantine AS failed
    ON failed.collection = records.collection AND failed.stage = 'detail' AND failed.key = CAST(records.id AS TEXT)
WHERE records.collection = :collection AND records.id IN (SELECT value FROM @ints(:ids))
    AND records.wanted AND records.vanished_at IS NULL;

-- name: find_live
-- The record with this id, if Precoro still has it.
SELECT id FROM records WHERE collection = ? AND id = ? AND vanished_at IS NULL;

-- name: find_addressed
-- The live records that an answer about this id, or by this idn, is about.
SELECT id FROM records WHERE collection = :collection AND vanished_at IS NULL AND (id = :id OR idn = :idn);

-- name: save_detail
-- Keep a detail in the place of the one before.
INSERT INTO details (collection, id, fetched_at, data) VALUES (:collection, :id, :at, :raw)
ON CONFLICT (collection, id) DO UPDATE SET fetched_at = excluded.fetched_at, data = excluded.data;

-- name: answer_detail
-- Note to which version of its record, and of those that share its idn, the detail belongs.
-- Not of another row that changed after this was asked for: it is still due.
UPDATE records
SET detail_version = CASE WHEN id = :id THEN :version WHEN changed_at < :at THEN version ELSE detail_version END
WHERE collection = :collection AND id IN (
    SELECT :id
    UNION ALL
    SELECT id FROM records WHERE collection = :collection AND idn = :idn AND vanished_at IS NULL
);

-- name: outdate_detail
-- Let the detail of a record be due again.
UPDATE records SET detail_version = ? WHERE collection = ? AND id = ?;

-- name: unwant_record
-- Note that the filter does not keep a record.
UPDATE records SET wanted = FALSE WHERE collection = ? AND id = ?;

-- name: release_answered
-- End the quarantine of details for the record and for those that share its idn.
DELETE FROM quarantine
WHERE collection = :collection AND stage = 'detail' AND key IN (
    SELECT CAST(:id AS TEXT)
    UNION ALL
    SELECT CAST(id AS TEXT) FROM records WHERE collection = :collection AND idn = :idn
);


-- name: quarantine
-- Put something into quarantine; what is there already failed once more.
INSERT INTO quarantine (collection, stage, key, reason, attempts, since, seen_at, retry_at, raw, absent)
VALUES (:collection, :stage, :key, :reason, :attempts, :since, :since, :retry_at, :raw, :absent)
ON CONFLICT (collection, stage, key) DO UPDATE
SET reason = excluded.reason, attempts = quarantine.attempts + 1, seen_at = excluded.seen_at,
    retry_at = excluded.retry_at, raw = excluded.raw, absent = excluded.absent;

-- name: quarantined
-- One thing in quarantine.
SELECT collection, key, stage, reason, raw, attempts, since, retry_at
FROM quarantine WHERE collection = ? AND stage = ? AND key = ?;

-- name: retry_now
-- Let the detail of a record be tried at once.
UPDATE quarantine SET retry_at = 0 WHERE collection = ? AND stage = 'detail' AND key = ?;

-- name: release
-- End the quarantine of one thing.
DELETE FROM quarantine WHERE collection = ? AND stage = ? AND key = ?;

-- name: release_files
-- End the quarantine of all files of a record.
DELETE FROM quarantine
WHERE collection = :collection AND stage = 'file' AND key IN (
    SELECT CAST(id AS TEXT) FROM attached_files WHERE collection = :collection AND record_id = :id
);

-- name: release_unseen
-- End the quarantine of what last failed before this time.
DELETE FROM quarantine WHERE collection = ? AND stage = ? AND seen_at < ?;


-- name: count_quarantined
-- How many things are in quarantine, by collection and stage.
SELECT collection, stage, count(*) AS items FROM quarantine GROUP BY collection, stage;
