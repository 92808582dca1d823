"""Jobs on their schedules: turns, wake-ups, quota, setbacks, the watchdog; in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise

import anyio
import pytest
from structlog.testing import capture_logs

from precoro_daemon.errors import (
    AuthenticationError,
    BudgetSpent,
    Forbidden,
    LedgerMisfit,
    LoginNeeded,
    Stopped,
    StoreUnavailable,
    StoreUnusable,
    TemporaryError,
)
from precoro_daemon.quota.limits import Lane
from precoro_daemon.runtime.job import LapReport, OncePerRound
from precoro_daemon.runtime.job_state import State
from precoro_daemon.runtime.ports import LapTimes, PartPulse, PastLap
from precoro_daemon.runtime.scheduler import Scheduler
from precoro_daemon.runtime.schedules import Every
from tests.runtime.hours import START, Day, Manager, MemoryLapBook, in_virtual_time

Lap = Callable[[], Awaitable[LapReport]]


@in_virtual_time
async def test_a_job_has_its_turn_at_once_and_then_by_its_schedule() -> None:
    day = Day()
    day.job("lists", 30.0, schedule=Every(1200))
    await day.live(3700)
    assert day.times("lists") == [0, 1200, 2400, 3600]


@in_virtual_time
async def test_a_lap_longer_than_the_schedule_is_followed_by_one_not_by_those_it_missed() -> None:
    day = Day()
    day.job("lists", 100.0, schedule=Every(30))
    await day.live(350)
    assert day.times("lists") == [0, 100, 200, 300]
    assert len(day.ended) == 4, "never two at once"


@in_virtual_time
async def test_a_lap_that_brought_something_wakes_what_depends_on_it() -> None:
    day = Day()
    found = [3, 2]
    day.job("lists", 5.0, work=[1, 0, 4], schedule=Every(600))
    day.job("details", 1.0, work=found, after=frozenset({"lists"}))
    await day.live(590)
    assert day.times("details") == [1, 2], "both laps that were to do, one after the other"
    found.append(7)
    assert day.times("lists") == [0, 5], "a lap that brought something is followed by another while there is more"


@in_virtual_time
async def test_what_nobody_announced_is_found_by_looking_now_and_then() -> None:
    day = Day()
    work: list[int] = []
    day.job("details", 1.0, work=work)
    await day.live(700, (10, lambda _: work.append(1)))
    assert day.times("details") == [300]


@in_virtual_time
async def test_a_wake_up_shortens_the_wait_and_twenty_of_them_make_one_lap() -> None:
    day = Day()
    day.job("payments", 10.0, schedule=Every(900))
    await day.live(800, (100, lambda service: [service.wake("payments") for _ in range(20)]))
    assert day.times("payments") == [0, 100]


@in_virtual_time
async def test_a_wake_up_during_a_lap_is_not_lost() -> None:
    day = Day()
    day.job("payments", 60.0, schedule=Every(900))
    await day.live(800, (30, lambda service: service.wake("payments")))
    assert day.times("payments") == [0, 60]


@in_virtual_time
async def test_waking_a_job_that_is_not_there_does_nothing() -> None:
    day = Day()
    day.job("lists", schedule=Every(900))
    await day.live(10, (1, lambda service: service.wake("wash_dishes")))
    assert day.times("lists") == [0]


@in_virtual_time
async def test_jobs_of_one_group_never_run_together() -> None:
    day = Day()
    for name in ("mark", "export"):
        day.job(name, 40.0, schedule=Every(60), group="payments")
    await day.live(400)
    stretches = sorted(zip([at for _, at in day.ran], [at for _, at in day.ended], strict=True))
    assert all(end <= begin for (_, end), (begin, _) in pairwise(stretches))
    assert min(len(day.times("mark")), len(day.times("export"))) >= 4, "both have their turns"


@in_virtual_time
async def test_who_wants_a_group_to_rest_waits_for_its_lap_and_holds_up_the_next() -> None:
    day = Day()
    rested: list[tuple[int, int]] = []

    async def rest(service: Scheduler, group: str) -> None:
        async with service.without(group):
            begun = day.now
            await day.clock.sleep(100)
            rested.append((begun, day.now))

    tasks: list[asyncio.Task[None]] = []
    day.job("mark", 40.0, schedule=Every(60), group="payments")
    day.job("lists", 40.0, schedule=Every(60), group="lists")
    resting = [(70, "payments"), (75, "nobody's")]
    await day.live(
        260,
        *(
            (at, lambda service, group=group: tasks.append(asyncio.create_task(rest(service, group))))
            for at, group in resting
        ),
    )
    assert day.times("mark") == [0, 60, 200]
    assert day.times("lists") == [1, 61, 121, 181, 241]
    assert rested == [(75, 175), (100, 200)]
    assert all(task.done() for task in tasks)


@in_virtual_time
async def test_jobs_without_a_group_hold_each_other_up_in_nothing() -> None:
    day = Day()
    day.job("lists", 20.0, schedule=Every(1000))
    day.job("census", 3000.0, schedule=Every(86_400))
    day.job("deliveries", schedule=Every(60))
    await day.live(3500)
    assert day.times("lists") == [0, 1000, 2000, 3000]
    assert day.times("deliveries") == [*range(2, 3500, 60)]
    assert ("census", 3001) in day.ended, "nobody breaks it off"


@in_virtual_time
async def test_who_has_nothing_to_do_takes_no_turn_in_its_group() -> None:
    day = Day()
    day.job("mark", work=[], schedule=Every(60), group="payments")
    day.job("export", 3000.0, work=[1], schedule=Every(86_400), group="payments")
    seen: list[State] = []
    await day.live(
        4000,
        *((at, lambda service: service.wake("mark")) for at in range(100, 2000, 100)),
        (2050, lambda _: seen.append(day.status("mark").state)),
    )
    assert seen == [State.IDLE]


@in_virtual_time
async def test_a_lap_that_brought_something_is_no_reason_for_a_turn_before_its_time() -> None:
    """Also where another one of the group waits: what is due once a round has done its part of it."""
    day = Day()

    async def lap() -> LapReport:
        await day.clock.sleep(40)
        return LapReport(1)

    for name in ("mark", "export"):
        day.job(name, lap, schedule=Every(100), group="payments")
    await day.live(390)
    assert day.times("mark") == [0, 100, 200, 300]
    assert len(day.times("export")) == 4


@in_virtual_time
async def test_what_failed_in_a_round_is_left_alone_though_others_had_turns_between_its_laps() -> None:
    day = Day()
    rounds: set[float] = set()
    work = [1] * 5

    async def due(now: float) -> bool:
        if work:
            rounds.add(now)
        return bool(work)

    async def lap() -> LapReport:
        await day.clock.sleep(50)
        work.pop()
        return LapReport(1)

    day.job("deliveries", lap, due=due, schedule=Every(10_000), group="documents")
    day.job("others", 10.0, schedule=Every(60), group="documents")
    await day.live(1000)
    assert len(day.times("deliveries")) == 5
    assert day.times("others")[:3] == [50, 110, 170], "one lap is all that it waits"
    assert len(rounds) == 1, "it is the same round throughout"


@in_virtual_time
async def test_who_has_much_to_do_lets_others_of_its_group_have_their_turns() -> None:
    day = Day()
    day.job("deliveries", 200.0, work=[1] * 40, schedule=Every(60), group="lists")
    day.job("lists", 20.0, schedule=Every(600), group="lists")
    await day.live(6000)
    waits = [later - earlier for earlier, later in pairwise(day.times("lists"))]
    assert len(waits) >= 8
    assert max(waits) <= 820
    assert len(day.times("deliveries")) > 20


@pytest.mark.parametrize("error", [TemporaryError("503"), Forbidden("no such role"), StoreUnusable("disk full")])
@in_virtual_time
async def test_a_failure_that_a_lap_does_not_catch_ends_no_service(error: Exception) -> None:
    day = Day()

    async def lap() -> LapReport:
        raise error

    day.job("payments", lap, schedule=Every(10))
    day.job("lists", schedule=Every(100))
    await day.live(1000)
    assert day.times("payments") == [0, 60, 180, 420, 900]
    assert len(day.times("lists")) == 10


@in_virtual_time
async def test_a_lap_that_is_heard_again_is_no_longer_stuck() -> None:
    day = Day(stuck_after=600.0)

    async def lap() -> LapReport:
        await day.clock.sleep(700)
        day.heartbeat.called(Lane.FILES, {"day": 7})
        await day.clock.sleep(300)
        return LapReport()

    day.job("files", lap, schedule=Every(10_000))
    seen: list[bool] = []
    await day.live(1100, *((at, lambda _: seen.append(day.status("files").stuck)) for at in (590, 650, 750)))
    assert seen == [False, True, False]


@in_virtual_time
async def test_a_restart_begins_no_lap_that_is_not_due() -> None:
    day = Day()
    day.job("lists", 1.0, schedule=Every(1200))
    for _ in range(10):
        await day.live(60)
    assert day.times("lists") == [0]
    await day.live(700)
    assert day.times("lists") == [0, 1200]


@in_virtual_time
async def test_overdue_jobs_do_not_all_begin_in_the_same_moment() -> None:
    day = Day()
    for number in range(4):
        day.job(f"job {number}", schedule=Every(1200))
    await day.live(60)
    assert [at for _, at in day.ran] == [0, 1, 2, 3]


@in_virtual_time
async def test_a_lap_that_is_said_to_have_been_tomorrow_holds_nothing_up() -> None:
    """The clock was a day ahead when it was noted."""
    day = Day()
    day.book.laps["lists"] = LapTimes(START + 86_400, START + 86_401)
    day.job("lists", schedule=Every(1200))
    await day.live(60)
    assert day.times("lists") == [0]


@pytest.mark.parametrize("ahead", [86_400.0, -86_400.0])
@in_virtual_time
async def test_a_clock_that_the_first_answer_sets_right_loses_no_lap_and_spins_none(ahead: float) -> None:
    day = Day()
    began = anyio.current_time()
    turns: list[float] = []

    async def lap() -> LapReport:
        turns.append(anyio.current_time() - began)
        if len(turns) == 1:
            await anyio.sleep(2)
            day.clock.anchor(day.clock.now() - ahead)
        return LapReport()

    day.job("lists", lap, schedule=Every(1200))
    day.job("files", 1.0, schedule=Every(1200))
    service = day.service()
    async with anyio.create_task_group() as group:
        group.start_soon(service.run)
        await anyio.sleep(7000)
        service.scheduler.end()
    assert 6 <= len(turns) <= 7
    assert 6 <= len(day.times("files")) <= 7


@in_virtual_time
async def test_a_spent_budget_is_told_once_and_slept_through_whoever_wakes() -> None:
    day = Day()
    laps: list[float] = []

    async def lap() -> LapReport:
        laps.append(day.now)
        return LapReport(1, ended=BudgetSpent("spent", resume_at=START + 3600) if len(laps) < 2 else None)

    day.job("details", lap, schedule=Every(60))
    await day.live(3650, *[(at, lambda service: service.wake("details")) for at in range(10, 3000, 50)])
    assert laps[:2] == [0, 3600]


@in_virtual_time
async def test_who_wakes_a_job_that_cannot_work_is_told_until_when() -> None:
    day = Day()

    async def lap() -> LapReport:
        return LapReport(ended=BudgetSpent("the day is over", resume_at=day.clock.now() + 900))

    day.job("payments", lap, schedule=Every(10))
    day.job("lists", schedule=Every(100))
    said: list[str] = []
    await day.live(100, (50, lambda service: said.extend(map(service.obstacle, ("payments", "lists", "none")))))
    assert said == ["payments cannot work before 2027-01-15 08:15:00 UTC: the quota is spent", "", ""]


@in_virtual_time
async def test_a_refused_key_is_tried_every_quarter_of_an_hour_and_then_all_is_well() -> None:
    day = Day()
    laps: list[int] = []

    async def lap() -> LapReport:
        laps.append(day.now)
        return LapReport(ended=AuthenticationError("401") if day.now < 2000 else None)

    day.job("lists", lap, schedule=Every(60))
    day.job("other", schedule=Every(600))
    service: list[object] = []
    await day.live(
        3000,
        (100, lambda _: service.append(day.status("lists").trouble)),
        (2900, lambda _: service.append(day.status("lists").trouble)),
    )
    assert laps[:4] == [0, 900, 1800, 2700]
    assert isinstance(service[0], AuthenticationError)
    assert service[1] is None
    assert len(day.times("other")) == 5, "the others go on"
    assert "needs attention: lists: 401" in day.manager.said


@pytest.mark.parametrize("error", [LedgerMisfit("no such table"), StoreUnusable("disk full"), TemporaryError("no")])
@in_virtual_time
async def test_other_trouble_is_met_later_and_later_but_every_quarter_of_an_hour_at_least(error: Exception) -> None:
    day = Day()

    async def lap() -> LapReport:
        return LapReport(failed=["x"], ended=error)

    day.job("payments", lap, schedule=Every(10))
    await day.live(4000)
    assert day.times("payments") == [0, 60, 180, 420, 900, 1800, 2700, 3600]


@in_virtual_time
async def test_what_a_silent_job_fails_at_again_and_again_is_logged_once() -> None:
    day = Day()

    async def lap() -> LapReport:
        return LapReport(failed=["the books cannot be read"] if day.now < 250 else ["payment 7: 503"])

    day.job("payments", lap, schedule=Every(100), silent=True)
    day.job("lists", lap, schedule=Every(100))
    with capture_logs() as logs:
        await day.live(450)
    told = [(line["job"], line["reason"]) for line in logs if line["event"] == "work_failed"]
    assert told == [("payments", "the books cannot be read"), ("payments", "payment 7: 503")]


@in_virtual_time
async def test_a_store_that_fails_when_asked_what_is_due_is_asked_again_later() -> None:
    day = Day()
    asked: list[int] = []

    rounds = OncePerRound()

    async def due(now: float) -> bool:
        asked.append(day.now)
        if day.now < 50:
            raise StoreUnusable("disk full")
        return rounds.due(now)

    async def lap() -> LapReport:
        rounds.lap_ended()
        return LapReport()

    day.job("details", lap, due=due, schedule=Every(600))
    await day.live(200)
    assert sorted(set(asked)) == [0, 60]
    assert day.times("details") == [60]


@in_virtual_time
async def test_trouble_is_over_when_the_store_answers_though_there_is_nothing_to_do() -> None:
    day = Day()
    asked: list[int] = []

    async def due(_: float) -> bool:
        asked.append(day.now)
        if day.now < 10:
            raise StoreUnusable("locked")
        return False

    day.job("details", due=due)
    troubles: list[object] = []
    await day.live(
        200,
        (20, lambda _: troubles.append(str(day.status("details").trouble))),
        (80, lambda _: troubles.append(day.status("details").trouble)),
        (100, lambda service: service.wake("details")),
    )
    assert troubles == ["locked", None]
    assert asked == [0, 60, 100], "it is woken as any other"


@in_virtual_time
async def test_the_end_lets_a_lap_finish_and_begins_no_other() -> None:
    day = Day()

    async def lap() -> LapReport:
        await day.stopped.wait()
        await day.clock.sleep(4)
        return LapReport(5, ended=Stopped("no call leaves any more"))

    day.job("lists", lap, schedule=Every(60))
    day.job("details", work=[], after=frozenset({"lists"}))
    await day.live(100)
    assert day.ended == [("lists", 104)]


@in_virtual_time
async def test_a_silent_lap_is_noticed_and_the_watchdog_no_longer_fed_until_it_ends() -> None:
    day = Day(stuck_after=600.0)
    day.job("files", 2000.0, schedule=Every(10_000))
    day.job("lists", schedule=Every(100))
    seen: list[bool] = []
    await day.live(2500, (590, lambda _: seen.append(day.status("files").stuck)),
                   (620, lambda _: seen.append(day.status("files").stuck)),
                   (2100, lambda _: seen.append(day.status("files").stuck)))  # fmt: skip
    assert seen == [False, True, False]
    beats = [round(at) for at in day.manager.beats]
    gap = max(later - earlier for earlier, later in pairwise(beats))
    assert 1390 <= gap <= 1410, "from 600 to 2,000 seconds nobody said that all is well"
    assert len(day.times("lists")) == 25, "the others go on"


@in_virtual_time
async def test_a_silent_lap_is_noticed_where_nobody_waits_for_signs_of_life_with_few_checks() -> None:
    day = Day(stuck_after=600.0, manager=Manager(watchdog_interval=None))
    day.job("files", 2000.0, schedule=Every(10_000))
    seen: list[bool] = []
    look = tuple((at, lambda _: seen.append(day.status("files").stuck)) for at in (590, 630))
    await day.live(1000, *look)
    assert seen == [False, True]
    whole = Day(stuck_after=900.0, manager=Manager(watchdog_interval=None))
    whole.job("files", 0.0, schedule=Every(10_000))
    await whole.live(3600)
    assert len(whole.manager.beats) <= 3600 / 30 + 2


@in_virtual_time
async def test_waiting_for_quota_is_no_silence_and_neither_is_work() -> None:
    day = Day(stuck_after=600.0)

    async def lap() -> LapReport:
        day.heartbeat.waiting(Lane.DETAILS, "hour", day.clock.now() + 3000)
        await day.clock.sleep(3000)
        for _ in range(9):
            day.heartbeat.called(Lane.DETAILS, {"day": 7})
            await day.clock.sleep(500)
        return LapReport(1)

    day.job("details", lap, work=[1])
    await day.live(8000)
    beats = day.manager.beats
    assert max(later - earlier for earlier, later in pairwise(beats)) < 31


@in_virtual_time
async def test_a_job_that_ends_by_a_mistake_of_ours_ends_the_service() -> None:
    day = Day()

    async def lap() -> LapReport:
        raise ZeroDivisionError

    day.job("lists", lap, schedule=Every(60))
    day.job("details", schedule=Every(60))
    with pytest.raises(ExceptionGroup) as failure:
        await day.live(100)
    assert failure.group_contains(ZeroDivisionError)


@in_virtual_time
async def test_the_supervisor_hears_what_is_being_done() -> None:
    day = Day()
    day.job("lists", 50.0, schedule=Every(1200))
    await day.live(100)
    assert day.manager.said[0].startswith("ready: ")
    assert "working: lists" in day.manager.said
    assert day.manager.said[-1] == "everything is done for now"


@in_virtual_time
async def test_when_the_last_lap_was_good_is_remembered_whatever_came_since() -> None:
    day = Day()

    async def lap() -> LapReport:
        return LapReport(failed=["invoices: 500"] if day.now else [])

    day.job("lists", lap, schedule=Every(600))
    await day.live(1000)
    pulse = day.status("lists")
    assert (pulse.laps, pulse.failures, pulse.good_at) == (2, 1, START)
    assert day.book.laps["lists"] == LapTimes(START + 600, START + 600, None)


@in_virtual_time
async def test_a_job_that_hangs_while_it_looks_whether_it_is_due_is_noticed_too() -> None:
    day = Day(stuck_after=600.0)

    async def due(_: float) -> bool:
        await anyio.sleep_forever()
        return True

    day.job("lists", due=due, schedule=Every(100))
    seen: list[bool] = []

    def end(service: Scheduler) -> None:
        seen.append(day.status("lists").stuck)
        raise ZeroDivisionError  # nothing else ends it

    with pytest.raises(ExceptionGroup):
        await day.live(2000, (590, lambda _: seen.append(day.status("lists").stuck)), (620, end))
    assert seen == [False, True]
    assert max(day.manager.beats) < 610


@in_virtual_time
async def test_what_is_no_job_must_give_signs_of_life_too() -> None:
    day = Day(stuck_after=600.0)
    day.job("lists", schedule=Every(100))
    part = PartPulse("webhooks")
    seen: list[bool] = []

    def begin(_: Scheduler) -> None:
        day.heartbeat.pulse.others = [part]
        part.begin(day.clock.now())

    await day.live(2000, (100, begin), (690, lambda _: seen.append(part.stuck)),
                   (710, lambda _: seen.append(part.stuck)), (1000, lambda _: part.rest()))  # fmt: skip
    assert seen == [False, True]
    gap = max(later - earlier for earlier, later in pairwise(day.manager.beats))
    assert 290 <= gap <= 310


@in_virtual_time
async def test_a_job_whose_laps_end_with_the_quota_has_recovered_once_they_bring_something() -> None:
    day = Day()

    async def lap() -> LapReport:
        if day.now < 100:
            return LapReport(ended=StoreUnavailable("locked"))
        brought = 500 if day.now > 5_000 else 0
        return LapReport(brought, ended=BudgetSpent("spent", resume_at=day.clock.now() + 600))

    seen: list[object] = []

    def look(_: object) -> None:
        seen.append(day.status("backfill").trouble)

    day.job("backfill", lap, work=[1] * 10_000)
    with capture_logs() as told:
        await day.live(15_000, (4_000, look), (10_000, look))
    assert [str(trouble) for trouble in seen] == ["locked", "None"]
    events = [line["event"] for line in told if line["event"] != "lap_finished"]
    assert events == ["job_blocked", "budget_spent", "job_recovered"], "each is told once"


@in_virtual_time
async def test_what_waits_for_something_on_this_machine_looks_again_and_again() -> None:
    day = Day()
    at: list[float] = []
    work = [1]

    async def lap() -> LapReport:
        at.append(day.now)
        if day.now >= 3_000:
            return LapReport()
        work.append(1)  # it is still to do
        missing = LoginNeeded("log in")
        missing.recheck_s = 60.0
        return LapReport(ended=missing)

    day.job("payments", lap, work=work)
    with capture_logs() as told:
        await day.live(3_100)
    assert {round(later - earlier) for earlier, later in pairwise(at)} == {60}
    assert at[-1] < 3_060, "at most a minute after it came"
    events = [line["event"] for line in told if line["event"] != "lap_finished"]
    assert events == ["job_blocked", "job_recovered"], "each is told once"


@in_virtual_time
async def test_trouble_is_over_when_others_have_done_what_there_was_to_do() -> None:
    """One that cannot work while there is something to do, and finds nothing at its next turn."""
    day = Day()
    work = [1]

    async def lap() -> LapReport:
        work.append(1)  # it is still to do
        return LapReport(ended=StoreUnavailable("locked"))

    troubles: list[str] = []

    def look(_: object) -> None:
        troubles.append(str(day.status("details").trouble))

    day.job("details", lap, work=work)
    with capture_logs() as told:
        await day.live(1000, (20, look), (30, lambda _: work.clear()), (80, look))
    assert troubles == ["locked", "None"]
    assert [line["event"] for line in told] == ["job_blocked", "job_recovered"]


@in_virtual_time
async def test_trouble_is_over_when_others_did_the_work_while_the_job_waited_for_its_turn() -> None:
    day = Day()
    work = [1]

    async def lap() -> LapReport:
        work.append(1)
        return LapReport(ended=StoreUnavailable("locked"))

    async def other() -> LapReport:
        if day.now > 50:
            await day.clock.sleep(100)
            work.clear()
        return LapReport()

    day.job("details", lap, work=work, group="documents")
    day.job("deliveries", other, schedule=Every(55), group="documents")
    await day.live(400)
    assert day.status("details").trouble is None
    assert day.times("details") == [0]


@in_virtual_time
async def test_a_cause_is_logged_once_and_another_one_of_its_kind_too() -> None:
    day = Day()

    async def lap() -> LapReport:
        raise LedgerMisfit("no such table" if day.now < 500 else "no such column")

    day.job("payments", lap, schedule=Every(10))
    with capture_logs() as logs:
        await day.live(3000)
    assert [line["reason"] for line in logs] == ["no such table", "no such column"]


@in_virtual_time
async def test_after_a_reload_each_job_has_its_turn_at_once() -> None:
    day = Day()
    day.book.laps["lists"] = LapTimes(START - 60, START - 50, START - 50)
    day.job("lists", schedule=Every(1200))
    service = day.service(resume=False)
    async with anyio.create_task_group() as group:
        group.start_soon(service.run)
        await anyio.sleep(10)
        assert day.times("lists") == [0]
        service.scheduler.end()


@in_virtual_time
async def test_what_a_job_is_doing_can_be_seen() -> None:
    day = Day()

    async def spent() -> LapReport:
        return LapReport(ended=BudgetSpent("spent", resume_at=START + 900))

    async def refused() -> LapReport:
        return LapReport(ended=AuthenticationError("401"))

    day.job("lists", 100.0, schedule=Every(1000), group="lists")
    day.job("deliveries", schedule=Every(1000), group="lists")
    day.job("details", spent)
    day.job("files", refused)
    day.job("fields", work=[])
    seen: list[State] = []
    await day.live(50, (20, lambda scheduler: seen.extend(job.state for job in scheduler.jobs)))
    assert seen == [State.RUNNING, State.WAITING, State.OUT_OF_QUOTA, State.BLOCKED, State.IDLE]
    assert {job.state for job in day.heartbeat.pulse.jobs} == {State.DRAINING}


@in_virtual_time
async def test_a_lap_that_cannot_be_kept_for_later_processes_blocks_its_job() -> None:
    day = Day()

    class Broken(MemoryLapBook):
        async def save(self, job: str, times: LapTimes, past: PastLap | None = None) -> None:
            raise StoreUnusable("disk full")

    day.book = Broken()
    day.job("lists", schedule=Every(10))
    await day.live(200)
    assert day.times("lists") == [0, 60, 180]
    assert isinstance(day.status("lists").trouble, StoreUnusable)


@in_virtual_time
async def test_laps_that_did_nothing_are_kept_now_and_then_others_at_once_and_the_last_at_the_end() -> None:
    day = Day()
    kept: list[int] = []

    class Counting(MemoryLapBook):
        async def save(self, job: str, times: LapTimes, past: PastLap | None = None) -> None:
            kept.append(round(times.ended_at - START))
            await super().save(job, times, past)

    day.book = Counting()
    laps = iter([*[LapReport()] * 7, LapReport(brought=1), *[LapReport()] * 3, LapReport(failed=["500"])])
    day.job("lists", lambda: _next_of(laps), schedule=Every(60))
    await day.live(690)
    assert kept == [0, 300, 420, 660]
    assert day.book.laps["lists"] == LapTimes(START + 660, START + 660, START + 600)
    day.jobs.clear()
    day.job("lists", schedule=Every(60))
    await day.live(100)
    assert kept[4:] == [720, 780]


@in_virtual_time
async def test_the_history_has_the_laps_that_did_something() -> None:
    day = Day()
    laps = iter([LapReport(brought=3), LapReport(), LapReport(failed=["invoices: 500", "receipts: 500"])])
    day.job("lists", lambda: _next_of(laps), schedule=Every(600))
    await day.live(1500)
    assert day.book.past == [
        PastLap("lists", START, 0.0, brought=3),
        PastLap("lists", START + 1200, 0.0, failed=2, reason="invoices: 500"),
    ]


async def _next_of(laps: Iterator[LapReport]) -> LapReport:
    return next(laps)
