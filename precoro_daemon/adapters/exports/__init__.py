"""tables in the forms that people and programs read: CSV, JSON lines, Excel, Parquet

excel.py            tables as sheets of an Excel file
lines.py            tables as CSV and as JSON lines
parquet.py          tables as Parquet: a type for each kind of column, amounts as exact decimals
postgres_tables.py  tables in a PostgreSQL database, with their position beside them
readable.py         cells for databases with types; a cell that is unreadable as its type becomes empty
segment_store.py    segments of tables as Parquet files, in a directory or a bucket
signed_pushes.py    a receiver over HTTP: one POST for each record, signed as Standard Webhooks specifies
whole_file.py       a file that appears complete and durable under its name, readable by its owner alone
"""
