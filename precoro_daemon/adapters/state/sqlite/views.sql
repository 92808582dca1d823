-- name: records
-- A view of one collection: what lists and details say of each record.
CREATE VIEW {view} AS
SELECT
    records.id,
    records.idn,
    records.status,
    records.updated_at,
    records.external_id,
    strftime('%Y-%m-%dT%H:%M:%S', records.vanished_at, 'unixepoch') AS vanished_at,
{columns}    records.data,
    details.data AS detail,
    strftime('%Y-%m-%dT%H:%M:%S', details.fetched_at, 'unixepoch') AS fetched_at,
    strftime('%Y-%m-%dT%H:%M:%S', records.changed_at, 'unixepoch') AS changed_at
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
    records.idn,
    records.status,
    records.updated_at,
    records.external_id,
    strftime('%Y-%m-%dT%H:%M:%S', records.vanished_at, 'unixepoch') AS vanished_at,
{columns}    records.data,
    details.data AS detail,
    strftime('%Y-%m-%dT%H:%M:%S', details.fetched_at, 'unixepoch') AS fetched_at,
    strftime('%Y-%m-%dT%H:%M:%S', records.changed_at, 'unixepoch') AS changed_at
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection IN ({collections}) AND records.wanted;

-- name: document
-- A view of one kind of documents.
CREATE VIEW {view} AS
SELECT
    id, idn, status, updated_at, external_id, vanished_at,
    {shared},
{columns}    data, detail, fetched_at, changed_at
FROM documents
WHERE collection = '{collection}';

-- name: owner
-- The document that a payment pays.
LEFT JOIN records AS owner ON owner.collection = '{owners}' AND owner.id = {id}

-- name: part
-- What Precoro lists in one collection and people keep apart.
CREATE VIEW {view} AS
SELECT * FROM {whole} WHERE kind = '{kind}';

-- name: document_lines
-- A view of the lines of all documents.
-- A list of lines is {"data": [...]}, [...], a dict keyed by id, or missing in one of several ways.
-- What a view of one kind asks for stands in PARTITION BY: only so is it looked for before lines are numbered.
CREATE VIEW document_lines AS
WITH listed AS (
    SELECT
        records.collection,
        records.id,
        records.idn,
        {kind} AS kind,
        {currency} AS currency,
        records.vanished_at,
        CASE
            WHEN json_type(coalesce(details.data, records.data), '$.{lines}.data') IN ('array', 'object')
            THEN coalesce(details.data, records.data) -> '$.{lines}.data'
            ELSE coalesce(details.data, records.data) -> '$.{lines}'
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
    row_number() OVER (PARTITION BY listed.collection, listed.kind, listed.id ORDER BY line.id) AS position,
    {line_id} AS line_id,
{columns}    listed.currency,
    strftime('%Y-%m-%dT%H:%M:%S', listed.vanished_at, 'unixepoch') AS vanished_at,
    line.value AS data
FROM listed, json_each(listed.lines) AS line
WHERE line.type = 'object';

-- name: lines
-- A view of the lines of one kind of documents.
CREATE VIEW {view} AS
SELECT {columns} FROM document_lines WHERE collection = '{collection}'{only};

-- name: attachments
-- Files of documents: what is said of each, and where it is once it was fetched.
CREATE VIEW attachments AS
SELECT
    file.collection,
    file.record_id AS document_id,
    records.idn AS document_idn,
    file.id AS attachment_id,
    file.name,
    CASE WHEN file.stored_at IS NULL THEN file.size ELSE file.length END AS bytes,
    CASE WHEN file.stored_at IS NOT NULL THEN file.path END AS path,
    CASE WHEN file.stored_at IS NOT NULL THEN lower(hex(file.sha256)) END AS sha256,
    file.uploaded_at,
    strftime('%Y-%m-%dT%H:%M:%S', file.stored_at, 'unixepoch') AS stored_at,
    strftime('%Y-%m-%dT%H:%M:%S', coalesce(file.gone_at, records.vanished_at), 'unixepoch') AS vanished_at
FROM attached_files AS file
LEFT JOIN records ON records.collection = file.collection AND records.id = file.record_id
WHERE records.wanted IS NOT 0;

-- name: data_dictionary
-- Every column of every view, with what it means. Its rows stand in a table: opening the file reads the text of every view.
CREATE VIEW data_dictionary AS
SELECT value ->> 0 AS "view", value ->> 1 AS "column", value ->> 2 AS type, value ->> 3 AS meaning
FROM json_each((SELECT value FROM meta WHERE key = 'dictionary'));

-- name: text
-- A field that is text or a number, with the digits it was sent with.
-- `->` gives a number with the digits it was sent with; `->>` would make it a binary float.
CASE json_type({json}, '$.{path}')
    WHEN 'text' THEN nullif({json} ->> '$.{path}', '')
    WHEN 'integer' THEN {json} -> '$.{path}'
    WHEN 'real' THEN {json} -> '$.{path}'
END

-- name: code
-- The code of a currency.
nullif({json} ->> '$.currency', '')

-- name: decimal
-- An amount, with the digits it was sent with.
CASE json_type({json}, '$.{path}')
    WHEN 'text' THEN nullif({json} ->> '$.{path}', '')
    WHEN 'integer' THEN {json} -> '$.{path}'
    WHEN 'real' THEN {json} -> '$.{path}'
END

-- name: integer
-- A whole number that may come as text. A subquery without a table reads its value once, however often it is used.
(
    SELECT CASE WHEN t GLOB '[0-9]*' AND t NOT GLOB '*[^0-9]*' AND length(t) <= 18 THEN CAST(t AS INTEGER) END
    FROM (SELECT trim({json} -> '$.{path}', '"') AS t)
)

-- name: boolean
-- Yes or no.
CASE json_type({json}, '$.{path}') WHEN 'true' THEN 1 WHEN 'false' THEN 0 END

-- name: date
-- The day of a time as it was written, whatever its offset; NULL if it is no day of the calendar.
(
    SELECT CASE WHEN t GLOB '[12][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]' AND date(t, '+0 days') = t THEN t END
    FROM (SELECT substr(json_extract({json}, '$.{path}'), 1, 10) AS t)
)

-- name: timestamp
-- A time in UTC; NULL if it is none.
(
    SELECT CASE
        WHEN t GLOB '[12][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' AND date(substr(t, 1, 10), '+0 days') = substr(t, 1, 10)
        THEN strftime('%Y-%m-%dT%H:%M:%S', t)
    END
    FROM (SELECT json_extract({json}, '$.{path}') AS t)
)

-- name: minor
-- An amount in whole minor units of a currency with so many digits; NULL if it is finer, larger, or no amount.
-- The digits are cut out of the text: no binary float in between.
(
    SELECT CASE
        WHEN json_valid(t) AND t NOT GLOB '*[^-0-9.]*' AND rtrim(substr(t, dot + 1 + digits), '0') = ''
            AND dot <= 16 + (t < '0')
        THEN CAST(substr(t, 1, dot - 1) || substr(substr(t, dot + 1) || '000', 1, digits) AS INTEGER)
    END
    FROM (
        SELECT t, digits, instr(t || '.', '.') AS dot
        FROM (SELECT trim({json} -> '$.{path}', '"') AS t, {digits} AS digits)
    )
)

-- name: digits
-- How many decimals a currency has.
CASE
    WHEN instr('{without}', ' ' || {currency} || ' ') THEN 0
    WHEN instr('{thousandths}', ' ' || {currency} || ' ') THEN 3
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
    SELECT CASE
        WHEN digits = 0 THEN CAST(minor AS TEXT)
        ELSE printf(
            '%s%d.%0*d',
            CASE WHEN minor < 0 THEN '-' ELSE '' END,
            abs(minor) / scale,
            digits,
            abs(minor) % scale
        )
    END
    FROM (
        SELECT minor, digits, CASE digits WHEN 2 THEN 100 ELSE 1000 END AS scale
        FROM (SELECT {minor} AS minor, {digits} AS digits)
    )
    WHERE minor IS NOT NULL
)

-- name: status
-- The status as people call it.
CASE records.status {names} END

-- name: kind
-- What a document is called: Precoro lists credit notes among invoices.
CASE
    WHEN records.collection = 'invoices' AND CAST({json} ->> '$.logicType' AS TEXT) IN ('1', '5') THEN 'credit note'
    ELSE CASE records.collection {kinds} END
END

-- name: person
-- A user by name: as one text, as first and last name, or by the address.
coalesce(
    nullif({json} ->> '$.{path}.name', ''),
    nullif(trim(coalesce({json} ->> '$.{path}.firstname', '') || ' ' || coalesce({json} ->> '$.{path}.lastname', '')), ''),
    nullif({json} ->> '$.{path}.email', '')
)

-- name: own_person
-- The same of a user's own record.
coalesce(
    nullif({json} ->> '$.name', ''),
    nullif(trim(coalesce({json} ->> '$.firstname', '') || ' ' || coalesce({json} ->> '$.lastname', '')), ''),
    nullif({json} ->> '$.email', '')
)

-- name: last_paid_date
-- The day of the latest payment in the detail that was not canceled.
(
    SELECT max(CASE
        WHEN paid.type = 'object' AND CAST(paid.value ->> '$.status' AS TEXT) IS NOT '{canceled}'
        THEN substr(paid.value ->> '$.payDate', 1, 10)
    END)
    FROM json_each(
        detail,
        CASE WHEN json_type(detail, '$.payments.data') = 'array' THEN '$.payments.data' ELSE '$.payments' END
    ) AS paid
)
