"""jobs on their schedules, for months: wake-ups, turns, quota, setbacks, watchdog"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import anyio
import structlog

from precoro_daemon.errors import AuthenticationError, BudgetSpent, DaemonError, FatalError, Stopped
from precoro_daemon.runtime.backoff import pause_of_job
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.once import Job, tell_failures
from precoro_daemon.runtime.ports import (
    Clock,
    Heartbeat,
    JobPulse,
    LapBook,
    LapReport,
    LapTimes,
    Supervisor,
    jobs_own,
)
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_STAGGER = 1.0
"""Seconds between the first laps of jobs that are all due when the program starts."""

_LOOK = 300.0
"""Seconds after which a job without a schedule looks whether it is due, though nobody woke it."""

_BEAT = 5.0
"""Real seconds between two looks at whether every part makes progress, at most."""

_KEY_PAUSE = 900.0
"""Seconds between two attempts with a key that is refused."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the service needs from outside.

    stop_calls   let no further call leave
    stuck_after  seconds of silence within a lap after which it counts as stuck
    """

    clock: Clock
    book: LapBook
    heartbeat: Heartbeat
    supervisor: Supervisor
    stop_calls: Callable[[], None]
    stuck_after: float


class Service:
    """Runs each job in a task of its own.

    A job never runs twice at once. Jobs of one group never run together; one that yields to another is broken off
    when the other's turn comes, and taken up after it. What fails is told once and tried again, later and later.
    """

    def __init__(self, jobs: Sequence[Job], around: Around) -> None:
        self._around = around
        self._clock = around.clock
        self._desks = {job.name: _Desk(job, around.heartbeat.of(job.name)) for job in jobs}
        self._groups: dict[str, anyio.Lock] = {job.group: anyio.Lock() for job in jobs if job.group}
        self._waiting: set[str] = set()
        self._ending = anyio.Event()

    def wake(self, name: str) -> None:
        """The job has something to do now. No such job: nothing happens."""
        if desk := self._desks.get(name):
            desk.rouse()

    def obstacle(self, name: str) -> str:
        """Why waking the job would not help now, and until when; "" if it would."""
        desk = self._desks.get(name)
        if desk is None or not desk.held or desk.pulse.next_at is None:
            return ""
        when = datetime.fromtimestamp(desk.pulse.next_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{name} cannot work before {when}: {desk.pulse.trouble or 'the quota is spent'}"

    @asynccontextmanager
    async def without(self, group: str) -> AsyncIterator[None]:
        """No job of the group runs meanwhile; one that does so already is waited for."""
        async with AsyncExitStack() as stack:
            if group in self._groups:
                await stack.enter_async_context(self._groups[group])
            yield

    async def run(self) -> None:
        """Until `end` is called. Raises StoreUnusable if not even the account of laps can be read."""
        await self._recall()
        async with anyio.create_task_group() as group:
            group.start_soon(guarded, "the watch", self._watch, name="watch")
            self._around.supervisor.ready(self._words())
            async with anyio.create_task_group() as laps:
                for number, desk in enumerate(self._desks.values()):
                    attend = partial(self._attend, desk, number * _STAGGER)
                    laps.start_soon(guarded, desk.job.name, attend, name=desk.job.name)
            group.cancel_scope.cancel()

    async def _recall(self) -> None:
        """When each job's turn is by what earlier processes did. A lap in the future was stamped by a wrong clock.

        After a reload each has its turn at once: whoever changed the configuration wants to see what comes of it.
        """
        now = self._clock.now()
        earlier = await self._around.book.load()
        for name, desk in self._desks.items():
            desk.plan(now, now)
            if times := earlier.get(name):
                desk.pulse.ended_at, desk.pulse.good_at = times.ended_at, times.good_at
                reloaded = self._around.heartbeat.pulse.reloads > 0
                if desk.job.schedule and times.started_at <= now and not reloaded:
                    desk.plan(desk.job.schedule.after(times.started_at), now)

    async def _attend(self, desk: _Desk, delay: float) -> None:
        structlog.contextvars.bind_contextvars(job=desk.job.name)
        jobs_own.set(desk.pulse)
        await self._wait(desk, delay)
        while not self._ending.is_set():
            await self._until_due(desk)
            if self._ending.is_set():
                return
            desk.woken = False
            if await self._wanted(desk):
                async with self._turn(desk):
                    await self._round(desk)

    async def _until_due(self, desk: _Desk) -> None:
        """Until its time comes or, unless something keeps it from working until then, somebody wakes it."""
        while not self._ending.is_set():
            left = desk.left(self._clock.now())
            if left <= 0 or (desk.woken and not desk.held):
                return
            await self._wait(desk, left)

    async def _wait(self, desk: _Desk, seconds: float) -> None:
        """Sleep; cut short when the job is woken or the service ends."""
        if self._ending.is_set() or (desk.woken and not desk.held):
            return
        with anyio.CancelScope() as desk.nap:
            await self._clock.sleep(seconds)
        desk.nap = None

    async def _wanted(self, desk: _Desk) -> bool:
        """Is there work? Asked before anybody is broken off or waited for. If not, the next turn is planned."""
        desk.pulse.begin(self._clock.now())
        try:
            if await desk.job.due(False):
                return True
            self._idle(desk)
        except DaemonError as error:
            self._hold(desk, error)
        finally:
            desk.pulse.rest()
        return False

    @asynccontextmanager
    async def _turn(self, desk: _Desk) -> AsyncIterator[None]:
        """Alone in its group; whoever yields to this job is broken off first, and goes on afterwards."""
        for other in self._desks.values():
            if desk.job.name in other.job.yields_to and other.scope is not None:
                other.scope.cancel()
        async with AsyncExitStack() as stack:
            if desk.job.group:
                self._waiting.add(desk.job.name)
                try:
                    await stack.enter_async_context(self._groups[desk.job.group])
                finally:
                    self._waiting.discard(desk.job.name)
            yield

    async def _round(self, desk: _Desk) -> None:
        """Laps until the job has nothing left to do, can do no more for now, or keeps another one of its group
        waiting: then it takes its next turn after that one."""
        desk.pulse.begin(self._clock.now())
        try:
            ran = False
            while not self._ending.is_set() and await desk.job.due(ran):
                ran = True
                lap = await self._lap(desk)
                if lap is None or lap.ended is not None or not lap.brought:
                    break
                if any(self._desks[name].job.group == desk.job.group for name in self._waiting):
                    desk.plan(self._clock.now(), self._clock.now())
                    break
            if not ran:
                self._idle(desk)
        except DaemonError as error:
            self._hold(desk, error)
        finally:
            desk.pulse.rest()

    async def _lap(self, desk: _Desk) -> LapReport | None:
        """One lap; None if it was broken off to let another job go first."""
        started_at = self._clock.now()
        desk.pulse.begin(started_at)
        lap: LapReport | None = None
        try:
            with anyio.CancelScope() as desk.scope:
                if self._waiting & desk.job.yields_to:  # it came between two laps, or before the first
                    desk.scope.cancel()
                lap = await desk.job.lap()
        finally:
            desk.scope = None
            desk.pulse.rest()
            desk.pulse.begin(self._clock.now())  # what it came to is still to be noted
        if lap is None:
            _log.info("lap_yielded", job=desk.job.name)
            desk.plan(started_at, self._clock.now())
            return None
        await self._settle(desk, started_at, lap)
        return lap

    async def _settle(self, desk: _Desk, started_at: float, lap: LapReport) -> None:
        pulse, now = desk.pulse, self._clock.now()
        started_at = min(started_at, now)  # the first answer may have set the clock back
        good = not lap.failed and (lap.ended is None or isinstance(lap.ended, BudgetSpent | Stopped))
        tell_failures(desk.job, lap, pulse.lap.failed if pulse.lap else ())
        pulse.lap, pulse.ended_at, pulse.laps = lap, now, pulse.laps + 1
        pulse.good_at = now if good else pulse.good_at
        pulse.failures += not good
        if isinstance(lap.ended, Stopped):
            return
        self._tell(desk, started_at, lap)
        if isinstance(lap.ended, BudgetSpent):
            if lap.brought:
                self._recover(desk)
            self._await_quota(desk, lap.ended)
        elif lap.ended is not None:
            self._hold(desk, lap.ended)
        else:
            self._release(desk)
            self._plan(desk, started_at)
        if lap.brought:
            for other in self._desks.values():
                if desk.job.name in other.job.after:
                    other.rouse()
        await self._around.book.save(desk.job.name, LapTimes(started_at, now, now if good else None))

    def _tell(self, desk: _Desk, started_at: float, lap: LapReport) -> None:
        """A lap that did nothing is no news."""
        if lap.brought or lap.failed:
            seconds = round(self._clock.now() - started_at, 1)
            _log.info("lap_finished", job=desk.job.name, brought=lap.brought, failed=len(lap.failed), seconds=seconds)

    def _plan(self, desk: _Desk, started_at: float) -> None:
        """The next lap by the job's own schedule."""
        now = self._clock.now()
        at = desk.job.schedule.after(started_at) if desk.job.schedule else now + _LOOK
        desk.plan(at, now)

    def _idle(self, desk: _Desk) -> None:
        """There is nothing to do, or somebody else did it meanwhile: nothing keeps the job from anything."""
        self._recover(desk)
        desk.held = False
        self._plan(desk, self._clock.now())

    def _await_quota(self, desk: _Desk, spent: BudgetSpent) -> None:
        """Told once for as long as it lasts: a window that slides opens for one call, and closes again."""
        now = self._clock.now()
        if now > desk.told_until:
            when = datetime.fromtimestamp(spent.resume_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            _log.warning("budget_spent", job=desk.job.name, reason=str(spent), resume_at=when)
        desk.told_until = max(spent.resume_at, now) + 3600.0
        desk.held = True
        desk.plan(max(spent.resume_at, now + 1.0), now)

    def _hold(self, desk: _Desk, error: DaemonError) -> None:
        """It cannot work at present. A refused key is asked about seldom, everything else soon at first."""
        desk.held = True
        desk.setbacks += 1
        wait = _KEY_PAUSE if isinstance(error, AuthenticationError) else pause_of_job(desk.setbacks)
        now = self._clock.now()
        desk.plan(now + wait, now)
        if str(error) != str(desk.pulse.trouble):
            told = _log.error if isinstance(error, FatalError) else _log.warning
            told("job_blocked", job=desk.job.name, reason=str(error), again_in=round(wait))
        desk.pulse.trouble = error

    def _release(self, desk: _Desk) -> None:
        self._recover(desk)
        desk.held, desk.told_until = False, 0.0

    def _recover(self, desk: _Desk) -> None:
        """What kept it from working does so no more; the quota still may."""
        if desk.pulse.trouble is not None:
            _log.info("job_recovered", job=desk.job.name)
        desk.pulse.trouble, desk.setbacks = None, 0

    async def _watch(self) -> None:
        """Tell the supervisor that all is well, as long as it is."""
        supervisor = self._around.supervisor
        beat = min(_BEAT, (supervisor.watchdog_interval or _BEAT) / 3)
        words = ""
        while True:
            if not self._stuck():
                supervisor.alive()
            if (said := self._words()) != words:
                words = said
                supervisor.status(words)
            await anyio.sleep(beat)

    def _stuck(self) -> bool:
        now = self._clock.now()
        for pulse in self._around.heartbeat.pulse.parts:
            pulse.heard_at = min(pulse.heard_at, now)
            silent = now - max(pulse.heard_at, pulse.quiet_until)
            stuck = pulse.running_since is not None and silent > self._around.stuck_after
            if stuck and not pulse.stuck:
                _log.error("part_stalled", part=pulse.name, silent=round(silent))
            pulse.stuck = stuck
        return any(pulse.stuck for pulse in self._around.heartbeat.pulse.parts)

    def _words(self) -> str:
        """How it is, in one line for people."""
        pulses = [desk.pulse for desk in self._desks.values()]
        if blocked := [pulse for pulse in pulses if pulse.trouble is not None]:
            return f"needs attention: {blocked[0].name}: {blocked[0].trouble}"
        left = self._around.heartbeat.left.get("day")
        quota = "" if left is None else f"; {left:,} calls left today"
        if running := [pulse.name for pulse in pulses if pulse.running_since is not None]:
            return f"working: {', '.join(running)}{quota}"
        return f"everything is done for now{quota}"

    def end(self) -> None:
        """Begin no lap and let no call leave any more: `run` ends when the calls in flight are answered."""
        self._ending.set()
        for desk in self._desks.values():
            if desk.nap is not None:
                desk.nap.cancel()
        self._around.stop_calls()


@dataclass(slots=True)
class _Desk:
    """One job and where it stands.

    woken       somebody said that there is something to do
    scope       of its lap, while it runs
    nap         of its wait for its turn
    held        something keeps it from working until `pulse.next_at`; waking it would not help
    setbacks    laps in a row that came to nothing
    told_until  until then the log needs no other line about the spent quota
    planned_at  when `pulse.next_at` was set
    """

    job: Job
    pulse: JobPulse
    woken: bool = False
    scope: anyio.CancelScope | None = None
    nap: anyio.CancelScope | None = None
    held: bool = False
    setbacks: int = 0
    told_until: float = 0.0
    planned_at: float = 0.0

    def rouse(self) -> None:
        self.woken = True
        if self.nap is not None and not self.held:
            self.nap.cancel()

    def plan(self, at: float, now: float) -> None:
        """Its next turn; never in the past, however long the last one took."""
        self.pulse.next_at, self.planned_at = max(at, now), now

    def left(self, now: float) -> float:
        """Seconds until its turn. The clock runs back once at most, when the first answer shows that it was wrong."""
        at = self.pulse.next_at or now
        if now < self.planned_at:
            self.plan(at - self.planned_at + now, now)
        return (self.pulse.next_at or now) - now
