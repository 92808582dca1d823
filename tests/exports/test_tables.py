"""An export into tables of PostgreSQL is the mirror, whenever either side dies, and each change is in it once."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from precoro_daemon.adapters.databases.database import Address
from precoro_daemon.adapters.databases.postgres import PostgresDatabase
from precoro_daemon.adapters.exports.postgres_tables import Named, open_tables
from precoro_daemon.adapters.exports.readable import plain_date, plain_number, plain_time
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.adapters.state.view_columns import Kind
from precoro_daemon.adapters.state.view_rows import followed_tables
from precoro_daemon.adapters.state.views import described_views
from precoro_daemon.errors import PermanentError
from precoro_daemon.exports.ports.warehouse import Warehouse
from precoro_daemon.exports.rules.standings import Standing, can_go_on
from precoro_daemon.exports.write_tables import WriteTables
from tests.adapters.state.test_views_alike import fill, same
from tests.contracts.listing import listed, record
from tests.exports.belongings import ACTS, PARTS
from tests.exports.dying import Killed, Life
from tests.exports.test_segments import STEPS_OF_PARTS, Acts, first, more, order_of

TABLES = ("invoices", "credit_notes", "payments", "suppliers", "invoice_lines", "credit_note_lines")
STEPS = 80
"""More than an export of this scene makes."""
_NUMBERS = count(1)
_READ_AS = {Kind.DECIMAL: plain_number, Kind.DATE: plain_date, Kind.TIMESTAMP: plain_time, Kind.BOOLEAN: bool}
"""What is no value of its type is nothing."""


@pytest.mark.parametrize(
    ("standing", "position", "planned", "expected"),
    [
        (None, 0, None, False),
        (Standing(5, "abc"), 5, 5, True),
        (Standing(5, "abc"), 4, 5, True),
        (Standing(5, "abc"), 4, 4, False),
        (Standing(5, "abc"), 4, 6, False),
        (Standing(5, "abc"), 9, 9, True),
        (Standing(5, "abc"), 0, None, False),
        (Standing(5, "other"), 5, 5, False),
    ],
)
def test_tables_go_on_unless_they_are_ahead_or_others(
    standing: Standing | None, position: int, planned: int | None, expected: bool
) -> None:
    assert can_go_on(standing, "abc", position, planned) is expected


class Scene:
    """A state, and tables of it in a schema of their own."""

    def __init__(self, folder: Path, url: str, names: Sequence[str] = TABLES) -> None:
        self.folder, self.url, self.names = folder, url, names
        self.state = SqliteState(folder / "state.db", "company")
        self.schema = f"reports_{next(_NUMBERS)}"

    @asynccontextmanager
    async def life(
        self, life: Life | None = None, *, company: str = "company", names: Sequence[str] = ()
    ) -> AsyncIterator[tuple[Store, WriteTables]]:
        life = life or Life()
        given: dict[str, Any] = conninfo_to_dict(self.url)
        address = Address(given["dbname"], host=given["host"], user=given["user"], verify=False)

        @asynccontextmanager
        async def warehouses() -> AsyncIterator[Warehouse]:
            named = Named("reports", self.schema, company)
            async with open_tables(PostgresDatabase(address), named) as warehouse:
                yield life.lend(warehouse)

        async with self.state.open() as store:
            chosen = [followed_tables()[name] for name in names or self.names]
            yield store, WriteTables("reports", life.lend(store.export_feed), chosen, warehouses)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {self.schema}".encode())
            connection.execute("SET TimeZone TO 'UTC'")
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    async def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return await anyio.to_thread.run_sync(lambda: self.query(statement))

    async def compare(self) -> None:
        await anyio.to_thread.run_sync(self._compare)

    def _compare(self) -> None:
        for name in self.names:
            columns = [one for one in described_views()[name] if one.name != "field_as_of"]
            listing = ", ".join(
                f"to_char({one.name}, 'YYYY-MM-DD\"T\"HH24:MI:SS')" if one.kind is Kind.TIMESTAMP
                else f"{one.name}::text" for one in columns
            )  # fmt: skip
            there = self.query(f"SELECT {listing} FROM {name} ORDER BY {_order(name)}")
            with closing(sqlite3.connect(self.folder / "state.db")) as connection:
                names = ", ".join(one.name for one in columns)
                here = connection.execute(f"SELECT {names} FROM {name} ORDER BY {_order(name)}").fetchall()
            for row, wanted in zip(there, here, strict=True):
                for column, one, other in zip(columns, row, wanted, strict=True):
                    shown = one == "true" if column.kind is Kind.BOOLEAN and one is not None else one
                    right = _READ_AS.get(column.kind, str)(other) if other is not None else None
                    assert same(column.kind, shown) == same(column.kind, right), (name, column.name)
            assert here or self.names is not TABLES, name


def _order(name: str) -> str:
    return ", ".join(f"{name}.{column}" for column in order_of(name).split(", "))


@pytest.mark.asyncio
async def test_tables_hold_what_the_views_hold_whatever_precoro_sends(tmp_path: Path, state_database: str) -> None:
    scene = Scene(tmp_path, state_database)
    await fill(scene.state)
    async with scene.life() as (_, export):
        assert await export.behind()
        assert await export.follow() > 50
        assert not await export.behind()
        assert await export.follow() == 0
    await scene.compare()
    [(amounts, texts)] = await scene.ask("SELECT count(sum), count(*) FROM invoices")
    assert 0 < amounts < texts, "what is no number is in data"


@pytest.mark.asyncio
async def test_what_changes_and_what_goes_is_followed(tmp_path: Path, state_database: str) -> None:
    scene = Scene(tmp_path, state_database)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
        await scene.compare()
        await more(store)
        assert await export.behind()
        await export.follow()
        await scene.compare()
        await store.mirror.refilter("invoices", "few", lambda one, _: one.id <= 5)
        await export.follow()
        await scene.compare()
    assert await scene.ask("SELECT position > 0 FROM _exports") == [(True,)]


@pytest.mark.asyncio
async def test_killed_at_any_step_it_is_the_mirror(tmp_path: Path, state_database: str) -> None:
    """At every fifth; the sweep dies at all."""
    deaths = await killed_at_steps(tmp_path, state_database, range(0, STEPS, 5))
    assert 4 < deaths < STEPS // 5


@pytest.mark.asyncio
async def test_files_and_custom_fields_are_followed_and_killed_at_any_step_they_are_the_mirror(
    tmp_path: Path, state_database: str
) -> None:
    """At every thirteenth; the sweep dies at all."""
    assert await killed_at_steps(tmp_path, state_database, range(0, STEPS_OF_PARTS, 13), PARTS, ACTS) > 4


async def killed_at_steps(
    folder: Path,
    url: str,
    steps: Iterable[int],
    names: Sequence[str] = ("invoices", "invoice_lines"),
    acts: Acts = (first, more),
) -> int:
    """How many of the steps there were."""
    for deaths, fatal in enumerate(steps):
        scene = Scene(folder / str(fatal), url, names)
        await anyio.Path(scene.folder).mkdir()
        if not await _dies(scene, fatal, acts):
            return deaths
        async with scene.life() as (store, export):
            await listed(store.mirror, record(70, sum="70.00"))
            await export.follow()
            assert not await export.behind()
        await scene.compare()
        [position] = await scene.ask("SELECT position FROM _exports")
        assert position == tuple(scene_position(scene))
    raise AssertionError("it makes more steps than that")


def scene_position(scene: Scene) -> Sequence[int]:
    with closing(sqlite3.connect(scene.folder / "state.db")) as connection:
        row: Sequence[int] = connection.execute("SELECT max(seq) FROM changes").fetchone()
        return row


async def _dies(scene: Scene, fatal: int, acts: Acts) -> bool:
    try:
        async with scene.life(Life(fatal)) as (store, export):
            for act in acts:
                await act(store)
                await export.follow()
    except Killed:
        return True
    return False


@pytest.mark.asyncio
async def test_a_row_of_each_change_is_written_once(tmp_path: Path, state_database: str) -> None:
    """A trigger of the database counts: killed after the commit, the same changes are not written again."""
    scene = Scene(tmp_path, state_database, ["invoices"])
    async with scene.life() as (store, export):
        await export.follow()
        await first(store)
    await scene.ask("CREATE TABLE written (id bigint)")
    await scene.ask(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        f"'BEGIN INSERT INTO {scene.schema}.written VALUES (NEW.id); RETURN NEW; END'"
    )
    await scene.ask("CREATE TRIGGER noted AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION note()")
    for fatal in range(20):
        try:
            async with scene.life(Life(fatal)) as (_, export):
                await export.follow()
        except Killed:
            continue
        break
    assert await scene.ask("SELECT id, count(*) FROM written GROUP BY id HAVING count(*) > 1") == []
    assert await scene.ask("SELECT count(*) FROM written") == [(7,)]


@pytest.mark.asyncio
async def test_a_restored_state_fills_the_tables_anew_and_a_restored_database_catches_up(
    tmp_path: Path, state_database: str
) -> None:
    scene = Scene(tmp_path, state_database)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
    await anyio.to_thread.run_sync(lambda: scene.state.back_up(tmp_path / "backup.db", replace=False))
    [(position,)] = await scene.ask("SELECT position FROM _exports")
    async with scene.life() as (store, export):
        await more(store)
        await export.follow()
    await anyio.to_thread.run_sync(lambda: scene.state.restore(tmp_path / "backup.db"))
    async with scene.life() as (store, export):
        await listed(store.mirror, record(3, sum="3.33"))
        await export.follow()
        await scene.compare()
        await listed(store.mirror, record(4, sum="4.44"))
        await scene.ask(f"UPDATE _exports SET position = {position}")
        await scene.ask("UPDATE invoices SET sum = 0 WHERE id = 3")
        await export.follow()
    await scene.compare()


@pytest.mark.asyncio
async def test_new_columns_are_added_and_views_on_the_tables_stay(tmp_path: Path, state_database: str) -> None:
    scene = Scene(tmp_path, state_database)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
    await scene.ask("ALTER TABLE invoices DROP COLUMN supplier")  # as if it had come with a later version
    await scene.ask("UPDATE _exports SET columns = 'former'")
    await scene.ask("CREATE VIEW mine AS SELECT id, sum FROM invoices")
    async with scene.life() as (store, export):
        await more(store)
        await export.follow()
    await scene.compare()
    assert len(await scene.ask("SELECT * FROM mine")) > 3


@pytest.mark.asyncio
@pytest.mark.parametrize("dropped", ["TABLE payments", "TABLE invoices CASCADE", "COLUMN"])
async def test_what_somebody_dropped_comes_back_with_the_next_change(
    tmp_path: Path, state_database: str, dropped: str
) -> None:
    scene = Scene(tmp_path, state_database)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
        await scene.ask("ALTER TABLE invoices DROP COLUMN supplier" if dropped == "COLUMN" else f"DROP {dropped}")
        await more(store)
        await export.follow()
    await scene.compare()


@pytest.mark.asyncio
async def test_what_is_not_ours_is_left_alone(tmp_path: Path, state_database: str) -> None:
    scene = Scene(tmp_path, state_database)
    async with scene.life() as (store, export):
        await first(store)
        await scene.ask(f"CREATE SCHEMA {scene.schema}")
        await scene.ask("CREATE TABLE suppliers (id bigint, name text)")
        await scene.ask("INSERT INTO suppliers VALUES (1, 'mine')")
        with pytest.raises(PermanentError, match="the table suppliers is not of this export"):
            await export.follow()
        assert await scene.ask("SELECT to_regclass('invoices')") == [(None,)], "nothing was written"
        assert await scene.ask("SELECT name FROM suppliers") == [("mine",)]
        await scene.ask("DROP TABLE suppliers")
        await export.follow()
    async with scene.life(company="another") as (_, export):
        with pytest.raises(PermanentError, match="filled by another company"):
            await export.follow()


@pytest.mark.asyncio
async def test_what_the_database_refuses_takes_the_whole_range_back(tmp_path: Path, state_database: str) -> None:
    scene = Scene(tmp_path, state_database, ["invoices", "payments"])
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
        before = await scene.ask("SELECT position FROM _exports"), await scene.ask("SELECT id, sum FROM invoices")
        await scene.ask(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'"
        )
        await scene.ask("CREATE TRIGGER refused BEFORE INSERT ON payments FOR EACH ROW EXECUTE FUNCTION refuse()")
        await more(store)
        with pytest.raises(PermanentError, match="no"):
            await export.follow()
        after = await scene.ask("SELECT position FROM _exports"), await scene.ask("SELECT id, sum FROM invoices")
        assert after == before, "invoices are written before payments"
        await scene.ask("DROP TRIGGER refused ON payments")
        await export.follow()
    await scene.compare()
