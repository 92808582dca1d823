"""laps: what is due is run until nothing is; signals, drain, time limit"""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import anyio

from precoro_daemon.errors import (
    BudgetSpent,
    DaemonError,
    PermanentError,
    Stopped,
    TemporaryError,
    leaves,
    most_severe,
)
from precoro_daemon.runtime.ports import LapReport
from precoro_daemon.runtime.schedules import Schedule
from precoro_daemon.telemetry import get_logger

_log = get_logger()

DRAIN = 15.0
"""Seconds that calls in flight get after the first signal; a service manager's patience is usually longer."""

_LANDING = 3.0
"""Seconds before a run's time is over from which no new call leaves, so that those in flight still count."""

_LINES = 20
"""Of the log, at most, for what failed in one lap."""

StopCause = Literal["signal", "time"]


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the daemon sees it.

    due        is there work, given that this run (or round) has or has not run it already?
    lap        do it, once; may be cancelled at any moment
    forced     do it though it is not due; None where that is the same
    schedule   when its turn comes by itself, where the program goes on; None: it is looked at now and then
    after      a lap of one of these jobs that brought something wakes it
    group      jobs of one group never run together, "" for none
    yields_to  it is broken off when the turn of one of these comes, and taken up afterwards
    silent     its laps do not log by themselves what failed
    """

    name: str
    due: Callable[[bool], Awaitable[bool]]
    lap: Callable[[], Awaitable[LapReport]]
    forced: Callable[[], Awaitable[LapReport]] | None = None
    schedule: Schedule | None = None
    after: frozenset[str] = frozenset()
    group: str = ""
    yields_to: frozenset[str] = frozenset()
    silent: bool = False


@dataclass(slots=True)
class RunReport:
    """What a run came to.

    failed   one line for each thing that failed and will be tried again
    remains  one line for each thing that is not as it should be after the run, whichever run it comes from
    due      documents whose detail is missing or old, after the run
    spent    why and until when the quota held something back, None if it did not
    stopped  what ended the run before its work was done, None if nothing did
    """

    brought: int = 0
    failed: list[str] = field(default_factory=list)
    remains: Sequence[str] = ()
    due: int = 0
    spent: BudgetSpent | None = None
    stopped: StopCause | None = None


def tell_failures(job: Job, lap: LapReport, known: Collection[str]) -> None:
    """Log what failed, if the job does not do so itself. `known`: what was told before."""
    if not job.silent:
        return
    fresh = [line for line in lap.failed if line not in known]
    for line in fresh[:_LINES]:
        _log.warning("work_failed", job=job.name, reason=line)
    if (more := len(fresh) - _LINES) > 0:
        _log.warning("work_failed", job=job.name, reason=f"and {more:,} more")


async def run_once(jobs: Sequence[Job], stop_calls: Callable[[], None], time_limit: float | None) -> RunReport:
    """Run laps until nothing is due, the budget is spent, the time is over or a signal comes.

    `stop_calls` makes every call that has not left yet raise Stopped; those in flight are finished and committed.
    `time_limit` is in real seconds. Raises FatalError.
    """
    run = _Run(stop_calls)
    async with anyio.create_task_group() as group:
        group.start_soon(run.heed_signals, group.cancel_scope, name="signals")
        if time_limit is not None:
            group.start_soon(run.heed_time, time_limit, group.cancel_scope, name="time limit")
        try:
            await run.laps(jobs)
        except* DaemonError as errors:
            run.fatal = most_severe(leaves(errors))
        group.cancel_scope.cancel()
    if run.fatal is not None:
        raise run.fatal
    return run.report


class _Run:
    def __init__(self, stop_calls: Callable[[], None]) -> None:
        self.report = RunReport()
        self.fatal: DaemonError | None = None
        self._stop_calls = stop_calls

    async def laps(self, jobs: Sequence[Job]) -> None:
        """Round after round in the order of the jobs, until a round brings nothing: what a later job brings to light
        is done by an earlier one in the next round."""
        ready = {job.name: job for job in jobs}
        ran: set[str] = set()
        brought = -1
        while self.report.brought > brought:
            brought = self.report.brought
            for job in tuple(ready.values()):
                if self.fatal is None and self.report.stopped is None and await job.due(job.name in ran):
                    ran.add(job.name)
                    if not await self._lap(job):
                        del ready[job.name]

    async def _lap(self, job: Job) -> bool:
        """Run one lap; False if this job can do no more in this run."""
        lap = await job.lap()
        tell_failures(job, lap, self.report.failed)
        self.report.brought += lap.brought
        self.report.failed += lap.failed
        if isinstance(lap.ended, BudgetSpent):
            _log.warning("budget_spent", job=job.name, reason=str(lap.ended))
            if self.report.spent is None or lap.ended.resume_at < self.report.spent.resume_at:
                self.report.spent = lap.ended
        elif not isinstance(lap.ended, Stopped | TemporaryError | PermanentError):
            self.fatal = lap.ended
        return lap.ended is None

    def _stop(self, cause: StopCause) -> None:
        if self.report.stopped is None:
            self.report.stopped = cause
        self._stop_calls()

    async def heed_signals(self, scope: anyio.CancelScope) -> None:
        """The first signal lets calls in flight finish, for a while; the second ends the run where it is."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                _log.info("signal_received", signal=signal.Signals(number).name)
                if self.report.stopped == "signal":
                    scope.cancel()
                self._stop("signal")
                scope.deadline = min(scope.deadline, anyio.current_time() + DRAIN)

    async def heed_time(self, limit: float, scope: anyio.CancelScope) -> None:
        landing = min(_LANDING, limit / 10)
        await anyio.sleep(limit - landing)
        _log.info("deadline_reached", seconds=limit)
        self._stop("time")
        scope.deadline = min(scope.deadline, anyio.current_time() + landing)
