"""a state file as one end of a move"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from precoro_daemon.adapters.state.moving import COUNTED, ENGINES_OWN, Columns, Flaw, Mark, read_mark
from precoro_daemon.adapters.state.restore_guard import RestoreGuard
from precoro_daemon.adapters.state.session import Session
from precoro_daemon.adapters.state.sqlite.backup import settle
from precoro_daemon.adapters.state.sqlite.failures import explained
from precoro_daemon.adapters.state.sqlite.holder import held
from precoro_daemon.adapters.state.sqlite.opening import find_state, make_empty, open_held, read_marks
from precoro_daemon.adapters.state.sqlite.restore_guard import RestoreGuardFile
from precoro_daemon.adapters.state.sqlite.restoring import keep_former, remove_unfinished
from precoro_daemon.adapters.state.sqlite.schema import bring_up_to_date
from precoro_daemon.adapters.state.sqlite.session import SqliteSession, in_transaction
from precoro_daemon.errors import StoreUnusable

_NUMBERED = frozenset({"records", "calls"})
"""Tables that are also read in the order of insertion, which SQLite's rowid shows."""

_REFERRED_FIRST = ("scans", "intents", "item_plans")

_FITS = {
    "bigint": "typeof({0}) = 'integer'",
    "double precision": "typeof({0}) = 'real'",
    "boolean": "{0} IN (0, 1)",
    "bytea": "typeof({0}) = 'blob'",
    "text": "typeof({0}) = 'text'",
}
"""By PostgreSQL type: the condition under which a value fits such a column."""


class SqliteEnd:
    """Implements `Movable`."""

    def __init__(self, path: Path, identity: str) -> None:
        self._path = path
        self._identity = identity

    @contextmanager
    def leaving(self) -> Iterator[SqliteDeparture]:
        path = self._path.resolve()
        if not find_state(path):
            raise StoreUnusable(f"There is no state in {path} that could be moved.")
        with explained(path), ExitStack() as resources:
            resources.enter_context(held(path))
            moved, _ = read_marks(path)
            connection = open_held(path, self._identity, resources, migrate=moved is None)
            yield SqliteDeparture(path, connection, None if moved is None else read_mark(moved))

    @contextmanager
    def arriving(self) -> Iterator[SqliteArrival]:
        path = self._path.resolve()
        there = find_state(path)
        with explained(path), held(path):
            moved, arriving = read_marks(path) if there else (None, None)
            taken = there and not (moved or arriving)
            yield SqliteArrival(path, self._identity, None if arriving is None else read_mark(arriving), taken=taken)


class SqliteDeparture:
    """Implements `Departure`."""

    def __init__(self, path: Path, connection: sqlite3.Connection, moved: Mark | None) -> None:
        self.where = str(path)
        self.moved = moved
        self._guard = RestoreGuardFile(path)
        self._connection = connection

    def columns(self) -> Columns:
        return {table: self._columns(table) for table in _tables(self._connection)}

    def count(self, table: str) -> int:
        (count,) = self._connection.execute(f'SELECT count(*) FROM "{table}" {_own(table)}').fetchone()  # noqa: S608
        return int(count)

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Sequence[Any]]:
        names = ", ".join(f'"{name}"' for name in columns)
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return iter(cursor.execute(f'SELECT {names} FROM "{table}" {_own(table)}'))  # noqa: S608

    def flaws(self, kinds: Mapping[tuple[str, str], str]) -> Sequence[Flaw]:
        return [flaw for (table, column), kind in kinds.items() for flaw in self._flaws(table, column, kind)]

    def change(self, work: Callable[[Session, RestoreGuard], None]) -> None:
        in_transaction(SqliteSession(self._connection), lambda session: work(session, self._guard))

    def _columns(self, table: str) -> Sequence[str]:
        names = [row["name"] for row in self._connection.execute(f'PRAGMA table_info("{table}")')]
        return [*names, "rowid"] if table in _NUMBERED else names

    def _flaws(self, table: str, column: str, kind: str) -> Iterator[Flaw]:
        name = f'"{column}"'
        fits = _FITS[kind].format(name)
        unfit, zeros = self._connection.execute(
            f"SELECT count(*) FILTER (WHERE {name} IS NOT NULL AND NOT ({fits})), "  # noqa: S608
            f"count(*) FILTER (WHERE typeof({name}) = 'text' AND instr({name}, char(0))) FROM \"{table}\""
        ).fetchone()
        if unfit:
            yield Flaw(table, column, unfit, replaceable=False)
        if zeros:
            yield Flaw(table, column, zeros, replaceable=True)


class SqliteArrival:
    """Implements `Arrival`."""

    def __init__(self, path: Path, identity: str, arriving: Mark | None, *, taken: bool) -> None:
        self.where = str(path)
        self.arriving = arriving
        self._path = path
        self._identity = identity
        self._taken = taken
        self._guard = RestoreGuardFile(path)

    def refuse_taken(self) -> None:
        if self._taken:
            raise StoreUnusable(f"There is a state in {self.where} already. Name another file, or remove it first.")

    @property
    def kinds(self) -> Mapping[tuple[str, str], str]:
        return {}

    def fill(self, columns: Columns, rows: Callable[[str], Iterable[Sequence[Any]]], mark: Mark) -> str | None:
        new = self._path.with_name(f"{self._path.name}.restored")
        remove_unfinished(new)
        try:
            make_empty(new, self._path)
            with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                bring_up_to_date(connection, self._identity)
                in_transaction(SqliteSession(connection), lambda session: _write(session, columns, rows, mark))
            kept = None if self.arriving else self._keep()
            settle(new, self._path)
        except BaseException:
            remove_unfinished(new)
            raise
        return kept

    def change(self, work: Callable[[Session, RestoreGuard], None]) -> None:
        with closing(_connected(self._path)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            in_transaction(SqliteSession(connection), lambda session: work(session, self._guard))

    def _keep(self) -> str | None:
        """Keeps the former state under another name, and returns that name."""
        if not self._path.exists() or not self._path.stat().st_size:
            return None
        with closing(_connected(self._path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # its log would be played into the new one
        kept = keep_former(self._path)
        return None if kept is None else str(kept)


def _write(
    session: SqliteSession, columns: Columns, rows: Callable[[str], Iterable[Sequence[Any]]], mark: Mark
) -> None:
    for table in sorted(_tables(session.connection), key=_order):
        names = ", ".join(f'"{name}"' for name in columns[table])
        marks = ", ".join("?" * len(columns[table]))
        session.connection.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows(table))  # noqa: S608
    session.run("meta.write", ("arriving", mark.text))


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection


def _tables(connection: sqlite3.Connection) -> Sequence[str]:
    found = SqliteSession(connection).rows("sqlite.read_tables")
    return sorted((name for (name,) in found if name not in COUNTED), key=_order)


def _order(table: str) -> tuple[bool, str]:
    return table not in _REFERRED_FIRST, table


def _own(table: str) -> str:
    """Returns a WHERE clause that leaves out the engine's own rows, "" if there are none."""
    if table != "meta":
        return ""
    listed = ", ".join(f"'{key}'" for key in sorted(ENGINES_OWN))
    return f"WHERE key NOT IN ({listed})"
