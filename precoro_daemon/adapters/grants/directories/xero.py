"""Xero's organisations, bank accounts and open bills"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from precoro_daemon.adapters.grants.directories.api import Api
from precoro_daemon.payments.ports.login_directory import Account, OpenBill, Organisation

_XERO_ACCOUNTS = "/api.xro/2.0/Accounts?where=Type%3D%3D%22BANK%22"
_XERO_BILLS = "/api.xro/2.0/Invoices?where=Type%3D%3D%22ACCPAY%22&Statuses=AUTHORISED&page=1&pageSize=1000"


class XeroDirectory:
    """Implements `LoginDirectory`. https://developer.xero.com/documentation/api/accounting/overview"""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def organisations(self) -> Sequence[Organisation]:
        found = await self._api.ask("/connections")
        tenants = [one for one in found if one.get("tenantType") == "ORGANISATION"]
        return [Organisation(one["tenantId"], one.get("tenantName") or one["tenantId"]) for one in tenants]

    async def accounts(self, organisation: Organisation) -> Sequence[Account]:
        found = await self._ask(_XERO_ACCOUNTS, organisation)
        return [
            Account(one["AccountID"], one.get("Name", ""), one.get("CurrencyCode", ""))
            for one in found.get("Accounts", ())
            if one.get("Status", "ACTIVE") == "ACTIVE"
        ]

    async def open_bills(self, organisation: Organisation) -> Sequence[OpenBill]:
        found = await self._ask(_XERO_BILLS, organisation)
        return [
            OpenBill(one["InvoiceID"], _numbers(one), one.get("Contact", {}).get("Name", ""))
            for one in found.get("Invoices", ())
        ]

    async def _ask(self, target: str, organisation: Organisation) -> Any:
        return await self._api.ask(target, {"Xero-tenant-id": organisation.id})


def _numbers(row: Mapping[str, Any]) -> Sequence[str]:
    return [text for name in ("InvoiceNumber", "Reference") if (text := row.get(name))]
