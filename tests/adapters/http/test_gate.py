"""The gate over lines of every kind, in virtual time: calls arrive a second apart, and who waits holds nobody."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from random import Random

import anyio
import pytest
from structlog.testing import capture_logs

from precoro_daemon.adapters.http.exchange import Answer, Request
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.errors import BudgetSpent, Stopped
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.quota.limits import Lane, Limits
from precoro_daemon.runtime.ports import PartPulse, own_pulse
from precoro_daemon.status.heartbeat import ProgressHeartbeat
from tests.adapters.http.stand_ins import MemoryBook
from tests.adapters.http.virtual_line import LISTED, VirtualLine, at_the_end_of
from tests.runtime.hours import LoopClock, in_virtual_time

GRANTED = Limits(guard=0.002, per_hour=0, per_day=0)
ROUTE = "Route based limiter by minute"


def get(target: int | str, lane: Lane = Lane.DETAILS) -> Request:
    return Request("GET", f"/invoices/{target}", lane=lane)


def body(answer: Answer) -> bytes:
    return answer.body


async def get_all(retrying: Retrying, first: int, calls: int, by: int = 8) -> None:
    """By so many at a time."""
    numbers = iter(range(first, first + calls))

    async def work() -> None:
        for number in numbers:
            await retrying.send(get(number), body)

    async with anyio.create_task_group() as tasks:
        for _ in range(by):
            tasks.start_soon(work)


def between(least: float, most: float, seed: int) -> Callable[[], float]:
    return partial(Random(seed).uniform, least, most)


# The pace


@pytest.mark.parametrize(
    ("way", "answer", "most_refused", "least"),
    [
        pytest.param((0.0, 0.04), (0.003, 0.005), 0, 57.8, id="0-40 ms"),
        pytest.param((0.02, 0.15), (0.003, 0.005), 0, 55.4, id="20-150 ms"),
        pytest.param((0.05, 0.4), (0.003, 0.005), 2, 50, id="50-400 ms"),
        pytest.param((0.0, 0.001), (0.3, 0.9), 0, 57, id="answers 300-900 ms"),
        pytest.param((0.0, 0.001), (3.0, 3.01), 0, 57.5, id="answers 3 s"),
    ],
)
def test_calls_arrive_a_second_apart_whatever_the_line(
    way: tuple[float, float], answer: tuple[float, float], most_refused: int, least: float
) -> None:
    @in_virtual_time
    async def play() -> None:
        clock = LoopClock()
        line = VirtualLine(clock.now, between(*way, 1), between(*answer, 2))
        async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
            await get_all(retrying, 0, 90)
            begun = clock.now()
            await get_all(retrying, 90, 120)
            took = clock.now() - begun
        assert len(line.refused) <= most_refused
        assert len(line.accepted) == 210
        assert 60 * 120 / took >= least

    play()


@in_virtual_time
async def test_an_answer_lets_the_next_call_leave_that_waits_for_a_later_time() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now, between(0.0, 0.9, 4), lambda: 0.003)
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
        await get_all(retrying, 0, 19)
        line.way = lambda: 0.01
        await retrying.send(get("swift"), body)
        await retrying.send(get("next"), body)
    swift, following = (line.of(get(name).target)[0].at for name in ("swift", "next"))
    assert 1 <= following - swift < 1.6


class _TimersCounted(LoopClock):
    timers = 0

    async def sleep(self, seconds: float) -> None:
        self.timers += 1
        await super().sleep(seconds)


@in_virtual_time
async def test_the_calls_that_wait_behind_others_of_their_lane_sleep_on() -> None:
    """On an uneven line the next second opens late: thirty of thirty-two workers wait, and no call wakes them all."""
    clock = _TimersCounted()
    line = VirtualLine(clock.now, between(0.0, 0.9, 4), lambda: 0.003)
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
        await get_all(retrying, 0, 60)
        began = clock.timers
        await get_all(retrying, 60, 120, by=32)
    assert len(line.accepted) == 180
    assert (clock.timers - began) / 120 < 6


@in_virtual_time
async def test_a_call_that_is_cancelled_once_it_was_written_is_arrived_after() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now, lambda: 0.05)
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
        await get_all(retrying, 0, 30)
        line.way = lambda: 0.09
        for number in range(100, 130):
            with anyio.move_on_after(1.2):
                await retrying.send(get(number), body)
            with anyio.move_on_after(0.02):
                await retrying.send(get(number + 1_000), body)
    assert line.refused == []


@in_virtual_time
async def test_stop_ends_a_call_that_is_about_to_leave() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now)
    async with at_the_end_of(line, clock, GRANTED) as (throttled, retrying):
        await retrying.send(get(1), body)
        begun = clock.now()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_stopped, retrying)
            await anyio.sleep(0.5)
            throttled.stop()
    assert clock.now() - begun < 0.6
    assert len(line.arrived) == 1


async def _stopped(retrying: Retrying) -> None:
    with pytest.raises(Stopped):
        await retrying.send(get(2), body)


# Who waits holds nobody


@in_virtual_time
async def test_a_call_that_waits_for_its_own_window_keeps_no_other_from_leaving() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now)
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying), anyio.create_task_group() as tasks:
        await retrying.send(get("same", Lane.LISTS), body)
        asked = clock.now()
        tasks.start_soon(retrying.send, get("same", Lane.LISTS), body)
        await anyio.sleep(asked + 59.8 - clock.now())
        await retrying.send(get("other"), body)
        assert clock.now() - asked < 59.9
    again = line.of(get("same").target)[1].at
    assert 60 < again - asked < 61
    assert line.refused == []


@in_virtual_time
async def test_a_call_refused_for_its_second_is_asked_again_soon_while_others_go_on() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now)
    refused = iter(["Second limiter"])
    line.refusing = lambda request: next(refused, "") if request.target == get(20).target else ""
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
        await get_all(retrying, 0, 60)
    first, second = line.of(get(20).target)
    assert second.at - first.at < 4 + 39, "it waits in its turn"
    assert line.accepted[-1] - line.accepted[0] < 63


@in_virtual_time
async def test_a_route_refusal_makes_that_get_wait_alone() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now)
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
        await retrying.send(get("first"), body)
        line.asked[get(3).target] = clock.now() - 20  # by somebody else
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(retrying.send, get(3), body)
            await get_all(retrying, 10, 20)
            assert clock.now() - line.arrived[0].at < 22
    first, second = line.of(get(3).target)
    assert first.verdict == ROUTE
    assert 39 <= second.at - first.at <= 42


@in_virtual_time
async def test_that_refused_gets_count_is_learned_by_one_repeat() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now, counts_refused=True)
    once = {get(name).target: iter(["Second limiter"]) for name in ("a", "b")}
    line.refusing = lambda request: next(once.get(request.target, iter(())), "")
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
        await retrying.send(get("first"), body)
        with capture_logs() as logs:
            await retrying.send(get("a"), body)
            await retrying.send(get("b"), body)
    assert [entry["event"] for entry in logs].count("refused_calls_counted") == 1
    assert [call.verdict for call in line.of(get("a").target)][:2] == ["Second limiter", ROUTE]
    assert [call.verdict for call in line.of(get("b").target)] == ["Second limiter", ""]


@in_virtual_time
async def test_a_list_with_a_refused_page_reads_on_and_takes_it_last() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now)
    taken: list[int] = []
    async with at_the_end_of(line, clock, GRANTED) as (_, retrying):
        client = PrecoroClient(retrying, 200)
        await client.page(ListRequest(COLLECTIONS["invoices"]), Lane.LISTS, 3)
        asked = clock.now()
        async with client.scan(ListRequest(COLLECTIONS["invoices"]), Lane.LISTS, 1) as batches:
            async for pages in batches:
                taken += [page.number for page in pages]
    assert taken == list(range(1, LISTED + 1))
    pages = [int(call.target.partition("page=")[2].partition("&")[0]) for call in line.arrived]
    assert pages == [3, 1, 2, 4, 5, 6, 7, 8, 9, 10, 3]
    assert line.arrived[-2].at - asked < 11
    assert 60 < clock.now() - asked < 61
    assert line.refused == []


# Others on the same key


@in_virtual_time
async def test_that_others_use_the_key_is_told_once_with_the_numbers() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now)
    async with at_the_end_of(line, clock, Limits(guard=0.002)) as (throttled, retrying):
        await get_all(retrying, 0, 9)
        line.refusing = lambda _: "Hourly limiter"
        with capture_logs() as logs, anyio.move_on_after(10):
            await retrying.send(get(10), body)
        assert throttled.account.left(clock.now() + 3)["hour"] == 0
    told = [entry for entry in logs if entry["event"] == "quota_shared"]
    assert [(one["window"], one["granted"], one["ours"], one["others"]) for one in told] == [("hour", 1_500, 10, 150)]


@in_virtual_time
async def test_a_day_that_others_spent_ends_the_lap() -> None:
    clock = LoopClock()
    line = VirtualLine(clock.now)
    async with at_the_end_of(line, clock, Limits(guard=0.002)) as (throttled, retrying):
        await retrying.send(get("first"), body)
        line.refusing = lambda _: "Daily limiter"
        line.asked = {}
        with pytest.raises(BudgetSpent):
            await _ask_until_spent(retrying)
        assert len(line.arrived) <= 12
        assert throttled.account.left(clock.now())["day"] == 0


async def _ask_until_spent(retrying: Retrying) -> None:
    for number in range(9):
        await retrying.send(get(number), body)


# Who goes next


@in_virtual_time
async def test_no_file_and_no_census_delays_what_is_more_urgent() -> None:
    """But for the one that was chosen already."""
    clock, numbers = LoopClock(), count()
    line = VirtualLine(clock.now, answer=lambda: 0.1)
    urgent = [Lane.DETAILS, Lane.LISTS, Lane.DELIVERIES, Lane.PAYMENTS]

    async def go_on(throttled: Throttled, lane: Lane) -> None:
        for number in numbers:
            await throttled.send(get(number, lane))

    async with at_the_end_of(line, clock, GRANTED) as (throttled, _), anyio.create_task_group() as tasks:
        await throttled.send(get("first"))
        for lane in (Lane.CENSUS, Lane.FILES) * 3:
            tasks.start_soon(go_on, throttled, lane)
        await anyio.sleep(10)
        came = len(line.arrived)
        for lane in urgent:
            tasks.start_soon(throttled.send, get(lane.name, lane))
        await anyio.sleep(10)
        tasks.cancel_scope.cancel()
    after = [call.target.removeprefix("/invoices/") for call in line.arrived[came:]]
    assert [name for name in after if name.isupper()] == ["PAYMENTS", "DELIVERIES", "LISTS", "DETAILS"]
    assert after.index("DETAILS") <= 4


# What others must know


@in_virtual_time
async def test_a_call_that_lets_more_urgent_ones_go_gives_signs_of_life_and_one_behind_a_stopped_gate_does_not() -> (
    None
):
    """A census beside lists at full rate is not stuck; if nothing leaves any more, it is."""
    clock = LoopClock()
    hanging, census, numbers = False, PartPulse("take_census"), count()
    line = VirtualLine(clock.now, answer=lambda: 1e6 if hanging else 0.1)
    heartbeat = ProgressHeartbeat(clock)

    async def take_census(throttled: Throttled) -> None:
        own_pulse.set(census)
        census.begin(clock.now())
        await throttled.send(get("census", Lane.CENSUS))

    async def list_all(throttled: Throttled) -> None:
        for number in numbers:
            await throttled.send(get(number, Lane.LISTS))

    async with (
        at_the_end_of(line, clock, GRANTED, progress=heartbeat) as (throttled, _),
        anyio.create_task_group() as tasks,
    ):
        await throttled.send(get("first"))
        for _ in range(4):
            tasks.start_soon(list_all, throttled)
        await anyio.sleep(5)
        tasks.start_soon(take_census, throttled)
        await anyio.sleep(200)
        assert not line.of("/invoices/census"), "it waits for more urgent ones all the time"
        assert clock.now() - census.heard_at < 60
        hanging = True
        await anyio.sleep(200)
        assert clock.now() - census.heard_at > 130
        tasks.cancel_scope.cancel()


@in_virtual_time
async def test_the_next_process_knows_the_line_and_the_others_on_the_key() -> None:
    """A first process tries the line out, which may cost refusals; the second makes none and is as fast at once."""
    clock, book = LoopClock(), MemoryBook()
    line = VirtualLine(clock.now, between(0.05, 0.4, 1), between(0.003, 0.005, 2))
    async with at_the_end_of(line, clock, GRANTED, book=book) as (_, retrying):
        await get_all(retrying, 0, 300)
    refused = len(line.refused)
    for process in (1, 2, 3):
        async with at_the_end_of(line, clock, GRANTED, book=book) as (_, retrying):
            begun = clock.now()
            await get_all(retrying, 1_000 * process, 60)
            assert 60 * 60 / (clock.now() - begun) >= 50
    assert len(line.refused) == refused
