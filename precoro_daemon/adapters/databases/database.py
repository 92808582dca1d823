"""what is needed of a database, and how each kind is opened"""

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
    """A value that no Python type holds, such as the day infinity. It costs its own row alone."""

    text: str

    def __repr__(self) -> str:
        return repr(self.text)

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Address:
    """Where it is. `host` may be a directory with PostgreSQL's socket.

    ca_file  certificates to trust instead of the system's
    verify   whether the connection must be encrypted and the server's certificate right
    timeout  seconds one statement may take
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
        """Seconds. Short, for connecting cannot be severed; 2 is the least that PostgreSQL's library knows."""
        return max(2, int(min(self.timeout, 5)))


class Stream(Protocol):
    """The rows of one query, fetched in pieces."""

    @property
    def columns(self) -> Sequence[str]: ...

    def fetch(self, count: int) -> Sequence[Sequence[Any]]: ...


class Connection(Protocol):
    """One connection, used on one thread; only `sever` may be called from another."""

    def begin(self, longest_wait: float) -> None:
        """Start a transaction that sees no other's unfinished work, and fails if another changed what it has seen.
        None of its statements waits for a lock for more than so many seconds (rounded up to one in MySQL)."""
        ...

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows of a query; none of another statement."""
        ...

    def stream(self, statement: Statement, values: Mapping[str, Any]) -> Stream:
        """Rows of a query in a read-only transaction of its own, which ends with the connection."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def close(self) -> None:
        """Never raises."""
        ...

    def sever(self) -> None:
        """Make what runs on the other thread fail soon."""
        ...


class Database(Protocol):
    @property
    def dialect(self) -> Dialect: ...

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """All that `connect` and a connection raise."""
        ...

    @property
    def orders_text_by_code(self) -> bool:
        """Whether text sorts as Python sorts it."""
        ...

    def connect(self, *, read_only: bool) -> Connection: ...

    def meaning(self, error: Exception) -> Fault: ...


def open_database(dialect: Dialect, address: Address) -> Database:
    """A driver is loaded only for a database of its kind: each of them costs the start some 50 ms."""
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
    """Shut a connection's socket down, no matter who waits on it."""
    with suppress(OSError):
        duplicate = socket.socket(fileno=socket.dup(descriptor))
        with duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
