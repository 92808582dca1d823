"""accounting systems behind one port: sql, rest, csv

accounts.py        from which account of the ledger a payment is made: one for each currency, and each in its currency
answers.py         what an HTTP answer of the ledger holds: exact JSON, values by their path, rows
business_central/  the business_central ledger: lines of a vendor payment journal, one for each payment
camt053.py         account statements as ISO 20022 has them: camt.053, of any version
cells.py           how amounts, days, currencies and names are read, or why they cannot be
change_scan.py     a list in order of change, page after page, without losing rows that move between pages meanwhile
client.py          a ledger behind HTTP: who is asked, how fast, with which token, and what an answer means
csv.py             the csv ledger: a watched folder of exports in, one file for each payment out
exports.py         one file of payments, read whole: its rows, and for each bad one where it stands and why
headers.py         where the table of a file begins: the first row that has all columns, and what stands above it
mt940.py           account statements as SWIFT has them: MT940
odoo/              the odoo ledger: vendor bills of Odoo 16 to 19 and what settles them
outbox.py          a folder that gets one file for each payment, complete and once
outcomes.py        what an HTTP answer means: for a question, and for a payment that was sent
own_keys.py        our key in a text of the ledger, which people may have written around and into
pace.py            when the next call to a ledger may leave: how many a minute and at once, and while it takes none
paging.py          page after page of payments, without losing rows that move between pages meanwhile
positions.py       from which position to go on, whether the ledger is asked for what is past it or from it on
quickbooks/        quickbooks: a company in QuickBooks Online, by its API v3
rest.py            the rest ledger: payments behind an HTTP interface, by the requests of the configuration
rest_rows.py       rows of an HTTP answer as payments
row_kinds.py       which rows of a file are payments, which were undone, which are none, and where the money went
rows.py            one row of the ledger as a payment, or what is wrong with it
sql.py             the sql ledger: payments in a database, by the statements of the configuration
sql_rows.py        rows of a query for payments: whole, and oldest first
statements.py      what a bank booked, as payments: only what went out counts
table_rows.py      rows of a table as payments: which are none, what they say, and what they are known by
xero/              xero: an organisation in Xero, by its Accounting API
"""
