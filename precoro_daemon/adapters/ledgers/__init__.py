"""accounting systems behind one port: sql, rest, csv

answers.py    what an HTTP answer of the ledger holds: exact JSON, values by their path, rows
cells.py      how amounts, days, currencies and names are read, or why they cannot be
client.py     a ledger behind HTTP: who is asked, how fast, with which token, and what an answer means
csv.py        the csv ledger: a watched folder of exports in, one file for each payment out
exports.py    one file of payments, read whole: its rows, and for each bad one where it stands and why
outbox.py     a folder that gets one file for each payment, complete and once
outcomes.py   what an HTTP answer means: for a question, and for a payment that was sent
paging.py     page after page of payments, without losing rows that move between pages meanwhile
positions.py  from which position to go on, whether the ledger is asked for what is past it or from it on
rest.py       the rest ledger: payments behind an HTTP interface, by the requests of the configuration
rest_rows.py  rows of an HTTP answer as payments
rows.py       one row of the ledger as a payment, or what is wrong with it
sql.py        the sql ledger: payments in a database, by the statements of the configuration
"""
