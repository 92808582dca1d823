"""What every state store promises to exports that follow it (`exports.ports.ExportFeed`)."""

from __future__ import annotations

import pytest

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.view_rows import tables
from precoro_daemon.exports.ports.feed import Touched
from precoro_daemon.mirror.rules.change_log import Move
from tests.contracts.backends import Backend
from tests.contracts.listing import listed, record

pytestmark = pytest.mark.asyncio


async def fill(store: Store) -> None:
    await listed(store.mirror, record(1, sum="1.50"), record(2, logicType=1), record(3, wanted=False))
    await listed(store.mirror, record(9, invoice={"id": "1"}), record(8), collection="payments")
    await listed(store.mirror, record(1, sum="2.50", currency="JPY"))


async def test_each_record_comes_once_at_its_last_change(backend: Backend) -> None:
    async with backend.open() as store:
        assert (await store.export_feed.newest(), await store.export_feed.end(0, 5)) == (0, 0)
        await fill(store)
        feed = store.export_feed
        assert (await feed.newest(), await feed.end(0, 4), await feed.end(4, 99), await feed.end(6, 99)) == (
            6,
            4,
            6,
            6,
        )
        of_invoices = [Touched(n, "invoices", n) for n in (1, 2, 3)]
        assert set(await feed.touched(0, 3)) == {*of_invoices, Touched(3, "payments", 9)}
        assert await feed.touched(3, 5) == [Touched(4, "payments", 9), Touched(5, "payments", 8)]
        assert await feed.touched(5, 5) == []


async def test_a_payment_is_touched_by_what_it_pays(backend: Backend) -> None:
    async with backend.open() as store:
        await fill(store)
        touched = await store.export_feed.touched(5, 6)
        assert set(touched) == {Touched(6, "invoices", 1), Touched(6, "payments", 9)}
        rows = await store.export_feed.rows(tables()["payments"], [8, 9])
        currency = [one.name for one in tables()["payments"].columns].index("currency")
        assert {id_: cells[currency] for id_, [cells] in rows.items()} == {8: None, 9: "JPY"}


async def test_rows_are_those_that_the_table_shows(backend: Backend) -> None:
    async with backend.open() as store:
        await fill(store)
        feed = store.export_feed
        assert list(await feed.rows(tables()["invoices"], [1, 2, 3, 4])) == [1]
        assert list(await feed.rows(tables()["credit_notes"], [1, 2, 3, 4])) == [2]
        assert list(await feed.rows(tables()["invoices"], [])) == []
        first = await feed.some_rows(tables()["invoices"], 0, 1)
        [second] = await feed.some_rows(tables()["invoices"], 1, 9)
        assert [id_ for id_, _ in first] == [1]
        assert second == (2, ()), "of another kind"
        assert await feed.some_rows(tables()["invoices"], 2, 9) == []


async def test_of_a_document_come_its_lines(backend: Backend) -> None:
    async with backend.open() as store:
        lines = {"data": [{"id": 7, "name": "first"}, "odd", {"id": 8, "name": "second"}]}
        await listed(store.mirror, record(1, items=lines), record(2, items=lines, logicType=1), record(3, items=[]))
        feed, table = store.export_feed, tables()["invoice_lines"]
        name = [one.name for one in table.columns].index("name")
        rows = await feed.rows(table, [1, 2, 3])
        assert {id_: [cells[name] for cells in shown] for id_, shown in rows.items()} == {1: ["first", "second"]}
        assert [(id_, len(shown)) for id_, shown in await feed.some_rows(table, 0, 9)] == [(1, 2), (2, 0), (3, 0)]


async def test_the_position_and_the_note_move_together_and_only_from_where_they_were(backend: Backend) -> None:
    async with backend.open() as store:
        feed = store.export_feed
        assert (await feed.position("lake"), await feed.note("lake")) == (0, None)
        assert await feed.move(Move("lake", 0, 7), "seven")
        assert not await feed.move(Move("lake", 0, 5), "five")
        assert not await feed.move(Move("other", 1, 5), "five")
        await feed.save_note("other", "begun")
    async with backend.open() as store:
        feed = store.export_feed
        assert (await feed.position("lake"), await feed.note("lake")) == (7, "seven")
        assert (await feed.position("other"), await feed.note("other")) == (0, "begun")
