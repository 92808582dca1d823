-- name: page_end
-- The last of the next paid invoices, and how many they are.
SELECT max(id) AS last, count(*) AS "rows"
FROM (
    SELECT id FROM records @by_index(invoices_paid)
    WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL AND id > ?
    ORDER BY id
    LIMIT ?
);

-- name: compare_page
-- Note which of these paid invoices are new or changed.
INSERT INTO paid_invoices (id, version, due)
SELECT id, version, :due FROM records @by_index(invoices_paid)
WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL AND id > :after AND id <= :last
ORDER BY id
ON CONFLICT (id) DO UPDATE SET version = excluded.version, due = excluded.due, left_at = NULL
WHERE paid_invoices.version IS DISTINCT FROM excluded.version OR paid_invoices.left_at IS NOT NULL;

-- name: leave
-- Note which invoices are no longer paid.
UPDATE paid_invoices SET left_at = :at, due = TRUE
WHERE left_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM records @by_index(invoices_paid)
    WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL AND records.id = paid_invoices.id
);

-- name: due
-- Invoices that are to be looked at, with their details.
SELECT paid_invoices.id, records.idn, paid_invoices.left_at IS NULL AS paid, paid_invoices.version,
    CASE WHEN records.vanished_at IS NULL
    AND records.detail_version IS NOT DISTINCT FROM records.version THEN details.data END AS detail
FROM paid_invoices
LEFT JOIN records ON records.collection = 'invoices' AND records.id = paid_invoices.id
LEFT JOIN details ON details.collection = 'invoices' AND details.id = paid_invoices.id
WHERE paid_invoices.due AND paid_invoices.id >= :first AND paid_invoices.id <= :last
ORDER BY paid_invoices.id
LIMIT :limit;

-- name: done
-- Note that an invoice was looked at, unless it changed since.
UPDATE paid_invoices SET due = FALSE WHERE id = ? AND version IS NOT DISTINCT FROM ?;

-- name: again
-- Let an invoice be looked at again.
UPDATE paid_invoices SET due = TRUE WHERE id = ?;
