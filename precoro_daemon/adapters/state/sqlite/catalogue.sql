-- name: read_suppliers
SELECT id, external_id, data FROM records WHERE collection = 'suppliers' AND vanished_at IS NULL;

-- name: read_fields
SELECT id, name, type FROM field_definitions
WHERE collection = 'item_custom_fields' AND name IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM records
    WHERE records.collection = 'item_custom_fields' AND records.id = field_definitions.id AND vanished_at IS NOT NULL
);

-- name: read_options
SELECT field_id, id, name, code, external_id, parent_id, path, enabled
FROM field_options
WHERE collection = 'item_custom_fields' AND latest AND until IS NULL;

-- name: read_units
SELECT data FROM records WHERE collection = 'units' AND vanished_at IS NULL;

-- name: read_items
SELECT id, version, data FROM records
WHERE collection = 'items' AND vanished_at IS NULL AND id > ?
ORDER BY id
LIMIT ?;

-- name: read_versions
SELECT id, version FROM records
WHERE collection = 'items' AND vanished_at IS NULL AND id IN (SELECT value FROM json_each(?));

-- name: changed_since
SELECT records.data, records.version FROM records
WHERE collection = 'items' AND id IN (
    SELECT changes.id FROM changes
    WHERE seq > (SELECT seq FROM item_plans WHERE number = ?) AND changes.collection = 'items' AND kind <> 'detailed'
);

-- name: read_item
SELECT data, version FROM records WHERE collection = 'items' AND id = ? AND vanished_at IS NULL;

-- name: wanted_before
SELECT wanted FROM item_plans WHERE supplier = ? AND approved_at IS NOT NULL ORDER BY number DESC LIMIT 1;

-- name: doubted
SELECT key FROM item_writes WHERE supplier = ? AND state IN ('sending', 'doubt') AND kind = 'create' ORDER BY key;

-- name: drop_earlier
UPDATE item_writes
SET state = 'dropped', reason = 'a newer plan took its place'
WHERE supplier = :supplier AND state = 'planned';

-- name: end_earlier
UPDATE item_plans SET ended = 'a newer plan took its place' WHERE supplier = :supplier AND ended = '';

-- name: create_plan
INSERT INTO item_plans (supplier, name, code, external_id, source, wanted, made_at, as_of, checked_at, seq)
VALUES (
    :supplier, :name, :code, :external_id, :source, :wanted, :at, :as_of, :as_of,
    (SELECT coalesce(max(seq), 0) FROM changes)
)
RETURNING number;

-- name: create_write
INSERT INTO item_writes (plan, number, supplier, kind, key, label, "row", item, version, changes, state)
VALUES (:plan, :number, :supplier, :kind, :key, :label, :row, :item, :version, :changes, 'planned');

-- name: read_plan
SELECT * FROM item_plans WHERE supplier = ? ORDER BY number DESC LIMIT 1;

-- name: count_writes
SELECT state, count(*) AS writes FROM item_writes WHERE plan = ? GROUP BY state;

-- name: plans_under_way
SELECT * FROM item_plans
WHERE approved_at IS NOT NULL
    AND EXISTS (
        SELECT 1 FROM item_writes
        WHERE plan = item_plans.number AND state IN ('planned', 'sending', 'doubt')
    )
ORDER BY number;

-- name: approve_plan
UPDATE item_plans SET approved_at = :at WHERE number = :plan AND approved_at IS NULL;

-- name: note_plan
UPDATE item_plans
SET checked_at = coalesce(:checked_at, checked_at), probed = coalesce(:probed, probed)
WHERE number = :plan;

-- name: end_plan
UPDATE item_plans SET ended = :reason WHERE number = :plan AND ended = '';

-- name: drop_planned
UPDATE item_writes SET state = 'dropped', reason = :reason WHERE plan = :plan AND state = 'planned';

-- name: read_writes
SELECT * FROM item_writes
WHERE plan = :plan AND state IN (SELECT value FROM json_each(:states))
ORDER BY number
LIMIT :limit;

-- name: planned_for
SELECT * FROM item_writes
WHERE plan = :plan AND state = 'planned'
    AND (item IN (SELECT value FROM json_each(:items))
        OR (kind = 'create' AND key IN (SELECT value FROM json_each(:keys))))
ORDER BY number;

-- name: begin_write
UPDATE item_writes
SET state = 'sending', sent_at = :at, looks = 0, look_at = NULL, before = :before
WHERE plan = :plan AND number = :number AND state = 'planned';

-- name: move_write
UPDATE item_writes
SET state = :state, reason = :reason, look_at = :look_at, item = coalesce(:item, item),
    looks = looks + (:state = 'doubt' AND state = 'doubt')
WHERE plan = :plan AND number = :number AND state = :was;
