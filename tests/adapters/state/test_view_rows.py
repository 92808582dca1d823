"""Rows that are read in Python are those that the views show, on both engines, whatever Precoro sends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from precoro_daemon.adapters.state.ports import State
from precoro_daemon.adapters.state.postgresql.server import Server
from precoro_daemon.adapters.state.postgresql.state import PostgresState
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.adapters.state.view_columns import Columns
from precoro_daemon.adapters.state.view_rows import tables
from precoro_daemon.adapters.state.views import described_views
from precoro_daemon.exports.ports.tables import Cells, Tables
from tests.adapters.state.test_views_alike import fill, same, shown_by_sqlite
from tests.contracts.listing import listed, record

Shown = list[tuple[Any, ...]]


def alike(columns: Columns, rows: Any) -> Shown:
    return sorted(
        (tuple(same(column.kind, value) for column, value in zip(columns, row, strict=True)) for row in rows),
        key=repr,
    )


def exported(state: State, view: str) -> Shown:
    with state.open_tables() as opened:
        return alike(described_views()[view], rows_of(opened, view))


def rows_of(opened: Tables, view: str) -> Iterator[Cells]:
    for batch in opened.batches(tables()[view]):
        yield from zip(*batch, strict=True)


def test_rows_are_those_of_the_views(tmp_path: Path, state_database: str) -> None:
    path = tmp_path / "state.db"
    here: State = SqliteState(path, "company")
    there: State = PostgresState(Server(state_database), "exported", "company")
    asyncio.run(fill(here))
    asyncio.run(fill(there))
    for view in tables():
        columns = described_views()[view]
        names = ", ".join(f'"{column.name}"' for column in columns)
        shown = alike(columns, shown_by_sqlite(path, f'SELECT {names} FROM "{view}"'))
        for state in (here, there):
            for row, right in zip(exported(state, view), shown, strict=True):
                differing = {
                    column.name: (one, other)
                    for column, one, other in zip(columns, row, right, strict=True)
                    if one != other
                }
                assert differing == {}, (view, row)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_what_is_read_is_of_one_moment_whatever_is_written_meanwhile(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    if engine == "sqlite":
        state: State = SqliteState(tmp_path / "state.db", "company")
    else:
        state = PostgresState(Server(request.getfixturevalue("state_database")), "moment", "company")
    asyncio.run(add(state, 1, 2))
    with state.open_tables() as opened:
        assert ids(opened) == [1, 2]
        asyncio.run(add(state, 3))
        assert ids(opened) == [1, 2]
    with state.open_tables() as opened:
        assert ids(opened) == [1, 2, 3]


async def add(state: State, *numbers: int) -> None:
    async with state.open() as store:
        await listed(store.mirror, *map(record, numbers), collection="suppliers")


def ids(opened: Tables) -> list[int]:
    return [row[0] for row in rows_of(opened, "suppliers")]
