"""QuickBooks' company, its bank and card accounts, and open bills"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from precoro_daemon.adapters.grants.directories.api import Api
from precoro_daemon.payments.ports.login_directory import Account, OpenBill, Organisation

_MINOR_VERSION = "75"
_INTUIT_ACCOUNTS = "select * from Account where AccountType in ('Bank', 'Credit Card') maxresults 1000"
_INTUIT_BILLS = "select * from Bill where Balance > '0' maxresults 1000"


class IntuitDirectory:
    """Implements `LoginDirectory` for the one company that the user chose at Intuit.

    https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/account
    """

    def __init__(self, api: Api, realm: str) -> None:
        self._api = api
        self._realm = realm

    async def organisations(self) -> Sequence[Organisation]:
        found = await self._api.ask(f"{self._root}/companyinfo/{self._realm}?minorversion={_MINOR_VERSION}")
        preferences = await self._query("select * from Preferences")
        [wanted] = preferences.get("Preferences") or [{}]
        home = wanted.get("CurrencyPrefs", {}).get("HomeCurrency", {}).get("value", "")
        return [Organisation(self._realm, found["CompanyInfo"].get("CompanyName", ""), home)]

    async def accounts(self, organisation: Organisation) -> Sequence[Account]:
        found = await self._query(_INTUIT_ACCOUNTS)
        return [
            Account(one["Id"], one.get("Name", ""), one.get("CurrencyRef", {}).get("value") or organisation.currency)
            for one in found.get("Account", ())
            if one.get("Active", True)
        ]

    async def open_bills(self, organisation: Organisation) -> Sequence[OpenBill]:  # noqa: ARG002 - it is the one
        found = await self._query(_INTUIT_BILLS)
        return [
            OpenBill(one["Id"], [one["DocNumber"]] if one.get("DocNumber") else [], _name(one.get("VendorRef", {})))
            for one in found.get("Bill", ())
        ]

    @property
    def _root(self) -> str:
        return f"/v3/company/{quote(self._realm, safe='')}"

    async def _query(self, text: str) -> Mapping[str, Any]:
        found = await self._api.ask(f"{self._root}/query?query={quote(text)}&minorversion={_MINOR_VERSION}")
        answer: Mapping[str, Any] = found["QueryResponse"]
        return answer


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference.get("name", ""))
