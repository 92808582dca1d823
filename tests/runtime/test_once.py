"""Laps: what is due is run until nothing is; real signals, time limit, budget."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import anyio
import pytest
from structlog.testing import capture_logs

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.errors import (
    AuthenticationError,
    BudgetSpent,
    DaemonError,
    DiskFull,
    LedgerMisfit,
    Stopped,
    StoreUnusable,
)
from precoro_daemon.runtime.job import LapReport, OnDemand, Registration, RunReport, UnableJob
from precoro_daemon.runtime.lifecycle import run_once
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from tests.runtime.hours import Scripted, in_virtual_time

Lap = Callable[[], Awaitable[LapReport]]


@dataclass
class Stage:
    """Jobs whose laps follow a script; each is due as long as its script goes on."""

    ran: list[str] = field(default_factory=list)
    stopped: anyio.Event = field(default_factory=anyio.Event)
    jobs: list[Registration] = field(default_factory=list)

    def job(self, name: str, *laps: LapReport | Lap, silent: bool = False) -> None:
        script = list(laps)

        async def due(_: float) -> bool:
            return bool(script)

        async def lap() -> LapReport:
            self.ran.append(name)
            step = script.pop(0)
            return step if isinstance(step, LapReport) else await step()

        self.jobs.append(Registration(Scripted(name, due, lap), silent=silent))

    async def run(self, time_limit: float | None = None) -> RunReport:
        return await run_once(Scheduler(self.jobs, Dependencies(RealClock(), self.stopped.set)), time_limit)


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def unhandled() -> Iterator[None]:
    """A signal that nobody handles fails the test instead of ending the test run."""

    def fail(number: int, _: object) -> None:
        raise AssertionError(f"nobody handles {signal.Signals(number).name}")

    before = {number: signal.signal(number, fail) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


SPENT = BudgetSpent("the day's quota for lists is spent", resume_at=200.0)
LATER = BudgetSpent("the day's quota for details is spent", resume_at=300.0)


@pytest.mark.asyncio
async def test_rounds_go_on_in_order_until_one_brings_nothing(stage: Stage) -> None:
    stage.job("lists", LapReport(2), LapReport(0), LapReport(9))
    stage.job("details", LapReport(3))
    report = await stage.run()
    assert stage.ran == ["lists", "details", "lists"]
    assert report == RunReport(brought=5)


@pytest.mark.asyncio
async def test_a_job_that_is_always_due_and_brings_nothing_runs_once(stage: Stage) -> None:
    stage.job("census", *[LapReport()] * 9)
    await stage.run()
    assert stage.ran == ["census"]


@pytest.mark.asyncio
async def test_a_job_is_asked_by_when_its_round_began_which_is_the_run(stage: Stage) -> None:
    asked: list[float] = []
    laps: list[float] = []
    clock = RealClock()

    async def due(now: float) -> bool:
        asked.append(now)
        return len(laps) < 2

    async def lap() -> LapReport:
        laps.append(clock.now())
        return LapReport(1)

    stage.jobs.append(Registration(Scripted("lists", due, lap)))
    before = clock.now()
    await stage.run()
    assert len(asked) == 3
    assert len(set(asked)) == 1, "what failed in this run is not due again in it"
    assert before <= asked[0] <= laps[0] + 0.1


@pytest.mark.asyncio
async def test_a_job_that_is_asked_for_runs_once_whatever_its_own_rule_says(stage: Stage) -> None:
    async def never(_: float) -> bool:
        return False

    async def lap() -> LapReport:
        stage.ran.append("lists")
        return LapReport(1)

    stage.jobs.append(Registration(OnDemand(Scripted("lists", never, lap))))
    assert (await stage.run()).brought == 1
    assert stage.ran == ["lists"]


@pytest.mark.asyncio
async def test_what_failed_is_told_line_by_line(stage: Stage) -> None:
    stage.job("lists", LapReport(1, failed=["taxes: 404"]))
    stage.job("details", LapReport(failed=["invoices 12: 500", "invoices 13: 500"]))
    assert (await stage.run()).failed == ["taxes: 404", "invoices 12: 500", "invoices 13: 500"]


@pytest.mark.asyncio
async def test_what_a_silent_job_failed_at_is_logged_once_and_within_bounds(stage: Stage) -> None:
    failed = [f"payment {number}: 503" for number in range(30)]
    stage.job("payments", LapReport(1, failed=failed), LapReport(1, failed=failed), silent=True)
    stage.job("details", LapReport(failed=["invoices 12: 500"]))
    with capture_logs() as logs:
        await stage.run()
    assert [line["reason"] for line in logs] == [*failed[:20], "and 10 more"]
    assert {(line["event"], line["log_level"], line["job"]) for line in logs} == {
        ("work_failed", "warning", "payments")
    }


@pytest.mark.asyncio
async def test_a_spent_budget_ends_one_job_and_its_siblings_go_on(stage: Stage) -> None:
    stage.job("lists", LapReport(4, ended=SPENT), LapReport(9))
    stage.job("details", LapReport(3), LapReport(2))
    report = await stage.run()
    assert stage.ran == ["lists", "details", "details"]
    assert (report.brought, report.spent) == (9, SPENT)


@pytest.mark.asyncio
@pytest.mark.parametrize("order", [(SPENT, LATER), (LATER, SPENT)])
async def test_of_several_spent_budgets_the_first_to_open_is_told(
    stage: Stage, order: tuple[BudgetSpent, BudgetSpent]
) -> None:
    for number, spent in enumerate(order):
        stage.job(f"job {number}", LapReport(ended=spent))
    assert (await stage.run()).spent is SPENT


@pytest.mark.asyncio
async def test_what_is_fatal_ends_the_run(stage: Stage) -> None:
    refused = AuthenticationError("401")
    stage.job("lists", LapReport(1, ended=refused))
    stage.job("details", LapReport(1))
    with pytest.raises(AuthenticationError) as failure:
        await stage.run()
    assert failure.value is refused
    assert stage.ran == ["lists"]


@pytest.mark.asyncio
async def test_a_part_that_cannot_be_used_ends_its_own_jobs_and_is_told_once(stage: Stage) -> None:
    misfit = LedgerMisfit("the ledger has no table payments")
    stage.job("lists", LapReport(1), LapReport(0))
    stage.job("payments", LapReport(2, failed=["invoice 7: 503"], ended=misfit), LapReport(9))
    stage.jobs.append(Registration(UnableJob("exports", misfit)))
    stage.job("details", LapReport(3))
    with capture_logs() as logs:
        report = await stage.run()
    assert stage.ran == ["lists", "payments", "details", "lists"]
    assert report == RunReport(brought=6, failed=["invoice 7: 503", "the ledger has no table payments"])
    assert [(line["event"], line["job"], line["reason"]) for line in logs] == [
        ("job_blocked", "payments", "the ledger has no table payments"),
        ("job_blocked", "exports", "the ledger has no table payments"),
    ]


@pytest.mark.asyncio
async def test_a_store_that_fails_outside_a_lap_ends_the_run_as_what_it_is(stage: Stage) -> None:
    async def due(_: float) -> bool:
        raise StoreUnusable("the disk is full")

    async def lap() -> LapReport:
        raise AssertionError("it is not due")

    stage.jobs.append(Registration(Scripted("lists", due, lap)))
    with pytest.raises(StoreUnusable, match="the disk is full"):
        await stage.run()


def until_stopped(stage: Stage, ended: DaemonError | None) -> Lap:
    """A lap that makes calls until none may leave any more, and then tells what it brought."""

    async def lap() -> LapReport:
        await stage.stopped.wait()
        return LapReport(5, ended=ended)

    return lap


async def forever() -> LapReport:
    await anyio.sleep_forever()
    return LapReport()


async def send(number: signal.Signals) -> None:
    """To this very process, once the run is waiting."""
    await anyio.wait_all_tasks_blocked()
    os.kill(os.getpid(), number)


@pytest.mark.asyncio
@pytest.mark.usefixtures("unhandled")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_lets_calls_in_flight_finish(stage: Stage, number: signal.Signals) -> None:
    stage.job("lists", until_stopped(stage, Stopped("no call leaves any more")))
    stage.job("details", LapReport(1))
    async with anyio.create_task_group() as group:
        group.start_soon(send, number)
        report = await stage.run()
    assert report == RunReport(brought=5, stopped="signal")
    assert stage.ran == ["lists"]


@pytest.mark.asyncio
@pytest.mark.usefixtures("unhandled")
async def test_the_second_signal_ends_the_run_where_it_is(stage: Stage) -> None:
    stage.job("lists", forever)

    async def send_twice() -> None:
        await send(signal.SIGTERM)
        await stage.stopped.wait()
        await send(signal.SIGTERM)

    async with anyio.create_task_group() as group:
        group.start_soon(send_twice)
        report = await stage.run()
    assert report == RunReport(stopped="signal")


@in_virtual_time
async def test_when_the_time_is_nearly_over_no_call_leaves_any_more() -> None:
    stage, began = Stage(), anyio.current_time()
    stage.job("lists", until_stopped(stage, Stopped("no call leaves any more")), LapReport(1))
    assert await stage.run(time_limit=3600) == RunReport(brought=5, stopped="time")
    assert stage.ran == ["lists"]
    assert anyio.current_time() - began == pytest.approx(3597, abs=0.1)


@in_virtual_time
async def test_when_the_time_is_over_the_run_ends_whatever_hangs() -> None:
    stage, began = Stage(), anyio.current_time()
    stage.job("lists", forever)
    assert await stage.run(time_limit=20) == RunReport(stopped="time")
    assert stage.stopped.is_set()
    assert anyio.current_time() - began == pytest.approx(20, abs=0.1)


@in_virtual_time
async def test_a_run_that_is_done_in_time_does_not_wait_for_it() -> None:
    stage, began = Stage(), anyio.current_time()
    stage.job("lists", LapReport(1))
    assert await stage.run(time_limit=3600) == RunReport(brought=1)
    assert anyio.current_time() - began < 0.1


@pytest.mark.asyncio
async def test_a_job_that_can_do_no_more_in_this_run_holds_up_no_other_and_is_told_among_what_failed(
    stage: Stage,
) -> None:
    full = DiskFull("no room")
    stage.job("files", LapReport(2, failed=["attached files: no room"], ended=full), LapReport(9))
    stage.job("details", LapReport(3), LapReport(0))
    with capture_logs() as logs:
        report = await stage.run()
    assert stage.ran == ["files", "details", "details"]
    assert report == RunReport(brought=5, failed=["attached files: no room"])
    assert logs == [], "it is logged where it is handled, and not once more"
