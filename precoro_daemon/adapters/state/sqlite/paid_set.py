"""which invoices are paid, compared inside SQLite page by page"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from precoro_daemon.adapters.state.sqlite.journal import JOURNAL
from precoro_daemon.adapters.state.sqlite.old_transactions import Transactions
from precoro_daemon.payments.ports.paid_set import PaidInvoice

_PAGE = 50_000
"""Ids of one transaction: the writer's thread is then held for less than a tenth of a second."""

_ADOPTED = "paid before this time is known"


class SqlPaidSet:
    """payments.ports.PaidSet, where the contract is written. The ids themselves never leave SQLite."""

    def __init__(self, transactions: Transactions, page: int = _PAGE) -> None:
        self._transactions = transactions
        self._page = page

    async def adopted_at(self) -> float | None:
        def work(connection: sqlite3.Connection) -> float | None:
            row = connection.execute(JOURNAL["read_position"], (_ADOPTED,)).fetchone()
            return None if row is None else float(row["value"])

        return await self._transactions.read(work)

    async def adopt(self, at: float) -> None:
        row = (_ADOPTED, repr(at))
        await self._transactions.execute(JOURNAL["set_position_once"], row)

    async def compare(self, after: int, *, known: bool) -> tuple[int | None, int]:
        def work(connection: sqlite3.Connection) -> tuple[int | None, int]:
            end = connection.execute(JOURNAL["page_end"], (after, self._page)).fetchone()
            if end["last"] is None:
                return None, 0
            row = {"after": after, "last": end["last"], "due": not known}
            changed = connection.execute(JOURNAL["compare_page"], row).rowcount
            return (end["last"] if end["rows"] == self._page else None), changed

        return await self._transactions.write(work)

    async def leave(self, at: float) -> int:
        return await self._transactions.write(
            lambda connection: connection.execute(JOURNAL["leave"], {"at": at}).rowcount
        )

    async def due(self, limit: int) -> Sequence[PaidInvoice]:
        def work(connection: sqlite3.Connection) -> Sequence[PaidInvoice]:
            rows = connection.execute(JOURNAL["due_paid"], (limit,))
            return [PaidInvoice(**{**row, "paid": bool(row["paid"])}) for row in rows]

        return await self._transactions.read(work)

    async def again(self, invoice_id: int) -> None:
        await self._transactions.execute(JOURNAL["paid_again"], (invoice_id,))

    async def done(self, invoice: PaidInvoice) -> None:
        row = (invoice.id, invoice.version)
        await self._transactions.execute(JOURNAL["paid_done"], row)
