"""a company in QuickBooks Online: its address, queries, and facts that are read once"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.answers import value_at
from precoro_daemon.adapters.ledgers.client import LedgerClient, Manners
from precoro_daemon.errors import MalformedAnswer

_MINOR_VERSION = "75"
"""The oldest version that Intuit serves since August 2025."""

_REALM_CALLS_A_MINUTE = 500
_REALM_CALLS_AT_ONCE = 10
_AFTER_TOO_OFTEN_S = 60.0
_FAULT_MESSAGES = (
    "Fault.Error.0.Detail",
    "Fault.Error.0.Message",
    "fault.error.0.detail",
    "fault.error.0.message",
)
_BLOCKING_CODES = {"5020", "6190"}
"""The error codes that mean: the user may not do this; the company's subscription has ended."""

_OBJECT_ID = re.compile(r"[0-9]{1,20}", re.ASCII)


def manners(timeout: float) -> Manners:
    return Manners(
        timeout,
        calls_a_minute=_REALM_CALLS_A_MINUTE,
        at_once=_REALM_CALLS_AT_ONCE,
        unsaid_wait=_AFTER_TOO_OFTEN_S,
        error="Fault",
        messages=_FAULT_MESSAGES,
        blocking={"Fault.Error.0.code": _BLOCKING_CODES},
    )


@dataclass(frozen=True, slots=True)
class Company:
    """A company in QuickBooks Online, and how to reach it.

    name      the ledger's name in the journal
    accounts  ids of bank and credit card accounts by currency
    timeout   seconds of one call
    """

    name: str
    origin: str
    realm_id: str
    accounts: Mapping[str, str]
    timeout: float


@dataclass(slots=True)
class CompanyClient:
    """Sends questions about one company. Reads its unchanging facts once."""

    client: LedgerClient
    realm_id: str
    _home: str = field(default="", init=False)

    def target(self, path: str, **query: str) -> str:
        named = urlencode({**query, "minorversion": _MINOR_VERSION}, quote_via=quote)
        return f"/v3/company/{self.realm_id}/{path}?{named}"

    async def query(self, what: str, kind: str, clauses: str, *, of_one: bool = False) -> tuple[Sequence[Any], Any]:
        """Returns the objects of a kind, and the whole answer."""
        target = self.target("query", query=f"select * from {kind} {clauses}".strip())  # noqa: S608 - ids are digits
        tree = await self.client.ask(what, Outgoing("GET", target), of_one=of_one)
        return listed(value_at(tree, "QueryResponse"), kind), tree

    async def by_id(self, what: str, kind: str, id_: str) -> Any:
        """Returns the object with that id, or None."""
        if not _OBJECT_ID.fullmatch(id_):
            return None
        rows, _ = await self.query(what, kind, f"where Id = '{id_}'", of_one=True)
        return next((row for row in rows if isinstance(row, Mapping) and row.get("Id") == id_), None)

    async def home_currency(self) -> str:
        if not self._home:
            rows, _ = await self.query("preferences", "Preferences", "")
            home = value_at(rows[0], "CurrencyPrefs.HomeCurrency.value") if rows else None
            if not isinstance(home, str) or not home:
                raise MalformedAnswer("the company does not say what its home currency is")
            self._home = home
        return self._home

    async def rate(self, currency: str, day: str) -> Decimal:
        """Returns that day's rate: units of the home currency for one of `currency`. Raises MalformedAnswer."""
        target = self.target("exchangerate", sourcecurrencycode=currency, asofdate=day)
        tree = await self.client.ask("rate", Outgoing("GET", target), of_one=True)
        rate = value_at(tree, "ExchangeRate.Rate")
        if isinstance(rate, bool) or not isinstance(rate, int | Decimal) or rate <= 0:
            raise MalformedAnswer(f"the company has no exchange rate of {currency} for {day}")
        return Decimal(rate)


def listed(response: Any, kind: str) -> Sequence[Any]:
    """Returns the objects of a kind in an answer, none if it does not mention the kind. Raises MalformedAnswer if it
    is no answer to a query.
    """
    if not isinstance(response, Mapping):
        raise MalformedAnswer(f"the answer has no list of {kind}")
    rows = response.get(kind, [])
    if not isinstance(rows, list):
        raise MalformedAnswer(f"the answer has no list of {kind}")
    return rows
