"""The state stores that have to keep the contracts. A new one is added to `BACKENDS` and to nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from precoro_daemon.adapters.state.sqlite.store import Store, open_store


@dataclass(frozen=True)
class Backend:
    """One state store: opened as often as a test likes, and looked at from outside."""

    open: Callable[[], AbstractAsyncContextManager[Store]]
    query: Callable[[str], list[tuple[Any, ...]]]
    change: Callable[[str], None]


def sqlite_in(directory: Path) -> Backend:
    path = directory / "state.db"

    def query(sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def change(sql: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(sql)

    return Backend(open=lambda: open_store(path, identity="company"), query=query, change=change)


BACKENDS = {"sqlite": sqlite_in}


@pytest.fixture(params=BACKENDS)
def backend_in(request: pytest.FixtureRequest) -> Callable[[Path], Backend]:
    return BACKENDS[request.param]


@pytest.fixture
def backend(backend_in: Callable[[Path], Backend], tmp_path: Path) -> Backend:
    return backend_in(tmp_path)
