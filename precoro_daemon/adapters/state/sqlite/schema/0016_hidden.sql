-- Rows that a list counts and does not show to the key: as the last whole scan had it, and as it is believed.
ALTER TABLE cursors ADD COLUMN short INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursors ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
