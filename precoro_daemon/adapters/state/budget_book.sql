-- name: read_calls
-- The calls since then, in the order in which they were made.
SELECT at, key_hash FROM calls WHERE at >= ? ORDER BY at, rowid;

-- name: read_lanes
-- Which lane made which call since then, where it was noted.
SELECT at, lane FROM calls WHERE at >= ? AND lane IS NOT NULL ORDER BY at, rowid;

-- name: charge_call
-- Note a call before it leaves.
INSERT INTO calls (at, key_hash, lane) VALUES (?, ?, ?);

-- name: move_call
-- Note when a call was really made.
UPDATE calls SET at = ? WHERE rowid = (SELECT rowid FROM calls WHERE at = ? AND key_hash = ? LIMIT 1);

-- name: refund_call
-- Take back a call that never left.
DELETE FROM calls WHERE rowid = (SELECT rowid FROM calls WHERE at = ? AND key_hash = ? LIMIT 1);

-- name: prune_calls
-- Forget the calls before this time.
DELETE FROM calls WHERE at < ?;

-- name: prune_closures
-- Forget the windows that opened before this time.
DELETE FROM closures WHERE until < ?;

-- name: read_closures
-- The windows that Precoro keeps closed, and until when.
SELECT "window", until FROM closures;

-- name: close_window
-- Note until when a window is closed.
INSERT INTO closures ("window", until) VALUES (?, ?) ON CONFLICT ("window") DO UPDATE SET until = excluded.until;

-- name: read_refusals
-- How often each key was refused in a row, and when last.
SELECT fingerprint, count, at FROM refusals;

-- name: read_refusal
-- How often one key was refused in a row, and when last.
SELECT count, at FROM refusals WHERE fingerprint = ?;

-- name: save_refusal
-- Note how often a key was refused in a row.
INSERT INTO refusals (fingerprint, count, at) VALUES (?, ?, ?)
ON CONFLICT (fingerprint) DO UPDATE SET count = excluded.count, at = excluded.at;

-- name: clear_refusals
-- Forget all refusals, as a key was accepted.
DELETE FROM refusals;
