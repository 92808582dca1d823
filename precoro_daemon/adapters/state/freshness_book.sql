-- name: read_hours
-- What scans saw of each hour since then, in the order of time.
SELECT collection, begins, seconds, changes, polled, scans, calls, delayed, delay, worst FROM watched_hours
WHERE begins >= ? ORDER BY begins, collection;

-- name: add_hour
-- Add what a scan saw to what is known of the hour.
INSERT INTO watched_hours (collection, begins, seconds, changes, polled, scans, calls, delayed, delay, worst)
VALUES (:collection, :begins, :seconds, :changes, :polled, :scans, :calls, :delayed, :delay, :worst)
ON CONFLICT (collection, begins) DO UPDATE SET
    seconds = watched_hours.seconds + excluded.seconds,
    changes = watched_hours.changes + excluded.changes,
    polled = watched_hours.polled + excluded.polled,
    scans = watched_hours.scans + excluded.scans,
    calls = watched_hours.calls + excluded.calls,
    delayed = watched_hours.delayed + excluded.delayed,
    delay = watched_hours.delay + excluded.delay,
    worst = CASE WHEN watched_hours.worst > excluded.worst THEN watched_hours.worst ELSE excluded.worst END;

-- name: forget_hours
-- Forget the hours that began before this time.
DELETE FROM watched_hours WHERE begins < ?;
