"""builds the ledgers that are somebody else's service: Xero and QuickBooks Online"""

from __future__ import annotations

from precoro_daemon.adapters.ledgers.quickbooks.company import Company
from precoro_daemon.adapters.ledgers.quickbooks.ledger import QuickbooksLedger
from precoro_daemon.adapters.ledgers.xero.ledger import Organisation, XeroLedger
from precoro_daemon.app.bearers import bearer_of_login
from precoro_daemon.settings import ledger_quickbooks as given_quickbooks
from precoro_daemon.settings import ledger_xero as given_xero


def build_xero(name: str, given: given_xero.XeroLedger) -> XeroLedger:
    organisation = Organisation(name, given.base_url, given.tenant_id, given.accounts, given.timeout)
    return XeroLedger(organisation, bearer_of_login("xero", given))


def build_quickbooks(name: str, given: given_quickbooks.QuickbooksLedger) -> QuickbooksLedger:
    company = Company(name, given.base_url, given.realm_id, given.accounts, given.timeout)
    return QuickbooksLedger(company, bearer_of_login("quickbooks", given))
