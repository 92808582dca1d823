"""What every state store promises to exports that follow it (`exports.ports.ExportFeed`)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.view_rows import followed_tables
from precoro_daemon.exports.ports.feed import RecordKey, Touched
from precoro_daemon.exports.ports.tables import Cells
from precoro_daemon.mirror.rules.change_log import Move
from tests.contracts.backends import Backend
from tests.contracts.listing import listed, record
from tests.exports.belongings import (
    PARTS,
    STEPS,
    define,
    fetch_files,
    mirrored,
    read_again,
    rename_field,
    rename_option,
)

pytestmark = pytest.mark.asyncio

BOTH = [followed_tables()[name] for name in ("invoices", "payments")]


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
        of_invoices = [Touched(n, "invoices", ("invoices", n)) for n in (1, 2, 3)]
        assert set(await feed.touched(BOTH, 0, 3)) == {*of_invoices, Touched(3, "payments", ("payments", 9))}
        assert await feed.touched(BOTH, 3, 5) == [
            Touched(4, "payments", ("payments", 9)),
            Touched(5, "payments", ("payments", 8)),
        ]
        assert await feed.touched(BOTH[:1], 3, 5) == []
        assert await feed.touched(BOTH, 5, 5) == []


async def test_a_payment_is_touched_by_what_it_pays(backend: Backend) -> None:
    async with backend.open() as store:
        await fill(store)
        touched = await store.export_feed.touched(BOTH, 5, 6)
        assert set(touched) == {
            Touched(6, "invoices", ("invoices", 1)),
            Touched(6, "payments", ("payments", 9)),
        }
        table = followed_tables()["payments"]
        rows = await store.export_feed.rows(table, [("payments", 8), ("payments", 9)])
        assert {id_: cells[table.at("currency")] for (_, id_), [cells] in rows.items()} == {8: None, 9: "JPY"}


async def test_rows_are_those_that_the_table_shows(backend: Backend) -> None:
    async with backend.open() as store:
        await fill(store)
        feed, invoices = store.export_feed, followed_tables()["invoices"]
        four = [("invoices", n) for n in (1, 2, 3, 4)]
        assert list(await feed.rows(invoices, four)) == [("invoices", 1)]
        assert list(await feed.rows(followed_tables()["credit_notes"], four)) == [("invoices", 2)]
        assert list(await feed.rows(invoices, [])) == []
        first = await feed.some_rows(invoices, None, 1)
        [second] = await feed.some_rows(invoices, ("invoices", 1), 9)
        assert [record for record, _ in first] == [("invoices", 1)]
        assert second == (("invoices", 2), ()), "of another kind"
        assert await feed.some_rows(invoices, ("invoices", 2), 9) == []


async def test_of_a_document_come_its_lines(backend: Backend) -> None:
    async with backend.open() as store:
        lines = {"data": [{"id": 7, "name": "first"}, "odd", {"id": 8, "name": "second"}]}
        await listed(store.mirror, record(1, items=lines), record(2, items=lines, logicType=1), record(3, items=[]))
        feed, table = store.export_feed, followed_tables()["invoice_lines"]
        name = table.at("name")
        rows = await feed.rows(table, [("invoices", n) for n in (1, 2, 3)])
        shown = {record: [cells[name] for cells in of_it] for record, of_it in rows.items()}
        assert shown == {("invoices", 1): ["first", "second"]}
        every = await feed.some_rows(table, None, 9)
        assert [(id_, len(of_it)) for (_, id_), of_it in every] == [(1, 2), (2, 0), (3, 0)]


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


async def test_who_follows_files_and_values_has_what_the_views_show(backend: Backend) -> None:
    parts = [followed_tables()[name] for name in PARTS]
    copies: dict[str, dict[RecordKey, Sequence[Cells]]] = {table.name: {} for table in parts}
    position = 0
    async with backend.open() as store:
        feed = store.export_feed
        for step in STEPS:
            await step(store)
            position, after = await feed.newest(), position
            touched = await feed.touched(parts, after, position)
            for table in parts:
                records = [one.record for one in touched if one.table == table.name]
                assert len(set(records)) == len(records)
                found = await feed.rows(table, records)
                kept = {one: rows for one, rows in copies[table.name].items() if one not in records}
                copies[table.name] = kept | dict(found)
                shown = dict(await feed.some_rows(table, None, 999))
                present = {record: rows for record, rows in shown.items() if rows}
                assert copies[table.name] == present, (step.__name__, table.name)
                [(rows_there,)] = backend.query(f"SELECT count(*) FROM {table.name}")
                assert sum(map(len, present.values())) == rows_there
    assert all(copies.values())


async def test_a_definition_that_is_read_again_as_it_was_touches_nothing(backend: Backend) -> None:
    async with backend.open() as store:
        await mirrored(store)
        await define(store)
        feed, parts = store.export_feed, [followed_tables()[name] for name in PARTS]
        before = await feed.newest()
        await read_again(store)
        assert await feed.touched(parts, before, await feed.newest()) == []


async def test_of_an_option_those_are_touched_that_have_it(backend: Backend) -> None:
    async with backend.open() as store:
        await mirrored(store)
        await define(store)
        feed = store.export_feed
        before = await feed.newest()
        await rename_option(store)
        values = [followed_tables()["document_custom_values"]]
        touched = await feed.touched(values, before, await feed.newest())
        of_a_and_c = {("invoices", n) for n in (1, 2, 3, 5, 6)} | {("receipts", 1)}
        assert {one.record for one in touched} == of_a_and_c


async def test_what_belongs_to_a_record_is_no_change_of_the_record(backend: Backend) -> None:
    async with backend.open() as store:
        await mirrored(store)
        feed, records = store.export_feed, [followed_tables()[name] for name in ("invoices", "receipts", "suppliers")]
        before = await feed.newest()
        for step in (define, fetch_files, rename_field):
            await step(store)
        assert await feed.newest() > before
        assert await feed.touched(records, before, await feed.newest()) == []
