"""the state in one SQLite file

attachments.py         attached files on SQLite: read out of details as the change log brings them
backup.py              a copy of the state beside its writer: one file, checked, there completely or not at all
budget_book.py         the account of API calls on SQLite
catalogue.py           suppliers' items on SQLite: what the mirror has of them, and the plans
catalogue_rows.py      rows of the tables of suppliers' items ↔ the domain's values
change_log.py          the change log on SQLite: changes behind a follower's position, and the position itself
commits.py             one commit of list pages: records, change rows, pass progress and cursor
custom_field_views.py  the views of custom fields: values by their owners, fields, options and what options were
custom_fields.py       custom fields on SQLite: what records refer to, what is due, options and what they were
deliveries.py          webhooks that came, on SQLite
details.py             details on SQLite: which are due, and what storing one settles
failures.py            what SQLite and the file system refuse, said to the operator
holder.py              one process holds the state: a lock file beside it that names the holder
intent_rows.py         rows of the journal's tables ↔ values of the payments
journal.py             intents, attempts and the append-only journal on SQLite
lap_book.py            the last lap of each job on SQLite
ledger_payments.py     what the ledger says was paid, on SQLite; read together with the mirror's invoices
mirror.py              the mirror on SQLite
opening.py             opens the state file, or says in one sentence why not and leaves it untouched
overview.py            what the store holds and what is due, for people; read beside the one writer
ownership.py           what root makes beside a state belongs to its owner, whose service has to open it
paid_set.py            which invoices are paid, compared inside SQLite page by page
restore_guard.py       a file beside the store that tells a restored, copied or moved one from the one that sent
restoring.py           a backup comes back: whole, disarmed, and no call to Precoro forgotten
rows.py                rows of the store ↔ the domain's values
schema.py              brings a state file to the present schema: migrations, views, whose data it is
statements.py          the store's SQL by name, read from the .sql files beside this module
store.py               opens the state store: everything the program remembers, on one file
transactions.py        one connection on one thread; a transaction is one function run there
views.py               the views people query: one per collection, one per kind of document lines
"""
