-- name: count_indexes
SELECT count(*) AS indexes FROM sqlite_master
WHERE type = 'index' AND name IN ('invoices_payable', 'invoices_paid', 'invoices_by_external_id',
    'payments_canceled');

-- name: index_payable
CREATE INDEX IF NOT EXISTS invoices_payable ON records (id)
WHERE collection = 'invoices' AND status IN (2, 4) AND vanished_at IS NULL;

-- name: index_paid
-- Covers the comparison with paid_invoices: a million of them are compared without reading a record.
CREATE INDEX IF NOT EXISTS invoices_paid ON records (id, version)
WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL;

-- name: index_external_ids
CREATE INDEX IF NOT EXISTS invoices_by_external_id ON records (external_id)
WHERE collection = 'invoices' AND external_id IS NOT NULL;

-- name: index_canceled
CREATE INDEX IF NOT EXISTS payments_canceled ON records (id) WHERE collection = 'payments' AND status = 8;


-- name: create_intent
INSERT INTO intents (
    id, direction, ledger, source, amount, currency, day, invoice_id, invoice_idn, supplier, state, reason, obstacle,
    since, attempts, doubted, checks, check_at, remote_id, remote_idn, marked, reported, seen
) VALUES (
    :id, :direction, :ledger, :source, :amount, :currency, :day, :invoice_id, :invoice_idn, :supplier, :state,
    :reason,
    :obstacle, :since, :attempts, :doubted, :checks, :check_at, :remote_id, :remote_idn, :marked, :reported, :seen
);

-- name: move_intent
UPDATE intents
SET amount = :amount, currency = :currency, day = :day, supplier = :supplier, state = :state, reason = :reason,
    obstacle = :obstacle, since = :since, attempts = :attempts, doubted = :doubted, checks = :checks,
    check_at = :check_at, remote_id = :remote_id, remote_idn = :remote_idn, marked = :marked, reported = :reported,
    seen = :seen
WHERE id = :id AND state = :was AND attempts = :attempts_before;

-- name: has_unresolved
SELECT 1 FROM intents
WHERE :direction = 'to_precoro' AND direction = 'to_precoro' AND invoice_id = :invoice_id AND id <> :id
    AND state IN ('planned', 'sending', 'doubt', 'review')
LIMIT 1;

-- name: read_intent
SELECT * FROM intents WHERE id = ?;

-- name: write_line
INSERT INTO journal (at, intent, event, source, target, attempt, reason, facts, dialogue)
VALUES (:at, :intent, :event, :source, :target, :attempt, :reason, :facts, :dialogue)
RETURNING seq;

-- name: read_line
SELECT at, intent, event, attempt FROM journal WHERE seq = ?;

-- name: last_line
SELECT coalesce(max(seq), 0) AS seq FROM journal;

-- name: last_word_on_the_switch
SELECT reason FROM journal WHERE intent = '' AND event = 'disarm' ORDER BY seq DESC LIMIT 1;

-- name: trace
SELECT seq, at, intent, event, source, target, attempt, reason, facts, dialogue
FROM journal
WHERE intent = ?
ORDER BY seq;

-- name: create_attempt
INSERT INTO attempts (intent, number, at, amount, known, remainder, server_time, body)
VALUES (:intent, :number, :at, :amount, :known, :remainder, :server_time, :body);

-- name: end_attempt
UPDATE attempts SET outcome = :outcome WHERE intent = :intent AND number = :number;

-- name: read_attempts
SELECT intent, number, at, amount, known, remainder, server_time, body, outcome
FROM attempts
WHERE intent = ?
ORDER BY number;

-- name: spent
SELECT attempts.amount
FROM attempts
JOIN intents ON intents.id = attempts.intent
WHERE attempts.at >= :since AND intents.direction = :direction AND intents.currency = :currency
    AND (attempts.outcome IS NULL OR attempts.outcome NOT IN ('unsent', 'refused'));

-- name: find_intents
SELECT * FROM intents WHERE id >= :prefix AND id < :prefix || '~' ORDER BY id LIMIT 20;

-- name: intents_in_state
SELECT intents.*
FROM intents
WHERE direction = :direction AND state IN (SELECT value FROM json_each(:states))
ORDER BY since, id;

-- name: due_checks
SELECT * FROM intents
WHERE direction = :direction AND state IN ('doubt', 'review') AND state NOT IN ('confirmed', 'rejected')
    AND check_at <= :now
ORDER BY check_at, id;

-- name: unfinished
SELECT * FROM intents
WHERE direction = :direction
    AND ((state = 'confirmed' AND NOT (marked AND seen)) OR (state = 'rejected' AND NOT reported))
ORDER BY since, id;

-- name: intents_of_invoice
SELECT * FROM intents WHERE invoice_id = :invoice_id AND direction = :direction ORDER BY since, id;

-- name: count_intents
SELECT direction, state, count(*) AS intents, min(since) AS oldest FROM intents GROUP BY direction, state;


-- name: read_position
SELECT value FROM positions WHERE name = ?;

-- name: save_position
INSERT INTO positions (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: set_position_once
INSERT INTO positions (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING;

-- name: take_in_payment
INSERT INTO ledger_payments (ledger, key, invoice, amount, currency, day, supplier, ours, takes_back, facts, seen_at)
VALUES (:ledger, :key, :invoice, :amount, :currency, :day, :supplier, :ours, :takes_back, :facts, :at)
ON CONFLICT (ledger, key) DO UPDATE
SET invoice = excluded.invoice, amount = excluded.amount, currency = excluded.currency, day = excluded.day,
    supplier = excluded.supplier, ours = excluded.ours, takes_back = excluded.takes_back, facts = excluded.facts,
    seen_at = excluded.seen_at
WHERE facts <> excluded.facts OR supplier IS NOT excluded.supplier OR ours IS NOT excluded.ours;

-- name: payments_of_document
SELECT key, invoice, amount, currency, day, supplier, ours
FROM ledger_payments
WHERE ledger = :ledger AND key = :key AND NOT takes_back
UNION ALL
SELECT key, invoice, amount, currency, day, supplier, ours
FROM ledger_payments
WHERE ledger = :ledger AND key > :key || '/' AND key < :key || '0' AND NOT takes_back
    AND key NOT IN (SELECT value FROM json_each(:kept));

-- name: take_in_unreadable
INSERT INTO unreadable_rows (ledger, key, reason, raw, seen_at) VALUES (:ledger, :key, :reason, :raw, :at)
ON CONFLICT (ledger, key) DO UPDATE SET reason = excluded.reason, raw = excluded.raw, seen_at = excluded.seen_at;

-- name: forget_unreadable
DELETE FROM unreadable_rows WHERE ledger = ? AND key = ?;

-- name: unreadable_rows
SELECT key, reason, raw FROM unreadable_rows WHERE ledger = ? ORDER BY seen_at, key LIMIT 200;

-- name: carry_payment
-- Not the facts it has by now: those were not judged.
UPDATE ledger_payments SET intent = :intent, carried = :facts WHERE ledger = :ledger AND key = :key;

-- name: unsettle_payment
-- What it says next is news, also if that is what it said before.
UPDATE ledger_payments SET carried = '' WHERE ledger = ? AND key = ?;

-- name: accept_payment
UPDATE ledger_payments SET carried = ? WHERE ledger = ? AND key = ?;

-- name: linked_payment
SELECT ledger_payments.key, invoice, amount, currency, day, supplier, ours, intent, facts <> carried AS changed,
    facts, carried,
    unreadable_rows.reason AS unreadable
FROM ledger_payments
LEFT JOIN unreadable_rows ON unreadable_rows.ledger = ledger_payments.ledger
    AND unreadable_rows.key = ledger_payments.key
WHERE ledger_payments.ledger = ? AND ledger_payments.key = ?;

-- name: recognise_payment
-- What an intent to the ledger made comes back from there as a payment of its own; it is not one. Where it says another
-- amount by now than was written, that is news.
UPDATE ledger_payments SET intent = made.id,
    carried = CASE WHEN made.amount = ledger_payments.amount THEN ledger_payments.facts ELSE '' END
FROM intents AS made
WHERE ledger_payments.ledger = :ledger AND ledger_payments.key = :key AND ledger_payments.intent IS NULL
    AND made.id IN (
        SELECT ledger_payments.ours UNION ALL SELECT id FROM intents WHERE remote_id = :key
        AND direction = 'to_ledger'
    )
    AND made.direction = 'to_ledger' AND +made.ledger = :ledger AND made.state = 'confirmed';

-- name: changed_entries
SELECT ledger_payments.key, ledger_payments.invoice, ledger_payments.facts, ledger_payments.carried,
    ledger_payments.amount AS said,
    ledger_payments.currency AS said_currency, ledger_payments.day AS said_day,
    ledger_payments.supplier AS said_supplier, ledger_payments.ours,
    intents.*, 0 AS dropped
FROM ledger_payments INDEXED BY ledger_payments_changed
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
UPDATE ledger_payments SET intent = NULL, carried = NULL WHERE ledger = ? AND key = ?;

-- name: match_candidates
-- Payments that no intent carries, with an invoice that can be paid. What an intent to the ledger made comes back from
-- there as a payment; it is not one, whichever state or company made it.
SELECT ledger_payments.ledger, ledger_payments.key, invoice, amount, currency, day, supplier, ours,
    records.id AS invoice_id
FROM records INDEXED BY invoices_payable
JOIN ledger_payments INDEXED BY ledger_payments_waiting
    ON ledger_payments.ledger = :ledger AND ledger_payments.intent IS NULL AND ledger_payments.invoice = {name}
WHERE records.collection = 'invoices' AND records.status IN (2, 4) AND records.vanished_at IS NULL
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

-- name: taken_back
SELECT ledger_payments.ledger, ledger_payments.key, invoice, amount, currency, day, supplier, ours,
    records.id AS invoice_id
FROM ledger_payments INDEXED BY ledger_payments_taking_back
JOIN records ON records.collection = 'invoices' AND records.vanished_at IS NULL AND {name} = ledger_payments.invoice
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
SELECT records.data, suppliers.external_id AS supplier_external_id
FROM records
LEFT JOIN records AS suppliers
    ON suppliers.collection = 'suppliers' AND suppliers.id = CAST(records.data ->> '$.supplier.id' AS INTEGER)
WHERE records.collection = 'invoices' AND records.vanished_at IS NULL AND {same};

-- name: changed_payments
SELECT ledger_payments.key, ledger_payments.invoice, ledger_payments.facts, ledger_payments.carried,
    ledger_payments.amount AS said,
    ledger_payments.currency AS said_currency, ledger_payments.day AS said_day,
    ledger_payments.supplier AS said_supplier, ledger_payments.ours, intents.*,
    'drop' IS (SELECT event FROM journal WHERE intent = intents.id ORDER BY seq DESC LIMIT 1) AS dropped
FROM ledger_payments INDEXED BY ledger_payments_changed
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
SELECT key, invoice, amount, currency, day, supplier, ours
FROM ledger_payments
WHERE ledger = ? AND invoice = ?;

-- name: supplier_name
SELECT external_id FROM records WHERE collection = 'suppliers' AND id = ?;

-- name: mirrored_payment
SELECT data FROM records
WHERE collection = 'payments' AND id = CAST(? AS INTEGER) AND vanished_at IS NULL;

-- name: payments_called
SELECT data FROM records
WHERE collection = 'payments' AND idn = CAST(:idn AS INTEGER) AND vanished_at IS NULL;

-- name: canceled_payments
-- Payments of ours that Precoro has, and that somebody cancelled there.
SELECT intents.*
FROM records INDEXED BY payments_canceled
JOIN intents ON intents.direction = 'to_precoro' AND intents.state = 'confirmed'
    AND intents.remote_id = CAST(records.id AS TEXT)
WHERE records.collection = 'payments' AND records.status = 8
    AND NOT EXISTS (
        SELECT 1 FROM intents AS other
        WHERE other.direction = 'to_precoro' AND other.invoice_id = intents.invoice_id
            AND other.state IN ('planned', 'sending', 'doubt', 'review')
    );

-- name: count_waiting
SELECT count(*) AS payments FROM ledger_payments WHERE ledger = ? AND intent IS NULL AND ours IS NULL;

-- name: index_invoice_numbers
CREATE INDEX IF NOT EXISTS invoices_by_number ON records (data ->> '$.invoiceNumber') WHERE collection = 'invoices';


-- name: page_end
SELECT max(id) AS last, count(*) AS rows
FROM (
    SELECT id FROM records INDEXED BY invoices_paid
    WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL AND id > ?
    ORDER BY id
    LIMIT ?
);

-- name: compare_page
INSERT INTO paid_invoices (id, version, due)
SELECT id, version, :due FROM records INDEXED BY invoices_paid
WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL AND id > :after AND id <= :last
ORDER BY id
ON CONFLICT (id) DO UPDATE SET version = excluded.version, due = excluded.due, left_at = NULL
WHERE version IS NOT excluded.version OR left_at IS NOT NULL;

-- name: leave
UPDATE paid_invoices SET left_at = :at, due = 1
WHERE left_at IS NULL AND NOT EXISTS (
    SELECT 1 FROM records INDEXED BY invoices_paid
    WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL AND records.id = paid_invoices.id
);

-- name: due_paid
SELECT paid_invoices.id, records.idn, paid_invoices.left_at IS NULL AS paid, paid_invoices.version,
    CASE WHEN records.vanished_at IS NULL
    AND records.detail_version IS records.version THEN details.data END AS detail
FROM paid_invoices
LEFT JOIN records ON records.collection = 'invoices' AND records.id = paid_invoices.id
LEFT JOIN details ON details.collection = 'invoices' AND details.id = paid_invoices.id
WHERE paid_invoices.due
ORDER BY paid_invoices.id
LIMIT ?;

-- name: paid_done
UPDATE paid_invoices SET due = 0 WHERE id = ? AND version IS ?;

-- name: paid_again
UPDATE paid_invoices SET due = 1 WHERE id = ?;
