-- name: take_in_payment
-- Keep what the ledger says of a payment, if it is new or says something else.
INSERT INTO ledger_payments (
    ledger, key, invoice, amount, currency, day, supplier, supplier_id, ours, takes_back, facts, seen_at
) VALUES (
    :ledger, :key, :invoice, :amount, :currency, :day, :supplier, :supplier_id, :ours, :takes_back, :facts, :at
)
ON CONFLICT (ledger, key) DO UPDATE
SET invoice = excluded.invoice, amount = excluded.amount, currency = excluded.currency, day = excluded.day,
    supplier = excluded.supplier, supplier_id = excluded.supplier_id, ours = excluded.ours,
    takes_back = excluded.takes_back, facts = excluded.facts, seen_at = excluded.seen_at, mentioned = FALSE
WHERE ledger_payments.facts <> excluded.facts OR ledger_payments.supplier IS DISTINCT FROM excluded.supplier
    OR ledger_payments.ours IS DISTINCT FROM excluded.ours;

-- name: note_row
-- Note which payment a row of a file, or what it says, was read as first.
INSERT INTO ledger_rows (ledger, "row", key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;

-- name: key_of_row
-- Which payment a row of a file, or what it says, was read as first.
SELECT key FROM ledger_rows WHERE ledger = ? AND "row" = ?;

-- name: keys_of_rows
-- The same for many of them.
SELECT "row", key FROM ledger_rows WHERE ledger = :ledger AND "row" IN (SELECT value FROM @texts(:rows));

-- name: entries_called
-- Which of these keys of the ledger we know from what we made there.
SELECT remote_id FROM intents
WHERE direction = 'to_ledger' AND remote_id IN (SELECT value FROM @texts(:keys));

-- name: payments_of_document
-- Payments of a document of the ledger, but for those that it still has.
SELECT key, invoice, amount, currency, day, supplier, supplier_id, ours
FROM ledger_payments
WHERE ledger = :ledger AND key = :key AND NOT takes_back
UNION ALL
SELECT key, invoice, amount, currency, day, supplier, supplier_id, ours
FROM ledger_payments
WHERE ledger = :ledger AND key > :key || '/' AND key < :key || '0' AND NOT takes_back
    AND key NOT IN (SELECT value FROM @texts(:kept));

-- name: entries_of_document
-- What we made in a document of the ledger and what never came back from there, but for what it still has.
-- Undone between two readings, it would else never be heard of.
SELECT id, remote_id, currency, day
FROM intents @by_index(intents_by_remote)
WHERE remote_id = :key AND direction = 'to_ledger' AND ledger = :ledger AND state = 'confirmed'
    AND NOT EXISTS (SELECT 1 FROM ledger_payments WHERE ledger = :ledger AND key = intents.remote_id)
UNION ALL
SELECT id, remote_id, currency, day
FROM intents @by_index(intents_by_remote)
WHERE remote_id > :key || '/' AND remote_id < :key || '0' AND direction = 'to_ledger' AND ledger = :ledger
    AND state = 'confirmed' AND remote_id NOT IN (SELECT value FROM @texts(:kept))
    AND NOT EXISTS (SELECT 1 FROM ledger_payments WHERE ledger = :ledger AND key = intents.remote_id);

-- name: take_in_unreadable
-- Keep a row of the ledger that cannot be read. One that was dismissed comes back if it says something else.
INSERT INTO unreadable_rows (ledger, key, reason, raw, seen_at, since) VALUES (:ledger, :key, :reason, :raw, :at, :at)
ON CONFLICT (ledger, key) DO UPDATE
SET reason = excluded.reason, raw = excluded.raw, seen_at = excluded.seen_at,
    dismissed = unreadable_rows.dismissed AND unreadable_rows.reason = excluded.reason
        AND unreadable_rows.raw = excluded.raw;

-- name: is_known_unreadable
-- Whether a row is known to be unreadable for the same reason.
SELECT 1 FROM unreadable_rows WHERE ledger = ? AND key = ? AND reason = ? AND raw = ?;

-- name: dismiss_unreadable
-- Do not show a row that cannot be read any more.
UPDATE unreadable_rows SET dismissed = TRUE WHERE ledger = ? AND key = ? AND NOT dismissed;

-- name: forget_gone
-- Forget rows that could not be read and were not seen since. Where one says something of a payment that is known, that
-- payment is not sent: it was not read anew either.
DELETE FROM unreadable_rows
WHERE ledger = ? AND seen_at < ? AND NOT EXISTS (
    SELECT 1 FROM ledger_payments
    WHERE ledger_payments.ledger = unreadable_rows.ledger AND ledger_payments.key = unreadable_rows.key
);

-- name: has_unreadable
-- Whether any row of a ledger could not be read.
SELECT 1 FROM unreadable_rows WHERE ledger = ? LIMIT 1;

-- name: forget_unreadable
-- Note that a row of the ledger can be read again.
DELETE FROM unreadable_rows WHERE ledger = ? AND key = ?;

-- name: forget_unreadable_parts
-- Note that a document of the ledger, and its parts or rows, no longer have what could not be read, but for those that
-- still cannot: their age, and that they were dismissed, stay.
DELETE FROM unreadable_rows
WHERE ledger = :ledger AND key NOT IN (SELECT value FROM @texts(:still)) AND (
    key = :key OR (key > :key || '/' AND key < :key || '0') OR (key > :key || ':' AND key < :key || ';')
);

-- name: unreadable_rows
-- The first rows of a ledger that cannot be read.
SELECT key, reason, raw FROM unreadable_rows WHERE ledger = ? AND NOT dismissed ORDER BY since, key LIMIT 200;

-- name: carry_payment
-- Note which intent carries a payment of the ledger, by what it said when that was decided.
-- Not the facts it has by now: those were not judged.
UPDATE ledger_payments SET intent = :intent, carried = :facts WHERE ledger = :ledger AND key = :key;

-- name: unsettle_payment
-- Forget what a payment of the ledger said when it was judged.
-- What it says next is news, also if that is what it said before.
UPDATE ledger_payments SET carried = '' WHERE ledger = ? AND key = ?;

-- name: accept_payment
-- Note that what a payment of the ledger says was judged.
UPDATE ledger_payments SET carried = ? WHERE ledger = ? AND key = ?;

-- name: linked_payment
-- A payment of the ledger with the intent that carries it, and whether it says something else since.
SELECT ledger_payments.key, invoice, amount, currency, day, supplier, supplier_id, ours, intent, facts <> carried AS changed,
    facts, carried,
    unreadable_rows.reason AS unreadable
FROM ledger_payments
LEFT JOIN unreadable_rows ON unreadable_rows.ledger = ledger_payments.ledger
    AND unreadable_rows.key = ledger_payments.key
WHERE ledger_payments.ledger = ? AND ledger_payments.key = ?;

-- name: recognise_payment
-- Note that a payment of the ledger is one that we made there.
-- What an intent to the ledger made comes back from there as a payment of its own; it is not one. Where it says another
-- amount or currency by now than was written, that is news. A second one with the same key of ours is none of ours: people
-- copy payments with all that stands in them.
UPDATE ledger_payments SET intent = made.id,
    carried = CASE
        WHEN made.amount = ledger_payments.amount AND ledger_payments.currency IN ('', made.currency)
            THEN ledger_payments.facts
        ELSE ''
    END
FROM intents AS made
WHERE ledger_payments.ledger = :ledger AND ledger_payments.key = :key AND ledger_payments.intent IS NULL
    AND made.id IN (
        SELECT ledger_payments.ours UNION ALL SELECT id FROM intents WHERE remote_id = :key
        AND direction = 'to_ledger'
    )
    AND made.direction = 'to_ledger' AND made.ledger || '' = :ledger AND made.state = 'confirmed'
    AND NOT EXISTS (
        SELECT 1 FROM ledger_payments AS first
        WHERE first.intent = made.id AND first.ledger = :ledger AND first.key <> :key
    );

-- name: changed_entries
-- Payments that we made in the ledger and that say something else there by now.
SELECT ledger_payments.key, ledger_payments.invoice, ledger_payments.facts, ledger_payments.carried,
    ledger_payments.amount AS said,
    ledger_payments.currency AS said_currency, ledger_payments.day AS said_day,
    ledger_payments.supplier AS said_supplier, ledger_payments.supplier_id AS said_supplier_id, ledger_payments.ours,
    intents.*, FALSE AS dropped
FROM ledger_payments @by_index(ledger_payments_changed)
JOIN intents ON intents.id = ledger_payments.intent
WHERE ledger_payments.ledger = :ledger AND ledger_payments.intent IS NOT NULL
    AND ledger_payments.facts <> ledger_payments.carried
    AND intents.direction = 'to_ledger' AND intents.state = 'confirmed';

-- name: unrecognised
-- Payments that we made in the ledger for the invoice and that did not come back from there so far.
SELECT * FROM intents
WHERE invoice_id = :invoice_id AND direction = 'to_ledger' AND state <> 'rejected'
    AND NOT EXISTS (
        SELECT 1 FROM ledger_payments
        WHERE ledger_payments.ledger = intents.ledger AND ledger_payments.intent = intents.id
    )
ORDER BY since, id;

-- name: free_payment
-- Let a payment of the ledger be carried anew.
UPDATE ledger_payments SET intent = NULL, carried = NULL WHERE ledger = ? AND key = ?;

-- name: match_candidates
-- Payments that no intent carries, with an invoice that can be paid. What an intent to the ledger made comes back from
-- there as a payment; it is not one, whichever state or company made it. A copy of it is one.
SELECT ledger_payments.ledger, ledger_payments.key, invoice, amount, currency, day, supplier,
    supplier_id, ours, records.id AS invoice_id,
    EXISTS (SELECT 1 FROM intents AS made WHERE made.invoice_id = records.id) AS has_intents
FROM records @by_index(invoices_payable)
JOIN ledger_payments @by_index(ledger_payments_waiting)
    ON ledger_payments.ledger = :ledger AND ledger_payments.intent IS NULL AND ledger_payments.invoice = {called}
WHERE records.collection = 'invoices' AND records.status IN (2, 4) AND records.vanished_at IS NULL
    AND NOT EXISTS (
        SELECT 1 FROM unreadable_rows
        WHERE unreadable_rows.ledger = ledger_payments.ledger AND unreadable_rows.key = ledger_payments.key
    )
    AND (
        ledger_payments.ours IS NULL OR EXISTS (
            SELECT 1 FROM ledger_payments AS first
            WHERE first.intent = ledger_payments.ours AND first.ledger = ledger_payments.ledger
        )
    )
    AND NOT EXISTS (
        SELECT 1 FROM intents
        WHERE intents.direction = 'to_ledger' AND intents.ledger = ledger_payments.ledger
            AND intents.remote_id = ledger_payments.key
    )
ORDER BY day, ledger_payments.key;

-- name: taken_back
-- Payments of nothing or less that no intent carries, with their invoices, paid or not.
SELECT ledger_payments.ledger, ledger_payments.key, invoice, amount, currency, day, supplier,
    supplier_id, ours, records.id AS invoice_id,
    EXISTS (SELECT 1 FROM intents AS made WHERE made.invoice_id = records.id) AS has_intents
FROM ledger_payments @by_index(ledger_payments_taking_back)
JOIN records ON records.collection = 'invoices' AND records.vanished_at IS NULL AND {called} = ledger_payments.invoice
WHERE ledger_payments.ledger = :ledger AND ledger_payments.intent IS NULL AND ledger_payments.takes_back
    AND NOT EXISTS (
        SELECT 1 FROM unreadable_rows
        WHERE unreadable_rows.ledger = ledger_payments.ledger AND unreadable_rows.key = ledger_payments.key
    )
    AND ledger_payments.ours IS NULL AND NOT EXISTS (
        SELECT 1 FROM intents
        WHERE intents.direction = 'to_ledger' AND intents.ledger = ledger_payments.ledger
            AND intents.remote_id = ledger_payments.key
    )
ORDER BY day, ledger_payments.key;

-- name: namesakes
-- Invoices that are called the same.
SELECT records.data FROM records
WHERE records.collection = 'invoices' AND records.vanished_at IS NULL AND {same};

-- name: changed_payments
-- Payments of the ledger that say something else than when their intent was made.
SELECT ledger_payments.key, ledger_payments.invoice, ledger_payments.facts, ledger_payments.carried,
    ledger_payments.amount AS said,
    ledger_payments.currency AS said_currency, ledger_payments.day AS said_day,
    ledger_payments.supplier AS said_supplier, ledger_payments.supplier_id AS said_supplier_id, ledger_payments.ours, intents.*,
    'drop' IS NOT DISTINCT FROM (
        SELECT event FROM journal WHERE intent = intents.id ORDER BY seq DESC LIMIT 1
    ) AS dropped
FROM ledger_payments @by_index(ledger_payments_changed)
JOIN intents ON intents.id = ledger_payments.intent
WHERE ledger_payments.ledger = :ledger AND ledger_payments.intent IS NOT NULL
    AND ledger_payments.facts <> ledger_payments.carried
    AND intents.direction = 'to_precoro'
    AND (
        intents.state IN ('planned', 'confirmed')
        OR (
            intents.state = 'rejected'
            AND 'drop' = (SELECT event FROM journal WHERE intent = intents.id ORDER BY seq DESC LIMIT 1)
        )
        OR (
            intents.state IN ('review', 'rejected') AND intents.remote_id IS NULL AND NOT EXISTS (
                SELECT 1 FROM attempts
                WHERE attempts.intent = intents.id
                    AND (attempts.outcome IS NULL OR attempts.outcome NOT IN ('unsent', 'refused'))
            )
        )
    )
    AND NOT EXISTS (
        SELECT 1 FROM unreadable_rows
        WHERE unreadable_rows.ledger = ledger_payments.ledger AND unreadable_rows.key = ledger_payments.key
    );

-- name: payments_named
-- Payments of the ledger that name an invoice.
SELECT key, invoice, amount, currency, day, supplier, supplier_id, ours
FROM ledger_payments
WHERE ledger = ? AND invoice = ?
ORDER BY key;

-- name: supplier_name
-- What a supplier is called elsewhere.
SELECT external_id FROM records WHERE collection = 'suppliers' AND id = ?;

-- name: mirrored_payment
-- A payment as the mirror has it.
SELECT data FROM records
WHERE collection = 'payments' AND id = :id AND vanished_at IS NULL;

-- name: detailed_invoice
-- The detail of an invoice, if it is up to date.
SELECT details.data FROM records
JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection = 'invoices' AND records.id = :id AND records.vanished_at IS NULL
    AND records.detail_version IS NOT DISTINCT FROM records.version;

-- name: payments_called
-- Payments with this idn, as the mirror has them.
SELECT data FROM records
WHERE collection = 'payments' AND idn = @idn_of(:number) AND vanished_at IS NULL;

-- name: count_waiting
-- How many payments of the ledger no intent carries.
SELECT count(*) AS payments FROM ledger_payments WHERE ledger = ? AND intent IS NULL AND ours IS NULL;

-- name: unmatched
-- Payments of the ledger that no intent carries, the newest first.
SELECT key, invoice, amount, currency, day, supplier, supplier_id, ours
FROM ledger_payments
WHERE ledger = :ledger AND intent IS NULL AND NOT EXISTS (
    SELECT 1 FROM intents
    WHERE intents.direction = 'to_ledger' AND intents.ledger = ledger_payments.ledger
        AND (intents.remote_id = ledger_payments.key OR intents.id = ledger_payments.ours)
)
ORDER BY seen_at DESC, day DESC, key
LIMIT :limit;

-- name: unmentioned
-- Some of those that were not mentioned so far.
SELECT key, invoice, amount, currency, day, supplier, supplier_id, ours
FROM ledger_payments @by_index(ledger_payments_unmentioned)
WHERE ledger = :ledger AND intent IS NULL AND NOT mentioned AND ours IS NULL AND NOT EXISTS (
    SELECT 1 FROM intents
    WHERE intents.direction = 'to_ledger' AND intents.ledger = ledger_payments.ledger
        AND intents.remote_id = ledger_payments.key
)
LIMIT :limit;

-- name: mention
-- Note that all of them were mentioned.
UPDATE ledger_payments SET mentioned = TRUE
WHERE ledger = ? AND intent IS NULL AND NOT mentioned AND ours IS NULL;

-- name: count_imported
-- How many invoices Precoro's own connectors know.
SELECT count(nullif(@field(records, xeroId), '')) AS "Xero", count(nullif(@field(records, qboId), '')) AS "QuickBooks Online",
    count(nullif(@field(records, netSuiteId), '')) AS "NetSuite"
FROM records
WHERE collection = 'invoices' AND vanished_at IS NULL;

-- name: index_names
-- Finds invoices by what the ledger calls them.
CREATE INDEX IF NOT EXISTS {indexed} WHERE collection = 'invoices';


-- name: called[external_id]
-- What an invoice is called elsewhere.
records.external_id

-- name: called[id]
-- An invoice's id as text.
CAST(records.id AS TEXT)

-- name: called[idn]
-- An invoice's idn as text.
@idn_text(records.idn)

-- name: called[number_and_supplier]
-- An invoice's number.
@field(records, invoiceNumber)

-- name: called[xero_id]
-- What Precoro's own connector calls an invoice in Xero.
@text(records, xeroId)

-- name: called[qbo_id]
-- What Precoro's own connector calls an invoice in QuickBooks.
@text(records, qboId)

-- name: called[netsuite_id]
-- What Precoro's own connector calls an invoice in NetSuite.
@text(records, netSuiteId)

-- name: indexed[number_and_supplier]
-- By number.
invoices_by_number ON records (data ->> '$.invoiceNumber')

-- name: indexed[xero_id]
-- By its id in Xero.
invoices_by_xero_id ON records (CAST(data ->> '$.xeroId' AS TEXT))

-- name: indexed[qbo_id]
-- By its id in QuickBooks.
invoices_by_qbo_id ON records (CAST(data ->> '$.qboId' AS TEXT))

-- name: indexed[netsuite_id]
-- By its id in NetSuite.
invoices_by_netsuite_id ON records (CAST(data ->> '$.netSuiteId' AS TEXT))

-- name: same[external_id]
-- Another one is called the same elsewhere; an index finds it.
records.external_id = :external_id

-- name: same[id]
-- It has this id.
records.id = :id

-- name: same[idn]
-- Another one has the same idn; an index finds it.
records.idn = :idn

-- name: same[number_and_supplier]
-- Another one has the same number; an index finds it.
@field(records, invoiceNumber) = :number

-- name: same[xero_id]
-- Another one has the same id in Xero; an index finds it.
@text(records, xeroId) = :xero_id

-- name: same[qbo_id]
-- Another one has the same id in QuickBooks; an index finds it.
@text(records, qboId) = :qbo_id

-- name: same[netsuite_id]
-- Another one has the same id in NetSuite; an index finds it.
@text(records, netSuiteId) = :netsuite_id
