"""the state in one SQLite file

backup.py              a copy of the state beside its writer: one file, checked, there completely or not at all
custom_field_views.py  the views of custom fields: values by their owners, fields, options and what options were
failures.py            what SQLite and the file system refuse, said to the operator
holder.py              one process holds the state: a lock file beside it that names the holder
intent_rows.py         rows of the journal's tables ↔ values of the payments
journal.py             intents, attempts and the append-only journal on SQLite
ledger_payments.py     what the ledger says was paid, on SQLite; read together with the mirror's invoices
old_transactions.py    the transactions of a session as functions of its connection, for the repositories of payments
opening.py             opens the state file, or says in one sentence why not and leaves it untouched
ownership.py           what root makes beside a state belongs to its owner, whose service has to open it
paid_set.py            which invoices are paid, compared inside SQLite page by page
restore_guard.py       a file beside the store that tells a restored, copied or moved one from the one that sent
restoring.py           a backup comes back: whole, disarmed, and no call to Precoro forgotten
schema.py              brings a state file to the present schema: migrations, views, whose data it is
state.py               the state in one SQLite file
statements.py          the SQL of payments by name
transactions.py        sessions and transactions of one connection on one thread
views.py               the views people query: one per collection, one per kind of document lines
"""
