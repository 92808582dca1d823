"""what an export writes next; without I/O

pushing.py    pushes of records: the next range, the ids, and what happens to a refused push
series.py     a series of segments: the next range of changes, and when a new series begins
standings.py  the position of tables in a database, and whether they can be updated from there
"""
