-- name: @ints
-- Whole numbers out of a JSON list, as `value`.
(SELECT CAST(value AS bigint) AS value FROM json_array_elements_text(CAST($1 AS json)) AS listed (value))

-- name: @texts
-- Texts out of a JSON list, as `value`.
(SELECT value FROM json_array_elements_text(CAST($1 AS json)) AS listed (value))

-- name: @by_index
-- The planner has statistics and finds the index itself.

-- name: @bytes
-- A text as its bytes.
convert_to($1, 'UTF8')

-- name: @utf8
-- A text that is given as its UTF-8: it is made one on the way here.
$1

-- name: @number
-- The whole number that a text says; a text that says none is none.
CASE WHEN pg_input_is_valid($1, 'bigint') THEN CAST($1 AS bigint) END

-- name: @field
-- A field of what the list said of a record.
$1.doc ->> '$2'

-- name: @text
-- The same, which is text here in any case.
$1.doc ->> '$2'

-- name: @whole
-- The same as a whole number, if it is one.
CASE
    WHEN pg_input_is_valid($1.doc #>> string_to_array('$2', '.'), 'bigint')
    THEN CAST($1.doc #>> string_to_array('$2', '.') AS bigint)
END

-- name: @idn_text
-- An idn as text: it is kept as JSON.
CASE WHEN left($1, 1) = '"' THEN safe_json($1) #>> '{}' ELSE $1 END

-- name: @idn_of
-- The idn that is this number.
CASE WHEN pg_input_is_valid($1, 'bigint') THEN CAST(CAST($1 AS bigint) AS text) END

-- name: ledger_payments.indexed[number_and_supplier]
-- By number.
invoices_by_number ON records ((doc ->> 'invoiceNumber'))

-- name: ledger_payments.indexed[xero_id]
-- By its id in Xero.
invoices_by_xero_id ON records ((doc ->> 'xeroId'))

-- name: ledger_payments.indexed[qbo_id]
-- By its id in QuickBooks.
invoices_by_qbo_id ON records ((doc ->> 'qboId'))

-- name: ledger_payments.indexed[netsuite_id]
-- By its id in NetSuite.
invoices_by_netsuite_id ON records ((doc ->> 'netSuiteId'))

-- name: journal.count_indexes
-- How many of the indexes for payments are there.
SELECT count(*) AS indexes FROM pg_indexes
WHERE schemaname = current_schema() AND indexname IN ('invoices_payable', 'invoices_paid', 'invoices_by_external_id',
    'payments_canceled');

-- name: many.mirror.create_record
-- The same for many records at once.
INSERT INTO records (
    idn, status, updated_at, external_id, version, wanted, changed_at, data, collection, id, first_seen_at
)
SELECT "0", "1", "2", "3", decode("4", 'base64'), "5", "6", "7", "8", "9", "10"
FROM json_to_recordset(:rows) AS listed (
    "0" text, "1" bigint, "2" text, "3" text, "4" text, "5" boolean, "6" double precision, "7" text, "8" text,
    "9" bigint, "10" double precision
);

-- name: many.mirror.update_record
-- The same for many records at once.
UPDATE records
SET idn = "0", status = "1", updated_at = "2", external_id = "3", version = decode("4", 'base64'), wanted = "5", changed_at = "6",
    data = "7", vanished_at = NULL
FROM json_to_recordset(:rows) AS listed (
    "0" text, "1" bigint, "2" text, "3" text, "4" text, "5" boolean, "6" double precision, "7" text, "8" text,
    "9" bigint
)
WHERE records.collection = "8" AND records.id = "9";

-- name: many.mirror.retry_now
-- The same for many records at once.
UPDATE quarantine SET retry_at = 0
FROM json_to_recordset(:rows) AS listed ("0" text, "1" text)
WHERE quarantine.collection = "0" AND quarantine.stage = 'detail' AND quarantine.key = "1";

-- name: many.mirror.log_change
-- The same for many records at once, in their order.
INSERT INTO changes (collection, id, kind, version, at)
SELECT "0", "1", "2", decode("3", 'base64'), "4"
FROM json_to_recordset(:rows) AS listed ("0" text, "1" bigint, "2" text, "3" text, "4" double precision);

-- name: many.attachments.note_with_attachments
-- The same for many records at once.
INSERT INTO with_attachments (collection, id)
SELECT * FROM json_to_recordset(:rows) AS listed ("0" text, "1" bigint)
ON CONFLICT DO NOTHING;

-- name: postgresql.identity
-- What a copy, a restored or a promoted database has otherwise: cluster, timeline, schema, and the file of the journal.
SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE (
    SELECT concat_ws(
        '/', control.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), to_regnamespace(current_schema())::oid,
        pg_relation_filenode('journal')
    )
    FROM pg_control_system() AS control
) END AS identity;

-- name: budget_book.now
-- The time by the clock of the server, which is the same for all machines.
SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision);
