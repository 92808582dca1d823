"""brings a state file up to date: migrations, views, and the owner of its data"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from precoro_daemon.adapters.state.sqlite.session import SqliteSession, in_transaction

MIGRATION_FILES = sorted(Path(__file__).with_name("schema").glob("[0-9]*.sql"))
"""The steps from an empty file to the present schema; the first makes version 1."""

VERSION = len(MIGRATION_FILES)
"""The version of the schema that this program writes; stored in the file as `user_version`."""


def bring_up_to_date(connection: sqlite3.Connection, identity: str | None) -> None:
    """Applies the missing migrations. `identity` names the data's owner, None if there is none yet."""

    def finish(session: SqliteSession) -> None:
        if identity is not None:
            _adopt_identity(session.connection, identity)
        _refresh_views(session.connection)

    _migrate(connection)
    in_transaction(SqliteSession(connection), finish)


def _migrate(connection: sqlite3.Connection) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number, path in enumerate(MIGRATION_FILES[version:], start=version + 1):
        _take_step(connection, path.read_text(encoding="utf-8"), number)


def _take_step(connection: sqlite3.Connection, script: str, number: int) -> None:
    try:
        connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def read_identity(connection: sqlite3.Connection) -> str | None:
    return read_meta(connection, "identity")


def _adopt_identity(connection: sqlite3.Connection, identity: str) -> None:
    """Assigns a new state to the company it is first opened for."""
    if read_identity(connection) is None:
        _write_meta(connection, "identity", identity)


def _refresh_views(connection: sqlite3.Connection) -> None:
    """Recreates the views if one is missing or differs from this version's definition. Every view here is ours."""
    from precoro_daemon.adapters.state.sqlite.views import view_definitions  # noqa: PLC0415 - a reader needs neither
    from precoro_daemon.adapters.state.views import dictionary_rows  # noqa: PLC0415

    if read_meta(connection, "dictionary") != dictionary_rows():
        _write_meta(connection, "dictionary", dictionary_rows())
    present = {str(row["name"]): str(row["sql"]) for row in SqliteSession(connection).rows("sqlite.read_views")}
    wanted = {_name_of(definition): definition.removesuffix(";") for definition in view_definitions()}
    if wanted.items() <= present.items():
        return
    for name in present:
        connection.execute(f'DROP VIEW "{name}"')
    for definition in wanted.values():
        connection.execute(definition)


def _name_of(definition: str) -> str:
    return definition.split(maxsplit=3)[2]


def read_meta(connection: sqlite3.Connection, key: str) -> str | None:
    row = SqliteSession(connection).row("meta.read", (key,))
    return None if row is None else str(row["value"])


def _write_meta(connection: sqlite3.Connection, key: str, value: str) -> None:
    SqliteSession(connection).run("meta.write", (key, value))
