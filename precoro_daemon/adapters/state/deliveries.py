"""received webhooks in SQL"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from precoro_daemon.mirror.ports.deliveries import Delivery, DeliveryCounts
from precoro_daemon.mirror.rules.deliveries import COLLECTION_BY_TYPE
from precoro_daemon.quota.limits import SECONDS

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Session, Transactions

_CHECK_PAUSE_S = 60.0
"""Seconds between two checks of one record: Precoro refuses an identical GET within a minute."""

_MOST_WAITING = 10_000
"""Announced records that are not yet checked: more than a company changes in that time. A flood ends here."""

_KEPT = 10_000
"""Records whose last announcement is kept."""

_PRUNED = 1_000_000
"""Records forgotten in one step: more than ever exist."""

_DAY_S = SECONDS["day"]
_HOUR_S = SECONDS["hour"]


class SqlDeliveries:
    """Implements mirror.ports.Deliveries, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
        def work(session: Session) -> list[Delivery]:
            room = _MOST_WAITING - session.value("deliveries.count_waiting")
            refused = []
            for delivery in batch:
                row = {"type": delivery.type, "id": delivery.id, "idn": delivery.idn, "at": at}
                if session.run("deliveries.note_again", row):
                    continue
                if room > 0:
                    session.run("deliveries.note", row)
                    room -= 1
                else:
                    refused.append(delivery)
            return refused

        return await self._transactions.write(work)

    async def due(self, *, now: float, limit: int) -> Sequence[Delivery]:
        rows = await self._transactions.rows("deliveries.due", {"before": now - _CHECK_PAUSE_S, "limit": limit})
        return [Delivery(row["type"], row["id"], row["idn"], row["last_at"]) for row in rows]

    async def next_due(self) -> float | None:
        at = await self._transactions.value("deliveries.next_due", {"pause": _CHECK_PAUSE_S})
        return None if at is None else float(at)

    async def settle(self, batch: Sequence[Delivery], *, heard_at: float, at: float, outcome: str) -> None:
        rows = [{"type": one.type, "id": one.id, "heard_at": heard_at, "at": at, "outcome": outcome} for one in batch]

        def work(session: Session) -> None:
            session.put_many("deliveries.settle", rows)
            session.put("deliveries.prune", {"kept": _KEPT, "most": _PRUNED})

        await self._transactions.write(work)

    async def postpone(self, batch: Sequence[Delivery], *, until: float) -> None:
        rows = [{"type": one.type, "id": one.id, "at": until - _CHECK_PAUSE_S} for one in batch]
        await self._transactions.run_many("deliveries.postpone", rows)

    async def counts(self, *, now: float) -> DeliveryCounts:
        return await self._transactions.read(lambda session: read_counts(session, now))


def read_counts(session: Session, now: float) -> DeliveryCounts:
    """Returns the counts. A change of the last hour may still be announced, and does not count as unannounced."""
    [row] = session.rows("deliveries.counts")
    between = {"since": now - _DAY_S, "until": now - _HOUR_S}
    unheard = sum(
        session.value("deliveries.unheard", {"type": type_, "collection": collection} | between)
        for type_, collection in COLLECTION_BY_TYPE.items()
    )
    return DeliveryCounts(row["waiting"], row["received"], row["last_at"], unheard)
