"""the transactions of a session as functions of its connection, for the repositories of payments"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from precoro_daemon.adapters.state.session import Session
from precoro_daemon.adapters.state.sqlite.transactions import SqliteSession, SqliteTransactions

T = TypeVar("T")
Values = Mapping[str, object] | Sequence[object]


def connection_of(session: Session) -> sqlite3.Connection:
    assert isinstance(session, SqliteSession)
    return session.connection


class Transactions:
    def __init__(self, transactions: SqliteTransactions) -> None:
        self._transactions = transactions

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._transactions.write(lambda session: work(connection_of(session)))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._transactions.read(lambda session: work(connection_of(session)))

    async def execute(self, statement: str, values: Values) -> None:
        await self.write(lambda connection: connection.execute(statement, values).rowcount)
