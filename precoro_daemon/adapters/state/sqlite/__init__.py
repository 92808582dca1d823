"""the state in one SQLite file

backup.py         a copy of the state beside its writer: one file, checked, complete or absent
failures.py       errors of SQLite and the file system, explained to the operator
holder.py         one process holds the state: a lock file beside it that names the holder
moving.py         a state file as one end of a move
opening.py        opens the state file, or says in one sentence why it cannot and leaves it untouched
ownership.py      files that root creates beside a state go to the state's owner, whose service has to open them
restore_guard.py  the restore guard as a file beside the state
restoring.py      restores a backup: complete, disarmed, and with every call to Precoro remembered
schema.py         brings a state file up to date: migrations, views, and the owner of its data
session.py        the session of one connection, and its transactions
snapshot.py       a consistent snapshot of all views' rows, read beside the process that holds the file
state.py          the state in one SQLite file
transactions.py   transactions of one connection on one thread
views.py          the views for people's queries, in SQLite's dialect
"""
