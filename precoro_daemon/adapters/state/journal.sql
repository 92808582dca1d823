-- name: index_payable
-- Finds the invoices that can be paid.
CREATE INDEX IF NOT EXISTS invoices_payable ON records (id)
WHERE collection = 'invoices' AND status IN (2, 4) AND vanished_at IS NULL;

-- name: index_paid
-- Finds the invoices that are paid.
-- Covers the comparison with paid_invoices: a million of them are compared without reading a record.
CREATE INDEX IF NOT EXISTS invoices_paid ON records (id, version)
WHERE collection = 'invoices' AND status IN (4, 5) AND vanished_at IS NULL;

-- name: index_external_ids
-- Finds invoices by what they are called elsewhere.
CREATE INDEX IF NOT EXISTS invoices_by_external_id ON records (external_id)
WHERE collection = 'invoices' AND external_id IS NOT NULL;

-- name: index_canceled
-- Finds the payments that were cancelled at Precoro.
CREATE INDEX IF NOT EXISTS payments_canceled ON records (id) WHERE collection = 'payments' AND status = 8;


-- name: create_intent
-- Keep a payment that must exist on the other side.
INSERT INTO intents (
    id, direction, ledger, source, amount, currency, day, invoice_id, invoice_idn, supplier, supplier_id, state, reason,
    obstacle,
    since, attempts, doubted, checks, check_at, remote_id, remote_idn, marked, reported, seen
) VALUES (
    :id, :direction, :ledger, :source, :amount, :currency, :day, :invoice_id, :invoice_idn, :supplier, :supplier_id, :state,
    :reason,
    :obstacle, :since, :attempts, :doubted, :checks, :check_at, :remote_id, :remote_idn, :marked, :reported, :seen
);

-- name: move_intent
-- Move a payment on, unless somebody else moved it.
UPDATE intents
SET amount = :amount, currency = :currency, day = :day, supplier = :supplier, supplier_id = :supplier_id, state = :state,
    reason = :reason,
    obstacle = :obstacle, since = :since, attempts = :attempts, doubted = :doubted, checks = :checks,
    check_at = :check_at, remote_id = :remote_id, remote_idn = :remote_idn, marked = :marked, reported = :reported,
    seen = :seen
WHERE id = :id AND state = :was AND attempts = :attempts_before;

-- name: has_unresolved
-- Whether another payment for the same invoice is not settled.
SELECT 1 FROM intents
WHERE :direction = 'to_precoro' AND direction = 'to_precoro' AND invoice_id = :invoice_id AND id <> :id
    AND state IN ('planned', 'sending', 'doubt', 'review')
LIMIT 1;

-- name: read_intent
-- One payment.
SELECT * FROM intents WHERE id = ?;

-- name: write_line
-- Write what happened into the journal.
INSERT INTO journal (at, intent, event, source, target, attempt, reason, facts, dialogue)
VALUES (:at, :intent, :event, :source, :target, :attempt, :reason, :facts, :dialogue);

-- name: read_line
-- What a line of the journal says that no other line says.
SELECT at, intent, event, attempt FROM journal WHERE seq = ?;

-- name: last_line
-- The number of the newest line of the journal.
SELECT coalesce(max(seq), 0) AS seq FROM journal;

-- name: last_word_on_the_switch
-- Why payments were disarmed last.
SELECT reason FROM journal WHERE intent = '' AND event = 'disarm' ORDER BY seq DESC LIMIT 1;

-- name: trace
-- What happened to a payment, in order.
SELECT seq, at, intent, event, source, target, attempt, reason, facts, dialogue
FROM journal
WHERE intent = ?
ORDER BY seq;

-- name: create_attempt
-- Keep what is about to be sent.
INSERT INTO attempts (intent, number, at, amount, known, remainder, server_time, body)
VALUES (:intent, :number, :at, :amount, :known, :remainder, :server_time, :body);

-- name: end_attempt
-- Note what came of what was sent.
UPDATE attempts SET outcome = :outcome WHERE intent = :intent AND number = :number;

-- name: read_attempts
-- What was sent for a payment, in order.
SELECT intent, number, at, amount, known, remainder, server_time, body, outcome
FROM attempts
WHERE intent = ?
ORDER BY number;

-- name: spent
-- Amounts sent since then in one direction and currency, but for what came to nothing.
SELECT attempts.amount
FROM attempts
JOIN intents ON intents.id = attempts.intent
WHERE attempts.at >= :since AND intents.direction = :direction AND intents.currency = :currency
    AND (attempts.outcome IS NULL OR attempts.outcome NOT IN ('unsent', 'refused'));

-- name: find_intents
-- Payments whose id begins like this.
SELECT * FROM intents WHERE id >= :prefix AND id < :prefix || '~' ORDER BY id LIMIT 20;

-- name: intents_in_state
-- Payments of one direction in some states, oldest first.
SELECT intents.*
FROM intents
WHERE direction = :direction AND state IN (SELECT value FROM @texts(:states))
ORDER BY since, id;

-- name: moved_since
-- Payments that changed their state behind a line of the journal.
SELECT * FROM intents
WHERE id IN (SELECT intent FROM journal WHERE seq > :position AND source <> target)
ORDER BY since, id;

-- name: refused_payments
-- Payments that the other side refused, and that nobody decided about since.
SELECT * FROM intents
WHERE state = 'rejected' AND (
    SELECT event FROM journal WHERE intent = intents.id ORDER BY seq DESC LIMIT 1
) IN ('refuse', 'report')
ORDER BY since DESC, id
LIMIT 500;

-- name: due_checks
-- Payments whose fate is to be looked at by now.
SELECT * FROM intents
WHERE direction = :direction AND state IN ('doubt', 'review') AND state NOT IN ('confirmed', 'rejected')
    AND check_at <= :now
ORDER BY check_at, id;

-- name: unfinished
-- Settled payments with something left to do.
SELECT * FROM intents
WHERE direction = :direction
    AND ((state = 'confirmed' AND NOT (marked AND seen)) OR (state = 'rejected' AND NOT reported))
ORDER BY since, id;

-- name: intents_of_invoice
-- Payments of one direction for an invoice.
SELECT * FROM intents WHERE invoice_id = :invoice_id AND direction = :direction ORDER BY since, id;

-- name: invoices_with_intents
-- Which of these invoices have any payment of ours, of whichever direction and state.
SELECT DISTINCT invoice_id FROM intents WHERE invoice_id IN (SELECT value FROM @ints(:ids));

-- name: canceled_payments
-- Payments of ours that Precoro has, and that somebody cancelled there.
SELECT intents.*
FROM records @by_index(payments_canceled)
JOIN intents ON intents.direction = 'to_precoro' AND intents.state = 'confirmed'
    AND intents.remote_id = CAST(records.id AS TEXT)
WHERE records.collection = 'payments' AND records.status = 8
    AND NOT EXISTS (
        SELECT 1 FROM intents AS other
        WHERE other.direction = 'to_precoro' AND other.invoice_id = intents.invoice_id
            AND other.state IN ('planned', 'sending', 'doubt', 'review')
    );

-- name: last_accepted
-- When Precoro last answered a payment of ours with an id, and whether it had to be given our id afterwards.
SELECT
    made.at,
    EXISTS (SELECT 1 FROM journal AS later WHERE later.intent = made.intent AND later.event = 'mark') AS marked_later
FROM journal AS made
JOIN intents ON intents.id = made.intent AND intents.direction = 'to_precoro' AND intents.marked
WHERE made.event = 'accept'
ORDER BY made.seq DESC
LIMIT 1;
