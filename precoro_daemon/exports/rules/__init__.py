"""what an export writes next; without I/O

pushing.py    pushes of records: which range is next, under which ids, and what becomes of one that is refused
series.py     a series of segments: which range of changes is written next, and when a series begins anew
standings.py  how far tables in a database are, and whether they can be brought on from there
"""
