"""Planning and writing a supplier's items: what is sent, what is not, and what nothing may take away."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from typing import Any

import pytest
from structlog.testing import capture_logs

from precoro_daemon.catalogue.rules.write_states import State
from precoro_daemon.errors import PlanRefused, TemporaryError, WantedRefused
from tests.catalogue.scene import Scene, fields
from tests.catalogue.world import (
    answered,
    carried_out_then,
    carried_out_then_cut,
    cut,
    late,
    open_shop,
    wiped,
)
from tests.payments.world import HOUR

pytestmark = pytest.mark.asyncio


def values(scene: Scene, **texts: str) -> dict[str, Any]:
    made = []
    for name, text in texts.items():
        row = scene.shop.company.create("itemcustomfields", name=name, _type="text", supplier=scene.shop.supplier)
        made.append({"id": row.id * 100, "value": text, "itemCustomField": {"id": row.id, "name": name}})
    return {"dataProductCustomFields": {"data": made}}


async def test_an_unchanged_catalogue_costs_one_call_and_writes_nothing() -> None:
    scene = Scene()
    scene.stocks("a")
    scene.wants("a")
    assert (await scene.plan()).counts == {}
    scene.calls.clear()
    assert (await scene.plan()).counts == {}
    [call] = scene.calls
    assert call.startswith("GET /items?modifiedSince=")
    report = await scene.apply()
    assert (report.brought, report.failed, report.ended) == (0, [], None)
    assert scene.sent == []


async def test_one_call_for_each_write_and_two_to_look() -> None:
    """Of the first item to be changed the detail is asked for, to see that it says no more than the list."""
    scene = Scene()
    for name in "abc":
        scene.stocks(name)
        scene.wants(name, price="11.00")
    scene.wants("new")
    await scene.plan()
    scene.calls.clear()
    report = await scene.apply()
    assert (report.brought, report.failed) == (4, [])
    assert [call.split()[0] for call in scene.sent] == ["PUT", "PUT", "PUT", "POST"]
    assert len(scene.asked) == 2
    scene.calls.clear()
    assert (await scene.plan()).counts == {}
    assert len(scene.calls) == 1


async def test_a_change_takes_nothing_away() -> None:
    scene = Scene()
    custom = values(scene, Colour="red", Size="XL")
    row = scene.stocks("a", external_id="X-1", freeOfCharge=True, description=" two\r\nlines ", **custom)
    before = dict(fields(scene, row))
    scene.wants("a", price="12.34")
    await scene.plan()
    await scene.apply()
    after = dict(fields(scene, row))
    assert str(after.pop("price")) == "12.34"
    before.pop("price")
    for each in (before, after):
        each.pop("updateDate")
        each["category"] = str(each["category"]["id"])
        held = each["dataProductCustomFields"]["data"]
        each["dataProductCustomFields"] = [(str(one["itemCustomField"]["id"]), one["value"]) for one in held]
    assert after == before


async def test_what_cannot_be_sent_back_is_not_written_over() -> None:
    """A PUT without the price would take it away, and nobody could say what it was."""
    scene = Scene()
    odd = scene.stocks("a", price="1,234.56")
    exact = scene.stocks("b", price=33.333333333333336)
    scene.source.columns = ("sku", "name")
    scene.source.rows += [{"sku": scene.shop.sku(name), "name": f"New {name}"} for name in "ab"]
    await scene.plan()
    report = await scene.apply()
    assert scene.states == [("update", State.CONFLICT), ("update", State.REFUSED)]
    assert "its price cannot be read" in report.failed[0]
    assert scene.sent == [f"PUT /items/{exact.id}"], "with every digit, which this Precoro does not take"
    assert fields(scene, odd)["price"] == "1,234.56"
    assert str(fields(scene, exact)["price"]) == "33.333333333333336"


async def test_a_plan_stops_at_the_first_item_that_lost_something() -> None:
    scene = Scene(writes=[wiped("link", "dataProductCustomFields")])
    for name in "abc":
        scene.stocks(name, **values(scene, Colour="red"))
        scene.wants(name, price="11.00")
    await scene.plan()
    report = await scene.apply()
    assert [state for _, state in scene.states] == [State.DONE, State.DROPPED, State.DROPPED]
    assert len(scene.sent) == 1
    assert "took away custom." in report.failed[0]
    assert "link" in report.failed[0]
    row = scene.database.execute("SELECT before FROM item_writes WHERE state = 'done'").fetchone()
    assert '"red"' in row["before"], "what it was is kept, to be put back by hand"


async def test_where_details_say_more_than_the_list_each_item_is_read_before_it_is_written() -> None:
    scene = Scene()
    details = scene.shop.company.details
    drawn = details.raw

    def fuller(row: Any) -> bytes:
        body = drawn(row)
        return body[:-1] + b',"bundleItems":{"data":[{"id":1}]}}' if row.collection == "items" else body

    details.raw = fuller  # type: ignore[method-assign]
    try:
        for name in "ab":
            scene.stocks(name)
            scene.wants(name, price="11.00")
        await scene.plan()
        scene.calls.clear()
        report = await scene.apply()
    finally:
        del details.raw
    assert report.failed == []
    assert [call.split()[0] for call in scene.calls] == ["GET", "GET", "PUT", "GET", "PUT"]


@pytest.mark.parametrize("answer", [500, 422, 403])
async def test_an_item_that_cannot_be_read_stops_no_other(answer: int) -> None:
    scene = Scene()
    rows = [scene.stocks(name) for name in "abc"]
    for name in "abc":
        scene.wants(name, price="11.00")
    scene.wants("new")
    await scene.plan()
    scene.reads += [0, *[answer] * (5 if answer == 500 else 1)]
    report = await scene.apply()
    assert report.ended is None
    assert len(report.failed) == 1
    assert scene.states == [("update", State.PLANNED), *[("update", State.DONE)] * 2, ("create", State.DONE)]
    assert (await scene.apply()).failed == []
    assert [str(fields(scene, row)["price"]) for row in rows] == ["11.00"] * 3
    assert len(scene.sent) == 4


async def test_a_server_that_reads_no_item_gets_few_calls() -> None:
    scene = Scene()
    for name in "abcdefgh":
        scene.stocks(name)
        scene.wants(name, price="11.00")
    await scene.plan()
    scene.calls.clear()
    scene.reads += [0, *[500] * 100]
    report = await scene.apply()
    assert isinstance(report.ended, TemporaryError)
    assert len(scene.calls) <= 26
    assert scene.sent == []


async def test_a_create_whose_answer_is_lost_is_found_and_not_sent_again() -> None:
    scene = Scene(writes=[carried_out_then_cut])
    scene.wants("new", externalId="E-1")
    await scene.plan()
    report = await scene.apply()
    assert scene.states == [("create", State.DONE)]
    assert (report.brought, report.failed) == (1, [])
    assert len(scene.shop.items("new")) == 1
    assert len(scene.sent) == 1


@pytest.mark.parametrize("plan", [cut, late(6 * HOUR), carried_out_then(500), answered(500), late(300.0)])
@pytest.mark.parametrize("key", ["externalId", "sku"])
async def test_there_is_never_a_second_item(plan: Any, key: str) -> None:
    scene = Scene(writes=[plan])
    scene.wants("new", **({"externalId": scene.shop.sku("E")} if key == "externalId" else {}))
    await scene.plan()
    await scene.apply()
    for _ in range(30):
        await scene.lap(after=HOUR)
    assert scene.states == [("create", State.DONE)]
    assert len(scene.shop.items("new")) == 1


@pytest.mark.parametrize("wrong", [26 * HOUR, -26 * HOUR])
async def test_a_clock_that_is_a_day_wrong_makes_nothing_twice_and_writes_over_nothing(wrong: float) -> None:
    scene = Scene(writes=[late(5 * HOUR), cut, cut], wrong_clock=wrong)
    scene.wants("new")
    for name in "ab":
        scene.stocks(name)
        scene.wants(name, price="11.00")
    await scene.plan()
    with capture_logs() as logs:
        first = await scene.apply()
    assert isinstance(first.ended, TemporaryError)
    assert [line["reason"] for line in logs if line["event"] == "items_paused"] == [str(first.ended)]
    scene.shop.bank.clock.time += 61
    scene.shop.company.edit(scene.shop.items("b")[0], description="by a person")
    for _ in range(28):
        await scene.lap(after=HOUR)
    assert len(scene.shop.items("new")) == 1
    assert [state for _, state in scene.states] == [State.DONE, State.DONE, State.CONFLICT]
    assert fields(scene, scene.shop.items("b")[0])["description"] == "by a person"


async def test_a_clock_that_is_ahead_hides_no_change_of_others() -> None:
    scene = Scene(wrong_clock=26 * HOUR)
    for name in "ab":
        scene.stocks(name)
        scene.wants(name, price="11.00")
    state = await scene.plan()
    async with scene.life() as life:
        await life.manager.approve(state)
    scene.shop.bank.clock.time += 61
    scene.shop.company.edit(scene.shop.items("b")[0], description="by a person")
    await scene.lap()
    assert [state for _, state in scene.states] == [State.DONE, State.CONFLICT]


async def test_a_new_plan_leaves_alone_what_is_in_doubt() -> None:
    scene = Scene(writes=[late(6 * HOUR)])
    scene.wants("new")
    await scene.plan()
    await scene.apply()
    assert scene.states == [("create", State.DOUBT)]
    assert (await scene.plan()).counts == {}
    await scene.lap(after=25 * HOUR)
    assert scene.states == [("create", State.DONE)]
    assert len(scene.shop.items("new")) == 1


async def test_a_plan_under_way_is_not_dropped_by_another_one() -> None:
    scene = Scene(writes=[cut, cut, cut])
    for name in "abcd":
        scene.stocks(name)
        scene.wants(name, price="11.00")
    await scene.plan()
    await scene.apply()
    with pytest.raises(PlanRefused, match=r"plan 1 for Supplier .* is under way: 4 of its writes are left"):
        await scene.plan()
    await scene.lap()
    assert {state for _, state in scene.states} == {State.DONE}


async def test_nothing_is_written_by_an_old_look() -> None:
    """A closed window of the quota may hold a write up for an hour, in which others go on working."""
    scene = Scene()
    scene.stocks("a")
    scene.wants("a", price="11.00")
    await scene.plan()

    def delayed(shop: Any, request: Any) -> None:
        shop.bank.clock.time += HOUR
        shop.company.edit(shop.items("b")[0], description="by a person")
        return answered(429, {"error": "slow", "RateLimit-Type": "Hourly limiter"})(shop, request)

    scene.stocks("b")
    scene.wants("b", price="11.00")
    await scene.plan()
    scene.writes.append(delayed)
    report = await scene.apply()
    assert [state for _, state in scene.states[-2:]] == [State.DONE, State.CONFLICT], report
    assert fields(scene, scene.shop.items("b")[0])["description"] == "by a person"


async def test_an_external_id_that_post_does_not_keep_is_set_afterwards() -> None:
    scene = Scene(shop=open_shop(keep_external_id=False))
    scene.wants("new", externalId="E-2")
    await scene.plan()
    report = await scene.apply()
    assert [call.split()[0] for call in scene.sent] == ["POST", "PATCH"]
    assert report.failed == []
    [row] = scene.shop.items("new")
    assert row.external_id == "E-2"
    assert (await scene.plan()).counts == {}


async def test_apply_refuses_a_plan_that_precoro_has_overtaken() -> None:
    scene = Scene()
    row = scene.stocks("a")
    scene.stocks("b")
    scene.wants("a", price="11.00")
    scene.wants("b")
    await scene.plan()
    other = scene.shop.items("b")[0]
    scene.shop.bank.clock.time += 61
    scene.shop.company.edit(other, description="by a person")
    with pytest.raises(PlanRefused, match=r"1 items of Supplier .* changed at Precoro since the plan was made"):
        await scene.apply()
    assert scene.sent == []
    await scene.plan()
    await scene.apply()
    assert str(fields(scene, row)["price"]) == "11.00"


async def test_also_where_the_mirror_has_seen_the_change_already() -> None:
    scene = Scene()
    scene.stocks("a")
    scene.wants("a", price="11.00")
    await scene.plan()
    scene.shop.bank.clock.time += 61
    scene.shop.company.edit(scene.shop.items("a")[0], description="by a person")
    async with scene.life() as life:
        await life.planner._bring("items")
    with pytest.raises(PlanRefused, match="changed at Precoro"):
        await scene.apply()


async def test_an_item_that_somebody_changes_while_the_plan_is_under_way_is_left_alone() -> None:
    # The first three answers are lost, which ends the lap.
    scene = Scene(writes=[cut, cut, cut])
    for name in "abcd":
        scene.stocks(name)
        scene.wants(name, price="11.00")
    await scene.plan()
    first = await scene.apply()
    assert isinstance(first.ended, TemporaryError)
    scene.shop.bank.clock.time += 61
    scene.shop.company.edit(scene.shop.items("d")[0], description="by a person")
    scene.shop.company.edit(scene.shop.items("a")[0], description="by a person")
    report = await scene.lap()
    assert [state for _, state in scene.states] == [State.CONFLICT, State.DONE, State.DONE, State.CONFLICT]
    assert len(report.failed) == 2
    for name in "ad":
        assert fields(scene, scene.shop.items(name)[0])["description"] == "by a person"


async def test_a_store_restored_from_a_copy_makes_nothing_twice() -> None:
    scene = Scene(writes=[cut, cut, cut])
    row = scene.stocks("a")
    scene.wants("a", price="11.00")
    for number in range(4):
        scene.wants(f"new{number}")
    await scene.plan()
    await scene.apply()
    with closing(sqlite3.connect(":memory:")) as copy:
        scene.database.backup(copy)
        for _ in range(3):
            await scene.lap(after=25 * HOUR)
        assert {state for _, state in scene.states} == {State.DONE}
        scene.shop.company.edit(row, total=5_000)
        copy.backup(scene.database)
    for _ in range(3):
        await scene.lap(after=25 * HOUR)
    assert [len(scene.shop.items(f"new{number}")) for number in range(4)] == [1, 1, 1, 1]
    assert row.total == 5_000
    assert State.PLANNED not in {state for _, state in scene.states}


async def test_refusals_are_told_and_ten_in_a_row_end_the_plan() -> None:
    refused = answered(400, {"code": 400, "errors": {"errors": {"price": ["This value is not valid."]}}})
    scene = Scene(writes=[refused] * 12)
    for number in range(12):
        scene.wants(f"new{number}")
    await scene.plan()
    report = await scene.apply()
    assert len(scene.sent) == 10
    assert "This value is not valid." in report.failed[0]
    assert "stopped: Precoro refused 10 writes in a row" in report.failed[-1]
    assert {state for _, state in scene.states} == {State.REFUSED, State.DROPPED}


async def test_missing_items_are_hidden_and_shown_again_if_asked_to() -> None:
    scene = Scene(hide=True)
    for name in "abc":
        scene.stocks(name)
    for name in "ab":
        scene.wants(name)
    await scene.plan()
    await scene.apply()
    gone = scene.shop.items("c")[0]
    assert fields(scene, gone)["hiddenInCatalog"] is True
    assert scene.states == [("hide", State.DONE)]
    scene.source.columns = tuple(name for name in scene.source.columns if name != "hiddenInCatalog")
    scene.wants("c")
    await scene.plan()
    await scene.apply()
    assert fields(scene, gone)["hiddenInCatalog"] is False


async def test_an_item_found_by_its_sku_gets_the_external_id() -> None:
    scene = Scene()
    row = scene.stocks("a")
    scene.wants("a", externalId="E-3")
    await scene.plan()
    await scene.apply()
    assert row.external_id == "E-3"
    assert len(scene.shop.items("a")) == 1


async def test_custom_fields_are_written_by_their_names() -> None:
    scene = Scene()
    custom = values(scene, Colour="red", Size="XL")
    row = scene.stocks("a", **custom)
    scene.wants("a", **{"custom.Colour": "blue"})
    await scene.plan()
    report = await scene.apply()
    assert report.failed == []
    told = {
        one["itemCustomField"]["name"]: one["value"] for one in fields(scene, row)["dataProductCustomFields"]["data"]
    }
    assert told == {"Colour": "blue", "Size": "XL"}
    assert (await scene.plan()).counts == {}


async def test_mistakes_are_told_all_at_once_and_nothing_is_sent() -> None:
    scene = Scene()
    scene.stocks("a")
    scene.wants("a", price="1,50")
    scene.wants("b", currency="XXX", unit="furlong")
    scene.wants("a", freeOfCharge="maybe", category="Toys")
    with pytest.raises(WantedRefused) as caught:
        await scene.plan()
    sku = scene.shop.sku("a")
    price = "is no price, such as 1234.50; set decimal_mark if prices are written so"
    category = "is no category that any item at Precoro is in (did you mean Tools?)"
    uses = caught.value.args[0].partition("it uses ")[2].splitlines()[0]
    assert "EUR" in uses
    assert str(caught.value).splitlines() == [
        f"wanted, row 2, column \"price\": '1,50' {price}",
        f"wanted, row 3, column \"currency\": 'XXX' is no currency of this company; it uses {uses}",
        "wanted, row 3, column \"unit\": 'furlong' is no unit at Precoro; there are pcs",
        f"wanted, row 4, column \"category\": 'Toys' {category}",
        "wanted, row 4, column \"freeOfCharge\": 'maybe' is neither true nor false",
        f'wanted, row 4, column "sku": {sku!r} stands in row 2 already',
        "nothing was planned, and nothing sent",
    ]
    assert scene.sent == []


async def test_an_empty_source_is_refused() -> None:
    scene = Scene(hide=True)
    scene.stocks("a")
    with pytest.raises(WantedRefused, match="has no rows"):
        await scene.plan()


async def test_a_supplier_that_is_not_there_or_disabled() -> None:
    scene = Scene()
    scene.wants("a")
    scene.shop.company.edit(scene.shop.supplier, enable=False)
    with pytest.raises(PlanRefused, match="is disabled at Precoro"):
        await scene.plan()
    scene.shop.number += 1_000_000
    with pytest.raises(PlanRefused, match="Precoro has no supplier 'external:V"):
        await scene.plan()


async def test_an_item_twice_at_precoro_is_named() -> None:
    scene = Scene()
    one, other = scene.stocks("a"), scene.stocks("a")
    scene.wants("a")
    with pytest.raises(WantedRefused, match=f"Precoro has it more than once .ids {one.id} and {other.id}."):
        await scene.plan()


async def test_prices_are_exact() -> None:
    scene = Scene(reading={"columns": {"sku": "sku", "price": "price"}})
    row = scene.stocks("a", total=10)
    scene.wants("a", price=Decimal("0.1"))
    assert (await scene.plan()).counts == {}
    scene.source.rows[0]["price"] = "90071992547409.93"
    await scene.plan()
    await scene.apply()
    assert row.total == 9_007_199_254_740_993
    assert (await scene.plan()).counts == {}
