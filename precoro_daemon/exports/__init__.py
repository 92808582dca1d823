"""data out: the tables of the mirror as files or in a database, in one go or following its changes

follow_exports.py  keeps every configured export up to date; a failing export never stops the others
ports/             what an export reads, and where it goes
push_records.py    pushes each changed record to a receiver, at least once, in the order of the changes
rules/             what an export writes next; without I/O
write_segments.py  exports into files: a snapshot, then a segment for each range of changes, each listed in a manifest
write_tables.py    exports into tables of a database, each change exactly once

Theory of operation. What leaves here are the views that people query, with the columns and words of the data
dictionary: a `Table` of `ports/tables.py`, whose rows the state reads as of one moment, beside the service that holds
it. An export never makes a call to Precoro.

Amounts are exact wherever they go: decimals in Parquet, and the text that Precoro sent elsewhere.

An export that is configured follows the change log by itself (`follow_exports`): each from a position of its own,
none stopped by another. `write_segments` writes files. It settles the next range of changes in the state before the
first byte; then come the files, the manifest that lists them, and last the position. So whatever kills the process,
the same range is written under the same names again. `write_tables` writes into a database, which keeps the position
beside the rows, in one transaction. `push_records` posts records one by one: it settles ranges as well, so that what
is posted again has the id that it had, and keeps what became of each. What a row is comes from the state at the
moment of writing: a record that changes meanwhile is in the next range too.
"""
