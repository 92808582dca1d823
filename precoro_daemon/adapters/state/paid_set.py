"""compares the set of paid invoices inside the database, page by page"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.payments.ports.paid_set import PaidInvoice

_INVOICES_A_PAGE = 50_000
"""Ids of one transaction, which occupies the writer's thread for less than a tenth of a second."""

_LEAST_ID, _GREATEST_ID = -(2**63), 2**63 - 1

_ADOPTED = "paid before this time is known"


class SqlPaidSet:
    """Implements payments.ports.PaidSet, which has the contract. The ids never leave the database."""

    def __init__(self, transactions: Transactions, page: int = _INVOICES_A_PAGE) -> None:
        self._transactions = transactions
        self._page = page

    async def adopted_at(self) -> float | None:
        row = await self._transactions.row("positions.read", (_ADOPTED,))
        return None if row is None else float(row["value"])

    async def adopt(self, at: float) -> None:
        row = (_ADOPTED, repr(at))
        await self._transactions.run("positions.set_once", row)

    async def compare(self, after: int, *, known: bool) -> tuple[int | None, int]:
        def work(session: Session) -> tuple[int | None, int]:
            [end] = session.rows("paid_set.page_end", (after, self._page))
            if end["last"] is None:
                return None, 0
            row = {"after": after, "last": end["last"], "due": not known}
            changed = session.run("paid_set.compare_page", row)
            return (end["last"] if end["rows"] == self._page else None), changed

        return await self._transactions.write(work)

    async def leave(self, at: float) -> int:
        return await self._transactions.run("paid_set.leave", {"at": at})

    async def due(self, limit: int, *, after: int | None = None) -> Sequence[PaidInvoice]:
        first = _LEAST_ID if after is None else after + 1
        return await self._due(first, _GREATEST_ID, limit)

    async def reread(self, invoice: PaidInvoice) -> PaidInvoice:
        return next(iter(await self._due(invoice.id, invoice.id, 1)), invoice)

    async def _due(self, first: int, last: int, limit: int) -> Sequence[PaidInvoice]:
        rows = await self._transactions.rows("paid_set.due", {"first": first, "last": last, "limit": limit})
        return [PaidInvoice(**{**row, "paid": bool(row["paid"])}) for row in rows]

    async def again(self, invoice_id: int) -> None:
        await self._transactions.run("paid_set.again", (invoice_id,))

    async def done(self, invoice: PaidInvoice) -> None:
        row = (invoice.id, invoice.version)
        await self._transactions.run("paid_set.done", row)
