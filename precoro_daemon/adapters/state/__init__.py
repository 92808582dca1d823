"""where the program remembers

attachments.py         attached files in SQL, taken from details as the change log delivers them
budget_book.py         the account of API calls in SQL
catalogue.py           suppliers' items in SQL: the mirror's items, and the plans for them
catalogue_rows.py      rows of the tables of suppliers' items ↔ the domain's values
change_log.py          the change log in SQL: the changes after a follower's position, and the position itself
commits.py             one commit of list pages: records, change rows, scan progress and cursor
custom_field_views.py  the views of custom fields: values by owner, fields, options, and former options
custom_fields.py       custom fields in SQL: references, what is due, and options with their history
deliveries.py          received webhooks in SQL
details.py             details in SQL: which are due, and what storing one changes
export_feed.py         the feed of exports in SQL: changes, current rows, and each export's note
fact_book.py           learned facts about Precoro in SQL: one row, always read and written whole
file_rows.py           rows of attached files ↔ the domain's values, and the counts of kept and due files
freshness_book.py      when collections change, as observed by scans, in SQL
intent_rows.py         rows of the journal's tables ↔ values of the payments
joined_writes.py       writes that may wait for another write and share its commit
journal.py             intents, attempts and the append-only journal in SQL
lap_book.py            each job's last lap, and the history of laps, in SQL
ledger_payments.py     the ledger's payments in SQL, read together with the mirror's invoices
mirror.py              the mirror in SQL
mirror_facts.py        facts of the mirror in SQL: quarantined things, and the time zone in which Precoro reads times
moving.py              moves a state to another engine or place: completely, and never into two usable states
notice_book.py         what people were notified of, in SQL: one small row, always read and written whole
other_columns.py       the columns of attachments and custom fields, and of the data dictionary
overview.py            what the state holds and what is due, for people
paid_set.py            compares the set of paid invoices inside the database, page by page
payment_switch.py      whether payments are armed, according to the state and the guard beside it
ports.py               the seam to the program's memory: a state, and the repositories that it opens
postgresql/            the state of a company in a schema of a PostgreSQL database
push_book.py           the outcome of each pushed record, in SQL
record_columns.py      the columns of collections and of document lines
record_counts.py       the counts of each collection's records by kind, updated by every write that changes a kind
repositories.py        the repositories on the transactions of one engine
restore_guard.py       distinguishes a restored, copied or moved state from the one that sent
rows.py                rows of the mirror's tables ↔ values of the mirror
session.py             what repositories need of an engine: sessions, transactions, and the guard of what may be sent
shape_book.py          the shapes of answers and their changes, in SQL: a row for each place, and one for all changes
sqlite/                the state in one SQLite file
statements.py          SQL by name, read from the .sql files of this room and of an engine
view_columns.py        a column of a view: its name, kind and meaning, and its place in a record's JSON
view_lines.py          reads the lines of many documents at once, numbered as in the views of lines
view_reading.py        reads the rows of record views column by column: a field of their JSON for all rows at once
view_rows.py           the rows of views: records and lines read in Python, all others by the engine
view_values.py         the values of views read from JSON in Python, equal to what the engines read in SQL
view_words.py          how an engine reads the columns of views from JSON
views.py               the views for people's queries, and their definitions in an engine's dialect

How it is built. `ports.py` is the seam: a `State` opens repositories, and copies, restores and looks at itself; app/
knows nothing else of this room. The repositories are written once, in SQL, on the small session of `session.py`: they
name statements, and decide nothing that a rule of their subject's room could decide. An engine has a package of its
own: sqlite/ brings the session and its transactions, the schema with its migrations, the views, what holds the state
against others, what tells a restored state, backups, and the sentences about all that can fail.

postgresql/ is the second engine: a schema for each company, and a seam for what fences a writer (`fence.py`). Another
one is a package beside them: its `State`, its session and transactions, its schema and views, an `own.sql` with its
words for the macros and for those statements that it says otherwise, and a backend in tests/contracts/conftest.py.
"""
