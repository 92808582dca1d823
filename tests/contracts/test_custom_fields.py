"""What a store knows of custom fields: what is referred to, what is due, and what options were."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.mirror.ports import change_log
from precoro_daemon.mirror.ports.custom_fields import DueField
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.resolve_custom_fields import field_follower
from precoro_daemon.mirror.rules.quarantine import Stage
from tests.contracts.backends import Backend
from tests.contracts.listing import T0, listed, record

pytestmark = pytest.mark.asyncio

FIELDS = "document_custom_fields"
WEEK = 7 * 86_400.0
LATER = T0 + WEEK + 1
OPTIONS = "SELECT option_id, option, path, since, until FROM custom_field_option_history ORDER BY since, option_id"


def document(id_: int, *fields: int, **more: Any) -> Any:
    values = {"data": [{"id": 9, "value": "x", "documentCustomField": {"id": field}} for field in fields]}
    return record(id_, dataDocumentCustomFields=values, **more)


def definition(id_: int, *options: Any, **more: Any) -> Detail:
    return Detail(id_, json.dumps({"id": id_, "name": f"Field {id_}", "options": {"data": options}} | more))


def option(id_: int, name: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": name} | more


async def follow(store: Store, limit: int = 2) -> None:
    await change_log.follow(store.change_log, field_follower(store.custom_fields), limit)


async def follow_once(store: Store, limit: int) -> int:
    """How many changes there were to follow, up to `limit`."""
    follower = field_follower(store.custom_fields)
    stretch = await store.change_log.read(follower, limit)
    if stretch is None:
        return 0
    await follower.handle(stretch.changes, stretch.move)
    return len(stretch.changes)


async def due(store: Store, *, at: float = T0, before: float = T0 + 1) -> Sequence[DueField]:
    return await store.custom_fields.due(before=before, older_than=at - WEEK)


async def due_ids(store: Store, *, at: float = T0, before: float = T0 + 1) -> list[int]:
    return [each.id for each in await due(store, at=at, before=before)]


def failed(id_: int, stage: Stage, retry_at: float, attempts: int = 1) -> Quarantined:
    return Quarantined(FIELDS, str(id_), stage, "gone", None, attempts, T0, retry_at)


async def referred_to(store: Store, *fields: int) -> None:
    await listed(store.mirror, document(1, *fields))
    await follow(store)


async def test_a_new_store_is_not_behind_and_knows_nothing_due(backend: Backend) -> None:
    async with backend.open() as store:
        assert not await store.change_log.is_behind("custom_fields")
        assert await follow_once(store, 2) == 0
        assert await due(store) == []


async def test_what_rows_and_details_refer_to_is_due_once(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, document(1, 7, 8), document(2, 7), document(3))
        [detailed] = await store.mirror.due_details(["invoices"], before=T0, limit=1)
        line = {"dataItemCustomFields": [{"itemCustomField": "5"}]}
        await store.mirror.save_detail(detailed, Detail(None, json.dumps({"items": {"11": line}})), at=T0)
        assert await store.change_log.is_behind("custom_fields")
        assert await due(store) == []
    async with backend.open() as store:
        await follow(store)
        assert not await store.change_log.is_behind("custom_fields")
        assert await due(store) == [DueField(FIELDS, 7), DueField(FIELDS, 8), DueField("item_custom_fields", 5)]


async def test_suppliers_and_items_refer_to_fields_and_small_sets_do_not(backend: Backend) -> None:
    values = [{"supplierCustomField": 3, "itemCustomField": 4, "productCustomField": 6}]
    async with backend.open() as store:
        for name in ("suppliers", "items", "users"):
            row = record(1, dataSupplierCustomFields=values, dataProductCustomFields=values)
            await listed(store.mirror, row, collection=name)
        await listed(store.mirror, document(1, 9), collection="taxes")
        await follow(store)
        assert await due_ids(store) == [4, 6, 3]


async def test_following_goes_on_where_it_stopped_and_can_be_repeated(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, *(document(id_, id_ + 10) for id_ in range(1, 6)))
        assert await follow_once(store, 2) == 2
        assert await due_ids(store) == [11, 12]
    async with backend.open() as store:
        assert await follow_once(store, 3) == 3
        assert await due_ids(store) == [11, 12, 13, 14, 15]
        assert await follow_once(store, 1) == 0
        await store.custom_fields.save(DueField(FIELDS, 11), definition(11, option(1, "A")), asked_at=T0)
        before = backend.query(OPTIONS)
    backend.change("DELETE FROM log_positions WHERE follower = 'custom_fields'")
    async with backend.open() as store:
        await follow(store)
        assert await due_ids(store) == [12, 13, 14, 15]
    assert backend.query(OPTIONS) == before


async def test_rows_the_filter_does_not_keep_are_followed_too(backend: Backend) -> None:
    """A filter may be lifted at any time, and then nothing is logged."""
    async with backend.open() as store:
        hidden = document(1, 7)
        hidden.wanted = False
        await listed(store.mirror, hidden)
        await follow(store)
        assert await due_ids(store) == [7]


async def test_a_row_that_is_newer_than_its_detail_is_read(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, document(1, 7))
        [detailed] = await store.mirror.due_details(["invoices"], before=T0, limit=1)
        await store.mirror.save_detail(detailed, Detail(1, document(1, 7).raw), at=T0)
        await listed(store.mirror, document(1, 8))
        await follow(store)
        assert await due_ids(store) == [7, 8]


async def test_a_row_that_shares_its_idn_with_a_detailed_one_is_read_itself(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, document(1, 7, idn=5), document(2, 8, idn=5))
        [detailed, _] = await store.mirror.due_details(["invoices"], before=T0, limit=2)
        await store.mirror.save_detail(detailed, Detail(1, document(1, 7).raw), at=T0)
        await follow(store)
        assert await due_ids(store) == [7, 8]


async def test_a_saved_definition_is_due_again_by_age_alone(backend: Backend) -> None:
    async with backend.open() as store:
        await referred_to(store, 7)
        await store.custom_fields.save(DueField(FIELDS, 7), definition(7), asked_at=T0)
        assert await due(store, at=T0 + WEEK) == []
        assert await due(store, at=LATER) == [DueField(FIELDS, 7)]
    assert backend.query(f"SELECT data FROM details WHERE collection = '{FIELDS}'") == [(definition(7).raw,)]


async def test_a_stale_one_is_due_until_it_was_asked_for_afterwards(backend: Backend) -> None:
    async with backend.open() as store:
        await referred_to(store, 7)
        await store.custom_fields.save(DueField(FIELDS, 7), definition(7), asked_at=T0)
        await store.custom_fields.mark_stale(FIELDS, {7: T0 + 5})
        assert await due_ids(store) == [7]
        await store.custom_fields.save(DueField(FIELDS, 7), definition(7), asked_at=T0 + 4)
        assert await due_ids(store) == [7], "that answer may be older than the news"
        await store.custom_fields.save(DueField(FIELDS, 7), definition(7), asked_at=T0 + 5)
        assert await due_ids(store) == []


async def test_what_nothing_refers_to_is_never_due(backend: Backend) -> None:
    async with backend.open() as store:
        await listed(store.mirror, record(7, name="Project"), collection=FIELDS)
        await follow(store)
        await store.custom_fields.mark_stale(FIELDS, {7: T0, 99: T0})
        assert await due(store, at=LATER) == []


async def test_what_is_set_aside_waits_for_its_time(backend: Backend) -> None:
    async with backend.open() as store:
        await referred_to(store, 7)
        await store.custom_fields.quarantine(failed(7, Stage.WITHHELD, T0 + WEEK))
        assert await due(store) == []
        assert await due(store, before=T0 + WEEK) == []
        assert await due(store, before=LATER) == [DueField(FIELDS, 7, attempts=1)]
        await store.custom_fields.quarantine(failed(7, Stage.WITHHELD, T0))
        assert await due(store) == [DueField(FIELDS, 7, attempts=2)]
        await store.custom_fields.quarantine(failed(7, Stage.DEFINITION, T0, attempts=3))
        assert await due(store) == [DueField(FIELDS, 7, attempts=3)]
        assert await store.mirror.count_quarantined() == {(FIELDS, "definition"): 1}
        await store.custom_fields.save(DueField(FIELDS, 7), definition(7), asked_at=T0)
        assert await store.mirror.count_quarantined() == {}


async def test_news_of_a_field_lift_its_wait(backend: Backend) -> None:
    async with backend.open() as store:
        await referred_to(store, 7, 8, 9)
        for id_ in (7, 8, 9):
            await store.custom_fields.quarantine(failed(id_, Stage.WITHHELD, LATER))
        await store.custom_fields.mark_stale(FIELDS, {8: T0})
        assert await due_ids(store) == [8]
        await listed(store.mirror, record(9, name="New"), collection=FIELDS)
        await follow(store)
        assert await due_ids(store) == [8, 9]


async def test_a_row_in_the_mirror_that_changed_makes_its_definition_due(backend: Backend) -> None:
    async with backend.open() as store:
        await referred_to(store, 7)
        await listed(store.mirror, record(7, name="Project"), collection=FIELDS)
        await follow(store)
        [first] = await due(store)
        assert first.version == record(7, name="Project").version
        await store.custom_fields.save(first, definition(7), asked_at=T0)
        assert await due(store) == []
        assert await store.mirror.due_details([FIELDS], before=T0, limit=1) == [], "one detail is enough for both"
        await listed(store.mirror, record(7, name="Project X"), collection=FIELDS)
        assert [each.version for each in await due(store)] == [record(7, name="Project X").version]
        await follow(store)
    assert backend.query("SELECT name FROM custom_fields") == [("Project X",)]


async def test_a_detail_that_was_fetched_anyway_is_the_definition(backend: Backend) -> None:
    async with backend.open() as store:
        await referred_to(store, 7)
        await listed(store.mirror, record(7), collection=FIELDS)
        [detailed] = await store.mirror.due_details([FIELDS], before=T0, limit=1)
        await store.mirror.save_detail(detailed, definition(7, option(1, "A"), typeString="select"), at=T0)
        await follow(store)
        assert await due(store) == []
    assert backend.query("SELECT name, type, as_of FROM custom_fields") == [
        ("Field 7", "option", "2025-06-15T15:06:40")
    ]
    assert [(id_, name) for id_, name, *_ in backend.query(OPTIONS)] == [("1", "A")]


async def test_a_field_that_vanished_is_let_be_and_stays_known(backend: Backend) -> None:
    async with backend.open() as store:
        await referred_to(store, 7)
        await listed(store.mirror, record(7), collection=FIELDS)
        await store.custom_fields.save(DueField(FIELDS, 7), definition(7, option(1, "A")), asked_at=T0)
        census = await listed(store.mirror, collection=FIELDS, at=T0 + 1)
        await store.mirror.close_scan(census.scan, [7], at=T0 + 1)
        await follow(store)
        assert await due(store, at=LATER) == []
    assert [name for _, name, *_ in backend.query(OPTIONS)] == ["A"]


async def test_an_option_keeps_what_it_was(backend: Backend) -> None:
    looks = [
        (option(1, "North"), option(2, "Kyiv", parent=1)),
        (option(1, "North"), option(2, "Kyiv", parent=1)),
        (option(1, "Nord"), option(2, "Kyiv", parent=1)),
        (option(1, "Nord"),),
        (option(1, "Nord"), option(2, "Kyiv", parent=1)),
    ]
    async with backend.open() as store:
        await referred_to(store, 7)
        for number, look in enumerate(looks):
            await store.custom_fields.save(DueField(FIELDS, 7), definition(7, *look), asked_at=T0 + number)
            await follow(store)
    t = [f"2025-06-15T15:06:4{number}" for number in range(5)]
    assert backend.query(OPTIONS) == [
        ("1", "North", "North", t[0], t[2]),
        ("2", "Kyiv", "North / Kyiv", t[0], t[2]),
        ("1", "Nord", "Nord", t[2], None),
        ("2", "Kyiv", "Nord / Kyiv", t[2], t[3]),
        ("2", "Kyiv", "Nord / Kyiv", t[4], None),
    ]
    assert backend.query("SELECT option_id, path FROM custom_field_options ORDER BY 1") == [
        ("1", "Nord"),
        ("2", "Nord / Kyiv"),
    ]


@pytest.mark.parametrize("step", [0.0, -5.0])
async def test_a_clock_that_stands_or_goes_back_loses_no_option(backend: Backend, step: float) -> None:
    async with backend.open() as store:
        await referred_to(store, 7)
        for number, name in enumerate(("A", "B", "C")):
            look = definition(7, option(1, name))
            await store.custom_fields.save(DueField(FIELDS, 7), look, asked_at=T0 + number * step)
    assert backend.query("SELECT option_id, option FROM custom_field_options") == [("1", "C")]
    assert all(until is None or until >= since for *_, since, until in backend.query(OPTIONS))
    [(_, latest)] = [(option_id, name) for option_id, name, *_, until in backend.query(OPTIONS) if until is None]
    assert latest == "C"
