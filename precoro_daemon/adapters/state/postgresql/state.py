"""the state of a company in a schema of a PostgreSQL database"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from precoro_daemon.adapters.host.threads import WorkThreads, run_to_end
from precoro_daemon.adapters.state.overview import read_overview
from precoro_daemon.adapters.state.ports import Backup, Restored, Store
from precoro_daemon.adapters.state.postgresql.failures import explained
from precoro_daemon.adapters.state.postgresql.fence import Fence
from precoro_daemon.adapters.state.postgresql.holder import (
    Holder,
    held,
    refuse_enrolled,
    refuse_held,
    take_over,
)
from precoro_daemon.adapters.state.postgresql.restore_guard import PostgresRestoreGuard
from precoro_daemon.adapters.state.postgresql.schema import (
    VERSION,
    bring_up_to_date,
    demand_rights,
    enter,
    find_schema,
    make_schema,
    read_version,
    refuse_other,
)
from precoro_daemon.adapters.state.postgresql.server import Server, describe, pooled, refuse_unwritable
from precoro_daemon.adapters.state.postgresql.transactions import (
    READ_ONLY,
    PostgresSession,
    PostgresTransactions,
    StreamedRows,
)
from precoro_daemon.adapters.state.repositories import build_store
from precoro_daemon.adapters.state.session import Row, Session, Values
from precoro_daemon.adapters.state.view_rows import ViewTables
from precoro_daemon.errors import StoreUnavailable, StoreUnusable
from precoro_daemon.files.ports.attachment_book import WantedFiles
from precoro_daemon.mirror.ports.mirror import WantedDetails
from precoro_daemon.status.reading import Overview

_LIMITS = {"statement_timeout": "300s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "30s"}
"""Limits of each transaction. The longest statements index a million records; a process that is stopped inside a
transaction releases it after half a minute.
"""

_DURABLE = (
    "set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN 'on' "
    "ELSE current_setting('synchronous_commit') END, true)"
)
"""A commit must survive a loss of power, whatever the default of the database or the user is."""


class _Opening(NamedTuple):
    """holder     None if a fence guards the state, or nothing is written
    beginning  the statements that start each transaction
    """

    holder: Holder | None
    beginning: str


class PostgresState:
    """Implements `State` on one schema. `identity` is the hash of the company and user whose data it holds.

    `fence` checks in each transaction whether this process may write; without a fence, a lock holds the state.
    """

    def __init__(self, server: Server, schema: str, identity: str, *, fence: Fence | None = None) -> None:
        self._server = server
        self._schema = schema
        self._identity = identity
        self._fence = fence
        self._where = f"{server.address} (schema {schema})"

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Store]:
        async with self._opened(self._hold) as store:
            yield store

    @asynccontextmanager
    async def open_read_only(self) -> AsyncIterator[Store]:
        async with self._opened(self._open_for_reading) as store:
            yield store

    def exists(self) -> bool:
        with self._reading() as connection:
            return read_version(connection) > 0

    def about(self) -> str:
        with self._reading() as connection:
            refuse_unwritable(connection, self._server.address)
            return f"schema {self._schema}, {describe(connection)}"

    def demand(self) -> None:
        with self._reading() as connection:
            self._demand(connection)

    def overview(
        self,
        *,
        since: float,
        files: WantedFiles,
        details: WantedDetails,
        now: float,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> Overview:
        with self._reading() as connection:
            self._demand(connection)
            self._refuse_older(connection)
            session = _Interruptible(connection, self._where, unwanted)
            guard = PostgresRestoreGuard(lambda: session)
            return read_overview(session, guard, since=since, files=files, details=details, now=now)

    @contextmanager
    def open_tables(self) -> Iterator[ViewTables]:
        with self._reading() as connection:
            self._demand(connection)
            self._refuse_older(connection)
            yield ViewTables(StreamedRows(connection))

    def back_up(self, target: Path, *, replace: bool) -> Backup:  # noqa: ARG002 - the port has it
        raise StoreUnusable(
            f"The state is in a database: {self._where}. Back it up with PostgreSQL's own program, while the service"
            f" runs: pg_dump --format=custom --schema={self._schema} --file={quote(str(target))} {self._address}"
        )

    def restore(self, backup: Path) -> Restored:
        renaming = f"ALTER SCHEMA {self._schema} RENAME TO {self._schema[:50]}_before"
        raise StoreUnusable(
            f"The state is in a database: {self._where}. Stop the service and bring the backup back with the "
            f"programs of PostgreSQL:\npsql {self._address} -c '{renaming}'\n"
            f"pg_restore --single-transaction --dbname={self._address} {quote(str(backup))}\n"
            "Payments are disarmed then; check `payments plan` and arm payments again. `precoro-daemon help running` "
            "says how the calls made since the backup still count."
        )

    def hand_over(self, path: Path) -> None:
        """Does nothing: no part of the state is a file."""

    @property
    def _address(self) -> str:
        return quote(self._server.address)

    def _demand(self, connection: psycopg.Connection[Any]) -> None:
        refuse_other(connection, self._where, self._identity)
        if not read_version(connection):
            raise StoreUnusable(
                f"There is no state in {self._where} yet; the first run makes it: `precoro-daemon --once`."
            )

    def _refuse_older(self, connection: psycopg.Connection[Any]) -> None:
        if read_version(connection) < VERSION:
            raise StoreUnusable(
                f"The state {self._where} was written by an older version of this program. "
                "The next run (--once or run) brings it up to date; then it can be read."
            )

    @contextmanager
    def _reading(self) -> Iterator[psycopg.Connection[Any]]:
        """Yields a connection of its own, in a transaction that sees one moment."""
        with explained(self._where), closing(self._server.connect()) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute(f"SELECT {self._settings}".encode())
            demand_rights(connection, self._where, self._schema)
            yield connection

    @property
    def _beginning(self) -> str:
        return f"BEGIN; SELECT {self._settings}"

    @property
    def _settings(self) -> str:
        """Returns the settings of one transaction; the connection may serve another company in the next."""
        values = {"search_path": sql.Identifier(self._schema).as_string(None), "timezone": "UTC", **_LIMITS}
        given = (f"set_config('{name}', {sql.Literal(one).as_string(None)}, true)" for name, one in values.items())
        return ", ".join((*given, _DURABLE))

    def _hold(self, resources: ExitStack) -> _Opening:
        """Updates the tables, and prevents all other processes from writing to them."""
        with explained(self._where), closing(self._server.connect()) as connection:
            refuse_unwritable(connection, self._server.address)
            schema = make_schema(connection, self._schema)
            demand_rights(connection, self._where, self._schema)
            holding = connection
            if self._fence is None:
                # Before anything is held: two commands for a company of a fleet may come at the same moment.
                refuse_enrolled(connection, self._where, self._schema)
                holding = resources.enter_context(closing(self._server.connect()))
                resources.enter_context(held(holding, self._where, schema))
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (self._schema,))
                if self._fence is None:
                    refuse_enrolled(connection, self._where, self._schema)
                else:
                    refuse_held(connection, self._where, schema)
                enter(connection, self._schema)
                refuse_other(connection, self._where, self._identity)
                if self._fence is not None:
                    self._fence.check(connection.cursor())
                bring_up_to_date(connection, self._identity)
                holder = take_over(connection, self._where, schema, holding)
        return _Opening(holder if self._fence is None else None, self._beginning)

    def _open_for_reading(self, resources: ExitStack) -> _Opening:
        with self._reading() as connection:
            current = find_schema(connection, self._schema) is not None and read_version(connection) == VERSION
            if current:
                refuse_other(connection, self._where, self._identity)
        return _Opening(None, f"{self._beginning}; {READ_ONLY}") if current else self._hold(resources)

    @asynccontextmanager
    async def _opened(self, prepare: Callable[[ExitStack], _Opening]) -> AsyncIterator[Store]:
        executor = WorkThreads("store")
        resources = ExitStack()
        try:
            opening = await run_to_end(executor, lambda: prepare(resources))
            transactions = PostgresTransactions(
                executor,
                resources.enter_context(pooled(self._server)),
                self._where,
                opening.beginning,
                holding=opening.holder,
                fence=self._fence,
            )
            yield build_store(transactions, PostgresRestoreGuard(lambda: _current(transactions)))
        finally:
            await run_to_end(executor, resources.close)
            executor.shutdown()


def _current(transactions: PostgresTransactions) -> Session:
    assert transactions.session is not None, "the guard is asked inside of transactions"
    return transactions.session


class _Interruptible(PostgresSession):
    """Stops between two statements once the answer is no longer needed."""

    def __init__(self, connection: psycopg.Connection[Any], where: str, unwanted: Callable[[], bool]) -> None:
        super().__init__(connection)
        self._where = where
        self._unwanted = unwanted

    def rows(self, statement: str, values: Values = ()) -> Sequence[Row]:
        if self._unwanted():
            raise StoreUnavailable(f"Nobody waits any more for what was read from the state {self._where}.")
        return super().rows(statement, values)
