"""when collections change, as observed by scans, in SQL"""

from __future__ import annotations

from collections.abc import Sequence

from precoro_daemon.adapters.state.rows import cells
from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.quota.watched_hours import WatchedHour


class SqlFreshnessBook:
    """Implements quota.ports.FreshnessBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self, since: float) -> Sequence[WatchedHour]:
        return await self._transactions.read(lambda session: read_hours(session, since))

    async def add(self, hours: Sequence[WatchedHour], *, forget_before: float) -> None:
        def work(session: Session) -> None:
            session.put_many("freshness_book.add_hour", [cells(hour) for hour in hours])
            session.put("freshness_book.forget_hours", (forget_before,))

        await self._transactions.write(work)


def read_hours(session: Session, since: float) -> Sequence[WatchedHour]:
    return [WatchedHour(*row) for row in session.rows("freshness_book.read_hours", (since,))]
