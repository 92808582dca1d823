-- name: listed
-- Every wanted record of a collection with its detail, in order of ids.
SELECT
    records.collection, records.id, records.idn, records.status, records.updated_at, records.external_id,
    records.vanished_at, @bytes(records.data) AS data, @bytes(details.data) AS detail, details.fetched_at,
    records.changed_at, NULL AS owner
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection = :collection AND records.wanted
ORDER BY records.id;

-- name: paying
-- The same of payments, with the document that each pays.
SELECT
    records.collection, records.id, records.idn, records.status, records.updated_at, records.external_id,
    records.vanished_at, @bytes(records.data) AS data, @bytes(details.data) AS detail, details.fetched_at,
    records.changed_at, @bytes(owner.data) AS owner
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
LEFT JOIN records AS owner ON owner.collection = {paid}
WHERE records.collection = :collection AND records.wanted
ORDER BY records.id;

-- name: paid[payments]
-- What an invoice's payment pays.
'invoices' AND owner.id = @whole(records, invoice.id)

-- name: paid[expense_payments]
-- What an expense's payment pays.
'expenses' AND owner.id = @whole(records, expense.id)

-- name: some
-- The same of some records.
SELECT
    records.collection, records.id, records.idn, records.status, records.updated_at, records.external_id,
    records.vanished_at, @bytes(records.data) AS data, @bytes(details.data) AS detail, details.fetched_at,
    records.changed_at, NULL AS owner
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection = :collection AND records.wanted AND records.id IN (SELECT value FROM @ints(:ids));

-- name: some_paying
-- The same of some payments.
SELECT
    records.collection, records.id, records.idn, records.status, records.updated_at, records.external_id,
    records.vanished_at, @bytes(records.data) AS data, @bytes(details.data) AS detail, details.fetched_at,
    records.changed_at, @bytes(owner.data) AS owner
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
LEFT JOIN records AS owner ON owner.collection = {paid}
WHERE records.collection = :collection AND records.wanted AND records.id IN (SELECT value FROM @ints(:ids));

-- name: next_ids
-- The next wanted records of a collection, in order of ids.
SELECT id FROM records WHERE collection = :collection AND wanted AND id > :after ORDER BY id LIMIT :limit;
