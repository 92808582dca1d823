"""a schema of PostgreSQL as one end of a move"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from precoro_daemon.adapters.state.moving import COUNTED, ENGINES_OWN, Columns, Flaw, Mark, read_mark
from precoro_daemon.adapters.state.postgresql.failures import explained
from precoro_daemon.adapters.state.postgresql.holder import held, take_over
from precoro_daemon.adapters.state.postgresql.restore_guard import PostgresRestoreGuard
from precoro_daemon.adapters.state.postgresql.schema import (
    bring_up_to_date,
    enter,
    find_schema,
    read_meta,
    read_version,
    refuse_other,
)
from precoro_daemon.adapters.state.postgresql.server import Server, is_pooled, refuse_unwritable
from precoro_daemon.adapters.state.postgresql.transactions import PostgresSession
from precoro_daemon.adapters.state.postgresql.values import IDN, as_idn
from precoro_daemon.adapters.state.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.session import Session
from precoro_daemon.errors import StoreHeld, StoreUnusable

Values = Sequence[Any]

_AT_A_TIME = 1000
"""Rows fetched from the server in one message: a few MB."""

_WRITTEN_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND is_generated = 'NEVER'
ORDER BY table_name NOT IN ('scans', 'intents', 'item_plans'), table_name, ordinal_position
"""
"""Written columns with their types. Tables that others refer to come first."""

_GO_ON_NUMBERING = """
SELECT format('SELECT setval(pg_get_serial_sequence(%L, %L), max(%I)) FROM %I', table_name, column_name, column_name,
    table_name)
FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'
"""

_LEASED = "SELECT name, holder, epoch FROM precoro_fleet.companies WHERE schema = %s FOR UPDATE"


class PostgresEnd:
    """Implements `Movable`."""

    def __init__(self, server: Server, schema: str, identity: str) -> None:
        self._server = server
        self._schema = schema
        self._identity = identity
        self._where = f"{server.address} (schema {schema})"

    @contextmanager
    def leaving(self) -> Iterator[PostgresDeparture]:
        with explained(self._where), self._connected() as connection, ExitStack() as resources:
            number = find_schema(connection, self._schema)
            with connection.transaction():
                enter(connection, self._schema)
                if number is None or not read_version(connection):
                    raise StoreUnusable(f"There is no state in {self._where} that could be moved.")
                refuse_other(connection, self._where, self._identity, moved_too=True)
                moved = read_meta(connection, "moved")
                lease = self._lease(connection)
            resources.enter_context(held(connection, self._where, number))
            with connection.transaction():
                enter(connection, self._schema)
                if moved is None:
                    refuse_other(connection, self._where, self._identity)
                    bring_up_to_date(connection, self._identity)
                holder = take_over(connection, self._where, number, connection)
            yield PostgresDeparture(
                connection, self, holder.guard, None if moved is None else read_mark(moved), lambda: self._same(lease)
            )

    @contextmanager
    def arriving(self) -> Iterator[PostgresArrival]:
        with explained(self._where), self._connected() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (self._schema,))
            with connection.transaction():
                enter(connection, self._schema)
                refuse_other(connection, self._where, self._identity, moved_too=True)
                there = read_version(connection) > 0
                marks = [read_meta(connection, key) if there else None for key in ("moved", "arriving")]
            arriving = None if marks[1] is None else read_mark(marks[1])
            yield PostgresArrival(connection, self, self._identity, arriving, moved=marks[0] is not None, there=there)

    @property
    def schema(self) -> str:
        return self._schema

    @property
    def where(self) -> str:
        return self._where

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        with closing(self._server.connect()) as connection:
            refuse_unwritable(connection, self._server.address)
            if is_pooled(connection):
                raise StoreUnusable(
                    f"The state {self._where} is behind a pooler, which no move goes through. Name the server itself."
                )
            connection.execute("SET synchronous_commit = on; SET timezone = 'UTC'; SET statement_timeout = 0")
            yield connection

    def _lease(self, connection: psycopg.Connection[Any]) -> Values | None:
        """Returns the lease if a fleet knows the state: its workers hold it by an epoch, not by the lock."""
        found = connection.execute("SELECT to_regclass('precoro_fleet.companies') IS NOT NULL").fetchone()
        lease = connection.execute(_LEASED, (self._schema,)).fetchone() if found and found[0] else None
        if lease is not None and lease[1] is not None:
            raise StoreHeld(
                f"The state {self._where} is served by a fleet as {lease[0]}. Take the company out of the fleet's "
                "directory, and run again when no worker holds it."
            )
        return lease

    def _same(self, lease: Values | None) -> Callable[[psycopg.Connection[Any]], None]:
        def demand(connection: psycopg.Connection[Any]) -> None:
            if self._lease(connection) != lease:
                raise StoreHeld(f"A worker of a fleet had the state {self._where} meanwhile. Run again.")

        return demand


class PostgresDeparture:
    """Implements `Departure`."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        end: PostgresEnd,
        guard: str,
        moved: Mark | None,
        unleased: Callable[[], Callable[[psycopg.Connection[Any]], None]],
    ) -> None:
        self.where = end.where
        self.moved = moved
        self._connection = connection
        self._schema = end.schema
        self._guard = guard
        self._unleased = unleased()

    def columns(self) -> Columns:
        with self._connection.transaction():
            enter(self._connection, self._schema)
            return _columns(_kinds(self._connection))

    def count(self, table: str) -> int:
        with self._connection.transaction():
            enter(self._connection, self._schema)
            counting = sql.SQL("SELECT count(*) FROM {} {}").format(sql.Identifier(table), _own(table))
            found = self._connection.execute(counting).fetchone()
            return int(found[0]) if found else 0

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Values]:
        """Yields a table's rows in the order of their insertion, as far as that is known."""
        order = "ORDER BY rowid" if "rowid" in columns else ""
        reading = sql.SQL("SELECT {} FROM {} {} {}").format(
            sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table), _own(table), sql.SQL(order)
        )
        plain = [_from_idn if _is_idn(table, name) else _plain for name in columns]
        with self._connection.transaction():
            enter(self._connection, self._schema)
            with self._connection.cursor(name="moving") as cursor:
                cursor.itersize = _AT_A_TIME
                for row in cursor.execute(reading):
                    yield [one(value) for one, value in zip(plain, row, strict=True)]

    def flaws(self, kinds: Mapping[tuple[str, str], str]) -> Sequence[Flaw]:  # noqa: ARG002 - the port has it
        return ()

    def change(self, work: Callable[[Session, RestoreGuard], None]) -> None:
        with self._connection.transaction():
            enter(self._connection, self._schema)
            self._unleased(self._connection)
            self._connection.execute(self._guard.encode())
            _run(self._connection, work)


class PostgresArrival:
    """Implements `Arrival`."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        end: PostgresEnd,
        identity: str,
        arriving: Mark | None,
        *,
        moved: bool,
        there: bool,
    ) -> None:
        self.where = end.where
        self.arriving = arriving
        self._connection = connection
        self._schema = end.schema
        self._identity = identity
        self._moved = moved
        self._there = there

    def refuse_taken(self) -> None:
        if self._there and not self._moved and self.arriving is None:
            raise StoreUnusable(
                f"There is a state in {self.where} already. Name another schema (state.schema_name), or drop this "
                "one first."
            )

    @property
    def kinds(self) -> Mapping[tuple[str, str], str]:
        """Returns the column types, from tables that are created and rolled back, before anything is written."""
        with self._connection.transaction(force_rollback=True):
            self._make_room()
            kinds = _kinds(self._connection)
        return {place: kind for place, kind in kinds.items() if not _is_idn(*place)}

    def fill(self, columns: Columns, rows: Callable[[str], Iterable[Values]], mark: Mark) -> str | None:
        with self._connection.transaction():
            kept = self._make_room()
            kinds = _kinds(self._connection)
            for table in _columns(kinds):
                self._copy(table, columns[table], kinds, rows(table))
            for (numbering,) in self._connection.execute(_GO_ON_NUMBERING).fetchall():
                self._connection.execute(numbering.encode())
            _run(self._connection, lambda session, _: _say(session, mark))
            self._connection.execute("ANALYZE")
        return kept

    def change(self, work: Callable[[Session, RestoreGuard], None]) -> None:
        with self._connection.transaction():
            enter(self._connection, self._schema)
            _run(self._connection, work)

    def _make_room(self) -> str | None:
        kept = None
        name = sql.Identifier(self._schema)
        if self._there and self.arriving is not None:
            self._connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(name))
        elif self._there:
            kept = f"{self._schema[:40]}_before_{datetime.now(UTC):%Y%m%d%H%M%S}"
            self._connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(name, sql.Identifier(kept)))
        self._connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(name))
        enter(self._connection, self._schema)
        bring_up_to_date(self._connection, self._identity)
        return None if kept is None else f"schema {kept}"

    def _copy(
        self, table: str, columns: Sequence[str], kinds: Mapping[tuple[str, str], str], rows: Iterable[Values]
    ) -> None:
        cells = [as_idn if _is_idn(table, name) else _CELLS.get(kinds[table, name], _same) for name in columns]
        copying = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with self._connection.cursor() as cursor, cursor.copy(copying) as copy:
            for row in rows:
                copy.write_row([cell(value) for cell, value in zip(cells, row, strict=True)])


def _run(connection: psycopg.Connection[Any], work: Callable[[Session, RestoreGuard], None]) -> None:
    session = PostgresSession(connection)
    work(session, PostgresRestoreGuard(lambda: session))


def _say(session: Session, mark: Mark) -> None:
    session.run("meta.write", ("arriving", mark.text))


def _kinds(connection: psycopg.Connection[Any]) -> Mapping[tuple[str, str], str]:
    found = connection.execute(_WRITTEN_COLUMNS.encode()).fetchall()
    return {(table, column): kind for table, column, kind in found if table not in COUNTED}


def _columns(kinds: Mapping[tuple[str, str], str]) -> Columns:
    columns: dict[str, list[str]] = {}
    for table, column in kinds:
        columns.setdefault(table, []).append(column)
    return columns


def _own(table: str) -> sql.Composable:
    """Returns a WHERE clause that leaves out the engine's own rows, "" if there are none."""
    if table != "meta":
        return sql.SQL("")
    return sql.SQL("WHERE key <> ALL ({})").format(sql.Literal(sorted(ENGINES_OWN)))


def _is_idn(table: str, column: str) -> bool:
    """Returns whether the column holds an idn as JSON. A delivery's idn is always a number."""
    return column in IDN and table != "deliveries"


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _from_idn(value: Any) -> Any:
    return None if value is None else json.loads(value)


def _same(value: Any) -> Any:
    return value


def _truth(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _text(value: Any) -> Any:
    return value.replace("\0", "\ufffd") if isinstance(value, str) else value


_CELLS: Mapping[str, Callable[[Any], Any]] = {"boolean": _truth, "text": _text}
