-- name: count_records
-- How many records of each collection are what, as those who write them keep count.
SELECT collection, records, vanished, unwanted, due FROM record_counts WHERE records > 0;

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
SELECT
    direction, state, intents,
    (
        SELECT min(since) FROM intents
        WHERE intents.direction = intent_counts.direction AND intents.state = intent_counts.state
    ) AS oldest
FROM intent_counts
WHERE intents > 0;

-- name: exports_behind
-- How many changes each export has still to follow.
SELECT substr(follower, 8) AS export, (SELECT coalesce(max(seq), 0) FROM changes) - seq AS behind
FROM log_positions
WHERE follower LIKE 'export.%'
ORDER BY follower;
