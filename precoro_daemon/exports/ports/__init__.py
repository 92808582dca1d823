"""what an export reads, and where it goes

feed.py       what changed, and the rows of tables as they are now, for exports that follow the change log
pushes.py     what became of each push, and who takes them
segments.py   where segments of tables are kept: whole and durable under their names, or not there
tables.py     what can be exported: tables with their columns, and their rows as of one moment
warehouse.py  tables in a database that people use, kept as those of the mirror
"""
