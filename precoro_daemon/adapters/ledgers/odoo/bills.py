"""vendor bills and their settlements, read in few calls"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from precoro_daemon.adapters.ledgers.odoo.calls import OdooCalls, Row
from precoro_daemon.adapters.ledgers.odoo.options import OdooOptions
from precoro_daemon.adapters.ledgers.odoo.settlements import (
    Settlement,
    key_in,
    linked,
    open_on,
    settlements_of,
    title,
)
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.errors import PermanentError
from precoro_daemon.payments.ports.ledger import Entry
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, LedgerPayment, Undone, UnreadableRow
from precoro_daemon.payments.rules.receipts import Bill

ORDER = "write_date, id"
"""The order of bills, in which no bill is lost between two pages."""

_BILL_FIELDS = ("name", "state", "move_type", "payment_state", "currency_id", "amount_residual", "write_date",
         "commercial_partner_id", "company_id")  # fmt: skip
_PARTIAL_FIELDS = ("debit_move_id", "credit_move_id", "credit_amount_currency")
_ENTRY_FIELDS = ("move_id", "payment_id", "statement_line_id", "date", "ref", "name")
PAYMENT_FIELDS = ("state", "move_id", "amount", "currency_id", "date")
_SHOWN_NAMES = 5

Settled = Mapping[int, Sequence[Settlement]]


class _Read(NamedTuple):
    payments: list[LedgerPayment]
    unreadable: list[UnreadableRow]
    undone: list[Undone]


@dataclass(frozen=True, slots=True)
class Bills:
    """The vendor bills of one database."""

    calls: OdooCalls
    options: OdooOptions
    reader: RowReader

    async def changed(self, since: str, offset: int, limit: int) -> Sequence[Row]:
        """Returns the bills that changed at that time or later, in any state, the oldest change first."""
        domain = [["move_type", "=", "in_invoice"], ["write_date", ">=", since], *self._of_company]
        return await self._search(domain, order=ORDER, offset=offset, limit=limit)

    async def numbered(self, numbers: Sequence[int]) -> Sequence[Row]:
        return await self._search([["id", "in", list(numbers)]]) if numbers else ()

    async def named(self, entry: Entry) -> Sequence[Row]:
        """Returns the bills with the name of the payment's invoice."""
        name, field = self.options.name_of(entry), self.options.bill_name
        if not name or (field == "id" and not (name.isascii() and name.isdecimal())):
            return ()
        if field == "id":
            return await self.numbered([int(name)])
        named = [["move_type", "=", "in_invoice"], ["state", "!=", "cancel"], [field, "=", name]]
        return await self._search([*named, *self._of_company])

    async def of(self, entry: Entry) -> Row:
        """Returns the bill that this payment is for. Raises PermanentError if there is none or more than one."""
        found = await self.named(entry)
        if len(found) != 1:
            raise PermanentError(f"ledger {self.options.name}: {self.unnamed(entry, found)}")
        return found[0]

    def unnamed(self, entry: Entry, found: Sequence[Row]) -> str:
        """Explains why the name of the payment's invoice does not identify one bill."""
        name, field = self.options.name_of(entry), self.options.bill_name
        if not name:
            return "Precoro does not say what Odoo calls the invoice"
        if field == "id" and not name.isdecimal():
            return f"{name!r} is no number of a bill in Odoo: a whole number is wanted"
        shown = ": " + ", ".join(str(row["name"]) for row in found[:_SHOWN_NAMES]) if found else ""
        return f"Odoo has {len(found) or 'no'} {'bills' if found else 'bill'} whose {field} is {name!r}{shown}"

    async def settled(self, bills: Sequence[Row]) -> Settled:
        """Returns the settlements of each bill. A bill that is not posted has none that count."""
        posted = [bill["id"] for bill in bills if bill["state"] == "posted"]
        of_bills = [["credit_move_id.move_id", "in", posted]]
        partials = await self.calls.search("account.partial.reconcile", of_bills, _PARTIAL_FIELDS) if posted else ()
        lines = await self._lines(partials)
        payments = await self._made_for(bills)
        parts: dict[int, list[Row]] = defaultdict(list)
        for partial in partials:
            owner = lines.get(linked(partial["credit_move_id"]))
            if owner is not None:
                parts[linked(owner["move_id"])].append(partial)
        return {bill["id"]: settlements_of(bill, parts[bill["id"]], lines, payments[bill["id"]]) for bill in bills}

    async def _lines(self, partials: Sequence[Row]) -> Mapping[int, Row]:
        numbers = {linked(one[side]) for one in partials for side in ("debit_move_id", "credit_move_id")}
        if not numbers:
            return {}
        found = await self.calls.search("account.move.line", [["id", "in", sorted(numbers)]], _ENTRY_FIELDS)
        return {row["id"]: row for row in found}

    async def _made_for(self, bills: Sequence[Row]) -> Mapping[int, Sequence[Row]]:
        """Returns the payments that were made for each bill, whether they settle it now or not."""
        named = {bill["id"]: bill.get("matched_payment_ids") or () for bill in bills}
        found: dict[int, Row] = {}
        if numbers := sorted({number for linked_ones in named.values() for number in linked_ones}):
            fields = [*PAYMENT_FIELDS, "memo", "invoice_ids"]
            rows = await self.calls.search("account.payment", [["id", "in", numbers]], fields)
            found = {row["id"]: row for row in rows}
        return {bill: [found[one] for one in numbers if one in found] for bill, numbers in named.items()}

    @property
    def _of_company(self) -> Sequence[Any]:
        return () if self.options.company is None else (["company_id", "=", self.options.company],)

    async def _search(self, domain: Sequence[Any], **more: Any) -> Sequence[Row]:
        dialect = await self.calls.dialect()
        fields = [*_BILL_FIELDS, *({self.options.bill_name} - {"id", *_BILL_FIELDS})]
        if dialect.has_payments_without_entry:
            fields.append("matched_payment_ids")
        return await self.calls.search("account.move", domain, fields, **more)

    def batch(self, bills: Sequence[Row], settled: Settled, position: str) -> LedgerBatch:
        """Returns a batch of all settlements of these bills. Earlier ones that are missing count as undone."""
        read = _Read([], [], [])
        for bill in bills:
            keys = []
            for one in settled[bill["id"]]:
                keys.append(f"{bill['id']}/{one.part}")
                row = self.payment(bill, one)
                (read.payments if isinstance(row, LedgerPayment) else read.unreadable).append(row)  # type: ignore[arg-type]
            read.undone.append(Undone(str(bill["id"]), keys))
        return LedgerBatch(read.payments, read.unreadable, position, read.undone)

    def payment(self, bill: Row, settlement: Settlement) -> LedgerPayment | UnreadableRow:
        supplier = bill["commercial_partner_id"]
        cells = {
            "key": f"{bill['id']}/{settlement.part}",
            "invoice": self.title_of(bill),
            "amount": settlement.amount,
            "currency": title(bill["currency_id"]),
            "paid_on": settlement.paid_on,
            "supplier": title(supplier) if self.options.match_by == "number_and_supplier" else None,
            "supplier_id": linked(supplier) if supplier else None,
            "ours": key_in(settlement.memo),
        }
        if settlement.fault:
            return self.reader.refuse(str(cells["key"]), settlement.fault, cells)
        return self.reader.read(cells, str(bill["id"]))

    def title_of(self, bill: Row) -> str:
        """Returns Precoro's name of the bill."""
        return str(bill[self.options.bill_name] or "")

    def standing(self, bill: Row, settled: Sequence[Settlement]) -> Bill:
        """Returns what is open on the bill, and why it takes no payment, if so."""
        closed = "; ".join(_closed(bill, settled))
        return Bill(str(bill["id"]), open_on(bill, settled), title(bill["currency_id"]), closed)


def _closed(bill: Row, settled: Sequence[Settlement]) -> Iterator[str]:
    if bill["move_type"] != "in_invoice":
        yield f"{bill['name']} is no vendor bill in Odoo"
    elif bill["state"] != "posted":
        yield "it is a draft in Odoo" if bill["state"] == "draft" else "it is cancelled in Odoo"
    yield from (f"what is open cannot be known: {one.fault}" for one in settled if one.fault)
