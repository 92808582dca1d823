"""the operations needed of a database, and how each kind is opened"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from precoro_daemon.values.sql_statements import Dialect, Statement


class Fault(Enum):
    """What a database's error means for the transaction it happened in."""

    AWAY = "not reached, or the connection was lost: what a commit did is not known"
    BUSY = "locked, in deadlock or out of time: rolled back, and may work later"
    THERE = "a unique key or another constraint is violated: rolled back"
    REFUSED = "a value does not fit its column: rolled back"
    MISFIT = "no such table or column, missing rights, wrong password: nothing will work before that is mended"


@dataclass(frozen=True, slots=True)
class OddValue:
    """A value that no Python type holds, such as the day infinity. It spoils only its own row."""

    text: str

    def __repr__(self) -> str:
        return repr(self.text)

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Address:
    """A database's address. `host` may be the directory of PostgreSQL's socket.

    ca_file  certificates to trust instead of the system's
    verify   whether to require encryption and a valid server certificate
    timeout  seconds that one statement may take
    """

    database: str
    host: str = ""
    port: int | None = None
    user: str = ""
    password: str = field(default="", repr=False)
    verify: bool = True
    ca_file: Path | None = None
    timeout: float = 15.0

    @property
    def connect_timeout(self) -> int:
        """Seconds. It is short, because connecting cannot be interrupted; PostgreSQL's library accepts no less than
        2.
        """
        return max(2, int(min(self.timeout, 5)))


class Stream(Protocol):
    """The rows of one query, fetched in batches."""

    @property
    def columns(self) -> Sequence[str]: ...

    def fetch(self, count: int) -> Sequence[Sequence[Any]]: ...


class Connection(Protocol):
    """One connection, used on one thread; only `sever` may be called from another."""

    def begin(self, longest_wait: float) -> None:
        """Starts a serializable transaction: it fails if another one changes what it has read.

        Its statements wait at most `longest_wait` seconds for a lock (rounded up to one in MySQL).
        """
        ...

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """Runs a statement and returns a query's rows, or none for any other statement."""
        ...

    def stream(self, statement: Statement, values: Mapping[str, Any]) -> Stream:
        """Runs a query in its own read-only transaction, which ends with the connection."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None:
        """Closes the connection. Never raises."""
        ...

    def sever(self) -> None:
        """Makes the statement that runs on the other thread fail soon."""
        ...


class Database(Protocol):
    @property
    def dialect(self) -> Dialect: ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """Every exception that `connect` and a connection raise."""
        ...

    @property
    def orders_text_by_code(self) -> bool:
        """Whether text sorts as it does in Python."""
        ...

    def connect(self, *, read_only: bool) -> Connection: ...

    def meaning(self, error: Exception) -> Fault: ...


def open_database(dialect: Dialect, address: Address) -> Database:
    """Opens a database. Only its own driver is imported: each one takes about 50 ms."""
    match dialect:
        case "sqlite":
            from precoro_daemon.adapters.databases.sqlite import SqliteDatabase

            return SqliteDatabase(address)
        case "postgresql":
            from precoro_daemon.adapters.databases.postgres import PostgresDatabase

            return PostgresDatabase(address)
        case "mysql":
            from precoro_daemon.adapters.databases.mysql import MysqlDatabase

            return MysqlDatabase(address)


def cut(descriptor: int) -> None:
    """Shuts a connection's socket down, even while a thread waits for it."""
    with suppress(OSError):
        duplicate = socket.socket(fileno=socket.dup(descriptor))
        with duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
