"""Lists, census and deliveries side by side: none stops another, none undoes what another did."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.app.company import open_company
from precoro_daemon.app.state import identity
from precoro_daemon.errors import AuthenticationError
from precoro_daemon.mirror.ports.deliveries import Delivery
from precoro_daemon.runtime.job import Job, Registration
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.sandbox import users
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.webhooks import TYPES
from precoro_daemon.status.progress import Silent
from tests.mirror.stage import NO_LIMITS, SCALE, Stage, stage
from tests.mirror.test_census import vanished
from tests.mirror.test_scanning import newest

pytestmark = pytest.mark.asyncio

LISTENING: dict[str, Any] = {"listen": "127.0.0.1:0", "secret": "0123456789abcdef01234567"}
NONE_FOR_A_CENSUS = NO_LIMITS | {"time_scale": SCALE, "per_day": 100_000, "reserve": {"census": 99_999}}
"""A census may make a call only where nobody made one all day."""


@asynccontextmanager
async def at_work(
    shown: Stage, *, planned: bool = False
) -> AsyncIterator[tuple[Store, Mapping[str, Registration], RealClock]]:
    """`planned`: lists have their turns by themselves, as in a service."""
    clock, settings = shown.clock(), shown.settings
    async with (
        SqliteState(shown.database, identity(settings)).open() as store,
        open_company(store, settings, clock, Silent(), planned=planned) as company,
    ):
        yield store, company.jobs, clock


def delete(shown: Stage, *rows: Row) -> set[int]:
    for row in rows:
        shown.sandbox.company.delete(row)
    return {row.id for row in rows}


def open_scans(shown: Stage) -> list[str]:
    return [row["kind"] for row in shown.query("SELECT kind FROM scans")]


def census_is_due(shown: Stage) -> None:
    with closing(sqlite3.connect(shown.database)) as connection, connection:
        connection.execute("UPDATE cursors SET whole_at = 1.0")


async def test_lists_go_on_though_nobody_may_ask_now_about_what_they_miss(tmp_path: Path) -> None:
    """Another filter lists the invoices anew; those that are missing are for the census to ask about."""
    async with stage(tmp_path, counts={"invoices": 45, "suppliers": 12}) as shown:
        chosen = shown.sections["mirror_collections"] = {"collections": ("invoices", "suppliers"), "per_page": 10}
        await shown.run()
        gone = delete(shown, *newest(shown.sandbox)[5:8])
        shown.sections["limits"] = NONE_FOR_A_CENSUS
        chosen["filters"] = {"invoices": {"modified_since": "2000-01-01T00:00:00"}}
        async with at_work(shown) as (_, jobs, _clock):
            lap = await jobs["mirror_collections"].job.lap()
        assert (lap.ended, lap.failed) == (None, []), "its own quota is not spent"
        for note in ("first", "second"):
            shown.sandbox.company.edit(newest(shown.sandbox)[0], note=note)
            shown.sandbox.company.edit(newest(shown.sandbox, "suppliers")[0], note=note)
            report = await shown.run()
            assert report.failed == []
            assert report.spent is not None
            assert "census" in str(report.spent)
            assert len(report.remains) == 1
            assert shown.differences(counted=False) == [], "all lists are up to date"
            assert vanished(shown) == set(), "nothing is marked unasked"
            assert open_scans(shown) == ["whole"]
        shown.sandbox.journal.clear()
        del shown.sections["limits"]
        report = await shown.run()
        assert (report.failed, report.spent) == ([], None)
        assert vanished(shown) == gone
        assert open_scans(shown) == []
        assert not [call for call in shown.calls("/invoices?") if "modifiedSince=2000" in call], "no list again"
        assert shown.differences() == []


async def test_a_census_asks_at_its_next_lap_whom_it_could_not_ask(tmp_path: Path) -> None:
    """Of those that answered nobody is asked again; the week until the next census is not waited for."""
    async with stage(tmp_path) as shown:
        await shown.run()
        rows = newest(shown.sandbox)[5:9]
        gone = delete(shown, *rows)
        silent = rows[1]
        shown.sandbox.faults.add("503", path=f"^/invoices/{silent.idn}$", times=None)
        report = await shown.run("take_census")
        assert [line.partition(":")[0] for line in report.remains] == ["invoices"], "it is said"
        assert vanished(shown) == gone - {silent.id}
        shown.sandbox.faults.clear()
        shown.sandbox.journal.clear()
        report = await shown.run()
        assert (report.failed, report.remains) == ([], [])
        assert shown.calls("/invoices/") == [f"/invoices/{silent.idn}"]
        assert vanished(shown) == gone
        assert open_scans(shown) == []


async def test_whom_nobody_can_ask_for_a_day_is_left_to_the_next_census(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        await shown.run()
        [silent] = newest(shown.sandbox)[5:6]
        delete(shown, silent)
        shown.sandbox.faults.add("503", path=f"^/invoices/{silent.idn}$", times=None)
        await shown.run("take_census")
        assert open_scans(shown) == ["whole"]
        clock = RealClock(SCALE, ahead=2 * 86_400)
        clock.anchor(clock.now())
        await shown.run(clock=clock)
        assert open_scans(shown) == []
        assert vanished(shown) == set()


async def test_many_that_give_no_answer_cost_a_census_few_calls(tmp_path: Path) -> None:
    async with stage(tmp_path, counts={"invoices": 95}) as shown:
        await shown.run()
        gone = delete(shown, *newest(shown.sandbox)[5:17])
        shown.sandbox.faults.add("503", path=r"^/invoices/\d+$", times=None)
        shown.sandbox.journal.clear()
        await shown.run("take_census")
        assert len({*shown.calls("/invoices/")}) == 3
        shown.sandbox.faults.clear()
        await shown.run()
        assert vanished(shown) == gone


async def test_a_key_that_is_refused_ends_the_run_and_the_question_stays_open(tmp_path: Path) -> None:
    async with stage(tmp_path) as shown:
        await shown.run()
        gone = delete(shown, *newest(shown.sandbox)[5:8])
        shown.sandbox.faults.add("401", path=r"^/invoices/\d", times=None)
        with pytest.raises(AuthenticationError):
            await shown.run("take_census")
        assert vanished(shown) == set()
        shown.sandbox.faults.clear()
        await shown.run()
        assert vanished(shown) == gone


async def test_what_was_listed_while_a_census_asked_about_it_is_not_marked(tmp_path: Path) -> None:
    """It was gone when the whole list was read, and back again when changes were."""
    async with stage(tmp_path) as shown:
        await shown.run()
        back, gone = newest(shown.sandbox)[5:7]
        delete(shown, back, gone)
        back_again = anyio.Event()
        shown.when(rf"^/invoices/{gone.idn}$", back_again.set)
        shown.sandbox.faults.add("slow", path=rf"^/invoices/{gone.idn}$", seconds=0.5)
        async with at_work(shown) as (_, jobs, _clock), anyio.create_task_group() as group:
            census = jobs["take_census"].forced
            assert census is not None
            group.start_soon(census.lap)
            await back_again.wait()
            shown.sandbox.company["invoices"].add(back)
            shown.sandbox.company.edit(back, note="restored")
            await jobs["mirror_collections"].job.lap()
        assert vanished(shown) == {gone.id}


async def test_a_clock_that_the_first_answer_sets_back_keeps_no_list_from_its_turns(tmp_path: Path) -> None:
    async with stage(tmp_path, time_scale=100.0) as shown:
        shown.sections["mirror_collections"] = {"collections": ("invoices",), "every": "2m"}
        clock, settings = RealClock(100.0, ahead=86_400.0), shown.settings
        async with (
            SqliteState(shown.database, identity(settings)).open() as store,
            open_company(store, settings, clock, Silent(), planned=True) as company,
        ):
            lists = company.jobs["mirror_collections"].job
            assert await lists.due(clock.now())
            await lists.lap()
            assert not await lists.due(clock.now())
            await clock.sleep(121)
            assert await lists.due(clock.now())


async def test_a_census_of_a_small_set_is_owed_to_nobody(tmp_path: Path) -> None:
    """Each of its scans is one."""
    async with stage(tmp_path, counts={"taxes": 8, "invoices": 15}) as shown:
        shown.sections["mirror_collections"] = {"collections": ("taxes", "invoices"), "per_page": 10}
        await shown.run()
        census_is_due(shown)
        async with at_work(shown) as (_, jobs, _clock):
            shown.sandbox.journal.clear()
            await jobs["take_census"].job.lap()
        assert {call.partition("?")[0] for call in shown.calls()} == {"/invoices"}


async def _until(done: Callable[[], bool]) -> None:
    with anyio.fail_after(120):
        while not done():  # noqa: ASYNC110 - what is waited for is in a file
            await anyio.sleep(0.05)


async def test_a_census_ends_with_each_page_asked_once_though_lists_always_bring_something(tmp_path: Path) -> None:
    collections = ("invoices", "suppliers", "taxes")
    counts = {"invoices": 395, "suppliers": 5, "taxes": 5}
    async with stage(tmp_path, counts=counts) as shown:
        shown.sections["mirror_collections"] = {"collections": collections, "per_page": 10, "every": "1m"}
        await shown.run()
        census_is_due(shown)
        oldest = newest(shown.sandbox)[-1]
        shown.when(r"^/taxes", lambda: shown.sandbox.company.edit(oldest, note="again"), times=10_000)
        shown.sandbox.faults.add("slow", path=r"^/invoices\?(?!.*modifiedSince)", seconds=1.0, times=None)
        shown.sandbox.journal.clear()

        def ended() -> bool:
            whole = r"SELECT 1 FROM cursors WHERE collection IN ('invoices', 'suppliers') AND whole_at = 1.0"
            return not shown.query(whole)

        async with at_work(shown, planned=True) as (store, jobs, clock), anyio.create_task_group() as group:
            lists = [jobs[name] for name in ("mirror_collections", "take_census")]
            scheduler = Scheduler(lists, Dependencies(clock, lambda: None, store.lap_book))
            group.start_soon(scheduler.run)
            await _until(ended)
            scheduler.end()
        pages = Counter(call for call in shown.calls("/invoices?") if "modifiedSince" not in call)
        assert len(pages) == 40
        assert set(pages.values()) == {1}, "no page is asked for twice"
        begun, over = _times(shown, next(iter(pages))), _times(shown, [*pages][-1])
        laps = [entry for entry in shown.sandbox.journal if re.match(r"/taxes", entry.path_qs)]
        assert sum(begun < entry.arrived < over for entry in laps) >= 3, "lists went on meanwhile"
        shown.sandbox.faults.clear()
        await shown.run()
        assert shown.differences(counted=False) == []


def _times(shown: Stage, call: str) -> float:
    return next(entry.arrived for entry in shown.sandbox.journal if entry.path_qs == call)


@pytest.mark.parametrize("census", ["suppliers", "invoices"])
async def test_a_delivery_waits_for_no_census(tmp_path: Path, census: str) -> None:
    async with stage(
        tmp_path, counts={"invoices": 45, "suppliers": 45}, sections={"apply_deliveries": LISTENING}, time_scale=100.0
    ) as shown:
        shown.sections["mirror_collections"] = {"collections": ("invoices", "suppliers"), "per_page": 10}
        await shown.run()
        row = newest(shown.sandbox)[3]
        shown.sandbox.company.edit(row, note="announced")
        shown.sandbox.faults.add("hang", path=rf"^/{census}\?page=3", times=None)
        async with at_work(shown) as (store, jobs, clock), anyio.create_task_group() as group:
            forced = jobs["take_census"].forced
            assert forced is not None
            group.start_soon(forced.lap)
            await _until(lambda: bool(shown.calls(f"/{census}?page=3")))
            await store.deliveries.note([Delivery(TYPES["invoices"], row.id, row.idn)], at=clock.now())
            with anyio.fail_after(9):  # the call that hangs is given up after ten
                await jobs["apply_deliveries"].job.lap()
            group.cancel_scope.cancel()
        [outcome] = shown.query("SELECT outcome FROM deliveries")
        assert outcome["outcome"] == "refreshed"


async def test_two_scans_of_the_same_changes_come_one_after_the_other(tmp_path: Path) -> None:
    """The second begins where the first ended, and both are proved."""
    async with stage(tmp_path, sections={"apply_deliveries": LISTENING}, time_scale=100.0, latency=0.05) as shown:
        await shown.run()
        rows = newest(shown.sandbox)[:30]
        for row in rows:
            shown.sandbox.company.edit(row, note="new")
        async with at_work(shown) as (store, jobs, clock):
            shown.sandbox.journal.clear()
            await store.deliveries.note(
                [Delivery(TYPES["invoices"], row.id, row.idn) for row in rows], at=clock.now()
            )
            async with anyio.create_task_group() as group:
                group.start_soon(jobs["mirror_collections"].job.lap)
                group.start_soon(jobs["apply_deliveries"].job.lap)
        lists = [re.sub(r".*[?&]page=(\d+).*", r"\1", call) for call in shown.calls("modifiedSince")]
        assert lists == ["1", "2", "3"] * 2
        assert len({re.sub(r".*(modifiedSince=[^&]*).*", r"\1", call) for call in shown.calls("modifiedSince")}) == 2
        assert shown.differences(counted=False) == []


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_is_listed_side_by_side_the_mirror_is_the_truth_in_the_end(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    collections = ("invoices", "suppliers", "taxes")
    counts = {"invoices": 80, "suppliers": 25, "taxes": 6}
    async with stage(
        tmp_path, counts=counts, latency=0.003, seed=seed, sections={"apply_deliveries": LISTENING}
    ) as shown:
        shown.sections["mirror_collections"] = {"collections": collections, "per_page": 10, "overlap": 60}
        shown.sections["take_census"] = {"max_vanished": 1}
        if seed % 2:
            await shown.run()
        deadline = anyio.current_time() + 3

        async def again_and_again(lap: Callable[[], Awaitable[object]]) -> None:
            while anyio.current_time() < deadline:
                await lap()
                await anyio.sleep(random.random() * 0.05)

        async with at_work(shown) as (store, jobs, clock), anyio.create_task_group() as group:
            forced = jobs["take_census"].forced
            assert forced is not None

            async def work() -> None:
                done = users.work(shown.sandbox.company, random, users.Load(1, 2, 1, collections))
                told = [Delivery(TYPES[str(one["collection"])], int(str(one["id"]))) for one in done if _told(one)]
                await store.deliveries.note(told, at=clock.now())

            at_once: list[Job] = [jobs["mirror_collections"].job, forced, jobs["apply_deliveries"].job]
            for job in (*at_once, jobs["fetch_details"].job):
                group.start_soon(again_and_again, job.lap)
            group.start_soon(again_and_again, work)
        for job in (None, "take_census", "fetch_details"):
            await shown.run(job)
        assert shown.differences() == []
        assert open_scans(shown) == []


def _told(change: Mapping[str, object]) -> bool:
    return change["collection"] in TYPES
