-- name: count_records
-- Records by collection. No row is read: each of these three counts has an index that holds all it needs.
SELECT collection, count(*) AS records FROM records GROUP BY collection;

-- name: count_left_out
-- Those that Precoro has no more, and those of the others that the user's filter does not keep.
SELECT
    collection,
    count(*) FILTER (WHERE vanished_at IS NOT NULL) AS vanished,
    count(*) FILTER (WHERE vanished_at IS NULL) AS unwanted
FROM records
WHERE vanished_at IS NOT NULL OR NOT wanted
GROUP BY collection;

-- name: count_due
-- Those that are kept and whose detail is missing or old.
SELECT collection, count(*) AS due FROM records
WHERE wanted AND vanished_at IS NULL AND detail_version IS DISTINCT FROM version
GROUP BY collection;

-- name: all_cursors
-- How far the changes of each collection are known.
SELECT collection, at, whole_at, pages, unproved, unproved_at, tries, filter, anchor, short, hidden FROM cursors;

-- name: all_scans
-- All open scans.
SELECT collection, kind, since, filter, started_at, next_page, total, last_page, "rows", rejected, "distinct", drifted
FROM scans;

-- name: latest_quarantined
-- The things that were put into quarantine last.
SELECT collection, key, stage, reason, raw, attempts, since, retry_at
FROM quarantine
ORDER BY seen_at DESC, collection, key
LIMIT ?;

-- name: count_unreadable
-- Rows of each ledger that cannot be read.
SELECT ledger, count(*) AS payments, min(since) AS oldest FROM unreadable_rows WHERE NOT dismissed GROUP BY ledger;

-- name: count_unmatched
-- Payments of each ledger that match no invoice so far.
SELECT ledger, count(*) AS payments FROM ledger_payments WHERE intent IS NULL AND ours IS NULL GROUP BY ledger;

-- name: count_intents
-- Payments by direction and state: how many, and since when the oldest.
SELECT direction, state, count(*) AS intents, min(since) AS oldest FROM intents GROUP BY direction, state;

-- name: exports_behind
-- How many changes each export has still to follow.
SELECT substr(follower, 8) AS export, (SELECT coalesce(max(seq), 0) FROM changes) - seq AS behind
FROM log_positions
WHERE follower LIKE 'export.%'
ORDER BY follower;
