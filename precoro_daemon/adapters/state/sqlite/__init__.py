"""the state in one SQLite file

backup.py         a copy of the state beside its writer: one file, checked, there completely or not at all
failures.py       what SQLite and the file system refuse, said to the operator
holder.py         one process holds the state: a lock file beside it that names the holder
moving.py         a state file as one end of a move
opening.py        opens the state file, or says in one sentence why not and leaves it untouched
ownership.py      what root makes beside a state belongs to its owner, whose service has to open it
restore_guard.py  the restore guard as a file beside the state
restoring.py      a backup comes back: whole, disarmed, and no call to Precoro forgotten
schema.py         brings a state file to the present schema: migrations, views, whose data it is
session.py        the session of one connection, and what is a transaction on it
snapshot.py       the rows of all views as of one moment, read beside who holds the file
state.py          the state in one SQLite file
transactions.py   transactions of one connection on one thread
views.py          the views people query, in the words of SQLite
"""
