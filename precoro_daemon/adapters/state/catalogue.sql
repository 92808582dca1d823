-- name: read_suppliers
-- All live suppliers.
SELECT id, external_id, data FROM records WHERE collection = 'suppliers' AND vanished_at IS NULL;

-- name: read_fields
-- All live custom fields of items.
SELECT id, name, type FROM field_definitions
WHERE collection = 'item_custom_fields' AND name IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM records
    WHERE records.collection = 'item_custom_fields' AND records.id = field_definitions.id AND vanished_at IS NOT NULL
);

-- name: read_options
-- The options of custom fields of items, as last seen.
SELECT field_id, id, name, code, external_id, parent_id, path, enabled
FROM field_options
WHERE collection = 'item_custom_fields' AND latest AND until IS NULL;

-- name: read_units
-- All live units.
SELECT data FROM records WHERE collection = 'units' AND vanished_at IS NULL;

-- name: read_items
-- The next live items in the order of their ids.
SELECT id, version, data FROM records
WHERE collection = 'items' AND vanished_at IS NULL AND id > ?
ORDER BY id
LIMIT ?;

-- name: read_versions
-- The versions of these items.
SELECT id, version FROM records
WHERE collection = 'items' AND vanished_at IS NULL AND id IN (SELECT value FROM @ints(?));

-- name: changed_since
-- Items that changed since a plan was made.
SELECT records.data, records.version FROM records
WHERE collection = 'items' AND id IN (
    SELECT changes.id FROM changes
    WHERE seq > (SELECT seq FROM item_plans WHERE number = ?) AND changes.collection = 'items' AND kind <> 'detailed'
);

-- name: read_item
-- One live item.
SELECT data, version FROM records WHERE collection = 'items' AND id = ? AND vanished_at IS NULL;

-- name: wanted_before
-- How many items the supplier's last approved plan wanted.
SELECT wanted FROM item_plans WHERE supplier = ? AND approved_at IS NOT NULL ORDER BY number DESC LIMIT 1;

-- name: doubted
-- Keys of the supplier's items of which nobody knows whether they were created.
SELECT key FROM item_writes WHERE supplier = ? AND state IN ('sending', 'doubt') AND kind = 'create' ORDER BY key;

-- name: drop_earlier
-- Give up what earlier plans of the supplier have not sent.
UPDATE item_writes
SET state = 'dropped', reason = 'a newer plan took its place'
WHERE supplier = :supplier AND state = 'planned';

-- name: end_earlier
-- End earlier plans of the supplier.
UPDATE item_plans SET ended = 'a newer plan took its place' WHERE supplier = :supplier AND ended = '';

-- name: create_plan
-- Keep a plan with the newest change that it knows of.
INSERT INTO item_plans (supplier, name, code, external_id, source, wanted, made_at, as_of, checked_at, seq)
VALUES (
    :supplier, :name, :code, :external_id, :source, :wanted, :at, :as_of, :as_of,
    (SELECT coalesce(max(seq), 0) FROM changes)
)
RETURNING number;

-- name: create_write
-- Keep a write of a plan.
INSERT INTO item_writes (plan, number, supplier, kind, key, label, "row", item, version, changes, state)
VALUES (:plan, :number, :supplier, :kind, :key, :label, :row, :item, :version, :changes, 'planned');

-- name: read_plan
-- The supplier's newest plan.
SELECT * FROM item_plans WHERE supplier = :supplier ORDER BY number DESC LIMIT 1;

-- name: count_writes
-- Writes of a plan by their state.
SELECT state, count(*) AS writes FROM item_writes WHERE plan = ? GROUP BY state;

-- name: plans_under_way
-- Approved plans with writes that are not over.
SELECT * FROM item_plans
WHERE approved_at IS NOT NULL
    AND EXISTS (
        SELECT 1 FROM item_writes
        WHERE plan = item_plans.number AND state IN ('planned', 'sending', 'doubt')
    )
ORDER BY number;

-- name: approve_plan
-- Approve a plan, once.
UPDATE item_plans SET approved_at = :at WHERE number = :plan AND approved_at IS NULL;

-- name: note_plan
-- Note when a plan was checked, and what its first write showed.
UPDATE item_plans
SET checked_at = coalesce(:checked_at, checked_at), probed = coalesce(:probed, probed)
WHERE number = :plan;

-- name: end_plan
-- End a plan, once.
UPDATE item_plans SET ended = :reason WHERE number = :plan AND ended = '';

-- name: drop_planned
-- Give up what a plan has not sent.
UPDATE item_writes SET state = 'dropped', reason = :reason WHERE plan = :plan AND state = 'planned';

-- name: read_writes
-- Writes of a plan in some states, in their order.
SELECT * FROM item_writes
WHERE plan = :plan AND state IN (SELECT value FROM @texts(:states))
ORDER BY number
LIMIT :limit;

-- name: planned_for
-- Writes of a plan that are not sent yet and are about these items.
SELECT * FROM item_writes
WHERE plan = :plan AND state = 'planned'
    AND (item IN (SELECT value FROM @ints(:items))
        OR (kind = 'create' AND key IN (SELECT value FROM @texts(:keys))))
ORDER BY number;

-- name: begin_write
-- Note that a write is about to be sent, unless it is no longer planned.
UPDATE item_writes
SET state = 'sending', sent_at = :at, looks = 0, look_at = NULL, before = :before
WHERE plan = :plan AND number = :number AND state = 'planned';

-- name: move_write
-- Move a write to another state, unless somebody else moved it.
UPDATE item_writes
SET state = :state, reason = :reason, look_at = :look_at, item = coalesce(:item, item),
    looks = CASE WHEN :state = 'doubt' AND state = 'doubt' THEN looks + 1 ELSE looks END
WHERE plan = :plan AND number = :number AND state = :was;
