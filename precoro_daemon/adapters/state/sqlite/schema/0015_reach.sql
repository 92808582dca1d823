-- Where the next scan of changes asks back to, so that it lists rows that are known.
ALTER TABLE cursors ADD COLUMN anchor REAL;
