-- name: @ints
-- Whole numbers out of a JSON list, as `value`.
json_each($1)

-- name: @texts
-- Texts out of a JSON list, as `value`.
json_each($1)

-- name: @by_index
-- The planner takes the index that was made for this, also where it guesses otherwise.
INDEXED BY $1

-- name: @bytes
-- A text as its bytes.
CAST($1 AS BLOB)

-- name: @utf8
-- A text that is given as its UTF-8, which is how it is kept.
CAST($1 AS TEXT)

-- name: @number
-- The whole number that a text says.
CAST($1 AS INTEGER)

-- name: @field
-- A field of what the list said of a record.
$1.data ->> '$.$2'

-- name: @text
-- The same as text, also where it is a number.
CAST($1.data ->> '$.$2' AS TEXT)

-- name: @whole
-- The same as a whole number.
CAST($1.data ->> '$.$2' AS INTEGER)

-- name: @idn_text
-- An idn as text.
CAST($1 AS TEXT)

-- name: @idn_of
-- The idn that is this number.
CAST($1 AS INTEGER)

-- name: sqlite.read_views
-- All views, as they were made.
SELECT name, sql FROM sqlite_schema WHERE type = 'view';

-- name: sqlite.read_tables
-- The names of all tables of the state.
SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%';

-- name: journal.count_indexes
-- How many of the indexes for payments are there.
SELECT count(*) AS indexes FROM sqlite_master
WHERE type = 'index' AND name IN ('invoices_payable', 'invoices_paid', 'invoices_by_external_id',
    'payments_canceled');

-- name: budget_book.now
-- The time by the clock of this machine.
SELECT (julianday('now') - 2440587.5) * 86400.0;
