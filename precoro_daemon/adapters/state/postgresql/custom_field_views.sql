-- name: listed
-- Where the row of a list has its JSON.
records.doc

-- name: detailed
-- Where the detail has its JSON.
details.doc

-- name: idn
-- The number that people see.
(records.idn::jsonb #>> '{}')

-- name: tells
-- Whether a field is there at all.
{json} -> '{name}' IS NOT NULL

-- name: empty
-- Whether a list of values is empty in one of several ways.
{members} IN ('[]', '{{}}', 'null', '""')

-- name: reference
-- Which custom field an entry is of.
nullif(entry.value -> '{name}', 'null')

-- name: members
-- A list that may stand in {"data": ...} or bare.
CASE
    WHEN jsonb_typeof({json} #> '{{{field},data}}') IN ('array', 'object') THEN {json} #> '{{{field},data}}'
    ELSE {json} -> '{field}'
END

-- name: owners
-- One row for each record that may have values: its keys, and its detail or its list row as JSON. A detail that is
-- older than the row gives way to it, as far as the row tells of values at all.
SELECT
    {keys},
    records.vanished_at,
    CASE
        WHEN records.detail_version IS DISTINCT FROM records.version AND ({listed}) THEN records.doc
        WHEN {detailed} THEN details.doc
        ELSE records.doc
    END AS holder
FROM records
LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
WHERE records.collection IN ({collections}) AND records.wanted

-- name: line_owners
-- One row for each line of a document that may have values.
SELECT
    lined.collection,
    lined.document_id,
    lined.document_idn,
    CASE WHEN line.value ->> 'id' ~ '^[0-9]{{1,18}}$' THEN (line.value ->> 'id')::bigint END AS line_id,
    lined.vanished_at,
    line.value AS holder
FROM (
    SELECT
        records.collection,
        records.id AS document_id,
        (records.idn::jsonb #>> '{{}}') AS document_idn,
        records.vanished_at,
        coalesce(details.doc, records.doc) AS document
    FROM records
    LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
    WHERE records.collection IN ({collections}) AND records.wanted
) AS lined, LATERAL (SELECT {lines} AS list) AS listed, jsonb_array_elements(CASE jsonb_typeof(listed.list)
    WHEN 'array' THEN listed.list
    WHEN 'object' THEN jsonb_path_query_array(listed.list, '$.*')
    ELSE '[]'
END) AS line (value)
WHERE jsonb_typeof(line.value) = 'object'

-- name: values
-- owners → one row for each entry → one row for each value in it → what is known of field and option.
CREATE VIEW {view} AS
WITH owners AS (
    {owners}
),
entries AS (
    SELECT
        {names},
        owners.vanished_at,
        entry.value AS entry,
        {reference} AS reference,
        CASE
            WHEN jsonb_typeof(entry.value #> '{{value,data}}') = 'array' THEN entry.value #> '{{value,data}}'
            WHEN jsonb_typeof(entry.value -> 'value') = 'array' THEN entry.value -> 'value'
            ELSE jsonb_build_array(entry.value -> 'value')
        END AS list
    FROM owners, LATERAL (SELECT {held} AS list) AS held, jsonb_array_elements(CASE jsonb_typeof(held.list)
        WHEN 'array' THEN held.list
        WHEN 'object' THEN jsonb_path_query_array(held.list, '$.*')
        ELSE '[]'
    END) AS entry (value)
    WHERE jsonb_typeof(entry.value) = 'object'
),
given AS (
    SELECT
        {names},
        entries.vanished_at,
        (
            SELECT CASE WHEN text ~ '^[0-9]{{1,18}}$' THEN text::bigint END
            FROM (SELECT CASE jsonb_typeof(entries.reference)
                WHEN 'object' THEN entries.reference ->> 'id' ELSE entries.reference #>> '{{}}'
            END AS text) AS field
        ) AS field_id,
        CASE jsonb_typeof(entries.reference) WHEN 'object' THEN entries.reference ->> 'name' END AS reference_name,
        entries.entry,
        single.place AS position,
        CASE WHEN jsonb_typeof(single.value) = 'object' THEN single.value ->> 'id' END AS value_id,
        CASE jsonb_typeof(single.value)
            WHEN 'string' THEN nullif(single.value #>> '{{}}', '')
            WHEN 'object' THEN coalesce(
                nullif(single.value ->> 'name', ''),
                nullif(
                    trim(coalesce(single.value ->> 'firstname', '') || ' ' || coalesce(single.value ->> 'lastname', '')),
                    ''
                ),
                single.value ->> 'email',
                single.value ->> 'id'
            )
            WHEN 'null' THEN NULL
            ELSE single.value::text
        END AS value,
        CASE jsonb_typeof(single.value)
            WHEN 'object' THEN CASE
                WHEN single.value -> 'email' IS NOT NULL OR single.value -> 'firstname' IS NOT NULL THEN 'user'
                WHEN single.value -> 'size' IS NOT NULL THEN 'file'
            END
            WHEN 'number' THEN 'number'
            WHEN 'string' THEN 'text'
            WHEN 'boolean' THEN 'boolean'
        END AS shape_type
    FROM entries, jsonb_array_elements(CASE entries.list WHEN '[]' THEN '[null]' ELSE entries.list END)
        WITH ORDINALITY AS single (value, place)
)
SELECT
    {plain},
    given.field_id,
    coalesce(field.name, given.reference_name) AS field,
    coalesce(field.type, given.shape_type) AS type,
    given.position,
    given.value,
    given.value_id,
    CASE
        WHEN chosen.id IS NOT NULL THEN chosen.name
        WHEN field.type IS DISTINCT FROM 'date' THEN given.value
        WHEN given.value ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}' THEN left(given.value, 10)
        WHEN given.value ~ '^[0-9]{{2}}\.[0-9]{{2}}\.[0-9]{{4}}'
        THEN substr(given.value, 7, 4) || '-' || substr(given.value, 4, 2) || '-' || substr(given.value, 1, 2)
        ELSE given.value
    END AS shown,
    chosen.id AS option_id,
    chosen.name AS option,
    chosen.code AS option_code,
    chosen.path AS option_path,
    to_char(to_timestamp(field.fetched_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS field_as_of,
    to_char(to_timestamp(given.vanished_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS vanished_at,
    given.entry::text AS data
FROM given
LEFT JOIN field_definitions AS field ON field.collection = '{definitions}' AND field.id = given.field_id
LEFT JOIN field_options AS by_id
    ON by_id.collection = '{definitions}' AND by_id.field_id = given.field_id AND by_id.latest
    AND by_id.id = coalesce(given.value_id, given.value)
LEFT JOIN field_options AS by_name
    ON by_name.collection = '{definitions}' AND by_name.field_id = given.field_id AND by_name.name = given.value
    AND by_name.sole
LEFT JOIN field_options AS chosen
    ON chosen.collection = '{definitions}' AND chosen.field_id = given.field_id AND chosen.latest
    AND chosen.id = coalesce(by_id.id, by_name.id);

-- name: custom_fields
-- Every custom field that is referred to or listed.
CREATE VIEW custom_fields AS
SELECT
    fields.collection,
    fields.id,
    fields.name,
    fields.type,
    fields.referenced,
    to_char(to_timestamp(fields.fetched_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS as_of,
    failed.reason AS problem,
    details.data
FROM field_definitions AS fields
LEFT JOIN details ON details.collection = fields.collection AND details.id = fields.id
LEFT JOIN quarantine AS failed
    ON failed.collection = fields.collection AND failed.key = CAST(fields.id AS TEXT)
    AND failed.stage IN ('definition', 'withheld');

-- name: custom_field_options
-- Options of custom fields, or all that they ever were.
CREATE VIEW {view} AS
SELECT
    options.collection,
    options.field_id,
    fields.name AS field,
    options.id AS option_id,
    options.name AS option,
    options.code,
    options.path,
    options.parent_id,
    options.external_id,
    options.enabled,
    to_char(to_timestamp(options.since) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS since,
    to_char(to_timestamp(options.until) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') AS until
FROM field_options AS options
JOIN field_definitions AS fields ON fields.collection = options.collection AND fields.id = options.field_id
WHERE {which};
