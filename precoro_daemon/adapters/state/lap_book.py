"""each job's last lap, and the history of laps, in SQL"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from precoro_daemon.adapters.state.rows import cells
from precoro_daemon.runtime.ports import LapTimes, PastLap

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Session, Transactions

_KEPT_S = 90 * 86_400.0
"""How long the history is kept."""

_KEPT_REASON_CHARS = 500


class SqlLapBook:
    """Implements runtime.ports.LapBook, which has the contract."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self) -> Mapping[str, LapTimes]:
        return await self._transactions.read(read_laps)

    async def save(self, job: str, times: LapTimes, past: PastLap | None = None) -> None:
        row = {"job": job} | cells(times)
        if past is None:
            await self._transactions.run("lap_book.save_lap", row)
            return

        def work(session: Session) -> None:
            session.put("lap_book.save_lap", row)
            _record(session, past)

        await self._transactions.write(work)

    async def record(self, past: PastLap) -> None:
        await self._transactions.write(lambda session: _record(session, past))

    async def history(self, since: float) -> Sequence[PastLap]:
        return await self._transactions.read(lambda session: read_history(session, since))


def _record(session: Session, past: PastLap) -> None:
    session.put("lap_book.record", cells(past) | {"reason": past.reason[:_KEPT_REASON_CHARS]})
    session.put("lap_book.forget", (past.ended_at - _KEPT_S,))


def read_laps(session: Session) -> Mapping[str, LapTimes]:
    rows = session.rows("lap_book.read_laps")
    return {row["job"]: LapTimes(row["started_at"], row["ended_at"], row["good_at"]) for row in rows}


def read_history(session: Session, since: float) -> Sequence[PastLap]:
    return [PastLap(**row) for row in session.rows("lap_book.read_history", (since,))]
