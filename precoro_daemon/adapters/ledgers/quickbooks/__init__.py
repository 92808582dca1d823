"""quickbooks: a company in QuickBooks Online, by its API v3

changes.py   what changed in a company's payments since a moment, deleted and voided ones too
company.py   a company in QuickBooks Online: its address, its questions, and what it says of itself once
ledger.py    the quickbooks ledger: bills of one company and their payments, by QuickBooks Online's API v3
payloads.py  what QuickBooks says of payments, bills and accounts, and what that means
"""
