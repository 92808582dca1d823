-- name: read_meta
SELECT value FROM meta WHERE key = ?;

-- name: write_meta
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: read_views
SELECT name FROM sqlite_schema WHERE type = 'view';


-- name: known_records
SELECT id, version, wanted, vanished_at IS NOT NULL AS vanished
FROM records
WHERE collection = ? AND id IN (SELECT value FROM json_each(?));

-- name: create_record
INSERT INTO records (idn, status, updated_at, external_id, version, wanted, changed_at, data, collection, id, first_seen_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: update_record
UPDATE records
SET idn = ?, status = ?, updated_at = ?, external_id = ?, version = ?, wanted = ?, changed_at = ?, data = ?,
    vanished_at = NULL
WHERE collection = ? AND id = ?;

-- name: log_change
INSERT INTO changes (collection, id, kind, version, at) VALUES (?, ?, ?, ?, ?);

-- name: log_change_of_record
INSERT INTO changes (collection, id, kind, version, at)
SELECT collection, id, :kind, version, :at FROM records WHERE collection = :collection AND id = :id;


-- name: read_pass
SELECT collection, kind, since, filter, started_at, next_page, total, last_page, "rows", rejected, "distinct", drifted
FROM passes
WHERE collection = ? AND kind = ?;

-- name: begin_pass
INSERT INTO passes (
    collection, kind, since, filter, started_at, next_page, total, last_page, "rows", rejected, "distinct", drifted
) VALUES (
    :collection, :kind, :since, :filter, :started_at, :next_page, :total, :last_page, :rows, :rejected, :distinct,
    :drifted
)
RETURNING number;

-- name: find_pass
SELECT number, "distinct" FROM passes WHERE collection = ? AND kind = ?;

-- name: save_pass
UPDATE passes
SET since = :since, filter = :filter, started_at = :started_at, next_page = :next_page, total = :total,
    last_page = :last_page, "rows" = :rows, rejected = :rejected, "distinct" = :distinct, drifted = :drifted
WHERE collection = :collection AND kind = :kind;

-- name: see_row
INSERT INTO pass_rows (pass, id) VALUES (?, ?) ON CONFLICT DO NOTHING;

-- name: forget_pass
DELETE FROM passes WHERE collection = ? AND kind = ?;

-- name: forget_passes
DELETE FROM passes WHERE collection = ?;

-- name: missing_records
SELECT id, idn, EXISTS (
    SELECT 1 FROM records AS twin
    WHERE twin.collection = records.collection AND twin.idn = records.idn AND twin.id <> records.id
        AND twin.vanished_at IS NULL
) AS shares_idn
FROM records
WHERE collection = :collection AND wanted AND vanished_at IS NULL AND changed_at < :started_at
    AND NOT EXISTS (
        SELECT 1 FROM pass_rows
        WHERE pass_rows.pass = (SELECT number FROM passes WHERE collection = :collection AND kind = :kind)
            AND pass_rows.id = records.id
    )
ORDER BY id;

-- name: count_live
SELECT count(*) FROM records WHERE collection = ? AND wanted AND vanished_at IS NULL;

-- name: mark_vanished
UPDATE records SET vanished_at = :at WHERE collection = :collection AND id = :id AND vanished_at IS NULL;


-- name: read_cursor
SELECT collection, at, whole_at, pages, unproved, unproved_at, tries, filter FROM cursors WHERE collection = ?;

-- name: save_cursor
INSERT INTO cursors (collection, at, whole_at, pages, unproved, unproved_at, tries, filter)
VALUES (:collection, :at, :whole_at, :pages, :unproved, :unproved_at, :tries, :filter)
ON CONFLICT (collection) DO UPDATE
SET at = excluded.at, whole_at = excluded.whole_at, pages = excluded.pages, unproved = excluded.unproved,
    unproved_at = excluded.unproved_at, tries = excluded.tries, filter = excluded.filter;


-- name: stored_records
SELECT
    records.id, idn, status, updated_at, external_id, version, records.data AS raw, wanted,
    CASE WHEN detail_version IS version THEN details.data END AS detail
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection = ? AND records.id > ?
ORDER BY records.id
LIMIT 500;

-- name: want_record
-- Only a detail may show whether a record is wanted, so one that is wanted anew without one is asked for.
UPDATE records
SET wanted = :wanted, detail_version = CASE WHEN :wanted AND :ask THEN NULL ELSE detail_version END
WHERE collection = :collection AND id = :id;

-- name: first_seen
SELECT first_seen_at FROM records ORDER BY rowid LIMIT 1;

-- name: due_details
SELECT records.collection, records.id, records.idn, records.version, coalesce(aside.attempts, 0) AS attempts,
    coalesce(aside.absent, 0) AS absent, records.updated_at
FROM records
LEFT JOIN set_aside AS aside
    ON aside.collection = records.collection AND aside.stage = 'detail' AND aside.key = CAST(records.id AS TEXT)
WHERE records.collection = :collection
    AND records.wanted AND records.vanished_at IS NULL AND records.detail_version IS NOT records.version
    AND (aside.key IS NULL OR aside.retry_at < :before)
    AND (NOT :carriers_only OR EXISTS (
        SELECT 1 FROM carriers WHERE carriers.collection = records.collection AND carriers.id = records.id
    ))
    AND (:recent IS NULL OR :recent = (records.detail_version IS NOT NULL OR ifnull(records.updated_at >= :since, 0)))
ORDER BY records.updated_at DESC
LIMIT :limit;

-- name: count_unseen
SELECT count(*) AS unseen FROM json_each(:ids) AS wanted
WHERE NOT EXISTS (
    SELECT 1 FROM pass_rows
    WHERE pass_rows.pass = (SELECT number FROM passes WHERE collection = :collection AND kind = :kind)
        AND pass_rows.id = wanted.value
);

-- name: count_due
SELECT (
    SELECT count(*) FROM records
    WHERE collection = :collection AND wanted AND vanished_at IS NULL AND detail_version IS NOT version
        AND (:recent IS NULL OR :recent = (records.detail_version IS NOT NULL OR ifnull(records.updated_at >= :since, 0)))
) - (
    SELECT count(*)
    FROM set_aside AS aside
    JOIN records ON records.collection = aside.collection AND records.id = CAST(aside.key AS INTEGER)
    WHERE aside.collection = :collection AND aside.stage = 'detail'
        AND (aside.retry_at IS NULL OR aside.retry_at >= :before)
        AND records.wanted AND records.vanished_at IS NULL AND records.detail_version IS NOT records.version
        AND (:recent IS NULL OR :recent = (records.detail_version IS NOT NULL OR ifnull(records.updated_at >= :since, 0)))
);

-- name: count_due_carriers
SELECT count(*)
FROM carriers
JOIN records ON records.collection = carriers.collection AND records.id = carriers.id
LEFT JOIN set_aside AS aside
    ON aside.collection = records.collection AND aside.stage = 'detail' AND aside.key = CAST(records.id AS TEXT)
WHERE carriers.collection = :collection
    AND records.wanted AND records.vanished_at IS NULL AND records.detail_version IS NOT records.version
    AND (aside.key IS NULL OR aside.retry_at < :before)
    AND (:recent IS NULL OR :recent = (records.detail_version IS NOT NULL OR ifnull(records.updated_at >= :since, 0)));

-- name: known_with_details
SELECT records.id, records.idn, records.version, details.fetched_at,
    records.detail_version IS records.version AS good, aside.attempts, aside.retry_at
FROM json_each(:ids) AS wanted
JOIN records ON records.collection = :collection AND records.id = wanted.value
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
LEFT JOIN set_aside AS aside
    ON aside.collection = records.collection AND aside.stage = 'detail' AND aside.key = CAST(records.id AS TEXT)
WHERE records.wanted AND records.vanished_at IS NULL;

-- name: find_live
SELECT id FROM records WHERE collection = ? AND id = ? AND vanished_at IS NULL;

-- name: find_addressed
SELECT id FROM records WHERE collection = :collection AND vanished_at IS NULL AND (id = :id OR idn = :idn);

-- name: save_detail
INSERT INTO details (collection, id, fetched_at, data) VALUES (:collection, :id, :at, :raw)
ON CONFLICT (collection, id) DO UPDATE SET fetched_at = excluded.fetched_at, data = excluded.data;

-- name: answer_detail
-- Not of another row that changed after this was asked for: it is still due.
UPDATE records
SET detail_version = CASE WHEN id = :id THEN :version WHEN changed_at < :at THEN version ELSE detail_version END
WHERE collection = :collection AND id IN (
    SELECT :id
    UNION ALL
    SELECT id FROM records WHERE collection = :collection AND idn = :idn AND vanished_at IS NULL
);

-- name: outdate_detail
-- Not NULL, which stands for one that was never there.
UPDATE records SET detail_version = X'' WHERE collection = ? AND id = ?;

-- name: unwant_record
UPDATE records SET wanted = 0 WHERE collection = ? AND id = ?;

-- name: clear_answered
DELETE FROM set_aside
WHERE collection = :collection AND stage = 'detail' AND key IN (
    SELECT CAST(:id AS TEXT)
    UNION ALL
    SELECT CAST(id AS TEXT) FROM records WHERE collection = :collection AND idn = :idn
);


-- name: set_aside
INSERT INTO set_aside (collection, stage, key, reason, attempts, since, seen_at, retry_at, raw, absent)
VALUES (:collection, :stage, :key, :reason, :attempts, :since, :since, :retry_at, :raw, :absent)
ON CONFLICT (collection, stage, key) DO UPDATE
SET reason = excluded.reason, attempts = set_aside.attempts + 1, seen_at = excluded.seen_at,
    retry_at = excluded.retry_at, raw = excluded.raw, absent = excluded.absent;

-- name: retry_now
UPDATE set_aside SET retry_at = 0 WHERE collection = ? AND stage = 'detail' AND key = ?;

-- name: clear_aside
DELETE FROM set_aside WHERE collection = ? AND stage = ? AND key = ?;

-- name: clear_files_aside
DELETE FROM set_aside
WHERE collection = :collection AND stage = 'file' AND key IN (
    SELECT CAST(id AS TEXT) FROM attached_files WHERE collection = :collection AND record_id = :id
);

-- name: clear_unseen
DELETE FROM set_aside WHERE collection = ? AND stage = 'record' AND seen_at < ?;


-- name: read_laps
SELECT job, started_at, ended_at, good_at FROM laps;

-- name: save_lap
INSERT INTO laps (job, started_at, ended_at, good_at) VALUES (:job, :started_at, :ended_at, :good_at)
ON CONFLICT (job) DO UPDATE SET
    started_at = excluded.started_at,
    ended_at = excluded.ended_at,
    good_at = coalesce(excluded.good_at, good_at);

-- name: read_calls
SELECT at, key_hash FROM calls WHERE at >= ? ORDER BY at, rowid;

-- name: read_lanes
SELECT at, lane FROM calls WHERE at >= ? AND lane IS NOT NULL ORDER BY at, rowid;

-- name: charge_call
INSERT INTO calls (at, key_hash, lane) VALUES (?, ?, ?);

-- name: move_call
UPDATE calls SET at = ? WHERE rowid = (SELECT rowid FROM calls WHERE at = ? AND key_hash = ? LIMIT 1);

-- name: refund_call
DELETE FROM calls WHERE rowid = (SELECT rowid FROM calls WHERE at = ? AND key_hash = ? LIMIT 1);

-- name: prune_calls
DELETE FROM calls WHERE at < ?;

-- name: prune_closures
DELETE FROM closures WHERE until < ?;

-- name: read_closures
SELECT "window", until FROM closures;

-- name: close_window
INSERT INTO closures ("window", until) VALUES (?, ?) ON CONFLICT ("window") DO UPDATE SET until = excluded.until;

-- name: read_refusals
SELECT fingerprint, count, at FROM refusals;

-- name: read_refusal
SELECT count, at FROM refusals WHERE fingerprint = ?;

-- name: save_refusal
INSERT INTO refusals (fingerprint, count, at) VALUES (?, ?, ?)
ON CONFLICT (fingerprint) DO UPDATE SET count = excluded.count, at = excluded.at;

-- name: clear_refusals
DELETE FROM refusals;


-- name: count_records
SELECT
    collection,
    sum(vanished_at IS NULL) AS live,
    sum(vanished_at IS NULL AND wanted) AS wanted,
    sum(vanished_at IS NOT NULL) AS vanished,
    sum(vanished_at IS NULL AND wanted AND detail_version IS version) AS detailed,
    sum(vanished_at IS NULL AND wanted AND detail_version IS NOT version) AS due
FROM records
GROUP BY collection;

-- name: all_cursors
SELECT collection, at, whole_at, pages, unproved, unproved_at, tries, filter FROM cursors;

-- name: all_passes
SELECT collection, kind, since, filter, started_at, next_page, total, last_page, "rows", rejected, "distinct", drifted
FROM passes;

-- name: latest_aside
SELECT collection, key, stage, reason, raw, attempts, since, retry_at
FROM set_aside
ORDER BY seen_at DESC, collection, key
LIMIT ?;

-- name: count_aside
SELECT collection, stage, count(*) AS items FROM set_aside GROUP BY collection, stage;

-- name: count_misread
SELECT ledger, count(*) AS payments FROM unreadable_rows GROUP BY ledger;

-- name: count_unmet
SELECT ledger, count(*) AS payments FROM ledger_payments WHERE intent IS NULL AND ours IS NULL GROUP BY ledger;
