"""tables in the forms that people and programs read: CSV, JSON lines, Excel, Parquet

excel.py            tables as sheets of an Excel file
lines.py            tables as CSV and as JSON lines
parquet.py          tables as Parquet: a type for each kind of column, amounts as exact decimals
postgres_tables.py  tables in a PostgreSQL database, with how far they are beside them
readable.py         cells as databases with types take them: what cannot be read as its type is nothing
segment_store.py    segments of tables as Parquet files, in a directory or a bucket
signed_pushes.py    a receiver over HTTP: one POST for each record, signed as Standard Webhooks has it
whole_file.py       a file that appears whole and durable under its name, for nobody else to read
"""
