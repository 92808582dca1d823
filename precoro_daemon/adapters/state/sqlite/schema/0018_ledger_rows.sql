-- Which payment a row of a file was read as first, by what stands in the row and by what was made of it. Rows without
-- keys of their own are known by what they say, and other settings may make something else of the same row.
CREATE TABLE ledger_rows (
    ledger TEXT NOT NULL,
    row    TEXT NOT NULL,
    key    TEXT NOT NULL,
    PRIMARY KEY (ledger, row)
) WITHOUT ROWID;
