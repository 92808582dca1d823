"""brings a company's schema up to date: migrations, views, and the owner of its data"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from precoro_daemon.adapters.state.moving import refuse_moved
from precoro_daemon.adapters.state.postgresql.failures import lacks_right
from precoro_daemon.adapters.state.postgresql.view_refresh import (
    describe_views,
    let_readers_read,
    make_views,
    unite_companies,
)
from precoro_daemon.errors import StoreUnusable

MIGRATION_FILES = sorted(Path(__file__).with_name("schema").glob("[0-9]*.sql"))
"""The steps from an empty schema to the present one; the first makes version 1."""

VERSION = len(MIGRATION_FILES)
"""The version of the schema that this program writes; stored in `meta`."""


def find_schema(connection: psycopg.Connection[Any], schema: str) -> int | None:
    """Returns the schema's number, None if it does not exist."""
    row = connection.execute("SELECT oid::bigint FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone()
    return None if row is None else int(row[0])


def make_schema(connection: psycopg.Connection[Any], schema: str) -> int:
    """Creates the schema if needed and returns its number. Concurrent calls are safe."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (schema,))
        found = find_schema(connection, schema)
        if found is None:
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
            found = find_schema(connection, schema)
    assert found is not None, "it was made a moment ago"
    return found


def demand_rights(connection: psycopg.Connection[Any], where: str, schema: str) -> None:
    """Raises StoreUnusable if rights are missing: the tables would then seem to be missing."""
    row = connection.execute(
        """SELECT CASE
            WHEN to_regnamespace(quote_ident(%(schema)s)) IS NULL
                AND NOT has_database_privilege(current_database(), 'CREATE')
            THEN 'it may not make the schema ' || %(schema)s
            WHEN NOT has_schema_privilege(to_regnamespace(quote_ident(%(schema)s)), 'USAGE')
            THEN 'it may not use the schema ' || %(schema)s
        END""",
        {"schema": schema},
    ).fetchone()
    if row is not None and row[0] is not None:
        raise lacks_right(f"the state {where}", row[0])


def enter(connection: psycopg.Connection[Any], schema: str) -> None:
    """Makes the schema's tables visible for the rest of the transaction."""
    connection.execute("SELECT set_config('search_path', %s, true)", (sql.Identifier(schema).as_string(None),))


def read_version(connection: psycopg.Connection[Any]) -> int:
    """Returns the schema's version, 0 if it is empty."""
    found = connection.execute("SELECT to_regclass('meta') IS NOT NULL").fetchone()
    if not found or not found[0]:
        return 0
    return int(read_meta(connection, "version") or 0)


def refuse_other(connection: psycopg.Connection[Any], where: str, identity: str, *, moved_too: bool = False) -> None:
    """Raises StoreUnusable if the state is not ours to use. `moved_too` accepts one that was moved away, or did not
    arrive.
    """
    version = read_version(connection)
    if version > VERSION:
        raise StoreUnusable(
            f"The state {where} was written by a newer version of this program (its schema is {version}, "
            f"this one knows {VERSION}). Run the newer version, or use another database."
        )
    if version and read_meta(connection, "identity") not in (None, identity):
        raise StoreUnusable(
            f"The state {where} holds the data of another company or another user's key. "
            "Give this configuration a schema of its own, or go back to the former key, e-mail and region."
        )
    if version and not moved_too:
        refuse_moved(where, read_meta(connection, "moved"), read_meta(connection, "arriving"))
    if not version and _has_tables(connection):
        raise StoreUnusable(
            f"The schema of the state {where} has tables of another program. Name another one (state.schema_name)."
        )


def bring_up_to_date(connection: psycopg.Connection[Any], identity: str) -> None:
    """Applies the missing migrations. Runs inside a transaction."""
    version = read_version(connection)
    for path in MIGRATION_FILES[version:]:
        connection.execute(path.read_bytes())
    if version < VERSION:
        _write_meta(connection, "version", str(VERSION))
    if read_meta(connection, "identity") is None:
        _write_meta(connection, "identity", identity)
    _refresh_views(connection)


def _refresh_views(connection: psycopg.Connection[Any]) -> None:
    """Recreates the views if this version defines them differently, or if one was dropped or changed."""
    if read_meta(connection, "views") != describe_views(connection):
        make_views(connection)
        _write_meta(connection, "views", describe_views(connection))
    unite_companies(connection)
    let_readers_read(connection)


def _has_tables(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema())"
    ).fetchone()
    return bool(found and found[0])


def read_meta(connection: psycopg.Connection[Any], key: str) -> str | None:
    row = connection.execute("SELECT value FROM meta WHERE key = %s", (key,)).fetchone()
    return None if row is None else str(row[0])


def _write_meta(connection: psycopg.Connection[Any], key: str, value: str) -> None:
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )
