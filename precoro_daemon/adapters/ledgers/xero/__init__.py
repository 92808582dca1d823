"""xero: an organisation in Xero, by its Accounting API

ledger.py    the xero ledger: bills of one organisation and their payments, by the Accounting API
payloads.py  payments, bills and accounts in Xero's answers, and their meaning
scopes.py    the rights of a Xero token, by its own content
"""
