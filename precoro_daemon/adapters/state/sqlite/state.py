"""the state in one SQLite file"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from precoro_daemon.adapters.state.overview import read_overview
from precoro_daemon.adapters.state.sqlite.failures import explained
from precoro_daemon.adapters.state.sqlite.opening import find_state, is_current, open_read_only, open_writable
from precoro_daemon.adapters.state.sqlite.restore_guard import RestoreGuardFile
from precoro_daemon.adapters.state.sqlite.session import SqliteSession
from precoro_daemon.errors import StoreUnusable

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.ports import Backup, Restored, Store
    from precoro_daemon.adapters.state.view_rows import ViewTables
    from precoro_daemon.files.ports.attachment_book import WantedFiles
    from precoro_daemon.mirror.ports.mirror import WantedDetails
    from precoro_daemon.status.reading import Overview

_STEPS_BETWEEN_CHECKS = 100_000
"""Steps of SQLite's virtual machine: some milliseconds."""


class SqliteState:
    """Implements `State` on one file. `identity` is the hash of the company and user whose data it holds.

    A method imports what it alone needs: imports take half of the time of `status`.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._path = path
        self._identity = identity

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Store]:
        async with self._on_a_thread(self._hold) as store:
            yield store

    @asynccontextmanager
    async def open_read_only(self) -> AsyncIterator[Store]:
        async with self._on_a_thread(self._open_for_reading) as store:
            yield store

    def exists(self) -> bool:
        return find_state(self._path)

    def about(self) -> str:
        return ""

    def demand(self) -> None:
        open_read_only(self._path, self._identity).close()

    def overview(
        self,
        *,
        since: float,
        files: WantedFiles,
        details: WantedDetails,
        now: float,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> Overview:
        with explained(self._path), closing(open_read_only(self._path, self._identity)) as connection:
            if not is_current(connection):
                raise StoreUnusable(
                    f"The state {self._path.resolve()} was written by an older version of this program. "
                    "The next run (--once or run) brings it up to date; then it can be read."
                )
            connection.set_progress_handler(unwanted, _STEPS_BETWEEN_CHECKS)
            connection.execute("BEGIN")
            session, guard = SqliteSession(connection), RestoreGuardFile(self._path)
            return read_overview(session, guard, since=since, files=files, details=details, now=now)

    def open_tables(self) -> AbstractContextManager[ViewTables]:
        from precoro_daemon.adapters.state.sqlite.snapshot import open_tables

        return open_tables(self._path, self._identity)

    def back_up(self, target: Path, *, replace: bool) -> Backup:
        from precoro_daemon.adapters.state.sqlite.backup import back_up

        return back_up(self._path, target, identity=self._identity, replace=replace)

    def restore(self, backup: Path) -> Restored:
        from precoro_daemon.adapters.state.sqlite.restoring import restore

        return restore(backup, self._path, identity=self._identity)

    def hand_over(self, path: Path) -> None:
        from precoro_daemon.adapters.state.sqlite.ownership import hand_over

        hand_over(path, self._path)

    def _hold(self, resources: ExitStack) -> sqlite3.Connection:
        return open_writable(self._path, self._identity, resources)

    def _open_for_reading(self, resources: ExitStack) -> sqlite3.Connection:
        with ExitStack() as reading:
            connection = reading.enter_context(closing(open_read_only(self._path, self._identity)))
            if is_current(connection):
                resources.push(reading.pop_all())
                return connection
        return self._hold(resources)

    @asynccontextmanager
    async def _on_a_thread(self, connect: Callable[[ExitStack], sqlite3.Connection]) -> AsyncIterator[Store]:
        from precoro_daemon.adapters.host.threads import WorkThreads, run_to_end
        from precoro_daemon.adapters.state.repositories import build_store
        from precoro_daemon.adapters.state.sqlite.transactions import SqliteTransactions, inode_of

        resources = ExitStack()
        opened: list[sqlite3.Connection] = []
        executor = WorkThreads("store", idle=lambda: _give_back(opened))
        try:
            opened.append(await run_to_end(executor, lambda: connect(resources)))
            session = SqliteSession(opened[0])
            inode = await run_to_end(executor, lambda: inode_of(self._path))
            yield build_store(SqliteTransactions(executor, session, self._path, inode), RestoreGuardFile(self._path))
        finally:
            # A connection belongs to its thread, so it is closed there; then nothing is left to wait for.
            await run_to_end(executor, resources.close)
            executor.shutdown()


def _give_back(opened: Sequence[sqlite3.Connection]) -> None:
    """Releases SQLite's page cache: a megabyte or two for each company, most of which are idle most of the time. The
    file
    system caches the pages too.
    """
    for connection in opened:
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA shrink_memory")
