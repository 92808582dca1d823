-- name: refer
-- Note that a record refers to a field.
INSERT INTO field_definitions (collection, id, referenced) VALUES (?, ?, TRUE)
ON CONFLICT (collection, id) DO UPDATE SET referenced = TRUE;

-- name: read_field
-- What is known of a field that its values are shown by.
SELECT name, type FROM field_definitions WHERE collection = ? AND id = ?;

-- name: list_field
-- Note what a list says of a field.
INSERT INTO field_definitions (collection, id, name, type) VALUES (:collection, :id, :name, :type)
ON CONFLICT (collection, id) DO UPDATE
SET name = excluded.name, type = coalesce(excluded.type, field_definitions.type);

-- name: due_fields
-- Fields that records refer to and whose definition is missing, old or doubted, and may be asked for now.
SELECT fields.collection, fields.id, records.version, coalesce(failed.attempts, 0) AS attempts
FROM field_definitions AS fields
LEFT JOIN records ON records.collection = fields.collection AND records.id = fields.id
LEFT JOIN quarantine AS failed
    ON failed.collection = fields.collection AND failed.key = CAST(fields.id AS TEXT)
    AND failed.stage IN ('definition', 'withheld')
WHERE fields.referenced
    AND records.vanished_at IS NULL
    AND (
        fields.fetched_at IS NULL
        OR fields.fetched_at < :older_than
        OR fields.stale_at IS NOT NULL
        OR records.detail_version IS DISTINCT FROM records.version
    )
    AND (failed.key IS NULL OR failed.retry_at < :before)
ORDER BY fields.collection, fields.id;

-- name: save_field
-- Note what a definition says of a field, and when it came.
INSERT INTO field_definitions (collection, id, name, type, fetched_at)
VALUES (:collection, :id, :name, :type, :at)
ON CONFLICT (collection, id) DO UPDATE
SET name = coalesce(excluded.name, field_definitions.name), type = coalesce(excluded.type, field_definitions.type),
    fetched_at = CASE
        WHEN field_definitions.fetched_at > excluded.fetched_at THEN field_definitions.fetched_at
        ELSE excluded.fetched_at
    END,
    stale_at = CASE WHEN field_definitions.stale_at > excluded.fetched_at THEN field_definitions.stale_at END;

-- name: mark_stale
-- Note that a definition is another one by now.
UPDATE field_definitions SET stale_at = :at WHERE collection = :collection AND id = :id;

-- name: retry_field
-- Let a definition be tried at once.
UPDATE quarantine SET retry_at = 0
WHERE collection = ? AND stage IN ('definition', 'withheld') AND key = CAST(? AS TEXT);

-- name: release_field
-- End the quarantine of a definition.
DELETE FROM quarantine
WHERE collection = :collection AND stage IN ('definition', 'withheld') AND key = CAST(:id AS TEXT);

-- name: release_other_stage
-- End the quarantine of a definition for another reason.
DELETE FROM quarantine
WHERE collection = :collection AND stage IN ('definition', 'withheld') AND stage <> :stage AND key = :key;

-- name: present_options
-- The options that a definition lists, as last seen.
SELECT id, name, code, external_id, parent_id, path, enabled
FROM field_options
WHERE collection = ? AND field_id = ? AND latest AND until IS NULL;

-- name: end_option
-- Note that an option is no longer as it was.
UPDATE field_options SET until = CASE WHEN since > :at THEN since ELSE :at END
WHERE collection = :collection AND field_id = :field_id AND id = :id AND latest;

-- name: supersede_option
-- Note that a state of an option is no longer its latest.
UPDATE field_options SET latest = FALSE
WHERE collection = :collection AND field_id = :field_id AND id = :id AND latest;

-- name: begin_option
-- Keep a new state of an option.
INSERT INTO field_options (
    collection, field_id, id, since, latest, sole, name, code, external_id, parent_id, path, enabled
) VALUES (
    :collection, :field_id, :id, :at, TRUE, FALSE, :name, :code, :external_id, :parent_id, :path, :enabled
)
ON CONFLICT (collection, field_id, id, since) DO UPDATE
SET until = NULL, latest = TRUE, name = excluded.name, code = excluded.code, external_id = excluded.external_id,
    parent_id = excluded.parent_id, path = excluded.path, enabled = excluded.enabled;

-- name: find_sole
-- Note of each option of a field whether its name alone tells that it is meant.
-- Of each name the last state that bore it, and of options that share it the one that is listed now, if it is one.
UPDATE field_options
SET sole = NOT EXISTS (
    SELECT 1 FROM field_options AS other
    WHERE other.collection = field_options.collection AND other.field_id = field_options.field_id
        AND other.name = field_options.name
        AND CASE
            WHEN other.id = field_options.id THEN other.since > field_options.since
            ELSE (other.latest AND other.until IS NULL) OR NOT (field_options.latest AND field_options.until IS NULL)
        END
)
WHERE collection = ? AND field_id = ?;
