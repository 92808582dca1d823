"""one connection on one thread; a transaction is one function run there"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from math import inf
from pathlib import Path
from time import monotonic
from typing import TypeVar

from precoro_daemon.adapters.host.threads import run_to_end
from precoro_daemon.adapters.state.sqlite.failures import explained
from precoro_daemon.errors import StoreUnusable

T = TypeVar("T")


Values = Mapping[str, object] | Sequence[object]


_LOOK = 1.0
"""Real seconds between two looks whether the file is still there, for what is only written: calls are charged in the
narrow moment between two of them."""

Inode = tuple[int, int]
"""Device and number: what a file is, whatever its name."""


def inode_of(path: Path) -> Inode | None:
    """None if nothing is there. Blocking."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


class Transactions:
    """Runs functions of the connection, one after the other, on the thread that owns it.

    Nothing of the connection may leave that thread: a cursor that is forgotten elsewhere resets its statement there,
    even while it is in use here.
    """

    def __init__(
        self, executor: Executor, connection: sqlite3.Connection, path: Path, inode: Inode | None = None
    ) -> None:
        """`inode`: that of the file, which must bear its name as long as anything is done with it."""
        self._executor = executor
        self._connection = connection
        self._path = path
        self._inode = inode
        self._seen_at = -inf

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """All that `work` writes, or nothing; durable on return. Cancellation waits for it to end first."""
        return await run_to_end(self._executor, lambda: self._in_transaction(work))

    async def execute(self, statement: str, values: Values) -> None:
        """One statement as a transaction."""
        await self.execute_each(statement, (values,))

    async def execute_each(self, statement: str, rows: Sequence[Values]) -> None:
        """One statement for each row, as one transaction."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(statement, rows)

        await self.write(work)

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await run_to_end(self._executor, lambda: self._plainly(work))

    def _plainly(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self._path):
            self._refuse_lost()
            return _without_cursor(work(self._connection))

    def _in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        with explained(self._path):
            self._refuse_lost(_LOOK)
            return _without_cursor(in_transaction(self._connection, work))

    def _refuse_lost(self, patience: float = 0.0) -> None:
        """SQLite goes on with a file that has no name any more: what was sent would be forgotten with the process.

        The permission to send a payment is asked for as something that is read, and so is never given unseen.
        """
        now = monotonic()
        if self._inode is None or now < self._seen_at + patience:
            return
        self._seen_at = now
        if inode_of(self._path) != self._inode:
            self._seen_at = -inf
            raise StoreUnusable(
                f"The state {self._path} was removed or replaced while in use; nothing is sent or stored any more. "
                "Stop the program, put the state back (what was moved away, or a backup), and start it again."
            )


def _without_cursor(result: T) -> T:
    if isinstance(result, sqlite3.Cursor):
        raise TypeError("a cursor must not leave the thread of its connection")
    return result


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
