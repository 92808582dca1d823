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
WHERE records.collection = '{collection}' AND records.wanted;

-- name: lines
-- A view of the lines of one kind of documents.
-- A list of lines is {"data": [...]}, [...], a dict keyed by id, or missing in one of several ways.
CREATE VIEW {view} AS
WITH documents AS (
    SELECT
        records.id,
        records.idn,
        records.vanished_at,
        coalesce(details.data, records.data) AS document
    FROM records
    LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
    WHERE records.collection = '{collection}' AND records.wanted
),
listed AS (
    SELECT
        id,
        idn,
        vanished_at,
        CASE
            WHEN json_type(document, '$.{lines}.data') IN ('array', 'object') THEN document -> '$.{lines}.data'
            ELSE document -> '$.{lines}'
        END AS lines
    FROM documents
)
SELECT
    listed.id AS document_id,
    listed.idn AS document_idn,
    row_number() OVER (PARTITION BY listed.id ORDER BY line.id) AS position,
    line.value ->> '$.id' AS line_id,
{columns}    strftime('%Y-%m-%dT%H:%M:%S', listed.vanished_at, 'unixepoch') AS vanished_at,
    line.value AS data
FROM listed, json_each(listed.lines) AS line
WHERE line.type = 'object';

-- name: credit_notes
-- Those of the invoices that are credit notes.
CREATE VIEW credit_notes AS
SELECT * FROM invoices WHERE CAST(data ->> '$.logicType' AS TEXT) IN ('1', '5');

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

-- name: exact
-- A field that is text or a number, with the digits it was sent with.
-- `->` gives a number with the digits it was sent with; `->>` would make it a binary float.
CASE json_type({json}, '$.{field}')
    WHEN 'text' THEN nullif({json} ->> '$.{field}', '')
    WHEN 'integer' THEN {json} -> '$.{field}'
    WHEN 'real' THEN {json} -> '$.{field}'
END

-- name: document
-- Columns that only documents have.
    CASE records.status {names} END AS status_name,
    CASE json_type(records.data, '$.supplier') WHEN 'object' THEN records.data ->> '$.supplier.name' END AS supplier,
