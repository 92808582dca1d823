"""an SQLite file"""

from __future__ import annotations

import os
import sqlite3
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from precoro_daemon.adapters.databases.database import Address, Fault, Stream
from precoro_daemon.values.sql_statements import Dialect, Statement
from precoro_daemon.values.templates import plain

_FAULT_BY_RESULT_CODE = {
    sqlite3.SQLITE_BUSY: Fault.BUSY,
    sqlite3.SQLITE_LOCKED: Fault.BUSY,
    sqlite3.SQLITE_INTERRUPT: Fault.BUSY,
    sqlite3.SQLITE_FULL: Fault.BUSY,
    sqlite3.SQLITE_IOERR: Fault.AWAY,
    sqlite3.SQLITE_CONSTRAINT: Fault.THERE,
    sqlite3.SQLITE_MISMATCH: Fault.REFUSED,
    sqlite3.SQLITE_TOOBIG: Fault.REFUSED,
}


class SqliteDatabase:
    dialect: Dialect = "sqlite"
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    orders_text_by_code = True

    def __init__(self, address: Address) -> None:
        self._address = address

    def connect(self, *, read_only: bool) -> SqliteConnection:
        """Opens the file, which must exist: it is never created here."""
        path = Path(self._address.database).resolve()
        if not path.exists():
            raise sqlite3.OperationalError(f"there is no file {path}")
        uri = f"{path.as_uri()}?mode={'ro' if read_only else 'rw'}"
        longest_wait = self._address.timeout / 2
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=longest_wait)
        try:
            connection.execute("PRAGMA foreign_keys = ON")
            # A commit must survive a power cut before Precoro's side takes it for done.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1")
        except sqlite3.Error as error:
            connection.close()
            raise _explained(error, path) from None
        return SqliteConnection(connection, longest_wait)

    def meaning(self, error: Exception) -> Fault:
        # The low byte is the primary code; errors of the Python module itself carry none.
        return _FAULT_BY_RESULT_CODE.get(
            getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF, Fault.MISFIT
        )


def _explained(error: sqlite3.Error, path: Path) -> sqlite3.Error:
    """Explains that a file with a write-ahead log is read through a second file, which the reader may have to
    create.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code != sqlite3.SQLITE_CANTOPEN or not os.access(path, os.R_OK):
        return error
    said = sqlite3.OperationalError(
        f"{error}: {path} has a write-ahead log, so this user needs the right to write in {path.parent}; or set"
        " PRAGMA journal_mode = DELETE in it"
    )
    said.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    return said


class SqliteConnection:
    def __init__(self, connection: sqlite3.Connection, longest_wait: float) -> None:
        self._connection = connection
        self._longest_wait = longest_wait

    def begin(self, longest_wait: float) -> None:
        """Starts an IMMEDIATE transaction: no other connection can write until the commit, so a key that was not
        found cannot
        appear.
        """
        self._connection.execute(f"PRAGMA busy_timeout = {int(min(longest_wait, self._longest_wait) * 1000)}")
        self._connection.execute("BEGIN IMMEDIATE")

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        return self._execute(statement, values).fetchall()

    def stream(self, statement: Statement, values: Mapping[str, Any]) -> Stream:
        return SqliteStream(self._execute(statement, values))

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.close()

    def sever(self) -> None:
        with suppress(sqlite3.Error):
            self._connection.interrupt()

    def _execute(self, statement: Statement, values: Mapping[str, Any]) -> sqlite3.Cursor:
        # SQLite knows neither decimals nor dates: both go in as text, with every digit.
        bound = {name: plain(value) if isinstance(value, Decimal | date) else value for name, value in values.items()}
        return self._connection.execute(statement.for_colons(), bound)


class SqliteStream:
    """Fetches all rows at once: an unfinished query blocks every writer, including this program."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.columns: Sequence[str] = [column[0] for column in cursor.description or ()]
        self._rows = deque(cursor.fetchall())

    def fetch(self, count: int) -> Sequence[Sequence[Any]]:
        return [self._rows.popleft() for _ in range(min(count, len(self._rows)))]
