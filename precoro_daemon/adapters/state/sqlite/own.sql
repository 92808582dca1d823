-- name: sqlite.read_views
-- The names of all views.
SELECT name FROM sqlite_schema WHERE type = 'view';
