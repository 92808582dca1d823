"""xero: an organisation in Xero, by its Accounting API

ledger.py    the xero ledger: bills of one organisation and their payments, by the Accounting API
payloads.py  what Xero says of payments, bills and accounts, and what that means
scopes.py    what a token of Xero's may do, as it says itself
"""
