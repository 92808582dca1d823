"""a consistent snapshot of all views' rows, read beside the process that holds the file"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from precoro_daemon.adapters.state.session import Row
from precoro_daemon.adapters.state.sqlite.failures import explained
from precoro_daemon.adapters.state.sqlite.opening import is_current, open_read_only
from precoro_daemon.adapters.state.sqlite.session import STATEMENTS
from precoro_daemon.adapters.state.view_rows import ViewTables
from precoro_daemon.errors import StoreUnusable


class _Rows:
    """Implements `view_rows.Rows`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def named(self, statement: str, values: Mapping[str, Any]) -> Iterable[Row]:
        return self._connection.execute(STATEMENTS[statement], values)

    def written(self, text: str) -> Iterable[Row]:
        return self._connection.execute(text)


@contextmanager
def open_tables(path: Path, identity: str) -> Iterator[ViewTables]:
    """Implements `State.open_tables`, which has the contract. Errors of the caller's own writing pass unchanged."""
    with ExitStack() as resources:
        with explained(path):
            connection = resources.enter_context(closing(open_read_only(path, identity)))
            if not is_current(connection):
                raise StoreUnusable(
                    f"The state {path.resolve()} was written by an older version of this program. "
                    "The next run (--once or run) brings it up to date; then it can be read."
                )
            connection.row_factory = None  # rows are read by columns: none is asked for by name
            connection.execute("BEGIN")
        try:
            yield ViewTables(_Rows(connection))
        except sqlite3.Error:
            with explained(path):
                raise
