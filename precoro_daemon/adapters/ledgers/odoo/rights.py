"""checks of the user's rights and of the configured journals"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from precoro_daemon.adapters.ledgers.odoo.bills import ORDER, Bills
from precoro_daemon.adapters.ledgers.odoo.calls import OdooCalls, Row
from precoro_daemon.adapters.ledgers.odoo.dialects import Method
from precoro_daemon.adapters.ledgers.odoo.options import OdooOptions
from precoro_daemon.adapters.ledgers.odoo.settlements import linked, title
from precoro_daemon.errors import DaemonError, LedgerMisfit, PermanentError
from precoro_daemon.payments.ports.ledger import Probe

_PAYING_JOURNALS = ("bank", "cash", "credit")
_OLDEST_VERSION = 16
_HAS_ACCESS = 18
"""The first version that checks one right with `has_access`."""

_NEEDED_RIGHTS = (
    ("read", "account.move"),
    ("read", "account.partial.reconcile"),
    ("create", "account.payment.register"),
    ("create", "account.payment"),
)


@dataclass(frozen=True, slots=True)
class Journals:
    """The journals that pay, one for each currency."""

    calls: OdooCalls
    options: OdooOptions

    async def paying_in(self, currency: str) -> int:
        """Returns the number of the journal. Reads it before each payment, because another currency would change the
        amount owed.

        Raises PermanentError if no journal is configured for the currency, LedgerMisfit if the configured one does
        not pay in it.
        """
        given = self.options.journals.get(currency)
        if given is None:
            named = ", ".join(self.options.journals) or "none"
            text = f"ledger {self.options.name}: no journal pays in {currency}; journals has {named}"
            raise PermanentError(f"{text}; add the bank journal that is in {currency}")
        journal = await self._journal(given)
        pays_in = await self._currency(journal)
        if pays_in != currency:
            raise LedgerMisfit(
                f"ledger {self.options.name}: journal {journal['name']} ({given}) is in {pays_in}, and journals names"
                f" it for {currency}; name the one that is in {currency}"
            )
        return int(journal["id"])

    async def method_of(self, journal: int) -> int:
        """Returns the number of the journal's payment method with the configured code. Raises LedgerMisfit."""
        code = self.options.payment_method
        kind = [["payment_method_id.payment_type", "=", "outbound"], ["payment_method_id.code", "=", code]]
        domain = [["journal_id", "=", journal], *kind]
        found = await self.calls.search("account.payment.method.line", domain, ["name"])
        if not found:
            text = f"ledger {self.options.name}: journal {journal} has no outgoing payment method {code}"
            raise LedgerMisfit(f"{text}; add it to the journal, or correct payment_method")
        return int(found[0]["id"])

    async def _journal(self, given: str) -> Row:
        by = ["id", "=", int(given)] if given.isdecimal() else ["code", "=", given]
        company = [] if self.options.company is None else [["company_id", "=", self.options.company]]
        domain = [by, ["type", "in", list(_PAYING_JOURNALS)], *company]
        found = await self.calls.search("account.journal", domain, ["name", "currency_id", "company_id"])
        if len(found) != 1:
            what = "no bank or cash journal" if not found else f"{len(found)} journals"
            raise LedgerMisfit(f"ledger {self.options.name}: Odoo has {what} {given}; correct journals")
        return found[0]

    async def _currency(self, journal: Row) -> str:
        """Returns the currency of a journal, or that of its company if it has none of its own."""
        if journal["currency_id"]:
            return title(journal["currency_id"])
        domain = [["id", "=", linked(journal["company_id"])]]
        [company] = await self.calls.search("res.company", domain, ["currency_id"])
        return title(company["currency_id"])


@dataclass(frozen=True, slots=True)
class Rights:
    """Checks that are possible before the first payment."""

    calls: OdooCalls
    options: OdooOptions
    bills: Bills
    journals: Journals

    async def probe(self) -> Sequence[Probe]:
        return [found async for found in self._probes()]

    async def _probes(self) -> AsyncIterator[Probe]:
        yield await _tried("which version answers", self._version)
        for operation, model in _NEEDED_RIGHTS:
            yield await _tried(f"may {operation} {model}", lambda op=operation, of=model: self._may(op, of))  # type: ignore[misc]
        yield await _tried("a vendor bill can be read whole", self._bill)
        for currency, given in self.options.journals.items():
            what = f"journal {given} pays in {currency}"
            yield await _tried(what, lambda code=currency: self._pays(code))  # type: ignore[misc]

    async def _version(self) -> str:
        dialect = await self.calls.dialect()
        return "" if dialect.version >= _OLDEST_VERSION else f"it is {dialect}; 16 to 19 are known here"

    async def _may(self, operation: str, model: str) -> str:
        dialect = await self.calls.dialect()
        if dialect.version >= _HAS_ACCESS:
            method = Method(model, "has_access", {"operation": operation}, ids=[])
        else:
            method = Method(model, "check_access_rights", {"operation": operation, "raise_exception": False})
        if await self.calls.ask(method):
            return ""
        return "the key's user lacks the right; in Odoo: Settings, Users, Accounting: Billing"

    async def _bill(self) -> str:
        domain = [["move_type", "=", "in_invoice"], ["state", "=", "posted"]]
        found = await self.calls.search("account.move", domain, ["id"], order=ORDER, limit=1)
        rows = await self.bills.numbered([row["id"] for row in found])
        await self.bills.settled(rows)
        return "" if rows else "Odoo shows this user no posted vendor bill"

    async def _pays(self, currency: str) -> str:
        journal = await self.journals.paying_in(currency)
        if self.options.payment_method:
            await self.journals.method_of(journal)
        return ""


async def _tried(what: str, find: Callable[[], Awaitable[str]]) -> Probe:
    """Runs a check and returns its fault, so that one fault does not hide the others."""
    try:
        return Probe(what, await find())
    except DaemonError as error:
        return Probe(what, str(error))
