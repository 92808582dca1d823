"""the server of a state, reached by single connections and by a pool that companies share"""

from __future__ import annotations

import logging
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from precoro_daemon.adapters.state.postgresql.failures import unreached
from precoro_daemon.adapters.state.postgresql.values import prepare
from precoro_daemon.errors import StoreUnavailable, StoreUnusable

_OLDEST_SERVER = 160000
"""PostgreSQL 16 introduced pg_input_is_valid, and subqueries in FROM without a name."""

_CONNECTIONS = 8
"""Connections of one process to one server. Each grows by 0.4 MB with every company that it served."""

_LIFETIME_S = 3600.0
"""Seconds after which a connection is replaced, which frees the memory that its server process has accumulated."""

_PATIENCE_S = 20.0
"""Seconds to wait for a connection of the pool."""

_LIVENESS = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""Seconds, the last in milliseconds: the loss of a server that vanished silently is noticed after half a minute."""


_SERVER_ANSWERS_WITHIN_S = 330.0
"""Longer than the server lets a statement run. Neither a commit that waits for a standby, nor a server process that
stands
still, is bounded by the server.
"""


@dataclass(frozen=True, slots=True)
class Server:
    """address        as configured, for people
    options        libpq options in addition to the address's
    answer_within  seconds for each message of a transaction
    """

    address: str
    password: str | None = field(default=None, repr=False)
    options: tuple[tuple[str, str], ...] = ()
    answer_within: float = _SERVER_ANSWERS_WITHIN_S

    @property
    def conninfo(self) -> str:
        given: dict[str, Any] = {**_LIVENESS, "application_name": _application_name(), **dict(self.options)}
        if self.password is not None:
            given["password"] = self.password
        return make_conninfo(self.address, **given)

    def connect(self) -> psycopg.Connection[Any]:
        """Connects. Raises StoreUnusable if the server cannot hold a state."""
        try:
            connection = psycopg.connect(self.conninfo, autocommit=True, prepare_threshold=None)
        except psycopg.Error as error:
            raise unreached(f"the state {self.address}", error) from error
        try:
            self._refuse_unfit(connection)
        except BaseException:
            connection.close()
            raise
        prepare(connection)
        return connection

    def _refuse_unfit(self, connection: psycopg.Connection[Any]) -> None:
        if connection.info.server_version < _OLDEST_SERVER:
            raise StoreUnusable(
                f"The server of the state {self.address} is PostgreSQL {connection.info.server_version // 10000}; "
                f"the state needs {_OLDEST_SERVER // 10000} or newer. Upgrade it, or name another one."
            )
        encoding = connection.info.parameter_status("server_encoding")
        if encoding not in ("UTF8", None):
            raise StoreUnusable(
                f"The database of the state {self.address} keeps text as {encoding}. Make one with ENCODING 'UTF8'."
            )


_POOLS: dict[Server, tuple[ConnectionPool[psycopg.Connection[Any]], list[object]]] = {}
_POOLS_LOCK = Lock()


@contextmanager
def pooled(server: Server) -> Iterator[ConnectionPool[psycopg.Connection[Any]]]:
    """Yields the pool that all states of this process on one server share. It closes with the last of them."""
    token = object()
    with _POOLS_LOCK:
        pool, users = _POOLS.setdefault(server, (_pool(server), []))
        users.append(token)
        pool.open()
    try:
        yield pool
    finally:
        with _POOLS_LOCK:
            users.remove(token)
            last = not users
            if last:
                del _POOLS[server]
        if last:
            pool.close()


def _is_news(record: logging.LogRecord) -> bool:
    """Drops the pool's records of failed attempts: the caller who asked for a connection gets the error."""
    return not str(record.msg).startswith(("error connecting", "reconnection attempt", "discarding "))


logging.getLogger("psycopg.pool").addFilter(_is_news)


def bounded(seconds: float) -> type[psycopg.Connection[Any]]:
    """Returns a connection class for which an answer that takes longer than `seconds` is lost."""

    class Bounded(psycopg.Connection[Any]):
        def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
            return super().wait(gen, interval, seconds if timeout is None else timeout)

    return Bounded


def _pool(server: Server) -> ConnectionPool[psycopg.Connection[Any]]:
    return ConnectionPool(
        server.conninfo,
        connection_class=bounded(server.answer_within),
        kwargs={"autocommit": True, "prepare_threshold": None},
        min_size=0,
        max_size=_CONNECTIONS,
        open=False,
        configure=prepare,
        check=_refuse_lost,
        timeout=_PATIENCE_S,
        max_lifetime=_LIFETIME_S,
        num_workers=1,
        name="state",
    )


def is_lost(connection: psycopg.Connection[Any]) -> bool:
    """Returns whether the server, or the system, has closed the connection. Sends no message."""
    try:
        while select.select([connection.fileno()], [], [], 0)[0]:
            connection.pgconn.consume_input()
    except psycopg.Error:
        return True
    return connection.closed


def _refuse_lost(connection: psycopg.Connection[Any]) -> None:
    """Makes the pool choose another connection: a restarted server closed them all."""
    if is_lost(connection):
        raise psycopg.OperationalError("the server closed the connection")


def describe(connection: psycopg.Connection[Any]) -> str:
    """Describes the server for `check`: version, encryption, and what a failover would lose."""
    version, protocol, standbys = _row(connection, _DESCRIPTION)
    said = f"PostgreSQL {version}, {protocol or 'not encrypted'}"
    if not standbys:
        return said
    return (
        f"{said}\nWARNING: standbys that do not confirm what is committed: {standbys}. What was committed last is "
        "missing after a failover to one of them, and payments are disarmed. List them in synchronous_standby_names."
    )


_DESCRIPTION = """
SELECT current_setting('server_version'), (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl),
    (SELECT string_agg(coalesce(nullif(application_name, ''), 'without a name'), ', ' ORDER BY application_name)
    FROM pg_stat_replication
    WHERE CASE WHEN sync_state IS NULL THEN current_setting('synchronous_standby_names') = ''
        ELSE sync_state NOT IN ('sync', 'quorum') END)
"""
"""An ordinary user sees that there are standbys, but no details. None of them confirms if none has to."""


def refuse_unwritable(connection: psycopg.Connection[Any], address: str) -> None:
    """Raises StoreUnusable if the server is read-only."""
    standby, unconfirmed = _row(connection, _WHY_NOT_WRITTEN)
    if standby:
        raise StoreUnavailable(
            f"The server of the state {address} is a standby, which cannot be written. Name the primary, or run "
            "again when it was promoted."
        )
    if unconfirmed:
        raise StoreUnavailable(
            f"The server of the state {address} finishes nothing that is written: it waits for a standby out of "
            f"synchronous_standby_names ({unconfirmed}), and none is connected. Start one, or take it from that list."
        )


_WHY_NOT_WRITTEN = """
SELECT pg_is_in_recovery(), (
    SELECT setting FROM pg_settings WHERE name = 'synchronous_standby_names' AND setting <> '' AND NOT EXISTS (
        SELECT FROM pg_stat_replication WHERE sync_state IS NULL OR sync_state IN ('sync', 'quorum')
    )
)
"""


def is_pooled(connection: psycopg.Connection[Any]) -> bool:
    """Returns whether there is a pooler: it reports its own number for the server process, which may change with each
    transaction.
    """
    [pid] = _row(connection, "SELECT pg_backend_pid()")
    return bool(pid != connection.info.backend_pid)


def _row(connection: psycopg.Connection[Any], query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None, "each of these queries has one"
    return row


def _application_name() -> str:
    """Returns the name under which the server lists the connection; it keeps 63 bytes."""
    return f"precoro-daemon, process {os.getpid()} on {socket.gethostname()}"[:63]
