"""what may be chosen after a login, system by system

api.py               single requests to an accounting system during a login
business_central.py  Business Central's companies, payment journals and open bills
odoo.py              Odoo's databases, companies, journals and open bills, by user and API key
quickbooks.py        QuickBooks' company, its bank and card accounts, and open bills
xero.py              Xero's organisations, bank accounts and open bills
"""
