-- The ledger's own id of a supplier: it is compared only where Precoro's supplier has an external id.
ALTER TABLE ledger_payments ADD COLUMN supplier_id TEXT;
ALTER TABLE intents ADD COLUMN supplier_id TEXT;

-- Only a key of ours is a proof that a payment is ours: a memo that merely begins with our name is none.
UPDATE ledger_payments SET ours = NULL
WHERE ours NOT LIKE '%________-____-5___-____-____________%' AND (length(ours) <> 20 OR ours GLOB '*[^0-9a-f]*');

-- What was held for its supplier alone is judged anew when that is mended.
UPDATE intents SET obstacle = json_array('supplier_differs', '', '', '')
WHERE direction = 'to_precoro' AND state = 'review' AND obstacle IS NULL AND (
    reason LIKE 'the ledger names the supplier %' OR reason LIKE 'the books name the supplier %'
);

-- A payment that meets no invoice is mentioned in the log once.
ALTER TABLE ledger_payments ADD COLUMN mentioned INTEGER NOT NULL DEFAULT FALSE;
UPDATE ledger_payments SET mentioned = TRUE;
CREATE INDEX ledger_payments_unmentioned ON ledger_payments (ledger) WHERE intent IS NULL AND NOT mentioned;

-- Since when a row cannot be read; `seen_at` is when it was last read so. Who dismissed it knows of it.
ALTER TABLE unreadable_rows ADD COLUMN since REAL NOT NULL DEFAULT 0;
ALTER TABLE unreadable_rows ADD COLUMN dismissed INTEGER NOT NULL DEFAULT FALSE;
UPDATE unreadable_rows SET since = seen_at;
