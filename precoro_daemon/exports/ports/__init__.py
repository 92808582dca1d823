"""what an export reads, and where it goes

feed.py       changed records and the current rows of tables, for exports that follow the change log
pushes.py     the log of pushes, and the receiver that takes them
segments.py   a place for segments of tables; a file there is complete and durable, or absent
tables.py     the tables that can be exported, with their columns and a consistent snapshot of their rows
warehouse.py  a database whose tables follow those of the mirror
"""
