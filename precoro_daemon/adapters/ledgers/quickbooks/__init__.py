"""quickbooks: a company in QuickBooks Online, by its API v3

changes.py   changes of a company's payments since a given time, with deleted and voided ones
company.py   a company in QuickBooks Online: its address, queries, and facts that are read once
ledger.py    the quickbooks ledger: bills of one company and their payments, by QuickBooks Online's API v3
payloads.py  payments, bills and accounts in QuickBooks' answers, and their meaning
"""
