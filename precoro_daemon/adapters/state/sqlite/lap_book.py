"""the last lap of each job on SQLite"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict

from precoro_daemon.adapters.state.sqlite.statements import SQL
from precoro_daemon.adapters.state.sqlite.transactions import Transactions
from precoro_daemon.runtime.ports import LapTimes


class SqlLapBook:
    """ports.LapBook, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self) -> Mapping[str, LapTimes]:
        return await self._transactions.read(read_laps)

    async def save(self, job: str, times: LapTimes) -> None:
        await self._transactions.execute(SQL["save_lap"], {"job": job} | asdict(times))


def read_laps(connection: sqlite3.Connection) -> Mapping[str, LapTimes]:
    rows = connection.execute(SQL["read_laps"])
    return {row["job"]: LapTimes(row["started_at"], row["ended_at"], row["good_at"]) for row in rows}
