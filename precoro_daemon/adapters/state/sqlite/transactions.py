"""transactions of one connection on one thread"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from precoro_daemon.adapters.host.threads import run_to_end
from precoro_daemon.adapters.state.joined_writes import JoinedWrites
from precoro_daemon.adapters.state.session import Asked, Row, Session, Values
from precoro_daemon.adapters.state.sqlite.failures import explained
from precoro_daemon.adapters.state.sqlite.session import SqliteSession, in_transaction
from precoro_daemon.errors import StoreUnusable

T = TypeVar("T")

_LOST_FILE_CHECK_S = 1.0
"""Real seconds between two checks that the file still exists, for transactions that only write: calls are charged in
the
short moment between two of them.
"""

Inode = tuple[int, int]
"""Device and inode number: they identify a file, whatever its name."""


def inode_of(path: Path) -> Inode | None:
    """Returns the inode of the path, None if it does not exist. Blocking."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


class SqliteTransactions:
    """Implements `Transactions` on the thread that owns the connection."""

    def __init__(self, executor: Executor, session: SqliteSession, path: Path, inode: Inode | None = None) -> None:
        """`inode`: the file's; it must keep its name for as long as the file is used."""
        self._executor = executor
        self._session = session
        self._path = path
        self._inode = inode
        self._seen_at = -inf
        self._joined = JoinedWrites(lambda work: run_to_end(executor, lambda: self._in_transaction(work, None)))

    async def write(
        self, work: Callable[[Session], T], *, then: Callable[[T], None] | None = None, patience: float = 0.0
    ) -> T:
        if then is not None:
            return await run_to_end(self._executor, lambda: self._in_transaction(work, then))
        return await self._joined.write(work, patience)

    async def read(self, work: Callable[[Session], T]) -> T:
        return await run_to_end(self._executor, lambda: self._plainly(work))

    async def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        return await self.read(lambda session: session.rows(statement, values))

    async def row(self, statement: str, values: Values = ()) -> Row | None:
        return await self.read(lambda session: session.row(statement, values))

    async def value(self, statement: str, values: Values = ()) -> Any:
        return await self.read(lambda session: session.value(statement, values))

    async def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        return await self.read(lambda session: session.each(*asked))

    async def run(self, statement: str, values: Values = ()) -> int:
        return await self.write(lambda session: session.run(statement, values))

    async def run_many(self, statement: str, rows: Sequence[Values]) -> int:
        return await self.write(lambda session: session.run_many(statement, rows))

    def _plainly(self, work: Callable[[Session], T]) -> T:
        with explained(self._path):
            self._refuse_lost()
            return work(self._session)

    def _in_transaction(self, work: Callable[[Session], T], then: Callable[[T], None] | None) -> T:
        with explained(self._path):
            self._refuse_lost(0.0 if then else _LOST_FILE_CHECK_S)
            result = in_transaction(self._session, work)
            if then:
                then(result)
            return result

    def _refuse_lost(self, patience: float = 0.0) -> None:
        """Raises an error if the file was removed: SQLite would continue with it, and what was sent would be
        forgotten with the
        process.

        A permit to send a payment always checks.
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
