"""a MySQL or MariaDB database"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pymysql
from pymysql.constants import CLIENT, ER
from pymysql.cursors import SSCursor

from precoro_daemon.adapters.databases.database import Address, Fault, Stream, cut
from precoro_daemon.values.sql_statements import Dialect, Statement

_TIMED_OUT = (1969, 3024)
"""MariaDB's max_statement_time, MySQL's max_execution_time."""

_FAULT_BY_ERROR_NUMBER = {
    ER.LOCK_WAIT_TIMEOUT: Fault.BUSY,
    ER.LOCK_DEADLOCK: Fault.BUSY,
    ER.CON_COUNT_ERROR: Fault.BUSY,
    ER.TOO_MANY_USER_CONNECTIONS: Fault.BUSY,
    ER.QUERY_INTERRUPTED: Fault.BUSY,
    ER.DISK_FULL: Fault.BUSY,
    **dict.fromkeys(_TIMED_OUT, Fault.BUSY),
    ER.SERVER_SHUTDOWN: Fault.AWAY,
    ER.ACCESS_DENIED_ERROR: Fault.MISFIT,
    ER.DBACCESS_DENIED_ERROR: Fault.MISFIT,
    ER.BAD_DB_ERROR: Fault.MISFIT,
    1644: Fault.REFUSED,  # SIGNAL in a trigger or a procedure of the database's own
}
_BY_CLASS: tuple[tuple[type[Exception], Fault], ...] = (
    (pymysql.IntegrityError, Fault.THERE),
    (pymysql.DataError, Fault.REFUSED),
    (pymysql.ProgrammingError, Fault.MISFIT),
    (pymysql.InterfaceError, Fault.AWAY),
)
_OUR_SIDE = 2000
"""The first of the client's error codes: it cannot connect, or lost the connection."""


class MysqlDatabase:
    dialect: Dialect = "mysql"
    errors: tuple[type[Exception], ...] = (pymysql.MySQLError, OSError, RuntimeError)
    orders_text_by_code = False

    def __init__(self, address: Address) -> None:
        self._address = address

    def connect(self, *, read_only: bool) -> MysqlConnection:
        address = self._address
        connection = pymysql.connect(
            host="localhost" if address.host.startswith("/") else address.host,
            unix_socket=address.host if address.host.startswith("/") else None,
            port=address.port or 3306,
            user=address.user,
            password=address.password,
            database=address.database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=address.connect_timeout,
            read_timeout=address.timeout,
            write_timeout=address.timeout,
            ssl=self._tls() if address.verify else None,
            # Rows found and not rows changed are counted, as in every other database.
            client_flag=CLIENT.FOUND_ROWS,
        )
        with connection.cursor() as cursor:
            # Without it a wrong value is cut to fit and an amount rounded, with a warning nobody sees.
            cursor.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')")
            # A session with summer time has an hour that comes twice, and rows in it that are out of order.
            cursor.execute("SET SESSION time_zone = '+00:00'")
            if read_only:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
        return MysqlConnection(connection, address.timeout / 2)

    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._address.ca_file)

    def meaning(self, error: Exception) -> Fault:
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        if isinstance(error, OSError) or _OUR_SIDE <= code < 3000:
            return Fault.AWAY
        if code in _FAULT_BY_ERROR_NUMBER:
            return _FAULT_BY_ERROR_NUMBER[code]
        return next((fault for kind, fault in _BY_CLASS if isinstance(error, kind)), Fault.MISFIT)


class MysqlConnection:
    def __init__(self, connection: pymysql.Connection[Any], longest_wait: float) -> None:
        self._connection = connection
        self._longest_wait = longest_wait

    def begin(self, longest_wait: float) -> None:
        """Starts a SERIALIZABLE transaction, which locks what it searched for: of two that search for a key and
        insert it, one
        fails.
        """
        seconds = max(1, int(min(longest_wait, self._longest_wait)))
        with self._connection.cursor() as cursor:
            cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {seconds}")
            cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
            cursor.execute("START TRANSACTION")

    def run(self, statement: Statement, values: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement.for_percent(), statement.in_order(values))
            return cursor.fetchall() if cursor.description else []

    def stream(self, statement: Statement, values: Mapping[str, Any]) -> Stream:
        cursor = self._connection.cursor(SSCursor)
        cursor.execute(statement.for_percent(), statement.in_order(values))
        return MysqlStream(cursor)

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    def close(self) -> None:
        # A polite close would first read an unfinished query to its end, as would the query when it is forgotten.
        connection: Any = self._connection
        with suppress(*MysqlDatabase.errors):
            if connection._result is not None:  # noqa: SLF001 - there is no public way to leave a query unfinished
                connection._result.unbuffered_active = False  # noqa: SLF001
            connection._force_close()  # noqa: SLF001

    def sever(self) -> None:
        sock = getattr(self._connection, "_sock", None)
        with suppress(OSError):
            if sock is not None:
                cut(sock.fileno())


class MysqlStream:
    def __init__(self, cursor: SSCursor) -> None:
        self._cursor = cursor

    @property
    def columns(self) -> Sequence[str]:
        return [column[0] for column in self._cursor.description or ()]

    def fetch(self, count: int) -> Sequence[Sequence[Any]]:
        return self._cursor.fetchmany(count)
