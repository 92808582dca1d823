"""A fleet's tables in a database of their own, on the server of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from precoro_daemon.adapters.state.postgresql.fleet_session import LEASE_STATEMENTS

LEASE = 15.0


class Tables:
    """What stands in a fleet's database, and the power to let leases run out."""

    def __init__(self, directory: str, database: str) -> None:
        self.directory = directory
        self.name = database
        self.conninfo = psycopg.conninfo.make_conninfo(host=directory, user="postgres", dbname=database)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def enrol(self, *companies: str) -> None:
        self.rows(LEASE_STATEMENTS["make"])
        for company in companies:
            self.rows("INSERT INTO precoro_fleet.companies (name, schema) VALUES (%s, %s)", company, f"of_{company}")

    def expire(self, worker: str) -> None:
        self.rows("UPDATE precoro_fleet.workers SET alive_until = clock_timestamp() WHERE id = %s", worker)


@contextmanager
def fleet_database(directory: str, name: str) -> Iterator[Tables]:
    server = Tables(directory, "postgres")
    server.rows(f"CREATE DATABASE {name}")
    try:
        yield Tables(directory, name)
    finally:
        server.rows(f"DROP DATABASE {name} WITH (FORCE)")
