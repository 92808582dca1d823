-- name: known
-- Pushes for changes in a range.
SELECT id FROM pushes WHERE export = ? AND seq > ? AND seq <= ?;

-- name: save
-- What became of a push.
INSERT INTO pushes (
    export, id, collection, record, seq, settled_at, since, state, tried_at, attempts, due_at, answer
)
VALUES (
    :export, :id, :collection, :record, :seq, :settled_at, :since, :state, :tried_at, :attempts, :due_at, :answer
)
ON CONFLICT (export, id) DO UPDATE SET
    since = excluded.since,
    state = excluded.state,
    tried_at = excluded.tried_at,
    attempts = excluded.attempts,
    due_at = excluded.due_at,
    answer = excluded.answer;

-- name: supersede
-- Forget older pushes of a record that were not delivered.
DELETE FROM pushes
WHERE export = :export AND collection = :collection AND record = :record AND state <> 'delivered' AND seq < :seq;

-- name: due
-- Waiting pushes whose time has come.
SELECT id, collection, record, seq, settled_at, since, state, tried_at, attempts, due_at, answer
FROM pushes
WHERE export = ? AND state = 'waiting' AND due_at <= ?
ORDER BY seq, id
LIMIT ?;

-- name: listed
-- The last pushes that were tried.
SELECT id, collection, record, seq, settled_at, since, state, tried_at, attempts, due_at, answer
FROM pushes
WHERE export = ?
ORDER BY tried_at DESC, seq DESC
LIMIT ?;

-- name: listed_dead
-- The last dead pushes.
SELECT id, collection, record, seq, settled_at, since, state, tried_at, attempts, due_at, answer
FROM pushes
WHERE export = ? AND state = 'dead'
ORDER BY tried_at DESC, seq DESC
LIMIT ?;

-- name: count
-- Pushes of an export by state.
SELECT state, count(*) AS pushes FROM pushes WHERE export = ? GROUP BY state;

-- name: count_undelivered
-- Pushes that were not delivered, by export and state.
SELECT export, state, count(*) AS pushes FROM pushes WHERE state <> 'delivered' GROUP BY export, state;

-- name: forget
-- Forget what was delivered before a time.
DELETE FROM pushes WHERE export = ? AND tried_at < ? AND state = 'delivered';

-- name: forget_more
-- Forget what was delivered before so many of the newest.
DELETE FROM pushes
WHERE export = :export AND state = 'delivered' AND tried_at < (
    SELECT tried_at FROM pushes WHERE export = :export ORDER BY tried_at DESC LIMIT 1 OFFSET :newest
);

-- name: revive
-- Dead pushes wait again.
UPDATE pushes SET state = 'waiting', since = :now, due_at = :now
WHERE export = :export AND state = 'dead';

-- name: drop
-- Forget a push that was not delivered.
DELETE FROM pushes WHERE export = ? AND id = ? AND state <> 'delivered';

-- name: drop_dead
-- Forget all dead pushes.
DELETE FROM pushes WHERE export = ? AND state = 'dead';

-- name: change_before
-- The last change of a record before a time. Times of what belongs to records are by other clocks, or of the past.
SELECT coalesce(max(seq), 0) AS seq FROM changes
WHERE at < ? AND kind NOT IN ('attached', 'redefined', 'offered');
