"""A service in virtual time: hours pass in milliseconds, and every wait is exact."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, ParamSpec

import anyio
import looptime

from precoro_daemon.runtime.job import LapReport, OncePerRound, Registration
from precoro_daemon.runtime.job_state import JobStatus
from precoro_daemon.runtime.lifecycle import Service
from precoro_daemon.runtime.ports import LapTimes, PastLap
from precoro_daemon.runtime.scheduler import Dependencies, Scheduler
from precoro_daemon.runtime.watchdog import Watchdog
from precoro_daemon.status.heartbeat import ProgressHeartbeat

P = ParamSpec("P")


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """The test on a loop whose time passes as soon as everybody waits."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            runner.run(test(*args, **kwargs))

    return run


START = 1_800_000_000.0


class LoopClock:
    """The event loop's own time, which looptime makes pass. May be set, once, as the first answer does."""

    time_scale = 1.0

    def __init__(self, ahead: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self._zero = self._loop.time() - START - ahead

    def now(self) -> float:
        return self._loop.time() - self._zero

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(max(seconds, 0.0))

    def anchor(self, server_now: float) -> float:
        shift = server_now - self.now()
        self._zero -= shift
        return shift


class MemoryLapBook:
    """A LapBook; handed to a second service it is what a restart finds."""

    def __init__(self) -> None:
        self.laps: dict[str, LapTimes] = {}
        self.past: list[PastLap] = []

    async def load(self) -> Mapping[str, LapTimes]:
        return dict(self.laps)

    async def save(self, job: str, times: LapTimes, past: PastLap | None = None) -> None:
        self.laps[job] = times
        self.past += [past] if past else []

    async def record(self, past: PastLap) -> None:
        self.past.append(past)

    async def history(self, since: float) -> Sequence[PastLap]:
        return [past for past in self.past if past.ended_at >= since]


@dataclass
class Manager:
    """A Supervisor that remembers what it was told, and when it last heard that all is well."""

    watchdog_interval: float | None = 30.0
    said: list[str] = field(default_factory=list)
    beats: list[float] = field(default_factory=list)

    def ready(self, status: str) -> None:
        self.said.append(f"ready: {status}")

    def reloading(self) -> None:
        self.said.append("reloading")

    def stopping(self, status: str) -> None:
        self.said.append(f"stopping: {status}")

    def status(self, text: str) -> None:
        self.said.append(text)

    def alive(self) -> None:
        self.beats.append(asyncio.get_running_loop().time())


@dataclass
class Scripted:
    """A job that does as it is told."""

    name: str
    is_due: Callable[[float], Awaitable[bool]]
    do: Callable[[], Awaitable[LapReport]]

    async def due(self, now: float) -> bool:
        return await self.is_due(now)

    async def lap(self) -> LapReport:
        return await self.do()


@dataclass
class Day:
    """Jobs whose laps follow a script, and what they did when (seconds since the start)."""

    book: MemoryLapBook = field(default_factory=MemoryLapBook)
    manager: Manager = field(default_factory=Manager)
    ran: list[tuple[str, int]] = field(default_factory=list)
    ended: list[tuple[str, int]] = field(default_factory=list)
    jobs: list[Registration] = field(default_factory=list)
    stuck_after: float = 600.0

    def __post_init__(self) -> None:
        self.clock = LoopClock()

    def job(
        self,
        name: str,
        lap: Callable[[], Awaitable[LapReport]] | float = 0.0,
        *,
        work: list[int] | None = None,
        due: Callable[[float], Awaitable[bool]] | None = None,
        **terms: Any,
    ) -> None:
        """`lap`: what it does, or the seconds it takes. `work`: laps that are still to do; without it, and without a
        rule of its own, it is due once a round."""

        rounds = OncePerRound()

        async def is_due(now: float) -> bool:
            return rounds.due(now) if work is None else bool(work)

        async def run() -> LapReport:
            self.ran.append((name, self.now))
            brought = work.pop(0) if work else 0
            try:
                if callable(lap):
                    return await lap()
                await self.clock.sleep(lap)
                return LapReport(brought)
            finally:
                rounds.lap_ended()
                self.ended.append((name, self.now))

        self.jobs.append(Registration(Scripted(name, due or is_due, run), **terms))

    @property
    def now(self) -> int:
        return round(self.clock.now() - START)

    def times(self, name: str) -> list[int]:
        return [at for ran, at in self.ran if ran == name]

    def status(self, name: str) -> JobStatus:
        return next(job for job in self.heartbeat.pulse.jobs if job.name == name)

    def service(self, *, resume: bool = True) -> Service:
        self.stopped = anyio.Event()
        self.heartbeat = ProgressHeartbeat(self.clock)
        scheduler = Scheduler(self.jobs, Dependencies(self.clock, self.stopped.set, self.book))
        self.heartbeat.pulse.jobs = scheduler.jobs
        return Service(scheduler, Watchdog(self.clock, self.heartbeat, self.manager, self.stuck_after), resume)

    async def live(self, seconds: float, *events: tuple[float, Callable[[Scheduler], object]]) -> None:
        """Run a service for so long; at given seconds something happens to it."""
        service = self.service()

        async def happen() -> None:
            begun = self.clock.now()
            for at, act in events:
                await self.clock.sleep(begun + at - self.clock.now())
                act(service.scheduler)
            await anyio.sleep(max(0.0, begun + seconds - self.clock.now()))
            service.scheduler.end()

        async with anyio.create_task_group() as group:
            group.start_soon(happen)
            await service.run()
