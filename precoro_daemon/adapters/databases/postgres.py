"""a PostgreSQL database"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from precoro_daemon.adapters.databases.database import Address, Fault, OddValue, Stream, cut
from precoro_daemon.values.sql_statements import Dialect, Statement

_FAULT_BY_SQLSTATE_CLASS = {
    "40": Fault.BUSY,  # serialization failure, deadlock
    "53": Fault.BUSY,  # out of disk, memory or connections
    "55": Fault.BUSY,  # lock not available
    "23": Fault.THERE,
    "22": Fault.REFUSED,
    "P0": Fault.REFUSED,  # RAISE in a trigger or a function of the database's own
    "08": Fault.AWAY,
    "57": Fault.AWAY,  # shutting down, starting up
    "58": Fault.AWAY,
}
"""By the class of the error code: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

_QUERY_CANCELED = "57014"
_NEVER_CONNECTED = ("password authentication failed", "no pg_hba.conf entry", "does not exist", "certificate")
"""Messages that mean a refusal. Errors of connecting have no code; all others mean that the server is unreachable."""


class PostgresDatabase:
    dialect: Dialect = "postgresql"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    orders_text_by_code = False

    def __init__(self, address: Address) -> None:
        self._address = address

    @property
    def address(self) -> Address:
        return self._address

    def open_plain(self) -> psycopg.Connection[Any]:
        """Opens a connection for code that uses psycopg itself. Each statement is a transaction unless one is
        begun.
        """
        return psycopg.connect(autocommit=True, prepare_threshold=None, **self._parameters())

    def connect(self, *, read_only: bool) -> PostgresConnection:
        connection = self.open_plain()
        for kind in ("date", "timestamp", "timestamptz", "time", "interval"):
            connection.adapters.register_loader(kind, _tolerant(connection, kind))
        return PostgresConnection(connection, self._address.timeout, read_only=read_only)

    def _parameters(self) -> dict[str, Any]:
        address = self._address
        wanted: dict[str, Any] = {
            "dbname": address.database,
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password,
            "sslmode": "verify-full" if address.verify else "prefer",
            "sslrootcert": (address.ca_file or "system") if address.verify else None,
            "connect_timeout": address.connect_timeout,
            "tcp_user_timeout": int(address.timeout * 1000),
            "application_name": "precoro-daemon",
        }
        return {name: value for name, value in wanted.items() if value not in (None, "")}

    def meaning(self, error: Exception) -> Fault:
        code = getattr(error, "sqlstate", None)
        if code == _QUERY_CANCELED:
            return Fault.BUSY
        if code:
            return _FAULT_BY_SQLSTATE_CLASS.get(code[:2], Fault.MISFIT)
        if isinstance(error, psycopg.DataError):
            return Fault.REFUSED
        if isinstance(error, psycopg.OperationalError):
            wrong = any(sign in str(error) for sign in _NEVER_CONNECTED)
            return Fault.MISFIT if wrong else Fault.AWAY
        return Fault.MISFIT


def _tolerant(connection: psycopg.Connection[Any], kind: str) -> type[Loader]:
    """Returns a loader that reads a value without a Python equivalent (the year 20226, infinity, a year before
    Christ) as
    text, so that it spoils only its own row.
    """
    known = connection.adapters.get_loader(connection.adapters.types[kind].oid, Format.TEXT)

    class Tolerant(Loader):
        def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
            super().__init__(oid, context)
            assert known is not None
            self._known = known(oid, context)

        def load(self, data: Buffer) -> Any:
            try:
                return self._known.load(data)
            except psycopg.DataError:
                return OddValue(bytes(data).decode())

    return Tolerant


class PostgresConnection:
    """A connection whose settings last for one transaction.

    A pooler such as PgBouncer gives each transaction another session and accepts no other settings at connect. For
    the
    same reason nothing is prepared on the server.
    """

    def __init__(self, connection: psycopg.Connection[Any], timeout: float, *, read_only: bool) -> None:
        self._connection = connection
        self._timeout = timeout
        self._access = " READ ONLY" if read_only else ""

    def begin(self, longest_wait: float) -> None:
        """Starts a SERIALIZABLE transaction: of two that search for a key and insert it, one fails."""
        self._begin(" ISOLATION LEVEL SERIALIZABLE" + self._access, longest_wait)

    def _begin(self, manner: str, longest_wait: float) -> None:
        longest = max(1, int(longest_wait * 1000))  # none at all would be no limit
        limits = f"; SET LOCAL statement_timeout = {longest}; SET LOCAL lock_timeout = {longest}"
        self._connection.execute(f"BEGIN{manner}{limits}; SET LOCAL TimeZone = 'UTC'".encode())

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        cursor = self._connection.execute(_query(statement), statement.in_order(values))
        return cursor.fetchall() if cursor.description else []

    def stream(self, statement: Statement, values: Mapping[str, Any]) -> Stream:
        self._begin(" READ ONLY", self._timeout)
        self._connection.execute(b"DECLARE payments CURSOR FOR " + _query(statement), statement.in_order(values))
        return PostgresStream(self._connection)

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        self._connection.execute("ROLLBACK")

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()

    def sever(self) -> None:
        with suppress(psycopg.Error):
            cut(self._connection.fileno())


class PostgresStream:
    """Uses a cursor on the server: the driver alone would first fetch all rows."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        found = connection.execute("FETCH 0 FROM payments").description
        self.columns: Sequence[str] = [column.name for column in found or ()]

    def fetch(self, count: int) -> Sequence[Sequence[Any]]:
        return self._connection.execute(f"FETCH {count:d} FROM payments".encode()).fetchall()


def _query(statement: Statement) -> bytes:
    # Bytes, because psycopg takes text only if it is a literal; this is the configuration's own.
    return statement.for_percent().encode()
