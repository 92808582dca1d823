"""The views on PostgreSQL beside what they show: that they come back, who reads them, all companies in one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from precoro_daemon.adapters.state.postgresql.server import Server
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.adapters.state.views import described_views
from tests.contracts.listing import listed, record


@pytest.fixture
def url(state_database: str) -> Iterator[str]:
    """A database without companies: views over all would else show those of other tests."""
    name = "views"
    with psycopg.connect(state_database, autocommit=True) as connection:
        connection.execute("CREATE DATABASE views")
    yield state_database.replace("/states", f"/{name}")
    with psycopg.connect(state_database, autocommit=True) as connection:
        connection.execute("DROP DATABASE views WITH (FORCE)")
        connection.execute("DROP ROLE IF EXISTS readers")


async def opened(url: str, schema: str, *ids: int) -> None:
    async with PostgresState(Server(url), schema, schema).open() as store:
        if ids:
            await listed(store.mirror, *(record(id_, sum="1.50", currency="EUR", status=2) for id_ in ids))


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with connected(url) as connection:
        return connection.execute(query.encode()).fetchall()


def change(url: str, statement: str) -> None:
    with connected(url) as connection:
        connection.execute(statement.encode())


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "harm",
    [
        "DROP VIEW acme.data_dictionary",
        "ALTER VIEW acme.data_dictionary RENAME TO words",
        """CREATE OR REPLACE VIEW acme.data_dictionary AS
           SELECT '' AS "view", '' AS "column", '' AS type, '' AS meaning""",
    ],
)
async def test_views_that_are_missing_or_changed_are_made_anew(url: str, harm: str) -> None:
    await opened(url, "acme", 1)
    columns = sum(map(len, described_views().values()))
    change(url, harm)
    await opened(url, "acme")
    assert ask(url, "SELECT count(*) FROM acme.data_dictionary") == [(columns,)]
    assert ask(url, "SELECT id FROM acme.invoices") == [(1,)]


@pytest.mark.asyncio
async def test_views_as_they_should_be_are_left_alone(url: str) -> None:
    await opened(url, "acme")
    before = ask(url, "SELECT 'acme.invoices'::regclass::oid")
    await opened(url, "acme")
    assert ask(url, "SELECT 'acme.invoices'::regclass::oid") == before


@pytest.mark.asyncio
async def test_readers_read_views_and_nothing_else(url: str) -> None:
    await opened(url, "acme", 1)
    change(url, "CREATE ROLE readers NOLOGIN; CREATE SCHEMA precoro_all")
    change(url, "DROP VIEW acme.payments")
    await opened(url, "acme")
    with connected(url) as connection:
        connection.execute("SET ROLE readers")
        for schema in ("acme", "precoro_all"):
            for view in described_views():
                connection.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(schema, view)))
        for table in ("records", "meta", "intents"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(sql.SQL("SELECT * FROM acme.{}").format(sql.Identifier(table)))


@pytest.mark.asyncio
async def test_a_role_made_later_reads_from_the_next_start_on(url: str) -> None:
    await opened(url, "acme")
    change(url, "CREATE ROLE readers NOLOGIN")
    await opened(url, "acme")
    assert ask(url, "SELECT has_table_privilege('readers', 'acme.invoices', 'SELECT')") == [(True,)]


@pytest.mark.asyncio
async def test_views_over_all_companies_follow_those_that_there_are(url: str) -> None:
    owed = "SELECT company, count(*), sum(open_minor) FROM precoro_all.invoices GROUP BY company ORDER BY 1"
    await opened(url, "acme", 1, 2)
    change(url, "CREATE SCHEMA precoro_all")
    await opened(url, "acme")
    assert ask(url, owed) == [("acme", 2, 300)]
    await opened(url, "Bolt & Co", 3)
    assert ask(url, owed) == [("Bolt & Co", 1, 150), ("acme", 2, 300)]
    change(url, "DROP VIEW acme.documents CASCADE; CREATE VIEW acme.documents AS SELECT 1 AS id")
    await opened(url, "Bolt & Co")
    await opened(url, "acme")
    assert ask(url, owed) == [("Bolt & Co", 1, 150), ("acme", 2, 300)]


@pytest.mark.asyncio
async def test_a_state_that_was_moved_away_counts_no_more_and_one_that_did_not_arrive_not_yet(url: str) -> None:
    change(url, "CREATE SCHEMA precoro_all")
    await opened(url, "acme", 1)
    await opened(url, "bolt", 2)
    every = "SELECT company, id FROM precoro_all.invoices ORDER BY 1"
    assert ask(url, every) == [("acme", 1), ("bolt", 2)]
    for mark in ("moved", "arriving"):
        change(url, f"INSERT INTO acme.meta (key, value) VALUES ('{mark}', '{{}}')")
        assert ask(url, every) == [("bolt", 2)]
        change(url, f"DELETE FROM acme.meta WHERE key = '{mark}'")
    assert ask(url, every) == [("acme", 1), ("bolt", 2)]


@pytest.mark.asyncio
async def test_a_company_of_another_version_is_left_out_of_the_views_over_all(url: str) -> None:
    await opened(url, "acme", 1)
    await opened(url, "bolt", 2)
    change(url, "DROP VIEW bolt.invoices_and_credit_notes CASCADE; CREATE VIEW bolt.invoices AS SELECT 1 AS id")
    change(url, "CREATE SCHEMA precoro_all")
    await opened(url, "acme")
    assert ask(url, "SELECT company, id FROM precoro_all.invoices") == [("acme", 1)]
    assert ask(url, "SELECT company, id FROM precoro_all.documents ORDER BY 1") == [("acme", 1), ("bolt", 2)]
    await opened(url, "bolt")
    assert ask(url, "SELECT company, id FROM precoro_all.invoices ORDER BY 1") == [("acme", 1), ("bolt", 2)]
