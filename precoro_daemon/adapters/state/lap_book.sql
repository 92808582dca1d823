-- name: read_laps
-- The last lap of each job.
SELECT job, started_at, ended_at, good_at FROM laps;

-- name: save_lap
-- Keep the last lap of a job, and the last good one.
INSERT INTO laps (job, started_at, ended_at, good_at) VALUES (:job, :started_at, :ended_at, :good_at)
ON CONFLICT (job) DO UPDATE SET
    started_at = excluded.started_at,
    ended_at = excluded.ended_at,
    good_at = coalesce(excluded.good_at, laps.good_at);

-- name: record
-- Remember a lap that did something.
INSERT INTO history (job, ended_at, seconds, brought, failed, reason)
VALUES (:job, :ended_at, :seconds, :brought, :failed, :reason);

-- name: forget
-- Forget the laps that ended before a time.
DELETE FROM history WHERE ended_at < ?;

-- name: read_history
-- The laps that ended since a time, the oldest first.
SELECT job, ended_at, seconds, brought, failed, reason FROM history WHERE ended_at >= ? ORDER BY ended_at, id;
