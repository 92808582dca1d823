"""one job in the scheduler: its checks and laps, its next turn, and what it logs"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from msgspec import Struct, field

from precoro_daemon.errors import AuthenticationError, BudgetSpent, DaemonError, FatalError, PartUnusable, Stopped
from precoro_daemon.runtime.backoff import pause_of_job
from precoro_daemon.runtime.job import LapReport, Registration
from precoro_daemon.runtime.job_state import HELD, Event, JobStatus, State
from precoro_daemon.runtime.nap import Nap
from precoro_daemon.runtime.ports import Clock
from precoro_daemon.telemetry import get_logger

_log = get_logger()

_RECHECK_S = 300.0
"""Seconds after which a job without a schedule is checked although it was not woken."""

_REFUSED_KEY_PAUSE_S = 900.0
"""Seconds between two attempts with a refused key."""

_QUOTA_LOG_PAUSE_S = 3600.0
"""Seconds for which a quota that is spent again after it opened is not logged again."""

_FAILURES_LOGGED = 20
"""The most failures of one lap that are logged."""


class ScheduledJob(Struct):
    """A job with its status.

    nap  its wait for its turn
    """

    registration: Registration
    status: JobStatus
    clock: Clock
    nap: Nap = field(default_factory=Nap)

    @property
    def name(self) -> str:
        return self.registration.name

    @property
    def held(self) -> bool:
        return self.status.state in HELD

    @property
    def draining(self) -> bool:
        return self.status.state is State.DRAINING

    def wake(self) -> None:
        self.status.wake()
        self._rouse()

    def drain(self) -> None:
        self.status.move(Event.DRAIN)
        self._rouse()

    def _rouse(self) -> None:
        if not self.held:
            self.nap.end()

    async def until_due(self) -> None:
        """Waits until its time comes or, unless it is held, it is woken."""
        while (left := self.status.left(self.clock.now())) > 0 and self._may_sleep:
            await self.sleep(left)

    async def sleep(self, seconds: float) -> None:
        """Sleeps until the job is woken or the scheduler ends, at most `seconds`."""
        if self._may_sleep:
            self.nap = Nap()
            await self.nap.sleep(self.clock, seconds)

    @property
    def _may_sleep(self) -> bool:
        return self.status.state is State.IDLE or self.held

    async def check(self, *, anew: bool) -> bool:
        """Returns whether there is work that may be done. `anew`: a round begins with this check; without work, the
        next check is planned.
        """
        if self.draining:
            return False
        self.status.move(Event.CHECK)
        if anew:
            self.status.round_at = self.clock.now()
        with self.at_work():
            due = await self.registration.job.due(self.status.round_at)
        if due or self.draining:
            return not self.draining
        self.status.move(Event.REST)
        if anew:
            self._recover()
            self._plan_next(self.clock.now())
        return False

    async def lap(self) -> LapReport:
        self.status.move(Event.BEGIN)
        with self.at_work():
            return await self.registration.job.lap()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Makes the job owe signs of life meanwhile."""
        self.status.begin(self.clock.now())
        try:
            yield
        finally:
            self.status.rest()

    def note(self, lap: LapReport, known: Collection[str]) -> bool:
        """Keeps the lap's report and returns whether nothing failed. Failures are logged here if the job does not log
        them itself, and if they are not among the `known` ones.
        """
        if self.registration.silent:
            fresh = [line for line in lap.failed if line not in known]
            for line in fresh[:_FAILURES_LOGGED]:
                _log.warning("work_failed", job=self.name, reason=line)
            if (more := len(fresh) - _FAILURES_LOGGED) > 0:
                _log.warning("work_failed", job=self.name, reason=f"and {more:,} more")
        good = not lap.failed and isinstance(lap.ended, None | BudgetSpent | Stopped)
        self.status.note(lap, self.clock.now(), good=good)
        return good

    def conclude(self, lap: LapReport, started_at: float) -> None:
        """Sets the job's state after a lap."""
        match lap.ended:
            case None:
                self._recover()
                self.status.quota_logged_until = 0.0
                self._plan_next(started_at)
                self.status.move(Event.FINISH)
            case BudgetSpent() as spent:
                if lap.brought:
                    self._recover()
                self._await_quota(spent)
            case Stopped():
                self.status.move(Event.DRAIN)
            case error:
                self.block(error)

    def _plan_next(self, turn: float) -> None:
        """Plans the next check by the job's own schedule, after a turn at that time."""
        schedule, now = self.registration.schedule, self.clock.now()
        self.status.plan(schedule.after(turn) if schedule else now + _RECHECK_S, now)

    def _await_quota(self, spent: BudgetSpent) -> None:
        """Waits for the quota, and logs it once for the whole time: a sliding window opens for one call and closes
        again.
        """
        status, now = self.status, self.clock.now()
        if now > status.quota_logged_until:
            when = datetime.fromtimestamp(spent.resume_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            _log.warning("budget_spent", job=self.name, reason=str(spent), resume_at=when)
        status.quota_logged_until = max(spent.resume_at, now) + _QUOTA_LOG_PAUSE_S
        status.plan(max(spent.resume_at, now + 1.0), now)
        status.move(Event.SPEND)

    def block(self, error: DaemonError) -> None:
        """Blocks a job that cannot work at present. A refused key is tried seldom, everything else soon at first, and
        a job that waits for something on this machine again and again.
        """
        status, now = self.status, self.clock.now()
        status.setbacks += 1
        wait = pause_of_job(status.setbacks)
        if isinstance(error, AuthenticationError):
            wait = _REFUSED_KEY_PAUSE_S
        elif isinstance(error, PartUnusable) and error.recheck_s is not None:
            wait = error.recheck_s
        status.plan(now + wait, now)
        if not _same_cause(error, status.trouble):
            write = _log.error if isinstance(error, FatalError) else _log.warning
            write("job_blocked", job=self.name, reason=str(error), again_in=round(wait))
        status.trouble = error
        status.move(Event.FAIL)

    def _recover(self) -> None:
        """Clears the trouble that kept it from working; the quota may still hold it."""
        if self.status.trouble is not None:
            _log.info("job_recovered", job=self.name)
        self.status.trouble, self.status.setbacks = None, 0


def _same_cause(one: DaemonError, other: DaemonError | None) -> bool:
    """Returns whether the failures have the same kind and facts, so that the new one need not be logged."""
    return type(one) is type(other) and other is not None and one.args == other.args
