"""Business Central's companies, payment journals and open bills"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from precoro_daemon.adapters.grants.directories.api import Api
from precoro_daemon.payments.ports.login_directory import Account, OpenBill, Organisation

_OPEN_INVOICES = "purchaseInvoices?$filter=status%20eq%20%27Open%27&$top=1000"


class BusinessCentralDirectory:
    """Implements `LoginDirectory` for one environment.

    https://learn.microsoft.com/dynamics365/business-central/dev-itpro/api-reference/v2.0/
    """

    def __init__(self, api: Api, tenant: str, environment: str) -> None:
        self._api = api
        self._root = f"/v2.0/{quote(tenant, safe='')}/{quote(environment, safe='')}/api/v2.0/companies"

    async def organisations(self) -> Sequence[Organisation]:
        found = await self._api.ask(self._root)
        return [Organisation(one["id"], one.get("displayName") or one.get("name", "")) for one in found["value"]]

    async def accounts(self, organisation: Organisation) -> Sequence[Account]:
        """Returns the journals for payments to suppliers, by their code. A journal line is in the company's own
        currency: the
        interface has no other.
        """
        own = await self._list(organisation, "companyInformation")
        currency = next((one.get("currencyCode", "") for one in own), "")
        found = await self._list(organisation, "vendorPaymentJournals")
        return [Account(one["code"], one.get("displayName", ""), currency) for one in found]

    async def open_bills(self, organisation: Organisation) -> Sequence[OpenBill]:
        return [
            OpenBill(
                one["id"],
                [one[name] for name in ("number", "vendorInvoiceNumber") if one.get(name)],
                one.get("vendorName", ""),
            )
            for one in await self._list(organisation, _OPEN_INVOICES)
        ]

    async def _list(self, organisation: Organisation, what: str) -> Sequence[Any]:
        found = await self._api.ask(f"{self._root}({quote(organisation.id, safe='')})/{what}")
        rows: Sequence[Any] = found["value"]
        return rows
