"""one process holds the state: a lock of the server, and a counter that refuses former holders"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from precoro_daemon.adapters.state.postgresql.failures import explained
from precoro_daemon.adapters.state.postgresql.server import is_lost, is_pooled
from precoro_daemon.errors import StoreEnrolled, StoreHeld, StoreUnavailable

_HOLDING_LOCK, _WRITING_LOCK = 0x50726563, 0x50726564
"""The upper halves of advisory lock keys; the lower half is the schema's number."""

_PATIENCE = "SET LOCAL lock_timeout = '35s'"
"""Time for the former holder's transactions to end: the server ends an idle one after half a minute."""


_UNBOUNDED = (
    "SELECT set_config(name, '0', true) FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', "
    "'transaction_timeout')"
)
"""The second setting came with PostgreSQL 17."""


class Holder:
    """Implements `Holding`.

    The lock belongs to its own connection and ends with it. It keeps others out while that connection lives, but
    cannot
    stop a process that lost it without noticing; the counter does. A process that opens the state increments the
    counter
    while no writing transaction is in progress, and each such transaction first checks that the counter is still
    its own.
    """

    def __init__(self, connection: psycopg.Connection[Any], where: str, schema: int, count: int) -> None:
        self._connection = connection
        self._where = where
        self._guard = (
            f"SELECT pg_advisory_xact_lock_shared({_key(_WRITING_LOCK, schema)}); SELECT demand_holder({count})"
        )

    @property
    def guard(self) -> str:
        return self._guard

    def demand(self) -> None:
        if is_lost(self._connection):
            raise StoreUnavailable(
                f"The connection that holds the state {self._where} was lost: the server was stopped, or the network "
                "is. Nothing is written any more; what is stored is read anew at the next start."
            )


@contextmanager
def held(connection: psycopg.Connection[Any], where: str, schema: int) -> Iterator[None]:
    """Holds the state against every other process. Raises StoreHeld naming the present holder.

    A pooler assigns a server session to a connection for one transaction only. So behind a pooler a transaction
    stays open,
    which reads nothing and blocks nothing.
    """
    key = _key(_HOLDING_LOCK, schema)
    with explained(where):
        pooled = is_pooled(connection)
        if pooled:
            connection.execute(f"BEGIN; {_UNBOUNDED}".encode())
        _lock(connection, where, key, "pg_try_advisory_xact_lock" if pooled else "pg_try_advisory_lock")
    try:
        yield
    finally:
        with suppress(psycopg.Error):  # it went with the connection
            connection.execute(b"ROLLBACK" if pooled else f"SELECT pg_advisory_unlock({key})".encode())


def refuse_held(connection: psycopg.Connection[Any], where: str, schema: int) -> None:
    """Runs inside a transaction, for a writer with a fence instead of the lock. Raises StoreHeld naming the present
    holder.
    """
    _lock(connection, where, _key(_HOLDING_LOCK, schema), "pg_try_advisory_xact_lock")


def refuse_enrolled(connection: psycopg.Connection[Any], where: str, schema: str) -> None:
    """Refuses a state that a fleet serves by leases, which the lock does not cover. Raises StoreEnrolled."""
    fleet = connection.execute("SELECT to_regclass('precoro_fleet.companies') IS NOT NULL").fetchone()
    if not fleet or not fleet[0]:
        return
    found = connection.execute("SELECT name FROM precoro_fleet.companies WHERE schema = %s", (schema,)).fetchone()
    if found is not None:
        raise StoreEnrolled(
            f"The state {where} belongs to a fleet, as the company {found[0]}; `fleet run` serves it. To serve it "
            f"alone, take its file from every worker, reload them, and run `fleet forget {found[0]}`.",
            company=found[0],
        )


def take_over(
    connection: psycopg.Connection[Any], where: str, schema: int, holding: psycopg.Connection[Any]
) -> Holder:
    """Becomes the only writer when the present transaction, which can see the schema's tables, commits.

    `holding`: the connection that owns the lock.
    """
    connection.execute(_PATIENCE)
    connection.execute(f"SELECT pg_advisory_xact_lock({_key(_WRITING_LOCK, schema)})".encode())
    count = _value(
        connection,
        "INSERT INTO meta (key, value) VALUES ('holder', '1') "
        "ON CONFLICT (key) DO UPDATE SET value = (meta.value::bigint + 1)::text RETURNING value",
    )
    return Holder(holding, where, schema, int(count))


def _lock(connection: psycopg.Connection[Any], where: str, key: int, how: str) -> None:
    if not _value(connection, f"SELECT {how}({key})"):
        raise StoreHeld(
            f"The state {where} is held by {_holder(connection, key)}. Stop it first, or give this one a state "
            "of its own."
        )


def _holder(connection: psycopg.Connection[Any], key: int) -> str:
    found = connection.execute(
        "SELECT activity.application_name, "
        "to_char(activity.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') "
        "FROM pg_locks AS held JOIN pg_stat_activity AS activity ON activity.pid = held.pid "
        "WHERE held.locktype = 'advisory' AND held.granted AND held.classid = %s::bigint::oid "
        "AND held.objid = %s::bigint::oid "
        "AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        (key >> 32, key & 0xFFFFFFFF),
    ).fetchone()
    return "another process" if found is None or not found[0] else f"{found[0]}, since {found[1]} UTC"


def _key(kind: int, schema: int) -> int:
    return kind << 32 | schema


def _value(connection: psycopg.Connection[Any], statement: str) -> Any:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None, "each of these statements has a row"
    return row[0]
