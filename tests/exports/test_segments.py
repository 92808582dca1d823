"""An export into Parquet files is the mirror, whenever the process dies, and nothing is there twice."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import duckdb
import pytest

from precoro_daemon.adapters.exports.segment_store import open_segments
from precoro_daemon.adapters.objects.directory import open_directory
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.adapters.state.view_rows import followed_tables
from precoro_daemon.exports.ports.segments import SegmentStore
from precoro_daemon.exports.write_segments import WriteSegments
from precoro_daemon.files.ports.object_store import ObjectStore
from precoro_daemon.mirror.ports.precoro import Detail
from tests.contracts.listing import T0, listed, record, scan
from tests.exports.belongings import ACTS, PARTS
from tests.exports.dying import Killed, Life

pytestmark = pytest.mark.asyncio

_OF_ALL = "id, idn, status, fetched_at, changed_at, data"
_OF_VALUES = "field_id, field, type, position, value, value_id, shown, option_id, option, option_path, data"
TABLES = {
    "invoices": f"{_OF_ALL}, currency, supplier, sum",
    "credit_notes": f"{_OF_ALL}, currency, supplier, sum",
    "payments": f"{_OF_ALL}, currency, supplier, supplier_id, sum_paid",
    "suppliers": f"{_OF_ALL}, name",
    "invoice_lines": "document_id, position, line_id, name, sum, currency",
    "credit_note_lines": "document_id, position, line_id, name, sum, currency",
}
"""With the columns that are compared."""
COMPARED = TABLES | {
    "attachments": "collection, document_id, attachment_id, name, bytes, path, sha256, uploaded_at, stored_at",
    "document_custom_values": f"collection, document_id, document_idn, {_OF_VALUES}",
    "line_custom_values": f"collection, document_id, document_idn, line_id, {_OF_VALUES}",
    "item_custom_values": f"item_id, {_OF_VALUES}",
    "supplier_custom_values": f"supplier_id, {_OF_VALUES}",
}
STEPS = 60
"""More than an export of this scene makes."""
STEPS_OF_PARTS = 200
Acts = Sequence[Callable[[Store], Awaitable[None]]]
"""What comes between two turns of an export."""


class FixedClock:
    def __init__(self, now: float = T0) -> None:
        self.at = now

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


class Scene:
    """A state and an export of it, opened anew for each life."""

    def __init__(self, folder: Path, names: Sequence[str] = tuple(TABLES)) -> None:
        self.folder = folder
        self.names = names
        self.lake = folder / "lake"
        self.state = SqliteState(folder / "state.db", "company")
        self.clock = FixedClock()

    def place(self) -> AbstractAsyncContextManager[ObjectStore]:
        return open_directory(self.lake, identity="company", reserve=0)

    @asynccontextmanager
    async def life(self, life: Life | None = None) -> AsyncIterator[tuple[Store, WriteSegments]]:
        life = life or Life()

        @asynccontextmanager
        async def stores() -> AsyncIterator[SegmentStore]:
            async with open_segments(self.place()) as store:
                yield life.lend(store)

        async with self.state.open() as store:
            feed = life.lend(store.export_feed)
            chosen = [followed_tables()[name] for name in self.names]
            yield store, WriteSegments("lake", feed, chosen, stores, self.clock, snapshot_every=1e9)

    async def follow(self, *, before: Callable[[Store], Awaitable[object]]) -> None:
        async with self.life() as (store, export):
            await before(store)
            await export.follow()
            assert not await export.behind()

    async def compare(self) -> None:
        await anyio.to_thread.run_sync(self._compare)

    def _compare(self) -> None:
        for name in self.names:
            with closing(sqlite3.connect(self.folder / "state.db")) as connection:
                query = f"SELECT {COMPARED[name]} FROM {name} WHERE vanished_at IS NULL ORDER BY {order_of(name)}"
                shown = [tuple(map(_said, row)) for row in connection.execute(query)]
            assert self.latest(name) == shown, name
        self.nothing_is_there_twice()

    def latest(self, name: str) -> list[tuple[str | None, ...]]:
        """As a reader of the files gets the present rows."""
        files = self.files(name)
        query = f"""
            SELECT {COMPARED[name]}
            FROM {files}
            WHERE epoch = (SELECT max(epoch) FROM {files})
            QUALIFY rank() OVER (PARTITION BY {_owner(name)} ORDER BY change_seq DESC) = 1
                AND change_kind = 'changed'
            ORDER BY {order_of(name)}
        """
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return [tuple(map(_said, row)) for row in connection.execute(query).fetchall()]

    def files(self, name: str) -> str:
        return f"read_parquet('{self.lake}/{name}/*/*.parquet', hive_partitioning = true)"

    def nothing_is_there_twice(self) -> None:
        with duckdb.connect() as connection:
            for name in self.names:
                query = (
                    f"SELECT count(*) - count(DISTINCT (epoch, change_seq, {order_of(name)})) FROM {self.files(name)}"
                )
                assert connection.execute(query).fetchone() == (0,), name
        ranges: dict[int, list[tuple[int, int]]] = {}
        named: set[str] = set()
        for path in sorted((self.lake / "manifest").rglob("*.json")):
            said = json.loads(path.read_text())
            ranges.setdefault(said["epoch"], []).append((said["after"], said["upto"]))
            named |= {each["path"] for each in said["files"]}
        for each in ranges.values():
            assert [after for after, _ in each] == [0, *(upto for _, upto in each[:-1])], each
        there = {path.relative_to(self.lake).as_posix() for path in self.lake.rglob("*.parquet")}
        assert there == named, "every file is listed"


def order_of(name: str) -> str:
    """What no two rows of a table have alike."""
    line = "line_id, " if name == "line_custom_values" else ""
    return ", ".join(followed_tables()[name].unique) or f"{_owner(name)}, {line}field_id, position"


def _owner(name: str) -> str:
    table = followed_tables()[name]
    return f"collection, {table.key}" if len(table.collections) > 1 else table.key


def _said(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.strftime("%Y-%m-%dT%H:%M:%S") if hasattr(value, "strftime") else str(value)


async def first(store: Store) -> None:
    lines = [{"id": 1, "name": "A", "sum": "1.50"}, {"id": 2, "name": "B"}]
    invoices = [record(n, sum=f"{n}.50", currency="EUR", status=2, items=lines[: n % 3]) for n in range(1, 8)]
    await listed(store.mirror, *invoices, record(8, sum="8.50", logicType=1, items=lines))
    await listed(store.mirror, record(1, name="Åkesson"), record(2, name="B"), collection="suppliers")
    await listed(store.mirror, record(50, invoice={"id": 2}, sumPaid="2.50"), collection="payments")


async def more(store: Store) -> None:
    """A record is new, one changed, one is gone, one is hidden by a filter, one got its detail, one another kind; and
    an invoice got a supplier, which its payment shows."""
    await scan(
        store.mirror,
        [
            record(2, sum="2.75", supplier={"id": 1, "name": "Åkesson"}),
            record(3, sum="3.50", status=5, wanted=False),
            record(4, sum="4.50", logicType=1, items=[{"id": 1}]),
            record(9, sum="9.50", items=[{"id": 3, "sum": "9.50"}]),
        ],
        kind="changes",
        at=T0 + 100,
    )
    committed = await scan(store.mirror, [record(1, name="Åkesson")], collection="suppliers", at=T0 + 200)
    await store.mirror.mark_vanished(committed.scan, [2], at=T0 + 201)
    [due] = await store.mirror.due_details(["invoices"], before=T0 * 2, limit=1)
    await store.mirror.save_detail(due, Detail(due.id, '{"id": 1, "items": []}'), at=T0 + 300)


async def test_a_snapshot_and_what_changed_since_are_the_mirror(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    async with scene.life() as (store, export):
        assert await export.follow() == 0, "an empty mirror has an empty snapshot"
        assert not await export.behind()
        await first(store)
        assert await export.behind()
        assert await export.follow() > 0
        await scene.compare()
        await more(store)
        await export.follow()
        await scene.compare()
        assert await export.follow() == 0
    assert scene.latest("credit_notes") != []


async def test_a_filter_that_is_another_changes_what_is_there(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
        for kept in (5, 99):
            await store.mirror.refilter("invoices", f"up to {kept}", lambda one, _: one.id <= kept)  # noqa: B023
            await export.follow()
            await scene.compare()


async def test_killed_at_any_step_it_is_the_mirror_and_nothing_is_there_twice(tmp_path: Path) -> None:
    """At every fifth; the sweep dies at all."""
    deaths = await killed_at_steps(tmp_path, range(0, STEPS, 5))
    assert 4 < deaths < STEPS // 5


async def test_files_and_custom_fields_are_followed_and_killed_at_any_step_they_are_the_mirror(
    tmp_path: Path,
) -> None:
    """At every thirteenth; the sweep dies at all."""
    assert await killed_at_steps(tmp_path, range(0, STEPS_OF_PARTS, 13), PARTS, ACTS) > 4


async def killed_at_steps(
    folder: Path,
    steps: Iterable[int],
    names: Sequence[str] = ("invoices", "invoice_lines"),
    acts: Acts = (first, more),
) -> int:
    """In the snapshot or in the segment behind it. What changes before the next life is in the segment after that.
    Gives how many of the steps there were."""
    for deaths, fatal in enumerate(steps):
        scene = Scene(folder / str(fatal), names)
        await anyio.Path(scene.folder).mkdir()
        if not await _dies(scene, fatal, acts):
            return deaths
        await scene.follow(before=lambda store: listed(store.mirror, record(70, sum="70.00")))
        await scene.compare()
    raise AssertionError("it makes more steps than that")


async def _dies(scene: Scene, fatal: int, acts: Acts) -> bool:
    try:
        async with scene.life(Life(fatal)) as (store, export):
            for act in acts:
                await act(store)
                await export.follow()
    except Killed:
        return True
    return False


async def test_a_state_that_was_restored_begins_a_new_series(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
    await anyio.to_thread.run_sync(lambda: scene.state.back_up(tmp_path / "backup.db", replace=False))
    async with scene.life() as (store, export):
        await more(store)
        await export.follow()
    await anyio.to_thread.run_sync(lambda: scene.state.restore(tmp_path / "backup.db"))
    async with scene.life() as (store, export):
        await listed(store.mirror, record(3, sum="3.33"))
        await export.follow()
    await scene.compare()
    assert sorted(path.name for path in (scene.lake / "invoices").iterdir()) == ["epoch=000001", "epoch=000002"]


async def test_an_old_series_ends_with_a_new_snapshot(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
        export.snapshot_every = 3600.0
        scene.clock.at += 3601
        assert not await export.behind(), "nothing changed: what is there is enough"
        await more(store)
        await export.follow()
    await scene.compare()
    assert len(list((scene.lake / "invoices").iterdir())) == 2


async def test_other_columns_begin_a_new_series(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    async with scene.life() as (store, export):
        await first(store)
        await export.follow()
        export.tables = [followed_tables()[name] for name in (*TABLES, "items")]
        await more(store)
        await export.follow()
    await scene.compare()
    assert len(list((scene.lake / "items").iterdir())) == 1
