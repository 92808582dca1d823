"""the account of API calls on SQLite"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from precoro_daemon.adapters.state.sqlite.statements import SQL
from precoro_daemon.adapters.state.sqlite.transactions import Transactions
from precoro_daemon.quota.limits import Lane


class SqlBudgetBook:
    """ports.BudgetBook, where the contract is written."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def load(self, since: float) -> Sequence[tuple[float, bytes]]:
        return await self._transactions.read(lambda connection: read_calls(connection, since))

    async def load_lanes(self, since: float) -> Sequence[tuple[float, Lane]]:
        return await self._transactions.read(lambda connection: read_lanes(connection, since))

    async def charge(self, at: float, key: bytes, lane: Lane | None = None) -> None:
        await self._transactions.execute(SQL["charge_call"], (at, key, lane))

    async def move(self, at: float, key: bytes, to: float) -> None:
        await self._transactions.execute(SQL["move_call"], (to, at, key))

    async def prune(self, before: float) -> None:
        def work(connection: sqlite3.Connection) -> None:
            connection.execute(SQL["prune_calls"], (before,))
            connection.execute(SQL["prune_closures"], (before,))

        await self._transactions.write(work)

    async def refund(self, at: float, key: bytes) -> None:
        await self._transactions.execute(SQL["refund_call"], (at, key))

    async def load_closed(self) -> Mapping[str, float]:
        return await self._transactions.read(read_closed)

    async def close(self, window: str, until: float) -> None:
        await self._transactions.execute(SQL["close_window"], (window, until))

    async def load_refusal(self, fingerprint: str) -> tuple[int, float] | None:
        def work(connection: sqlite3.Connection) -> tuple[int, float] | None:
            row = connection.execute(SQL["read_refusal"], (fingerprint,)).fetchone()
            return None if row is None else (row["count"], row["at"])

        return await self._transactions.read(work)

    async def save_refusal(self, fingerprint: str, count: int, at: float) -> None:
        row = (fingerprint, count, at)
        await self._transactions.execute(SQL["save_refusal"], row)

    async def clear_refusal(self) -> None:
        await self._transactions.execute(SQL["clear_refusals"], ())


def read_calls(connection: sqlite3.Connection, since: float) -> Sequence[tuple[float, bytes]]:
    return [(row["at"], row["key_hash"]) for row in connection.execute(SQL["read_calls"], (since,))]


def read_lanes(connection: sqlite3.Connection, since: float) -> Sequence[tuple[float, Lane]]:
    return [(row["at"], Lane(row["lane"])) for row in connection.execute(SQL["read_lanes"], (since,))]


def read_closed(connection: sqlite3.Connection) -> Mapping[str, float]:
    return {row["window"]: row["until"] for row in connection.execute(SQL["read_closures"])}
