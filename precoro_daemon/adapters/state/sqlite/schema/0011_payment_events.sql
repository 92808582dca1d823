-- What a person was asked or has said, and what keeps a payment from being sent, are values of their own from here on:
-- `dialogue` is ["asked", ...], ["answered", ...] or ["assigned"], with what it is about; `obstacle` is [kind, ...].
-- `reason` and `facts` are for people alone.
ALTER TABLE journal ADD COLUMN dialogue TEXT;
ALTER TABLE intents ADD COLUMN obstacle TEXT;

ALTER TABLE intents RENAME COLUMN looks TO checks;
ALTER TABLE intents RENAME COLUMN look_at TO check_at;
ALTER TABLE intents RENAME COLUMN told TO reported;

-- Only this migration may change what was journalled, and it changes no more than the form.
DROP TRIGGER journal_is_never_changed;

UPDATE journal SET dialogue = CASE
    WHEN json_type(facts, '$."a person is asked"') IS NOT NULL THEN
        CASE WHEN json_valid(facts ->> '$."a person is asked"')
            THEN (
                SELECT json_group_array(value)
                FROM (SELECT 'asked' AS value UNION ALL SELECT value FROM json_each(facts ->> '$."a person is asked"'))
            )
            ELSE '["asked"]'
        END
    WHEN event = 'hold' AND (
        reason LIKE '%it may be this one, typed by a person%' OR reason LIKE '%it was made, and cancelled in Precoro%'
    ) THEN '["asked"]'
    WHEN json_type(facts, '$."a person said these are other payments"') IS NOT NULL THEN (
        SELECT json_group_array(value)
        FROM (
            SELECT 'answered' AS value
            UNION ALL SELECT value FROM json_each(facts ->> '$."a person said these are other payments"')
        )
    )
    WHEN json_type(facts, '$."a person named the invoice"') IS NOT NULL OR reason LIKE '% says it is for %'
        THEN '["assigned"]'
END
WHERE intent <> '';

UPDATE journal SET
    facts = json_remove(
        facts, '$."a person is asked"', '$."a person said these are other payments"', '$."a person named the invoice"'
    ),
    event = CASE
        WHEN event = 'tell' THEN 'report'
        WHEN event = 'look' AND target = 'planned' AND reason <> 'not at Precoro under our id' THEN 'postpone'
        WHEN event = 'look' THEN 'check'
        ELSE event
    END
WHERE intent <> '';

CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
BEGIN
    SELECT raise(ABORT, 'the journal is append-only');
END;

UPDATE intents SET obstacle = CASE
    WHEN reason LIKE 'Precoro shows another sum by now%' THEN json_array('sum_changed')
    WHEN reason LIKE source || ' no longer stands in Precoro%' THEN json_array('source_gone', substr(source, 9))
    WHEN reason LIKE source || ' was cancelled in Precoro%' THEN json_array('source_canceled', substr(source, 9))
END
WHERE direction = 'to_ledger' AND state = 'review';

-- Payments in the ledger, and rows of it that cannot be read.
ALTER TABLE claims RENAME TO ledger_payments;
ALTER TABLE misread_claims RENAME TO unreadable_rows;

DROP INDEX claims_waiting;
DROP INDEX claims_by_invoice;
DROP INDEX claims_taking_back;
DROP INDEX claims_changed;
DROP INDEX claims_by_intent;

CREATE INDEX ledger_payments_waiting ON ledger_payments (ledger, invoice) WHERE intent IS NULL;
CREATE INDEX ledger_payments_by_invoice ON ledger_payments (ledger, invoice);
CREATE INDEX ledger_payments_taking_back ON ledger_payments (ledger) WHERE intent IS NULL AND takes_back;
CREATE INDEX ledger_payments_changed ON ledger_payments (ledger) WHERE intent IS NOT NULL AND facts <> carried;
CREATE INDEX ledger_payments_by_intent ON ledger_payments (intent) WHERE intent IS NOT NULL;

UPDATE positions SET name = 'payments of ' || substr(name, length('claims of ') + 1) WHERE name LIKE 'claims of %';
