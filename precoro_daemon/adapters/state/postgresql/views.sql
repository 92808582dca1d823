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
