"""webhooks that came, on SQLite"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from precoro_daemon.adapters.state.sqlite.statements import read_named
from precoro_daemon.adapters.state.sqlite.transactions import Transactions
from precoro_daemon.mirror.ports.deliveries import Delivery, DeliveryCounts
from precoro_daemon.mirror.rules.deliveries import TYPES

DELIVERIES = read_named("deliveries.sql")

_PAUSE = 60.0
"""Seconds between two looks at one record: Precoro refuses the same GET within a minute."""

_MOST_WAITING = 10_000
"""Records announced and not yet looked at. More than a company changes before they are; a flood ends here."""

_KEPT = 10_000
"""Records of which is kept when they were announced last."""

_DAY = 86_400.0
_HOUR = 3_600.0


class SqlDeliveries:
    """ports.Deliveries, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
        def work(connection: sqlite3.Connection) -> list[Delivery]:
            (waiting,) = connection.execute(DELIVERIES["count_waiting"]).fetchone()
            refused = []
            for delivery in batch:
                row = {"type": delivery.type, "id": delivery.id, "idn": delivery.idn, "at": at}
                if connection.execute(DELIVERIES["note_again"], row).rowcount:
                    continue
                if waiting >= _MOST_WAITING:
                    refused.append(delivery)
                    continue
                connection.execute(DELIVERIES["note"], row)
                waiting += 1
            return refused

        return await self._transactions.write(work)

    async def due(self, *, now: float, limit: int) -> Sequence[Delivery]:
        def work(connection: sqlite3.Connection) -> list[Delivery]:
            rows = connection.execute(DELIVERIES["due"], {"before": now - _PAUSE, "limit": limit})
            return [Delivery(row["type"], row["id"], row["idn"], row["last_at"]) for row in rows]

        return await self._transactions.read(work)

    async def next_due(self) -> float | None:
        def work(connection: sqlite3.Connection) -> float | None:
            (at,) = connection.execute(DELIVERIES["next_due"], {"pause": _PAUSE}).fetchone()
            return None if at is None else float(at)

        return await self._transactions.read(work)

    async def settle(self, batch: Sequence[Delivery], *, heard_at: float, at: float, outcome: str) -> None:
        rows = [{"type": one.type, "id": one.id, "heard_at": heard_at, "at": at, "outcome": outcome} for one in batch]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(DELIVERIES["settle"], rows)
            connection.execute(DELIVERIES["prune"], {"kept": _KEPT})

        await self._transactions.write(work)

    async def postpone(self, batch: Sequence[Delivery], *, until: float) -> None:
        rows = [{"type": one.type, "id": one.id, "at": until - _PAUSE} for one in batch]
        await self._transactions.execute_each(DELIVERIES["postpone"], rows)

    async def counts(self, *, now: float) -> DeliveryCounts:
        return await self._transactions.read(lambda connection: read_counts(connection, now))


def read_counts(connection: sqlite3.Connection, now: float) -> DeliveryCounts:
    """A change of the last hour may still be announced, and is not counted as unheard."""
    row = connection.execute(DELIVERIES["counts"]).fetchone()
    unheard = 0
    for type_, collection in TYPES.items():
        values = {"type": type_, "collection": collection, "since": now - _DAY, "until": now - _HOUR}
        (count,) = connection.execute(DELIVERIES["unheard"], values).fetchone()
        unheard += count
    return DeliveryCounts(row["waiting"], row["received"], row["last_at"], unheard)
