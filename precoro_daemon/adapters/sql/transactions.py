"""one connection on one thread; a transaction is one function run there"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from precoro_daemon.adapters.sql.failures import explained
from precoro_daemon.adapters.threads import run_to_end

T = TypeVar("T")


class Transactions:
    """Runs functions of the connection, one after the other, on the thread that owns it."""

    def __init__(self, executor: Executor, connection: sqlite3.Connection, path: Path) -> None:
        self._executor = executor
        self._connection = connection
        self._path = path

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """All that `work` writes, or nothing; durable on return. Cancellation waits for it to end first."""
        return await run_to_end(self._executor, lambda: self._in_transaction(work))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await run_to_end(self._executor, lambda: self._plainly(work))

    def _plainly(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self._path):
            return work(self._connection)

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self._path):
            return in_transaction(self._connection, work)


def in_transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may already have ended the transaction.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
