-- name: sqlite.read_views
-- The names of all views.
SELECT name FROM sqlite_schema WHERE type = 'view';

-- name: journal.count_indexes
-- How many of the indexes for payments are there.
SELECT count(*) AS indexes FROM sqlite_master
WHERE type = 'index' AND name IN ('invoices_payable', 'invoices_paid', 'invoices_by_external_id',
    'payments_canceled');
