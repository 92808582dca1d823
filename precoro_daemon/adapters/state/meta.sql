-- name: read
-- What is kept under a key.
SELECT value FROM meta WHERE key = ?;

-- name: write
-- Keep a value under a key, in the place of the one before.
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: remove
-- Forget what is kept under a key.
DELETE FROM meta WHERE key = ?;
