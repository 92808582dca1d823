"""the session of a worker or a command with the fleet's tables

Every session of a worker, this one and those of its companies' states, has the worker's id as its application
name, so
that the worker that finds it dead can end them. `session_settings` has the other limits of a session.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import anyio
import psycopg
from psycopg.rows import DictRow, dict_row

from precoro_daemon.adapters.state.postgresql.failures import said, unreached
from precoro_daemon.adapters.state.statements import read_named
from precoro_daemon.errors import StoreUnavailable, StoreUnusable
from precoro_daemon.runtime.tenure import reserve

LEASE_STATEMENTS = read_named(Path(__file__).with_name("leases.sql"))

FLEET = "the fleet"
_LEAST_CONNECT_S = 2
"""libpq's shortest wait."""


def session_settings(lease: float, worker: str) -> dict[str, Any]:
    """Returns connection settings by which neither a stopped worker nor a lost network keeps a lock longer than a
    lease.
    """
    milliseconds = int(lease * 1000)
    return {
        "application_name": worker,
        "connect_timeout": max(_LEAST_CONNECT_S, int(reserve(lease))),
        "tcp_user_timeout": milliseconds,
        "keepalives_idle": max(1, int(lease)),
        "options": f"-c idle_in_transaction_session_timeout={milliseconds} -c statement_timeout={4 * milliseconds}",
    }


class FleetSession:
    """Connects at first use, and again after any failure."""

    def __init__(self, conninfo: str, lease: float, channel: str = "precoro_fleet") -> None:
        """`channel`: of the notifications that it waits for."""
        self._conninfo = conninfo
        self._lease = lease
        self._channel = channel
        self._connection: psycopg.AsyncConnection[DictRow] | None = None
        self._was_connected = False
        self.worker = ""

    async def rows(self, statement: str, **values: Any) -> list[DictRow]:
        """Runs one statement as a transaction of its own. Raises StoreUnavailable, StoreUnusable."""
        try:
            with anyio.fail_after(reserve(self._lease)):
                connection = await self._connected()
                cursor = await connection.execute(LEASE_STATEMENTS[statement].encode(), values or None)
                return await cursor.fetchall() if cursor.description else []
        except (psycopg.Error, OSError) as error:
            await self.close()
            raise _failure(error) from error
        except BaseException:
            await self.close()
            raise

    async def wait(self, seconds: float) -> Collection[str]:
        """Waits for notifications for at most `seconds`, and returns their payloads. Raises StoreUnavailable."""
        try:
            connection = await self._connected()
            return {notice.payload async for notice in connection.notifies(timeout=seconds, stop_after=1)}
        except (psycopg.Error, OSError) as error:
            await self.close()
            raise _failure(error) from error

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            await connection.close()

    async def _connected(self) -> psycopg.AsyncConnection[DictRow]:
        if self._connection is None:
            self._connection = await self._connect()
            self._was_connected = True
            await self._connection.execute(f"LISTEN {self._channel}".encode())
        return self._connection

    async def _connect(self) -> psycopg.AsyncConnection[DictRow]:
        settings = session_settings(self._lease, self.worker)
        try:
            return await psycopg.AsyncConnection[DictRow].connect(
                self._conninfo, autocommit=True, row_factory=dict_row, prepare_threshold=None, **settings
            )
        except psycopg.Error as error:
            failure = unreached(FLEET, error)
            # A worker that was let in before waits: the server is being mended, or another one takes its place.
            raise (StoreUnavailable(str(failure)) if self._was_connected else failure) from error


def _failure(error: psycopg.Error | OSError) -> StoreUnusable:
    """Returns the error to raise. (TimeoutError is an OSError.)"""
    if not isinstance(error, psycopg.Error):
        words = " ".join(str(error).split()) or "it does not answer"
        return StoreUnavailable(f"The server of the fleet cannot be reached: {words}.")
    kind = StoreUnusable if isinstance(error, psycopg.ProgrammingError) else StoreUnavailable
    return kind(str(said(FLEET, error)))
