"""payments in step between Precoro and the ledger, in both directions

commands.py              what a person wants done with payments, as data: carried out by whoever holds the state
decisions.py             what a person decides about a payment, journalled like everything else
entry_reconciliation.py  payments to the books whose outcome is unknown are settled by what the books can promise
export_payments.py       payments made in Precoro are recorded in the books, each once
forecast.py              what the next lap would do, told without sending anything
intake.py                what the books claim becomes intents
mark_invoices_paid.py    payments in the books are recorded at Precoro, each once
ports/                   what payments need from outside
reconciliation.py        doubts about payments to Precoro are settled by looking, and loose ends are tied up
recorder.py              every step of an intent, recorded and told
rules/                   what payments decide, without I/O
"""
