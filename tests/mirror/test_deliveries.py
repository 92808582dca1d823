"""What is announced is looked at, once, within bounds; and what is never announced is not missed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.company import open_company
from precoro_daemon.app.state import identity
from precoro_daemon.mirror.ports.deliveries import Delivery
from precoro_daemon.runtime.job import Job
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.webhooks import TYPES
from precoro_daemon.status.progress import Silent
from tests.mirror.stage import NO_LIMITS, Stage, stage

pytestmark = pytest.mark.asyncio

SCALE = 100.0
"""How many times faster than real: the ninety seconds that a call waits for its turn are most of a second here, which
a busy machine does not use up by itself."""

LISTENING: dict[str, Any] = {"listen": "127.0.0.1:0", "secret": "0123456789abcdef01234567"}


@asynccontextmanager
async def at_work(shown: Stage) -> AsyncIterator[tuple[Store, Mapping[str, Job], RealClock]]:
    """Its jobs, lap by lap, while deliveries may come."""
    clock, settings = shown.clock(), shown.settings
    async with (
        SqliteState(shown.database, identity(settings)).open() as store,
        open_company(store, settings, clock, Silent()) as company,
    ):
        yield store, {name: job.job for name, job in company.jobs.items()}, clock


async def announce(shown: Stage, *deliveries: Delivery) -> None:
    async with SqliteState(shown.database, identity(shown.settings)).open() as store:
        await store.deliveries.note(deliveries, at=shown.clock().now())


def of(row: Row) -> Delivery:
    return Delivery(TYPES[row.collection], row.id, row.idn or None)


def outcomes(shown: Stage) -> dict[int, str]:
    return {row["id"]: row["outcome"] for row in shown.query("SELECT id, outcome FROM deliveries")}


def some(shown: Stage, number: int, collection: str = "invoices") -> Sequence[Row]:
    return list(shown.sandbox.company[collection])[:number]


async def mirrored(tmp_path: Path, **options: Any) -> Any:
    given: dict[str, Any] = {"time_scale": SCALE, "counts": {"invoices": 24}} | options
    return stage(tmp_path, sections={"apply_deliveries": LISTENING}, **given)


async def test_a_document_that_changed_is_refreshed_by_two_calls(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        shown.sandbox.company.edit(row, note="new", total=4711)
        await announce(shown, of(row))
        shown.sandbox.journal.clear()
        report = await shown.run("apply_deliveries")
        assert report.failed == []
        assert outcomes(shown) == {row.id: "refreshed"}
        assert [call.partition("?")[0] for call in shown.calls()] == ["/invoices", f"/invoices/{row.idn}"]
        assert shown.differences(counted=False) == []


async def test_a_burst_over_many_documents_costs_one_listing_and_a_call_for_each(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        rows = some(shown, 12)
        for row in rows:
            shown.sandbox.company.edit(row, note="new")
        for _ in range(3):
            await announce(shown, *map(of, rows))
        shown.sandbox.journal.clear()
        await shown.run("apply_deliveries")
        assert len(shown.calls("modifiedSince")) == 2, "twelve rows are two pages of ten"
        assert len(shown.calls()) == 2 + 12
        assert shown.differences(counted=False) == []


async def test_a_payment_that_moves_no_date_is_seen_all_the_same(tmp_path: Path) -> None:
    """The list says nothing new of the invoice; only its detail does."""
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        date = row.updated
        shown.sandbox.company.edit(row, note="a payment")
        row.updated = date
        await announce(shown, of(row))
        await shown.run("apply_deliveries")
        assert outcomes(shown) == {row.id: "refreshed"}


async def test_what_polling_brought_first_costs_no_call_at_all(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        shown.sandbox.company.edit(row, note="new")
        async with at_work(shown) as (store, jobs, clock):
            await store.deliveries.note([of(row)], at=clock.now())
            await clock.sleep(10)
            await jobs["mirror_collections"].lap()
            assert await jobs["fetch_details"].due(clock.now())
            await jobs["fetch_details"].lap()
            shown.sandbox.journal.clear()
            await jobs["apply_deliveries"].lap()
        assert outcomes(shown) == {row.id: "known_already"}
        assert shown.calls() == []


@pytest.mark.parametrize("job", ["fetch_details", "apply_deliveries"])
async def test_what_happens_while_a_detail_is_under_way_is_looked_at_again(tmp_path: Path, job: str) -> None:
    """The answer was already drawn, and no date moves: only the delivery tells of it."""
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        shown.sandbox.company.edit(row, note="first")
        shown.sandbox.faults.add("drip", path=rf"/invoices/{row.idn}$", times=1, seconds=0.5)
        async with at_work(shown) as (store, jobs, clock):

            async def edit_meanwhile() -> None:
                await anyio.sleep(0.2)
                date = row.updated
                shown.sandbox.company.edit(row, lines=row.lines + 1)  # which only the detail shows
                row.updated = date
                await store.deliveries.note([of(row)], at=clock.now())

            await jobs["mirror_collections"].lap()
            if job == "apply_deliveries":
                await store.deliveries.note([of(row)], at=clock.now())
            async with anyio.create_task_group() as group:
                group.start_soon(edit_meanwhile)
                assert await jobs[job].due(clock.now())
                await jobs[job].lap()
            await clock.sleep(61)
            assert await jobs["apply_deliveries"].due(clock.now())
            await jobs["apply_deliveries"].lap()
        assert outcomes(shown) == {row.id: "refreshed"}
        assert shown.differences(counted=False) == []


async def test_a_call_whose_turn_does_not_come_holds_up_no_list(tmp_path: Path) -> None:
    """Thirty times an hour is all that Precoro allows for the same document."""
    async with await mirrored(tmp_path) as shown:
        shown.sections["limits"] = NO_LIMITS | {"time_scale": SCALE, "same_get_per_hour": 3}
        await shown.run()
        often, other = some(shown, 2)
        async with at_work(shown) as (store, jobs, clock):
            for _ in range(3):
                await store.deliveries.note([of(often)], at=clock.now())
                begun = clock.now()
                await jobs["apply_deliveries"].lap()
                assert clock.now() - begun < 90 + SCALE / 2
                await clock.sleep(61)
            await store.deliveries.note([of(other)], at=clock.now())
            await jobs["apply_deliveries"].lap()
            assert (await store.deliveries.counts(now=clock.now())).waiting == 1
        assert outcomes(shown)[other.id] == "refreshed"


async def test_a_small_set_is_listed_no_more_often_than_it_may_be(tmp_path: Path) -> None:
    async with await mirrored(tmp_path, counts={"budgets": 5}) as shown:
        shown.sections["mirror_collections"] = {"collections": ("budgets",)}
        await shown.run()
        first, second = some(shown, 2, "budgets")
        async with at_work(shown) as (store, jobs, clock):
            await jobs["mirror_collections"].lap()
            await store.deliveries.note([of(first)], at=clock.now())
            shown.sandbox.journal.clear()
            await jobs["apply_deliveries"].lap()
            assert shown.calls() == []
            await store.deliveries.note([of(second)], at=clock.now())
            await clock.sleep(190)
            await jobs["apply_deliveries"].lap()
            assert len(shown.calls()) == 1
        assert outcomes(shown) == {first.id: "listed", second.id: "listed"}


async def test_a_listing_that_began_after_all_of_them_came_is_not_made_again(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        rows = some(shown, 3)
        for row in rows:
            shown.sandbox.company.edit(row, note="new")
        async with at_work(shown) as (store, jobs, clock):
            await store.deliveries.note([of(row) for row in rows], at=clock.now())
            await clock.sleep(10)
            await jobs["mirror_collections"].lap()
            shown.sandbox.journal.clear()
            await jobs["apply_deliveries"].lap()
            assert shown.calls("modifiedSince") == []
            assert len(shown.calls("/invoices/")) == 3
        assert shown.differences(counted=False) == []


async def test_a_flood_of_made_up_ids_is_over_in_one_lap_of_one_call_for_each_kind(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        shown.sandbox.company.edit(row, note="new")
        forged = [Delivery(number % 12, 9_000_000 + number, number) for number in range(9_999)]
        await announce(shown, *forged, of(row))
        shown.sandbox.journal.clear()
        await shown.run("apply_deliveries")
        assert len(shown.calls()) == 2
        assert outcomes(shown)[row.id] == "refreshed"
        assert None not in outcomes(shown).values()


async def test_all_of_them_take_no_more_than_their_share_of_a_day(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        shown.sections["limits"] = NO_LIMITS | {"time_scale": SCALE, "per_day": 400}
        shown.sections["apply_deliveries"] = LISTENING | {"max_share": 0.03}
        await shown.run()
        rows = some(shown, 30)
        for row in rows:
            shown.sandbox.company.edit(row, note="new")
        await announce(shown, *map(of, rows))
        shown.sandbox.journal.clear()
        report = await shown.run("apply_deliveries")
        assert report.spent is not None
        assert len(shown.calls()) == 12
        await shown.run("fetch_details")
        assert shown.differences(counted=False) == [], "polling goes on with what is left of the day"


async def test_a_filter_that_changed_lists_anew_and_not_for_a_delivery(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        await announce(shown, of(row))
        shown.sections["mirror_collections"] = {"filters": {"invoices": {"status": ["approved"]}}}
        shown.sandbox.journal.clear()
        await shown.run("apply_deliveries")
        assert outcomes(shown) == {row.id: "first_listing"}
        assert shown.calls() == []


async def test_ids_of_others_and_made_up_ones_cost_one_listing_together(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        await announce(shown, *(Delivery(3, 9_000_000 + number, number) for number in range(150)))
        shown.sandbox.journal.clear()
        report = await shown.run("apply_deliveries")
        assert len(shown.calls()) == 1
        assert report.failed == []
        assert set(outcomes(shown).values()) == {"not_listed"}


async def test_what_is_not_mirrored_is_settled_without_a_call(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        shown.sandbox.journal.clear()
        await announce(shown, Delivery(2, 5, 5), Delivery(9, 6))
        await shown.run("apply_deliveries")
        assert outcomes(shown) == {5: "not_mirrored", 6: "not_mirrored"}
        assert shown.calls() == []


async def test_before_the_first_listing_is_over_there_is_nothing_to_refresh(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        [row] = some(shown, 1)
        await announce(shown, of(row))
        await shown.run("apply_deliveries")
        assert outcomes(shown) == {row.id: "first_listing"}


async def test_a_renamed_custom_field_is_asked_for_by_the_next_run(tmp_path: Path) -> None:
    collections = ("invoices", "document_custom_fields")
    options = {"counts": {"invoices": 20, "documentcustomfields": 4}}
    async with await mirrored(tmp_path, **options) as shown:
        shown.sections["mirror_collections"] = {"collections": collections}
        await shown.run()
        field = next(iter(shown.query("SELECT field_id FROM document_custom_values LIMIT 1")))["field_id"]
        await announce(shown, Delivery(10, int(field)))
        shown.sandbox.journal.clear()
        await shown.run("apply_deliveries")
        assert shown.calls() == []
        await shown.run("resolve_custom_fields")
        assert shown.calls("documentcustomfields/") == [f"/documentcustomfields/{field}"]


@pytest.mark.parametrize("path", [r"/invoices\?", r"/invoices/\d"])
async def test_what_fails_is_tried_again_in_a_minute(tmp_path: Path, path: str) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        shown.sandbox.company.edit(row, note="new")
        await announce(shown, of(row))
        shown.sandbox.faults.add("503", path=path, times=None)
        report = await shown.run("apply_deliveries")
        assert len(report.failed) == 1
        assert outcomes(shown) == {row.id: None}
        shown.sandbox.faults.clear()
        clock = shown.clock()
        await clock.sleep(61)
        await shown.run("apply_deliveries", clock=clock)
        assert outcomes(shown) == {row.id: "refreshed"}
        assert shown.differences(counted=False) == []


@pytest.mark.waits
@pytest.mark.parametrize("kind", ["403", "422", "half_json"])
async def test_what_is_refused_is_asked_for_as_seldom_as_any_other_detail(tmp_path: Path, kind: str) -> None:
    """Also where nothing shows in its row, so that nobody else would ask for it."""
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        date = row.updated
        shown.sandbox.company.edit(row, lines=row.lines + 1)
        row.updated = date
        shown.sandbox.faults.add(kind, path=f"^/invoices/{row.idn}$", times=None)
        shown.sandbox.journal.clear()
        async with at_work(shown) as (store, jobs, clock):
            for _ in range(8):
                await store.deliveries.note([of(row)], at=clock.now())
                await jobs["apply_deliveries"].lap()
                if await jobs["fetch_details"].due(clock.now()):
                    await jobs["fetch_details"].lap()
                await clock.sleep(61)
        assert outcomes(shown) == {row.id: "quarantined"}
        assert len(shown.calls(f"/invoices/{row.idn}")) <= 5 * 4, "four times, each with what tries there are"
        assert [aside["key"] for aside in shown.query("SELECT key FROM quarantine")] == [str(row.id)]
        shown.sandbox.faults.clear()
        clock = RealClock(SCALE, ahead=2 * 86_400)
        clock.anchor(clock.now())
        await shown.run(clock=clock)
        assert shown.query("SELECT * FROM quarantine") == []
        assert shown.differences(counted=False) == []


async def test_a_document_that_is_gone_is_settled(tmp_path: Path) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        [row] = some(shown, 1)
        shown.sandbox.company.delete(row)
        await announce(shown, of(row))
        await shown.run("apply_deliveries")
        assert outcomes(shown) == {row.id: "not_found"}


@pytest.mark.parametrize("lose", [0.0, 0.5, 1.0])
async def test_lost_repeated_and_disordered_deliveries_change_nothing_in_the_end(tmp_path: Path, lose: float) -> None:
    async with await mirrored(tmp_path) as shown:
        await shown.run()
        rows = some(shown, 20)
        heard = [row for number, row in enumerate(rows) if number / len(rows) >= lose]
        for row in rows:
            shown.sandbox.company.edit(row, note="new", total=1000 + row.id)
        await announce(shown, *map(of, reversed(heard)), *map(of, heard))
        await shown.run("apply_deliveries")
        await shown.run()
        assert shown.differences() == []


async def test_what_changed_before_the_mirror_began_is_back_fill_and_does_not_go_before_the_changes_of_today(
    tmp_path: Path,
) -> None:
    async with await mirrored(tmp_path) as shown:
        old, new = some(shown, 2)
        shown.sandbox.company.edit(old, note="yesterday")
        async with at_work(shown) as (_, jobs, clock):
            await clock.sleep(5)
            await jobs["mirror_collections"].lap()
            assert not await jobs["fetch_details"].due(clock.now())
            await clock.sleep(5)
            shown.sandbox.company.edit(new, note="today")
            await jobs["mirror_collections"].lap()
            assert await jobs["fetch_details"].due(clock.now())
            assert (await jobs["fetch_details"].lap()).brought == 1
            assert not await jobs["fetch_details"].due(clock.now())
            assert (await jobs["backfill_details"].lap()).brought > 10
        assert shown.differences(counted=False) == []
