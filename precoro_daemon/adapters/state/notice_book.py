"""what people were notified of, in SQL: one small row, always read and written whole"""

from __future__ import annotations

import msgspec

from precoro_daemon.adapters.state.session import Transactions
from precoro_daemon.status.notices import Kept

_NOTICES = "notices"


class SqlNoticeBook:
    """Implements status.notices.NoticeBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self) -> Kept:
        row = await self._transactions.row("positions.read", (_NOTICES,))
        return Kept() if row is None else msgspec.json.decode(row["value"], type=Kept)

    async def save(self, kept: Kept) -> None:
        await self._transactions.run("positions.save", (_NOTICES, msgspec.json.encode(kept).decode()))
