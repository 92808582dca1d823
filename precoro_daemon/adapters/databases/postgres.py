"""a PostgreSQL database"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from precoro_daemon.adapters.databases.database import Address, Fault, Stream, cut
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
"""Errors of connecting have no code; the rest of them means that the server is away."""


class PostgresDatabase:
    dialect: Dialect = "postgresql"
    errors: tuple[type[Exception], ...] = (psycopg.Error,)
    orders_text_by_code = False

    def __init__(self, address: Address) -> None:
        self._address = address

    def connect(self, *, read_only: bool) -> PostgresConnection:
        return PostgresConnection(psycopg.connect(autocommit=True, **self._parameters(read_only)))

    def _parameters(self, read_only: bool) -> dict[str, Any]:
        address = self._address
        milliseconds = int(address.timeout * 1000)
        wanted: dict[str, Any] = {
            "dbname": address.database,
            "host": address.host,
            "port": address.port,
            "user": address.user,
            "password": address.password,
            "sslmode": "verify-full" if address.verify else "prefer",
            "sslrootcert": (address.ca_file or "system") if address.verify else None,
            "connect_timeout": address.connect_timeout,
            "tcp_user_timeout": milliseconds,
            "application_name": "precoro-daemon",
            "options": f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
            f" -c default_transaction_read_only={'on' if read_only else 'off'}",
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


class PostgresConnection:
    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def begin(self) -> None:
        """SERIALIZABLE: of two transactions that both search for a key and insert it, one fails."""
        self._connection.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        cursor = self._connection.execute(_query(statement), statement.in_order(values))
        return cursor.fetchall() if cursor.description else []

    def stream(self, statement: Statement, values: Mapping[str, Any]) -> Stream:
        self._connection.execute("BEGIN READ ONLY")
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
    """By a cursor in the server: the driver itself would first take in all rows there are."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        found = connection.execute("FETCH 0 FROM payments").description
        self.columns: Sequence[str] = [column.name for column in found or ()]

    def fetch(self, count: int) -> Sequence[Sequence[Any]]:
        return self._connection.execute(f"FETCH {count:d} FROM payments".encode()).fetchall()


def _query(statement: Statement) -> bytes:
    # Bytes, because psycopg takes text only if it is a literal; this is the configuration's own.
    return statement.for_percent().encode()
