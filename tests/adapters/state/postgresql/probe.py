"""The state in a schema of PostgreSQL, as the contract suites look at it from outside."""

from __future__ import annotations

import atexit
import os
import subprocess
from contextlib import AbstractAsyncContextManager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.postgresql.server import Server
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.adapters.state.postgresql.values import row_factory
from tests.adapters.state.postgresql.clusters import programs

_NUMBERS = count(1)


_EMPTY = """
DO $$
DECLARE one record;
BEGIN
    IF to_regclass('meta') IS NULL THEN
        RETURN;
    END IF;
    SET LOCAL session_replication_role = replica; -- the journal lets nobody delete
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'meta' LOOP
        EXECUTE format('DELETE FROM %I', one.tablename);
    END LOOP;
    DELETE FROM meta WHERE key NOT IN ('version', 'identity', 'views');
    FOR one IN
        SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL
    LOOP
        PERFORM setval(format('%I', one.sequencename), 1, FALSE);
    END LOOP;
    FOR one IN
        SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
            AND (indexname LIKE 'invoices\\_%' OR indexname = 'payments_canceled')
    LOOP
        EXECUTE format('DROP INDEX %I', one.indexname);
    END LOOP;
END
$$
"""
"""A schema costs a quarter of a second to make and few milliseconds to empty."""


@cache
def connection_to(url: str) -> psycopg.Connection[Any]:
    """One for all tests of a process: a new session of PostgreSQL reads anew what it uses of the catalogues."""
    connection = psycopg.connect(url, autocommit=True)
    connection.prepare_threshold = None  # a schema may be dropped and made anew
    atexit.register(connection.close)
    return connection


class PostgresBackend:
    """Each takes the place of the one before: they are opened one after the other."""

    duplicate = "unique"
    schema = "company"

    def __init__(self, url: str) -> None:
        self.url = url
        self.change(_EMPTY)

    def open(self) -> AbstractAsyncContextManager[Store]:
        return self.state().open()

    def state(self, identity: str = "company") -> PostgresState:
        return PostgresState(Server(self.url), self.schema, identity)

    @property
    def connection(self) -> psycopg.Connection[Any]:
        connection = connection_to(self.url)
        connection.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(self.schema)))
        return connection

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor(row_factory=row_factory) as cursor:
            return [tuple(row) for row in cursor.execute(statement.encode())]

    def change(self, statement: str) -> None:
        self.connection.execute(statement.encode())

    async def is_durable(self, store: Store) -> bool:
        """The database itself is told to be careless."""
        transactions: Any = store.mirror._transactions  # type: ignore[attr-defined]
        shown = await transactions.write(lambda session: session.send(b"SHOW synchronous_commit")[-1].rows[0][0])
        return bool(shown == "on" and self.query("SHOW synchronous_commit") == [("off",)])

    def copied(self, elsewhere: Path, *, whole: bool) -> Self:
        """Dumped and loaded into another database. What guards it stands in it, and goes with every copy."""
        name = f"copy_{next(_NUMBERS)}"
        self.change(f"CREATE DATABASE {name}")
        copy = type(self)(make_conninfo(self.url, dbname=name))
        copy.load(self.dumped())
        return copy

    def put_back(self, copy: Self) -> None:
        self.wipe()
        self.load(copy.dumped())

    def wipe(self) -> None:
        self.change(f"DROP SCHEMA {self.schema} CASCADE")

    def lose_guard(self) -> None:
        """The journal is another file from then on."""
        self.change("VACUUM FULL journal")

    def dumped(self) -> bytes:
        return ran("pg_dump", f"--schema={self.schema}", f"--dbname={self.url}")

    def load(self, dump: bytes) -> None:
        ran("psql", "--quiet", "--set=ON_ERROR_STOP=1", f"--dbname={self.url}", given=dump)


def ran(program: str, *arguments: str, given: bytes = b"") -> bytes:
    """Of the same version as the server."""
    place = programs(int(os.environ.get("PGSERVER_POSTGRES_VERSION", "18")))
    assert place is not None
    done = subprocess.run([place / program, *arguments], check=False, capture_output=True, input=given)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout
