"""accounting systems behind one port: sql, rest, csv

accounts.py        the ledger's accounts that payments are made from: one for each currency, in that currency
answers.py         the content of a ledger's HTTP answer: exact JSON, values by their path, rows
business_central/  the business_central ledger: lines of a vendor payment journal, one for each payment
camt053.py         account statements in the format of ISO 20022: camt.053, of any version
cells.py           reads amounts, days, currencies and names, or says why they are unreadable
change_scan.py     scan of a list in order of change, page by page, that loses no row when rows move between pages
client.py          a ledger behind HTTP: its origin, the pace of calls, the token, and the meaning of an answer
csv.py             the csv ledger: a watched folder of exports in, one file for each payment out
exports.py         one file of payments, read whole: its rows, and the place and the fault of each bad one
headers.py         the start of a file's table: the first row that has all columns, and the lines above it
mt940.py           account statements in the format of SWIFT: MT940
odoo/              the odoo ledger: vendor bills of Odoo 16 to 19 and what settles them
outbox.py          a folder that gets one complete file for each payment, exactly once
outcomes.py        the meaning of an HTTP answer: to a question, and to a payment that was sent
own_keys.py        this program's key in a text of the ledger that people may have edited
pace.py            when the next call to a ledger may leave: limits a minute and of concurrent calls, and waits
paging.py          scan of a list of payments, page by page, that loses no row when rows move between pages
positions.py       the position to resume from, for queries that use `>` as well as for those that use `>=`
quickbooks/        quickbooks: a company in QuickBooks Online, by its API v3
rest.py            the rest ledger: payments behind an HTTP interface, by the requests of the configuration
rest_rows.py       rows of an HTTP answer as payments
row_kinds.py       which rows of a file are payments, undone payments or neither, and which way the money went
rows.py            one row of the ledger as a payment, or its faults
sql.py             the sql ledger: payments in a database, by the statements of the configuration
sql_rows.py        rows of a query for payments: all needed columns, oldest first
statements.py      a bank's entries as payments: only money that went out counts
table_rows.py      rows of a table as payments: rows that are none, the content of the others, and their keys
xero/              xero: an organisation in Xero, by its Accounting API
"""
