"""what payments need from outside

gateway.py          paying invoices at Precoro
journal.py          what paying must not forget: intents, attempts, the append-only journal
ledger.py           the accounting system, as far as payments go
ledger_payments.py  what the ledger says was paid, as last read
login_directory.py  what may be chosen after a login: companies, bank accounts or journals, and what bills are open
paid_set.py         which invoices were paid at the last comparison
progress.py         who hears what became of payments in a run
switch.py           whether payments may be sent
"""
