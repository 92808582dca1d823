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
