"""the last lap of each job in SQL"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from precoro_daemon.adapters.state.session import Session, Transactions
from precoro_daemon.runtime.ports import LapTimes


class SqlLapBook:
    """runtime.ports.LapBook, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self) -> Mapping[str, LapTimes]:
        return await self._transactions.read(read_laps)

    async def save(self, job: str, times: LapTimes) -> None:
        await self._transactions.run("lap_book.save_lap", {"job": job} | asdict(times))


def read_laps(session: Session) -> Mapping[str, LapTimes]:
    rows = session.rows("lap_book.read_laps")
    return {row["job"]: LapTimes(row["started_at"], row["ended_at"], row["good_at"]) for row in rows}
