"""the session of one connection, and its transactions"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from precoro_daemon.adapters.state.statements import Statements

if TYPE_CHECKING:
    from precoro_daemon.adapters.state.session import Asked, Row, Values

T = TypeVar("T")

STATEMENTS = Statements(Path(__file__).with_name("own.sql"))


class SqliteSession:
    """Implements `Session` on a connection, for the thread that owns it.

    It keeps its cursors: a cursor that is garbage-collected on another thread resets its statement, even while
    that is in
    use on this one ("bad parameter or other API misuse").
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        return self.connection.execute(STATEMENTS[statement], values).fetchall()

    def row(self, statement: str, values: Values = ()) -> Row | None:
        row: Row | None = self.connection.execute(STATEMENTS[statement], values).fetchone()
        return row

    def value(self, statement: str, values: Values = ()) -> Any:
        (value,) = self.connection.execute(STATEMENTS[statement], values).fetchone()
        return value

    def each(self, *asked: Asked) -> Sequence[Sequence[Row]]:
        return [self.rows(statement, values) for statement, values in asked]

    def run(self, statement: str, values: Values = ()) -> int:
        return self.connection.execute(STATEMENTS[statement], values).rowcount

    def run_many(self, statement: str, rows: Iterable[Values]) -> int:
        return self.connection.executemany(STATEMENTS[statement], rows).rowcount

    def put(self, statement: str, values: Values = ()) -> None:
        self.run(statement, values)

    def put_many(self, statement: str, rows: Iterable[Values]) -> None:
        self.run_many(statement, rows)

    def flush(self) -> None:
        """Does nothing: no statement is queued."""


def in_transaction(session: SqliteSession, work: Callable[[SqliteSession], T]) -> T:
    connection = session.connection
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(session)
        connection.execute("COMMIT")
    except BaseException:
        # A full disk may already have ended the transaction.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
