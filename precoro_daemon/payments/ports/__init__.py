"""what payments need from outside

gateway.py          paying invoices at Precoro
journal.py          what paying must not forget: intents, attempts, and the append-only journal
ledger.py           the accounting system, as far as payments need it
ledger_payments.py  the ledger's payments, as last read
login_directory.py  what can be chosen after a login: companies, bank accounts or journals, and which bills are open
paid_set.py         which invoices were paid at the last comparison
progress.py         receives what happened to payments in a run
switch.py           whether payments may be sent
"""
