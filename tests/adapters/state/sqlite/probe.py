"""The state in one SQLite file, as the contract suites look at it from outside."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any, Self

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState


class SqliteBackend:
    duplicate = "UNIQUE"

    def __init__(self, directory: Path) -> None:
        self.path = directory / "state.db"
        self._guard = directory / "state.db.armed"

    def open(self) -> AbstractAsyncContextManager[Store]:
        return SqliteState(self.path, "company").open()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def change(self, sql: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executescript(sql)

    async def is_durable(self, store: Store) -> bool:
        return await pragmas(store, "synchronous", "journal_mode") == [2, "wal"]

    def copied(self, elsewhere: Path, *, whole: bool) -> Self:
        elsewhere.mkdir()
        copy = type(self)(elsewhere)
        shutil.copy(self.path, copy.path)
        if whole:
            shutil.copy(self._guard, copy._guard)
        return copy

    def put_back(self, copy: Self) -> None:
        shutil.copy(copy.path, self.path)

    def wipe(self) -> None:
        self.path.unlink()

    def lose_guard(self) -> None:
        self._guard.unlink()


async def pragmas(store: Store, *names: str) -> list[Any]:
    """What they are on the connection of an open store."""
    transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]
    return await transactions.read(
        lambda session: [session.connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    )
