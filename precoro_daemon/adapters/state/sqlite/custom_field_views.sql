-- name: owners
-- One row for each record that may have values: its keys, and its detail or its list row as JSON. A detail that is
-- older than the row gives way to it, as far as the row tells of values at all.
SELECT
    {keys},
    records.vanished_at,
    CASE
        WHEN records.detail_version IS NOT records.version AND ({listed}) THEN records.data
        WHEN {detailed} THEN details.data
        ELSE records.data
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
    CASE
        WHEN line.value ->> '$.id' GLOB '[0-9]*' AND line.value ->> '$.id' NOT GLOB '*[^0-9]*'
        THEN CAST(line.value ->> '$.id' AS INTEGER)
    END AS line_id,
    lined.vanished_at,
    line.value AS holder
FROM (
    SELECT
        records.collection,
        records.id AS document_id,
        records.idn AS document_idn,
        records.vanished_at,
        coalesce(details.data, records.data) AS document
    FROM records
    LEFT JOIN details ON details.collection = records.collection AND details.id = records.id
    WHERE records.collection IN ({collections}) AND records.wanted
) AS lined, json_each({lines}) AS line
WHERE line.type = 'object'

-- name: members
-- A list that may stand in {"data": ...} or bare.
CASE
    WHEN json_type({json}, '$.{field}.data') IN ('array', 'object') THEN {json} -> '$.{field}.data'
    ELSE {json} -> '$.{field}'
END

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
            WHEN json_type(entry.value, '$.value.data') = 'array' THEN entry.value -> '$.value.data'
            WHEN json_type(entry.value, '$.value') = 'array' THEN entry.value -> '$.value'
            ELSE '[' || coalesce(entry.value -> '$.value', 'null') || ']'
        END AS list
    FROM owners, json_each({held}) AS entry
    WHERE entry.type = 'object'
),
given AS (
    SELECT
        {names},
        entries.vanished_at,
        (
            SELECT CASE WHEN t GLOB '[0-9]*' AND t NOT GLOB '*[^0-9]*' AND length(t) <= 18 THEN CAST(t AS INTEGER) END
            FROM (SELECT CASE json_type(entries.reference)
                WHEN 'object' THEN entries.reference ->> '$.id' ELSE entries.reference ->> '$'
            END AS t)
        ) AS field_id,
        CASE json_type(entries.reference) WHEN 'object' THEN entries.reference ->> '$.name' END AS reference_name,
        entries.entry,
        single.key + 1 AS position,
        CASE WHEN single.type = 'object' THEN single.value ->> '$.id' END AS value_id,
        -- `->` gives a number with the digits it was sent with; `->>` would make it a binary float.
        CASE single.type
            WHEN 'text' THEN nullif(single.value, '')
            WHEN 'object' THEN CAST(coalesce(
                nullif(single.value ->> '$.name', ''),
                nullif(
                    trim(coalesce(single.value ->> '$.firstname', '') || ' ' || coalesce(single.value ->> '$.lastname', '')),
                    ''
                ),
                single.value ->> '$.email',
                single.value ->> '$.id'
            ) AS TEXT)
            WHEN 'null' THEN NULL
            ELSE entries.list -> single.key
        END AS value,
        CASE single.type
            WHEN 'object' THEN CASE
                WHEN single.value -> '$.email' IS NOT NULL OR single.value -> '$.firstname' IS NOT NULL THEN 'user'
                WHEN single.value -> '$.size' IS NOT NULL THEN 'file'
            END
            WHEN 'integer' THEN 'number'
            WHEN 'real' THEN 'number'
            WHEN 'text' THEN 'text'
            WHEN 'true' THEN 'boolean'
            WHEN 'false' THEN 'boolean'
        END AS shape_type
    FROM entries, json_each(CASE entries.list WHEN '[]' THEN '[null]' ELSE entries.list END) AS single
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
        WHEN field.type IS NOT 'date' THEN given.value
        WHEN given.value GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN substr(given.value, 1, 10)
        WHEN given.value GLOB '[0-9][0-9].[0-9][0-9].[0-9][0-9][0-9][0-9]*'
        THEN substr(given.value, 7, 4) || '-' || substr(given.value, 4, 2) || '-' || substr(given.value, 1, 2)
        ELSE given.value
    END AS shown,
    chosen.id AS option_id,
    chosen.name AS option,
    chosen.code AS option_code,
    chosen.path AS option_path,
    strftime('%Y-%m-%dT%H:%M:%S', field.fetched_at, 'unixepoch') AS field_as_of,
    strftime('%Y-%m-%dT%H:%M:%S', given.vanished_at, 'unixepoch') AS vanished_at,
    given.entry AS data
FROM given
LEFT JOIN field_definitions AS field ON field.collection = '{definitions}' AND field.id = given.field_id
LEFT JOIN field_options AS by_id
    ON by_id.collection = '{definitions}' AND by_id.field_id = given.field_id AND by_id.latest
    AND by_id.id = CAST(coalesce(given.value_id, given.value) AS TEXT)
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
    strftime('%Y-%m-%dT%H:%M:%S', fields.fetched_at, 'unixepoch') AS as_of,
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
    strftime('%Y-%m-%dT%H:%M:%S', options.since, 'unixepoch') AS since,
    strftime('%Y-%m-%dT%H:%M:%S', options.until, 'unixepoch') AS until
FROM field_options AS options
JOIN field_definitions AS fields ON fields.collection = options.collection AND fields.id = options.field_id
WHERE {which};

-- name: listed
-- Where the row of a list has its JSON.
records.data

-- name: detailed
-- Where the detail has its JSON.
details.data

-- name: tells
-- Whether a field is there at all.
{json} -> '$.{name}' IS NOT NULL

-- name: empty
-- Whether a list of values is empty in one of several ways.
{members} IN ('[]', '{{}}', 'null', '""')

-- name: reference
-- Which custom field an entry is of.
nullif(entry.value -> '$.{name}', 'null')
