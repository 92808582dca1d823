"""learned facts about Precoro in SQL: one row, always read and written whole"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.status.facts import Fact

_FACTS = "facts"


class SqlFactBook:
    """Implements status.facts.FactBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self) -> Sequence[Fact]:
        return await self._transactions.read(read_facts)

    async def save(self, facts: Sequence[Fact]) -> None:
        await self._transactions.run("positions.save", (_FACTS, msgspec.json.encode(facts).decode()))


def read_facts(session: Session) -> Sequence[Fact]:
    row = session.row("positions.read", (_FACTS,))
    return [] if row is None else msgspec.json.decode(row["value"], type=list[Fact])
