-- name: records
-- A view of one collection: what lists and details say of each record.
CREATE VIEW {view} AS
SELECT
    records.id,
    (records.idn::jsonb #>> '{{}}') AS idn,
    records.status,
    records.updated_at,
    records.external_id,
    to_char(to_timestamp(records.vanished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS vanished_at,
{columns}    records.data,
    details.data AS detail,
    to_char(to_timestamp(details.fetched_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS fetched_at,
    to_char(to_timestamp(records.changed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS changed_at,
    records.doc AS data_jsonb,
    details.doc AS detail_jsonb
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
{owner}
WHERE records.collection = '{collection}' AND records.wanted;

-- name: documents
-- A view of all documents with what they have in common.
CREATE VIEW documents AS
SELECT
    records.collection,
    records.id,
    (records.idn::jsonb #>> '{{}}') AS idn,
    records.status,
    records.updated_at,
    records.external_id,
    to_char(to_timestamp(records.vanished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS vanished_at,
{columns}    records.data,
    details.data AS detail,
    to_char(to_timestamp(details.fetched_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS fetched_at,
    to_char(to_timestamp(records.changed_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS changed_at,
    records.doc AS data_jsonb,
    details.doc AS detail_jsonb
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection IN ({collections}) AND records.wanted;

-- name: document
-- A view of one kind of documents.
CREATE VIEW {view} AS
SELECT
    id, idn, status, updated_at, external_id, vanished_at,
    {shared},
{columns}    data, detail, fetched_at, changed_at, data_jsonb, detail_jsonb
FROM documents
WHERE collection = '{collection}';

-- name: part
-- What Precoro lists in one collection and people keep apart.
CREATE VIEW {view} AS
SELECT * FROM {whole} WHERE kind = '{kind}';

-- name: owner
-- The document that a payment pays.
LEFT JOIN records AS owner ON owner.collection = '{owners}' AND owner.id = {id}

-- name: document_lines
-- A view of the lines of all documents. The keys of a dict come in the order of their length and letters.
CREATE VIEW document_lines AS
WITH listed AS (
    SELECT
        records.collection,
        records.id,
        (records.idn::jsonb #>> '{{}}') AS idn,
        {kind} AS kind,
        {currency} AS currency,
        records.vanished_at,
        CASE
            WHEN jsonb_typeof(coalesce(details.doc, records.doc) #> '{{{lines},data}}') IN ('array', 'object')
            THEN coalesce(details.doc, records.doc) #> '{{{lines},data}}'
            ELSE coalesce(details.doc, records.doc) -> '{lines}'
        END AS lines
    FROM records
    LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
    WHERE records.collection IN ({collections}) AND records.wanted
)
SELECT
    listed.collection,
    listed.kind AS document_kind,
    listed.id AS document_id,
    listed.idn AS document_idn,
    row_number() OVER (PARTITION BY listed.collection, listed.kind, listed.id ORDER BY line.place) AS position,
    {line_id} AS line_id,
{columns}    listed.currency,
    to_char(to_timestamp(listed.vanished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS vanished_at,
    line.value::text AS data,
    line.value AS data_jsonb
FROM listed, jsonb_array_elements(CASE jsonb_typeof(listed.lines)
    WHEN 'array' THEN listed.lines
    WHEN 'object' THEN jsonb_path_query_array(listed.lines, '$.*')
    ELSE '[]'
END) WITH ORDINALITY AS line (value, place)
WHERE jsonb_typeof(line.value) = 'object';

-- name: lines
-- A view of the lines of one kind of documents.
CREATE VIEW {view} AS
SELECT {columns}, data_jsonb FROM document_lines WHERE collection = '{collection}'{only};

-- name: attachments
-- Files of documents: what is said of each, and where it is once it was fetched.
CREATE VIEW attachments AS
SELECT
    file.collection,
    file.record_id AS document_id,
    (records.idn::jsonb #>> '{}') AS document_idn,
    file.id AS attachment_id,
    file.name,
    CASE WHEN file.stored_at IS NULL THEN file.size ELSE file.length END AS bytes,
    CASE WHEN file.stored_at IS NOT NULL THEN file.path END AS path,
    CASE WHEN file.stored_at IS NOT NULL THEN encode(file.sha256, 'hex') END AS sha256,
    file.uploaded_at,
    to_char(to_timestamp(file.stored_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS stored_at,
    to_char(to_timestamp(coalesce(file.gone_at, records.vanished_at)) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS vanished_at
FROM attached_files AS file
LEFT JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE records.wanted IS DISTINCT FROM FALSE;

-- name: data_dictionary
-- Every column of every view, with what it means.
CREATE VIEW data_dictionary AS
SELECT value ->> 0 AS "view", value ->> 1 AS "column", value ->> 2 AS type, value ->> 3 AS meaning
FROM jsonb_array_elements('{rows}'::jsonb) AS value;

-- name: text
-- A field that is text or a number, with the digits it was sent with.
-- OFFSET 0 here and below: the document is unpacked once for a column, however often its value is used.
(
    SELECT CASE WHEN jsonb_typeof(v) IN ('string', 'number') THEN nullif(v #>> '{{}}', '') END
    FROM (SELECT {json} #> '{{{steps}}}' AS v OFFSET 0) AS field
)

-- name: code
-- The code of a currency.
nullif({json} ->> 'currency', '')

-- name: decimal
-- An amount; NULL where it cannot be read. Nothing is cast before it is known to be a number.
(
    SELECT CASE jsonb_typeof(v)
        WHEN 'number' THEN v::numeric
        WHEN 'string' THEN CASE
            WHEN v #>> '{{}}' ~ '^-?(0|[1-9][0-9]{{0,254}})(\.[0-9]{{1,255}})?$' THEN (v #>> '{{}}')::numeric
        END
    END
    FROM (SELECT {json} #> '{{{steps}}}' AS v OFFSET 0) AS field
)

-- name: integer
-- A whole number that may come as text.
(
    SELECT CASE WHEN t ~ '^[0-9]{{1,18}}$' THEN t::bigint END
    FROM (SELECT {json} #>> '{{{steps}}}' AS t OFFSET 0) AS field
)

-- name: boolean
-- Yes or no.
(SELECT CASE WHEN jsonb_typeof(v) = 'boolean' THEN v::boolean END FROM (SELECT {json} #> '{{{steps}}}' AS v OFFSET 0) AS field)

-- name: date
-- The day of a time as it was written, whatever its offset; NULL if it is no day of the calendar.
(
    SELECT CASE
        WHEN t ~ '^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}$' AND pg_input_is_valid(t, 'date') THEN t
    END
    FROM (SELECT left({json} #>> '{{{steps}}}', 10) AS t OFFSET 0) AS field
)

-- name: timestamp
-- A time in UTC; NULL if it is none. What has no offset is UTC, whatever the session's zone.
(
    SELECT CASE WHEN pg_input_is_valid(given, 'timestamptz')
        THEN to_char(given::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') END
    FROM (
        SELECT CASE
            WHEN t ~ '^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}$' THEN t || 'T00:00:00Z'
            WHEN t ~ '^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?$'
            THEN t || 'Z'
            WHEN t ~ '^[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$'
            THEN t
        END AS given
        FROM (SELECT {json} #>> '{{{steps}}}' AS t OFFSET 0) AS written
        OFFSET 0
    ) AS read
)

-- name: minor
-- An amount in whole minor units of a currency with so many digits; NULL if it is finer, larger, or no amount.
(
    SELECT CASE
        WHEN abs(n) < 1000000000000000 AND n * 10::numeric ^ digits = trunc(n * 10::numeric ^ digits)
        THEN (n * 10::numeric ^ digits)::bigint
    END
    FROM (SELECT {decimal} AS n, {digits} AS digits OFFSET 0) AS amount
)

-- name: digits
-- How many decimals a currency has.
CASE
    WHEN strpos('{without}', ' ' || {currency} || ' ') > 0 THEN 0
    WHEN strpos('{thousandths}', ' ' || {currency} || ' ') > 0 THEN 3
    ELSE 2
END

-- name: open_minor
-- What is left to pay of a document that can be paid, in minor units.
CASE
    WHEN status IN ({payable})
    THEN {sum} - CASE WHEN {said} IS NULL THEN 0 ELSE {paid} END
END

-- name: open_sum
-- The same as people write it.
(
    SELECT round(minor / 10::numeric ^ digits, digits)
    FROM (SELECT {minor} AS minor, {digits} AS digits OFFSET 0) AS owed
)

-- name: status
-- The status as people call it.
CASE records.status {names} END

-- name: kind
-- What a document is called: Precoro lists credit notes among invoices.
CASE
    WHEN records.collection = 'invoices' AND {json} ->> 'logicType' IN ('1', '5') THEN 'credit note'
    ELSE CASE records.collection {kinds} END
END

-- name: person
-- A user by name: as one text, as first and last name, or by the address.
coalesce(
    nullif({json} #>> '{{{steps},name}}', ''),
    nullif(trim(coalesce({json} #>> '{{{steps},firstname}}', '') || ' '
        || coalesce({json} #>> '{{{steps},lastname}}', '')), ''),
    nullif({json} #>> '{{{steps},email}}', '')
)

-- name: own_person
-- The same of a user's own record.
coalesce(
    nullif({json} ->> 'name', ''),
    nullif(trim(coalesce({json} ->> 'firstname', '') || ' ' || coalesce({json} ->> 'lastname', '')), ''),
    nullif({json} ->> 'email', '')
)

-- name: last_paid_date
-- The day of the latest payment in the detail that was not canceled.
(
    SELECT max(left(paid.value ->> 'payDate', 10) COLLATE "C")
    FROM jsonb_array_elements(CASE
        WHEN jsonb_typeof(detail_jsonb #> '{{payments,data}}') = 'array' THEN detail_jsonb #> '{{payments,data}}'
        WHEN jsonb_typeof(detail_jsonb -> 'payments') = 'array' THEN detail_jsonb -> 'payments'
        WHEN jsonb_typeof(detail_jsonb -> 'payments') = 'object'
        THEN jsonb_path_query_array(detail_jsonb -> 'payments', '$.*')
        ELSE '[]'
    END) AS paid (value)
    WHERE jsonb_typeof(paid.value) = 'object' AND paid.value ->> 'status' IS DISTINCT FROM '{canceled}'
)
