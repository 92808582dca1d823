"""One service after the other: real signals, reload, drain, and the end in time."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from precoro_daemon.runtime.job import LapReport
from precoro_daemon.runtime.lifecycle import End, Hooks, Service, run_services
from precoro_daemon.runtime.schedules import Every
from tests.runtime.hours import Day, Manager

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def unhandled() -> Iterator[None]:
    """A signal that nobody handles fails the test instead of ending the test run."""

    def fail(number: int, _: object) -> None:
        raise AssertionError(f"nobody handles {signal.Signals(number).name}")

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, fail) for number in numbers}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@dataclass
class House:
    """Services that run one job; what was asked of the house, in order."""

    lap: Callable[[Day], Awaitable[LapReport]]
    accepts: bool = True
    manager: Manager = field(default_factory=Manager)
    days: list[Day] = field(default_factory=list)
    begun: anyio.Event = field(default_factory=anyio.Event)
    limits: list[float] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)
    left: int = 0

    @asynccontextmanager
    async def build(self) -> AsyncIterator[Service]:
        day = Day(manager=self.manager)
        self.days.append(day)

        async def lap() -> LapReport:
            self.begun.set()
            return await self.lap(day)

        day.job("lists", lap, schedule=Every(3600))
        try:
            yield day.service()
        finally:
            self.left += 1

    async def reload(self) -> bool:
        return self.accepts

    def stopping(self) -> None:
        self.manager.said.append("told")

    async def run(self) -> End:
        hooks = Hooks(self.manager, self.stopping, self.limits.append, self.ends.append)
        return await run_services(self.build, self.reload, hooks)


async def nothing(_: Day) -> LapReport:
    return LapReport()


async def until_stopped(day: Day) -> LapReport:
    await day.stopped.wait()
    return LapReport(1)


async def forever(_: Day) -> LapReport:
    await anyio.sleep_forever()
    return LapReport()


async def send(house: House, *numbers: signal.Signals) -> None:
    await house.begun.wait()
    for number in numbers:
        os.kill(os.getpid(), number)
        await anyio.sleep(0.05)  # it arrives by way of a socket


async def run(house: House, *numbers: signal.Signals) -> End:
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(send, house, *numbers)
            return await house.run()
    raise AssertionError


@pytest.mark.parametrize(("number", "end"), [(signal.SIGTERM, "terminated"), (signal.SIGINT, "interrupted")])
async def test_a_signal_lets_calls_in_flight_finish(number: signal.Signals, end: End) -> None:
    house = House(until_stopped)
    assert await run(house, number) == end
    assert house.days[0].status("lists").laps == 1
    assert house.left == 1, "what was built is closed"
    assert "stopping: finishing the calls in flight" in house.manager.said
    assert house.limits == [18.5], "whatever hangs, the process is gone in less than 20 s"
    assert house.ends == [end]


async def test_a_second_signal_ends_everything_where_it_is() -> None:
    house = House(forever)
    assert await run(house, signal.SIGTERM, signal.SIGTERM) == "terminated"
    assert house.left == 1
    assert house.limits == [18.5, 1.5]
    assert house.ends == ["terminated"]


async def test_an_idle_service_ends_at_once() -> None:
    assert await run(House(nothing), signal.SIGTERM) == "terminated"


async def test_a_reload_builds_anew_when_the_calls_in_flight_are_answered() -> None:
    house = House(until_stopped)
    assert await run(house, signal.SIGHUP, signal.SIGTERM) == "terminated"
    assert len(house.days) == 2
    assert house.days[0].status("lists").laps == 1
    assert "reloading" in house.manager.said
    assert [said[:5] for said in house.manager.said].count("ready") == 2


async def test_a_reload_that_is_refused_changes_nothing() -> None:
    house = House(until_stopped, accepts=False)
    assert await run(house, signal.SIGHUP, signal.SIGTERM) == "terminated"
    assert len(house.days) == 1
    assert "reloading" not in house.manager.said


async def test_a_reload_that_is_asked_for_while_a_service_is_built_follows_it() -> None:
    house = House(until_stopped)
    built = house.build
    asked: list[int] = []

    async def reload() -> bool:
        asked.append(len(house.days))
        return True

    @asynccontextmanager
    async def slowly() -> AsyncIterator[Service]:
        if len(house.days) < 2:
            os.kill(os.getpid(), signal.SIGHUP)
            await anyio.sleep(0.05)
        async with built() as service:
            yield service

    house.build, house.reload = slowly, reload  # type: ignore[method-assign]
    assert await run(house, signal.SIGTERM) == "terminated"
    assert asked == [1, 2]


async def test_a_reload_that_is_read_while_the_former_service_goes_is_not_lost() -> None:
    """Its file is still being read when the next service, by the one before it, is built."""
    house = House(until_stopped)
    built, reads = house.build, list[int]()

    async def reload() -> bool:
        reads.append(len(house.days))
        if len(reads) == 2:
            await anyio.sleep(0.3)
        return True

    @asynccontextmanager
    async def slowly() -> AsyncIterator[Service]:
        if house.days:
            await anyio.sleep(0.5)
        async with built() as service:
            yield service

    async def lap(day: Day) -> LapReport:
        await day.stopped.wait()
        await anyio.sleep(0.2)
        return LapReport(1)

    house.build, house.reload, house.lap = slowly, reload, lap  # type: ignore[method-assign]

    async def end() -> None:
        while len(house.days) < 3 or not house.days[2].ran:  # noqa: ASYNC110 - its services do not tell us
            await anyio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(send, house, signal.SIGHUP, signal.SIGHUP)
            group.start_soon(end)
            assert await house.run() == "terminated"
    assert reads == [1, 1, 2], "it is read once more when there is a service again"
    assert len(house.days) == 3


async def test_the_end_does_not_wait_for_a_configuration_that_cannot_be_read_to_its_end() -> None:
    house = House(until_stopped)

    async def hangs() -> bool:
        await anyio.sleep_forever()
        return True

    house.reload = hangs  # type: ignore[method-assign]
    assert await run(house, signal.SIGHUP, signal.SIGTERM) == "terminated"


async def test_what_was_held_back_before_anybody_listened_is_handled() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    signal.raise_signal(signal.SIGHUP)  # to this thread: in the program there is no other one then
    house = House(until_stopped)
    assert await run(house, signal.SIGTERM) == "terminated"
    assert "reloading" in house.manager.said


async def test_a_signal_during_a_reload_ends_the_program() -> None:
    house = House(forever)
    assert await run(house, signal.SIGHUP, signal.SIGTERM, signal.SIGTERM) == "terminated"
    assert len(house.days) == 1


async def test_a_signal_while_the_next_service_is_built_is_not_lost() -> None:
    """Neither does the system's own rule apply then, by which the process would die in the middle."""
    house = House(until_stopped)
    built = house.build

    @asynccontextmanager
    async def slowly() -> AsyncIterator[Service]:
        if house.days:
            os.kill(os.getpid(), signal.SIGTERM)
            await anyio.sleep(0.05)
        async with built() as service:
            yield service

    house.build = slowly  # type: ignore[method-assign]
    assert await run(house, signal.SIGHUP) == "terminated"
    assert len(house.days) == 2
