"""the odoo ledger: bills read by their last change, payments made with its wizard"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Any

from precoro_daemon.adapters.http.bearer import Bearer
from precoro_daemon.adapters.ledgers.client import HttpLedger, LedgerClient, Manners
from precoro_daemon.adapters.ledgers.odoo.bills import Bills
from precoro_daemon.adapters.ledgers.odoo.calls import OdooCalls, Row
from precoro_daemon.adapters.ledgers.odoo.options import OdooOptions
from precoro_daemon.adapters.ledgers.odoo.receipts import Receipts
from precoro_daemon.adapters.ledgers.odoo.registering import Registering
from precoro_daemon.adapters.ledgers.odoo.rights import Journals, Rights
from precoro_daemon.adapters.ledgers.positions import Positions, reach_back
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.payments.ports.ledger import Capabilities, Entry, Probe
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch
from precoro_daemon.payments.rules.receipts import Bill, Receipt
from precoro_daemon.writes.permit import Permit

_BILLS_A_PAGE = 500
_FIRST = "1970-01-01 00:00:00"


class OdooLedger(HttpLedger):
    """Implements `Ledger`.

    Remembers the newest bills of the last complete reading. Bills within the overlap are read further only if they
    changed.
    """

    def __init__(
        self, origin: str, options: OdooOptions, bearer: Bearer, timeout: float, page: int = _BILLS_A_PAGE
    ) -> None:
        self._options = options
        self._page = page
        # The token is sent in the body or in another header than the client's.
        manners = Manners(timeout, scheme="", messages=("message",))
        super().__init__(LedgerClient(options.name, origin, bearer, manners))
        calls = OdooCalls(self._client, options)
        self._bills = Bills(calls, options, RowReader())
        self._receipts = Receipts(calls, self._bills)
        journals = Journals(calls, options)
        self._registering = Registering(calls, options, self._bills, journals, self._receipts)
        self._rights = Rights(calls, options, self._bills, journals)
        self._reached: str | None = None
        self._known: dict[int, tuple[Any, ...]] = {}

    @property
    def capabilities(self) -> Capabilities:
        create = "plain" if self._options.journals else "none"
        return Capabilities(reads=True, create=create, lookup="key", bills=True)  # type: ignore[arg-type]

    async def _batches(self, position: str | None) -> AsyncGenerator[LedgerBatch, None]:
        """Yields batches. Remembers a batch only when the reader asks for the next one: it is durable then."""
        goes_on = position is not None and position == self._reached
        known, self._reached = (self._known if goes_on else {}), None
        scan = _Scan(position, self._options.overlap, self._page)
        seen: dict[int, tuple[Any, ...]] = {}
        while not scan.ended:
            found = await self._bills.changed(scan.since, scan.offset, self._page)
            scan.follow([str(row["write_date"]) for row in found])
            changed = [row for row in found if known.get(row["id"]) != _appearance(row)]
            settled = await self._bills.settled(changed) if changed else {}
            yield self._bills.batch(changed, settled, scan.safe)
            seen |= {row["id"]: _appearance(row) for row in found}
        oldest = reach_back(scan.safe, self._options.overlap)
        self._known = {bill: one for bill, one in seen.items() if one[0] >= oldest}
        self._reached = scan.safe

    async def create(self, entry: Entry, permit: Permit) -> Receipt:
        return await self._registering.create(entry, permit)

    async def find(self, key: str) -> Receipt | None:
        return await self._receipts.under(key)

    async def bill(self, entry: Entry) -> Bill | None:
        found = await self._bills.named(entry)
        if not found:
            return None
        standing = self._bills.standing(found[0], (await self._bills.settled(found))[found[0]["id"]])
        return standing if len(found) == 1 else replace(standing, closed=self._bills.unnamed(entry, found))

    async def probe(self) -> Sequence[Probe]:
        return await self._rights.probe()


def _appearance(bill: Row) -> tuple[Any, ...]:
    """Returns the fields that show a change. write_date alone does not suffice: Odoo cuts it to the second."""
    linked_ones = tuple(bill.get("matched_payment_ids") or ())
    return bill["write_date"], bill["state"], bill["payment_state"], bill["amount_residual"], linked_ones


class _Scan:
    """Decides which page to request next.

    A bill that changes during the scan moves to the end, and all bills after its old place move up by one. So
    after a full page, the scan requests the first page from the newest position on. It requests the next page only
    while all bills have the same position.
    """

    def __init__(self, position: str | None, overlap: float, page: int) -> None:
        self.since = _FIRST if position is None else reach_back(position, overlap)
        self.offset = 0
        self.ended = False
        self._positions = Positions(position or _FIRST)
        self._page = page

    @property
    def safe(self) -> str:
        return self._positions.safe

    def follow(self, positions: Sequence[str]) -> None:
        for position in positions:
            self._positions.follow(position)
        self.ended = len(positions) < self._page
        if not self.ended and positions[-1] > self.since:
            self.since, self.offset = positions[-1], 0
        else:
            self.offset += self._page
