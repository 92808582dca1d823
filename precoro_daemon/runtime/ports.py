"""what the scheduler needs from outside: time, the book of laps, the supervisor; and what a lap reports"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from precoro_daemon.errors import DaemonError


class Clock(Protocol):
    """Time as the program lives it: Unix seconds that never run backwards while the process lives.

    For rehearsals it may run faster than real time; `sleep` is then shorter by the same factor.
    """

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class LapReport:
    """What one lap of a job did.

    brought  records and details that are new or changed
    failed   one line for each thing that failed and will be tried again
    ended    what ended the lap before its work was done: BudgetSpent, Stopped, a FatalError that ends the run too, or
             another one that is among the failed already and leaves this job nothing to do in this run
    """

    brought: int = 0
    failed: Sequence[str] = field(default=())
    ended: DaemonError | None = None


@dataclass(frozen=True, slots=True)
class LapTimes:
    """Unix seconds by the Clock. `good_at`: when a lap last ended without failures, None if none did."""

    started_at: float
    ended_at: float
    good_at: float | None = None


class LapBook(Protocol):
    """The last lap of each job. Durable when `save` returns. Raises StoreUnusable."""

    async def load(self) -> Mapping[str, LapTimes]: ...

    async def save(self, job: str, times: LapTimes) -> None:
        """Where `good_at` is None, the earlier one stays."""
        ...


@dataclass(slots=True)
class PartPulse:
    """Whether a part of the program gives signs of life. Times are Unix seconds by the Clock.

    running_since  it has been at work since then; None while there is nothing for it to do
    heard_at       its last sign of life in that: a call, a commit, a step
    quiet_until    it waits for a window of the quota until then, so silence is no bad sign
    stuck          it was silent for too long
    """

    name: str
    running_since: float | None = None
    heard_at: float = 0.0
    quiet_until: float = 0.0
    stuck: bool = False

    def begin(self, now: float) -> None:
        """From now on it owes signs of life."""
        self.running_since = self.heard_at = now

    def rest(self) -> None:
        self.running_since, self.quiet_until, self.stuck = None, 0.0, False


@dataclass(slots=True)
class JobPulse(PartPulse):
    """What one job is doing. Times are Unix seconds by the Clock, None where there is none yet.

    next_at        its next lap begins then at the latest, None where only a wake-up starts one
    ended_at       its last lap ended then, whichever process made it
    good_at        its last lap without failures ended then
    lap            what the last lap of this process came to
    trouble        why it cannot work at present, None if it can: a refused key, books that do not fit
    laps, failures how many laps of this process ended, and how many of those with failures
    """

    next_at: float | None = None
    ended_at: float | None = None
    good_at: float | None = None
    lap: LapReport | None = None
    trouble: DaemonError | None = None
    laps: int = 0
    failures: int = 0


@dataclass(slots=True)
class Pulse:
    """The whole program: its jobs in the order of a round, what else has work of its own, when it started, and
    whether it is ending. refused: why the configuration that was read last is not in use, "" if it is."""

    started_at: float
    jobs: Sequence[JobPulse] = field(default=())
    others: Sequence[PartPulse] = field(default=())
    stopping: bool = False
    reloads: int = 0
    refused: str = ""

    @property
    def parts(self) -> Sequence[PartPulse]:
        return (*self.jobs, *self.others)


class Supervisor(Protocol):
    """Who started the program and wants to know how it is: a service manager. Calls are cheap and never raise."""

    watchdog_interval: float | None
    """Real seconds within which `alive` must be called again, None if nobody waits for it."""

    def ready(self, status: str) -> None: ...

    def reloading(self) -> None: ...

    def stopping(self, status: str) -> None: ...

    def status(self, text: str) -> None:
        """One line for people."""
        ...

    def alive(self) -> None:
        """Called only while every part makes progress."""
        ...


class Unsupervised:
    """Implements `Supervisor` where there is none."""

    watchdog_interval: float | None = None

    def ready(self, status: str) -> None:
        """Nobody asks."""

    def reloading(self) -> None:
        """Nobody asks."""

    def stopping(self, status: str) -> None:
        """Nobody asks."""

    def status(self, text: str) -> None:
        """Nobody asks."""

    def alive(self) -> None:
        """Nobody asks."""


jobs_own: ContextVar[JobPulse | None] = ContextVar("jobs_own", default=None)
"""The pulse of the job that the present task, and every task it starts, belongs to."""


class Heartbeat(Protocol):
    """Signs of life of the jobs of this process. left: calls left by window, as far as they are known."""

    pulse: Pulse
    left: Mapping[str, int]

    def of(self, name: str) -> JobPulse: ...
