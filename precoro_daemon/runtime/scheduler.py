"""runs jobs: each on its schedule for months, or all in rounds until nothing is due"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import TYPE_CHECKING

import anyio
from msgspec import Struct

from precoro_daemon.errors import BudgetSpent, DaemonError, PartUnusable, PermanentError, Stopped, TemporaryError
from precoro_daemon.runtime.guard import guarded
from precoro_daemon.runtime.job_state import Event, JobStatus
from precoro_daemon.runtime.ports import Clock, LapBook, LapTimes, PastLap, own_pulse
from precoro_daemon.runtime.scheduled_job import ScheduledJob
from precoro_daemon.telemetry import bind, get_logger

if TYPE_CHECKING:
    from precoro_daemon.runtime.job import LapReport, Registration, RunReport

_log = get_logger()

_STAGGER_S = 1.0
"""Seconds between the first laps of jobs that are all due when the program starts."""

_LAPS_KEPT_EVERY_S = 300.0
"""Least seconds between two laps of a job that did nothing and are stored for the next process. If a job has a turn
each minute, a commit for each would cost as much as the lap; jobs with rarer turns lose nothing in a crash."""


class Dependencies(Struct, frozen=True):
    """What the scheduler needs from outside.

    stop_calls  stops further calls: a lap that tries one ends with Stopped
    book        where laps are stored for the next process, None if it need not know them
    """

    clock: Clock
    stop_calls: Callable[[], None]
    book: LapBook | None = None


class Scheduler:
    """Runs jobs. A job never runs twice at once, and no two jobs of one group run at once."""

    def __init__(self, jobs: Sequence[Registration], dependencies: Dependencies) -> None:
        self._clock = dependencies.clock
        self._stop_calls = dependencies.stop_calls
        self._book = dependencies.book
        self._jobs = {one.name: ScheduledJob(one, JobStatus(one.name), self._clock) for one in jobs}
        self._groups: defaultdict[str, anyio.Lock] = defaultdict(anyio.Lock)
        self._kept_at: dict[str, float] = {}
        self._unkept: dict[str, LapTimes] = {}

    @property
    def jobs(self) -> Sequence[JobStatus]:
        """Returns their statuses in the order of a round."""
        return [job.status for job in self._jobs.values()]

    def wake(self, name: str) -> None:
        """Wakes the job, because it has work. Does nothing if there is no such job."""
        if job := self._jobs.get(name):
            job.wake()

    def obstacle(self, name: str) -> str:
        """Returns why waking the job would not help now, and until when; "" if it would."""
        job = self._jobs.get(name)
        if job is None or not job.held or job.status.next_at is None:
            return ""
        when = datetime.fromtimestamp(job.status.next_at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{name} cannot work before {when}: {job.status.trouble or 'the quota is spent'}"

    @asynccontextmanager
    async def without(self, group: str) -> AsyncIterator[None]:
        """Keeps the jobs of the group from running, after the present one has ended."""
        async with self._groups[group]:
            yield

    def end(self) -> None:
        """Begins no more laps and calls: the jobs end when the calls in flight are answered."""
        for job in self._jobs.values():
            job.drain()
        self._stop_calls()

    async def run_until_idle(self, report: RunReport) -> None:
        """Runs rounds in the order of the jobs, one lap each, until a round brings nothing or `end` is called.

        If a later job creates work for an earlier one, that is done in the next round. A held job has had its last
        lap and is not waited for. The report is kept up to date throughout. Raises fatal errors.
        """
        brought = -1
        while report.brought > brought:
            brought = report.brought
            for job in self._jobs.values():
                if not job.held and await job.check(anew=job.status.laps == 0):
                    await self._lap_of_run(job, report)

    async def _lap_of_run(self, job: ScheduledJob, report: RunReport) -> None:
        started_at = self._clock.now()
        lap = await job.lap()
        job.note(lap, report.failed)
        report.add(lap)
        match lap.ended:
            case None | BudgetSpent() | Stopped():
                job.conclude(lap, started_at)
            case TemporaryError() | PermanentError():  # it is among what failed
                job.status.move(Event.FAIL)
            case PartUnusable() as cause:
                _log.error("job_blocked", job=job.name, reason=str(cause))
                job.status.move(Event.FAIL)
            case fatal:
                raise fatal

    async def recall(self, *, resume: bool) -> None:
        """Reads what earlier processes did. With `resume`, their schedules continue; else each job has its turn at
        once.

        A lap in the future was stamped by a wrong clock. Raises StoreUnusable.
        """
        now = self._clock.now()
        earlier = {} if self._book is None else await self._book.load()
        for name, job in self._jobs.items():
            job.status.plan(now, now)
            if times := earlier.get(name):
                job.status.ended_at, job.status.good_at = times.ended_at, times.good_at
                if job.registration.schedule and times.started_at <= now and resume:
                    job.status.plan(job.registration.schedule.after(times.started_at), now)

    async def run(self) -> None:
        """Runs each job by its schedule in its own task, until `end` is called."""
        async with anyio.create_task_group() as group:
            for number, job in enumerate(self._jobs.values()):
                attend = partial(self._attend, job, number * _STAGGER_S)
                group.start_soon(guarded, job.name, attend, name=job.name)
        if self._book is not None:
            with suppress(DaemonError):  # a kill loses as much
                for name, times in self._unkept.items():
                    await self._book.save(name, times)

    async def _attend(self, job: ScheduledJob, delay: float) -> None:
        bind(job=job.name)
        own_pulse.set(job.status)
        await job.sleep(delay)
        while not job.draining:
            await job.until_due()
            job.status.woken = False
            try:
                if await job.check(anew=True):
                    await self._round(job)
            except DaemonError as error:
                job.block(error)

    async def _round(self, job: ScheduledJob) -> None:
        """Runs laps until the job has nothing left to do, or can do no more for now. Between two laps the other jobs
        of its group have their turns.
        """
        anew = more = True
        while more:
            if not job.registration.group:
                more = await self._lap(job)
            else:
                job.status.move(Event.QUEUE)
                async with self._groups[job.registration.group]:
                    # Others may have done the work meanwhile.
                    more = await job.check(anew=anew) and await self._lap(job)
            anew = False
            more = more and await job.check(anew=False)

    async def _lap(self, job: ScheduledJob) -> bool:
        """Runs a lap and returns whether another one may follow at once."""
        started_at = self._clock.now()
        lap = await job.lap()
        await self._settle(job, lap, started_at)
        return lap.ended is None and lap.brought > 0

    async def _settle(self, job: ScheduledJob, lap: LapReport, started_at: float) -> None:
        """Reports a lap to the log, the other jobs and the book."""
        now = self._clock.now()
        started_at = min(started_at, now)  # the first answer may have set the clock back
        good = job.note(lap, job.status.lap.failed if job.status.lap else ())
        if not isinstance(lap.ended, Stopped):
            if lap.brought or lap.failed:  # a lap that did nothing is no news
                seconds = round(now - started_at, 1)
                _log.info("lap_finished", job=job.name, brought=lap.brought, failed=len(lap.failed), seconds=seconds)
            if lap.brought:
                self._wake_after(job)
            times = LapTimes(started_at, now, now if good else None)
            await self._keep(job, times, _past(job.name, lap, times))
        job.conclude(lap, started_at)

    async def _keep(self, job: ScheduledJob, times: LapTimes, past: PastLap | None) -> None:
        """Stores a lap for the next process."""
        if self._book is None:
            return
        if past is None and 0 <= times.ended_at - self._kept_at.get(job.name, -inf) < _LAPS_KEPT_EVERY_S:
            self._unkept[job.name] = times
            return
        if times.good_at is None and job.name in self._unkept:
            times = replace(times, good_at=self._unkept[job.name].good_at)
        with job.at_work():
            await self._book.save(job.name, times, past)
        self._kept_at[job.name] = times.ended_at
        self._unkept.pop(job.name, None)

    def _wake_after(self, job: ScheduledJob) -> None:
        for other in self._jobs.values():
            if job.name in other.registration.after:
                other.wake()


def _past(job: str, lap: LapReport, times: LapTimes) -> PastLap | None:
    """Returns a lap's entry in the history, None for a lap that did nothing."""
    trouble = lap.ended if lap.ended is not None and not isinstance(lap.ended, BudgetSpent) else None
    if not (lap.brought or lap.failed or trouble):
        return None
    reason = lap.failed[0] if lap.failed else str(trouble or "")
    failed = len(lap.failed) or int(trouble is not None)
    return PastLap(job, times.ended_at, times.ended_at - times.started_at, lap.brought, failed, reason)
