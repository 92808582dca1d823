-- name: read
-- What is kept under a name.
SELECT value FROM positions WHERE name = ?;

-- name: save
-- Keep a value under a name, in the place of the one before.
INSERT INTO positions (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: forget
-- Forget what is kept under a name.
DELETE FROM positions WHERE name = ?;

-- name: set_once
-- Keep a value under a name, unless there is one.
INSERT INTO positions (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING;

-- name: read_under
-- Everything that is kept under names that begin so.
SELECT name, value FROM positions WHERE name LIKE ? ORDER BY name;
