-- name: attachments
-- What is known of the files of some records.
SELECT * FROM attachments
WHERE collection = :collection AND document_id IN (SELECT value FROM @ints(:ids))
ORDER BY document_id, attachment_id;

-- name: document_custom_values
-- Values of custom fields of some documents.
SELECT * FROM document_custom_values
WHERE collection = :collection AND document_id IN (SELECT value FROM @ints(:ids))
ORDER BY document_id, field_id, position, data;

-- name: line_custom_values
-- Values of custom fields of the lines of some documents.
SELECT * FROM line_custom_values
WHERE collection = :collection AND document_id IN (SELECT value FROM @ints(:ids))
ORDER BY document_id, line_id, field_id, position, data;

-- name: item_custom_values
-- Values of custom fields of some items.
SELECT * FROM item_custom_values
WHERE item_id IN (SELECT value FROM @ints(:ids))
ORDER BY item_id, field_id, position, data;

-- name: supplier_custom_values
-- Values of custom fields of some suppliers.
SELECT * FROM supplier_custom_values
WHERE supplier_id IN (SELECT value FROM @ints(:ids))
ORDER BY supplier_id, field_id, position, data;

-- name: next_with_files
-- The next records of a collection that have or had files, in order of ids.
SELECT DISTINCT record_id AS id FROM attached_files
WHERE collection = :collection AND record_id > :after
ORDER BY record_id
LIMIT :limit;

-- name: offered
-- Ids and names that options bear or bore which are others since a time.
SELECT options.id, options.name
FROM field_options AS options
WHERE options.collection = :collection AND options.field_id = :id AND options.id IN (
    SELECT other.id FROM field_options AS other
    WHERE other.collection = :collection AND other.field_id = :id
        AND (other.since >= :since OR other.until >= :since)
);

-- name: revalued
-- Records with values of fields that are others by now, or of options that are.
SELECT DISTINCT {owner}
WHERE field_id IN (SELECT value FROM @ints(:redefined)) OR (
    field_id IN (SELECT value FROM @ints(:offering))
    AND (value IN (SELECT value FROM @texts(:options)) OR value_id IN (SELECT value FROM @texts(:options)))
);

-- name: owner[document_custom_values]
-- A document.
collection, document_id AS id FROM document_custom_values

-- name: owner[line_custom_values]
-- The document of a line.
collection, document_id AS id FROM line_custom_values

-- name: owner[item_custom_values]
-- An item.
'items' AS collection, item_id AS id FROM item_custom_values

-- name: owner[supplier_custom_values]
-- A supplier.
'suppliers' AS collection, supplier_id AS id FROM supplier_custom_values
