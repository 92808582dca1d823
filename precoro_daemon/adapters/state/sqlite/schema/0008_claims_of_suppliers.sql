-- Whose invoice is meant is a part of what the books say, where the number alone does not tell.
UPDATE claims SET
    facts = facts || '|' || coalesce(supplier, ''),
    carried = CASE WHEN carried IS NULL OR carried = '' THEN carried ELSE carried || '|' || coalesce(supplier, '') END;
