"""What any implementation of the Catalogue port promises."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.catalogue.ports.plans import Made
from precoro_daemon.catalogue.rules.plan import Change, Kind, Plan, Step
from precoro_daemon.catalogue.rules.suppliers import Supplier
from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import StaleWrite
from precoro_daemon.mirror.rules.cursors import Page, Scan
from precoro_daemon.mirror.rules.documents import read_record
from tests.contracts.backends import Backend

pytestmark = pytest.mark.asyncio

SUPPLIER = Supplier(7, "Supplier", "S-7")


async def commit(store: Store, collection: str, *rows: dict[str, object]) -> None:
    records = [read_record(json.dumps(row).encode()) for row in rows]
    page = Page(1, records, total=len(records), total_pages=1, server_time=1_000.0)
    await store.mirror.commit_pages(Scan(collection, "changes", since=0.0), [page])


def a_plan(*keys: str) -> Plan:
    steps = [
        Step(
            Kind.CREATE if key.startswith("new") else Kind.UPDATE,
            key,
            "label",
            2,
            (Change("name", None, key),),
            5,
            b"v",
        )
        for key in keys
    ]
    return Plan(steps=steps)


def made(at: float = 10.0, wanted: int = 3) -> Made:
    return Made("file", wanted, at, as_of=at)


async def test_a_plan_is_kept_with_every_value(backend: Backend) -> None:
    changes = (
        Change("price", None, Decimal("0.10")),
        Change("custom.5", ("1",), ("1", "2")),
        Change("hidden", False, True),
    )
    async with backend.open() as store:
        plan = Plan(steps=[Step(Kind.UPDATE, "k", "l", 3, changes, 5, b"v")])
        state = await store.catalogue.save_plan(SUPPLIER, made(), plan)
        assert (state.supplier, state.wanted, state.counts) == (SUPPLIER, 3, {State.PLANNED: 1})
    async with backend.open() as store:
        [write] = await store.catalogue.writes(state.number, State.PLANNED)
        assert tuple(write.step.changes) == changes
        assert await store.catalogue.plan(SUPPLIER.id) == state
        assert await store.catalogue.under_way() == []
        await store.catalogue.approve(state.number, at=11.0)
        assert [one.approved_at for one in await store.catalogue.under_way()] == [11.0]
        assert await store.catalogue.wanted_before(SUPPLIER.id) == 3


async def test_a_write_moves_once(backend: Backend) -> None:
    async with backend.open() as store:
        book = store.catalogue
        state = await book.save_plan(SUPPLIER, made(), a_plan("new", "old"))
        write, _ = await book.writes(state.number, State.PLANNED)
        begun = await book.begin(write, "before", at=20.0)
        assert (begun.state, begun.sent_at) == (State.SENDING, 20.0)
        with pytest.raises(StaleWrite):
            await book.begin(write, "before", at=21.0)
        assert await book.doubted(SUPPLIER.id) == ["new"]
        doubt = await book.move(begun, State.DOUBT, "no answer", check_at=85.0)
        again = await book.move(doubt, State.DOUBT, "not found", check_at=320.0)
        assert (again.checks, again.check_at) == (1, 320.0)
        with pytest.raises(StaleWrite):
            await book.move(begun, State.DONE, "")
        [kept] = await book.writes(state.number, State.DOUBT)
        assert (kept.checks, kept.check_at, kept.before, kept.reason) == (1, 320.0, "before", "not found")
        await book.move(kept, State.DONE, "", item=9)
        assert await book.doubted(SUPPLIER.id) == []


async def test_a_newer_plan_drops_what_is_planned_and_keeps_what_is_in_doubt(backend: Backend) -> None:
    async with backend.open() as store:
        book = store.catalogue
        first = await book.save_plan(SUPPLIER, made(), a_plan("new", "old"))
        await book.approve(first.number, at=11.0)
        write, _ = await book.writes(first.number, State.PLANNED)
        await book.move(await book.begin(write, "", at=20.0), State.DOUBT, "no answer", check_at=85.0)
        second = await book.save_plan(SUPPLIER, made(30.0, wanted=2), a_plan("other"))
        assert (await book.plan(SUPPLIER.id)) == second
        [left] = await book.under_way()
        assert (left.number, left.counts) == (first.number, {State.DOUBT: 1, State.DROPPED: 1})
        assert left.ended == "a newer plan took its place"
        assert await book.wanted_before(SUPPLIER.id) == 3, "the second one was not approved"
        await book.end(second.number, "given up")
        assert (await book.plan(SUPPLIER.id)).counts == {State.DROPPED: 1}  # type: ignore[union-attr]


async def test_what_the_mirror_knows(backend: Backend) -> None:
    def item(ident: int, **more: object) -> dict[str, object]:
        return {"id": ident, "sku": f"S{ident}", "name": "N", "supplier": {"id": "7"}, "currency": "EUR"} | more

    async with backend.open() as store:
        book = store.catalogue
        await commit(store, "suppliers", {"id": 7, "name": "Supplier", "uniqueCode": "S-7", "currencies": ["CHF"]})
        await commit(store, "suppliers", {"id": 8, "name": "Off", "enable": False, "externalId": 4})
        await commit(store, "units", {"id": 1, "name": "piece", "code": "pcs"})
        await commit(store, "items", item(1), item(2, unit="kg", category={"id": 3, "name": "Tools"}))
        await commit(store, "items", item(3, supplier=8), item(4, supplier=[]))
        assert await book.suppliers() == [SUPPLIER, Supplier(8, "Off", None, "4", enabled=False)]
        seen = await book.seen()
        assert (seen.currencies, seen.units, seen.categories) == (
            {"EUR", "CHF"},
            {"piece", "pcs", "kg"},
            {"Tools": 3},
        )
        found = [one async for items in book.items(7, {}) for one in items]
        assert [one.id for one in found] == [1, 2]
        assert await book.versions([1, 3, 9]) == {1: found[0].version, 3: (await book.raw(3) or ("", b""))[1]}
        state = await book.save_plan(SUPPLIER, made(), a_plan("old"))
        assert await book.changed_since(state.number) == []
        await commit(store, "items", item(2, unit="pcs"), item(1))
        assert [one.id for one in await book.changed_since(state.number)] == [2]
        [write] = await book.planned_for(state.number, [5], [])
        assert write.step.key == "old"
        assert await book.planned_for(state.number, [6], ["old"]) == [], "only new ones are known by their key"
