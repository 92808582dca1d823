"""the business_central ledger: payments become lines of a journal that people post"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from precoro_daemon.adapters.http.bearer import Bearer
from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.business_central.payloads import (
    BillName,
    PurchaseInvoice,
    Row,
    document_number,
    line_of,
    read_invoice,
    read_line,
    rows_of,
)
from precoro_daemon.adapters.ledgers.client import HttpLedger, LedgerClient, Manners
from precoro_daemon.adapters.ledgers.paging import same_origin
from precoro_daemon.errors import (
    DaemonError,
    DoubtfulError,
    LedgerMisfit,
    MalformedAnswer,
    PermanentError,
    SeveralFound,
)
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.receipts import Receipt
from precoro_daemon.values.money import plain
from precoro_daemon.writes.permit import Permit

_HALF_OF_ITS_CALLS_A_MINUTE = 300
"""Half of the calls that Business Central accepts from one user."""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_EXACT_NUMBERS = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class BusinessCentralOptions:
    """One company of one environment.

    company    its id
    journal    the code of the vendor payment journal
    bill_name  the property of a purchase invoice that is the externalId in Precoro
    """

    name: str
    tenant: str
    environment: str
    company: str
    journal: str
    bill_name: BillName = "id"
    timeout: float = 30.0


class BusinessCentralLedger(HttpLedger):
    """Implements `Ledger` in one direction: see the theory of operation in the package's docstring."""

    def __init__(self, origin: str, options: BusinessCentralOptions, bearer: Bearer) -> None:
        self._options = options
        self._origin = origin
        manners = Manners(options.timeout, calls_a_minute=_HALF_OF_ITS_CALLS_A_MINUTE, messages=("error.message",))
        super().__init__(LedgerClient(options.name, origin, bearer, manners))
        environment = "/".join(quote(part, safe="") for part in (options.tenant, options.environment))
        self._root = f"/v2.0/{environment}/api/v2.0/companies({quote(options.company, safe='')})"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(reads=False, create="plain", lookup="key")

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        invoice = await self._payable(entry)
        target = f"{self._root}/vendorPaymentJournals({await self._journal()})/vendorPayments"
        body = _EXACT_NUMBERS.encode(line_of(entry, invoice))
        outgoing = Outgoing("POST", target, {"Content-Type": "application/json"}, body)
        tree = await self._client.send_payment("create", outgoing, permit)
        try:
            return read_line(tree, self._options.bill_name)
        except (MalformedAnswer, AttributeError) as error:
            said = f"ledger {self.name}: create: the line was made, but its answer cannot be read: {error}"
            raise DoubtfulError(said) from None

    async def find(self, key: str) -> Receipt | None:
        """Searches the lines that are not posted yet: no list names posted ones."""
        number = document_number(key)
        wanted = _equal("externalDocumentNumber", number)
        rows = await self._list(
            "find", f"vendorPaymentJournals({await self._journal()})/vendorPayments?$filter={wanted}"
        )
        if others := [row for row in rows if str(row.get("externalDocumentNumber")).upper() != number]:
            raise LedgerMisfit(f"ledger {self.name}: find: was asked for one line and got {len(others)} others too")
        if len(rows) > 1:
            raise SeveralFound(f"ledger {self.name} has {len(rows)} lines under the key {key}")
        return read_line(rows[0], self._options.bill_name) if rows else None

    async def probe(self) -> Sequence[Probe]:
        found = []
        for what, ask in (
            ("the company's own currency can be read", self._home),
            (f"there is a vendor payment journal {self._options.journal}", self._journal),
            ("purchase invoices can be read", self._some_invoice),
        ):
            try:
                await ask()
                found.append(Probe(what))
            except DaemonError as error:
                found.append(Probe(what, str(error)))
        return found

    async def _payable(self, entry: Entry) -> PurchaseInvoice:
        """Returns the invoice that the payment is for. Raises PermanentError if this line cannot pay it."""
        said = f"ledger {self.name}"
        named = entry.invoice_external_id
        found = await self._named(named)
        if len(found) != 1:
            amount = f"{len(found)} purchase invoices" if found else "no purchase invoice"
            raise PermanentError(
                f"{said}: Business Central has {amount} whose {self._options.bill_name} is {named!r}"
            )
        invoice = read_invoice(found[0])
        if invoice.status != "Open":
            raise PermanentError(f"{said}: purchase invoice {invoice.number} is {invoice.status or 'in no state'}")
        home = await self._home()
        if not entry.currency == invoice.currency == home:
            currencies = (
                f"the payment is in {entry.currency}, the invoice in {invoice.currency}, the company in {home}"
            )
            raise PermanentError(f"{said}: a journal line has no currency; {currencies}: record it by hand")
        if not 0 < entry.amount <= invoice.total:
            amounts = f"{plain(entry.amount)} is not between nothing and the {plain(invoice.total)} of it"
            raise PermanentError(f"{said}: purchase invoice {invoice.number}: {amounts}")
        return invoice

    async def _named(self, name: str) -> Sequence[Row]:
        """Returns the purchase invoices with that externalId of Precoro."""
        if not name or (self._options.bill_name == "id" and not _GUID.fullmatch(name)):
            return ()
        if self._options.bill_name == "number":
            return await self._list("invoice", f"purchaseInvoices?$filter={_equal('number', name)}")
        outgoing = Outgoing("GET", f"{self._root}/purchaseInvoices({name})")
        tree = await self._client.ask("invoice", outgoing, of_one=True, not_found_is_none=True)
        return () if tree is None else (tree,)

    async def _home(self) -> str:
        """Returns the company's own currency. Raises LedgerMisfit."""
        for row in await self._list("company", "companyInformation"):
            if currency := str(row.get("currencyCode") or ""):
                return currency
        raise LedgerMisfit(f"ledger {self.name}: the company says no currency of its own")

    async def _journal(self) -> str:
        """Returns the id of the journal with the configured code. Raises LedgerMisfit."""
        code = self._options.journal
        wanted = _equal("code", code)
        rows = await self._list("journal", f"vendorPaymentJournals?$filter={wanted}")
        found = [str(row.get("id")) for row in rows if str(row.get("code")).upper() == code.upper()]
        if len(found) != 1:
            raise LedgerMisfit(f"ledger {self.name}: Business Central has no vendor payment journal {code}")
        return found[0]

    async def _some_invoice(self) -> None:
        newest = Outgoing("GET", f"{self._root}/purchaseInvoices?$top=1")
        for row in rows_of(await self._client.ask("invoices", newest), "invoices"):
            read_invoice(row)

    async def _list(self, what: str, path: str) -> Sequence[Row]:
        """Returns the rows of all pages of a list."""
        target = f"{self._root}/{path}"
        tree = await self._client.ask(what, Outgoing("GET", target))
        rows: list[Any] = [*rows_of(tree, what)]
        seen = {target}
        while link := tree.get("@odata.nextLink"):
            target = same_origin(str(link), self._origin, target)
            if target in seen:
                raise LedgerMisfit(
                    f"ledger {self.name}: {what}: the page at {target[:100]!r} names itself as the next"
                )
            seen.add(target)
            tree = await self._client.ask(what, Outgoing("GET", target))
            rows += rows_of(tree, what)
        return rows


def _equal(name: str, value: str) -> str:
    """Returns an OData filter, in which a quote within a text is doubled. Raises PermanentError."""
    text = value.replace("'", "''")
    try:
        return quote(f"{name} eq '{text}'", safe="'")
    except UnicodeEncodeError:  # half a surrogate pair
        raise PermanentError(f"{value!r} can be no {name}") from None
