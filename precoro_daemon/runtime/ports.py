"""what the runtime needs from outside: time, the book of laps, signs of life, the supervisor, leases"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from precoro_daemon.runtime.tenure import Fleet, Holding, Standing


class Clock(Protocol):
    """The program's time: Unix seconds that never run backwards while the process lives.

    For rehearsals it may run faster than real time; `sleep` is then shorter by the same factor.
    """

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class LapTimes:
    """Unix seconds by the Clock. `good_at`: the end of the last lap without failures, None if there was none."""

    started_at: float
    ended_at: float
    good_at: float | None = None


class PastLap(Struct, frozen=True):
    """A lap, or a whole run with --once, that is worth remembering.

    job       its name, "" for a whole run
    ended_at  Unix seconds
    seconds   how long it took
    brought   number of new or changed records and details
    failed    number of failures
    reason    the first failure, or what ended it, "" for nothing
    """

    job: str
    ended_at: float
    seconds: float
    brought: int = 0
    failed: int = 0
    reason: str = ""


class LapBook(Protocol):
    """Each job's last lap, and a history of the laps that did something, kept for 90 days. Durable on return. Raises
    StoreUnusable.
    """

    async def load(self) -> Mapping[str, LapTimes]: ...

    async def save(self, job: str, times: LapTimes, past: PastLap | None = None) -> None:
        """Saves a job's last lap, with `past` in the history. If `good_at` is None, the earlier one stays."""
        ...

    async def record(self, past: PastLap) -> None:
        """Adds to the history only."""
        ...

    async def history(self, since: float) -> Sequence[PastLap]:
        """Returns what ended at or after `since`, oldest first."""
        ...


class PartPulse(Struct):
    """Whether a part of the program gives signs of life. Times are Unix seconds by the Clock.

    running_since  the start of its present work, None while it has none
    heard_at       its last sign of life: a call, a commit, a step
    quiet_until    it waits for a window of the quota until then, so silence is no bad sign
    stuck          it was silent for too long
    """

    name: str
    running_since: float | None = None
    heard_at: float = 0.0
    quiet_until: float = 0.0
    stuck: bool = False

    def begin(self, now: float) -> None:
        """Starts expecting signs of life."""
        self.running_since = self.heard_at = now

    def rest(self) -> None:
        self.running_since, self.quiet_until, self.stuck = None, 0.0, False


class Supervisor(Protocol):
    """The service manager that started the program and watches it. Calls are cheap and never raise."""

    watchdog_interval: float | None
    """Real seconds within which `alive` must be called again, None if no watchdog waits for it."""

    def ready(self, status: str) -> None: ...

    def reloading(self) -> None: ...

    def stopping(self, status: str) -> None: ...

    def status(self, text: str) -> None:
        """Reports one line for people."""
        ...

    def alive(self) -> None:
        """Reports that every part makes progress; called only while that is so."""
        ...


class Unsupervised:
    """Implements `Supervisor` without a service manager."""

    watchdog_interval: float | None = None

    def ready(self, status: str) -> None:
        """Does nothing."""

    def reloading(self) -> None:
        """Does nothing."""

    def stopping(self, status: str) -> None:
        """Does nothing."""

    def status(self, text: str) -> None:
        """Does nothing."""

    def alive(self) -> None:
        """Does nothing."""


own_pulse: ContextVar[PartPulse | None] = ContextVar("own_pulse", default=None)
"""The pulse of the job that the present task, and every task it starts, belongs to."""


class Heartbeat(Protocol):
    """What the watchdog watches, and the summary it reports."""

    @property
    def parts(self) -> Iterable[PartPulse]: ...

    def summary(self) -> str:
        """Returns the program's condition in one line for people."""
        ...


class Tenure(Protocol):
    """Whether this process still serves the company. Cheap: it asks no database."""

    def refuse_if_lost(self) -> None:
        """Called before a call leaves that no transaction of the state precedes. Raises Deposed, StoreUnavailable."""
        ...


class Permanent:
    """Implements `Tenure` where no other process can serve the company, because this one holds the state itself."""

    def refuse_if_lost(self) -> None:
        """Does nothing."""


class Brake(Protocol):
    """Limits the calls of all companies of a process to what their common address may make."""

    async def wait(self) -> None:
        """Waits until the next call may leave, in the order of the requests. A cancelled waiter holds nothing."""
        ...


class Leases(Protocol):
    """The lease of one worker, and the companies that it holds.

    Raises StoreUnavailable if the database cannot be reached at present, StoreUnusable if it never can. Every method
    ends within a third of a lease.
    """

    @property
    def worker(self) -> str:
        """The worker's id since it last joined."""
        ...

    async def join(self) -> None:
        """Joins the fleet as a worker with a new id and a new lease."""
        ...

    async def keep(self) -> None:
        """Renews the lease in time, however busy the loop is, until it is lost for good.

        A loop that hangs loses it too. After a cancellation it is no longer renewed.
        """
        ...

    @property
    def standing(self) -> Standing:
        """Returns the lease's present standing. Cheap."""
        ...

    def doubt(self) -> None:
        """Reports that the database may be unreachable: the lease is doubtful until it is renewed, which is tried at
        once.
        """
        ...

    async def holdings(self) -> Sequence[Holding] | None:
        """Returns what this worker holds, None if its lease has run out."""
        ...

    async def survey(self, known: Collection[str]) -> Fleet: ...

    async def take(self, known: Collection[str], most: int) -> Sequence[Holding]:
        """Takes companies without a living holder, each under its next epoch."""
        ...

    async def release(self, companies: Collection[str]) -> Collection[str]:
        """Hands companies back and returns those that it did; the others have a transaction in progress, and must be
        tried again.
        """
        ...

    async def leave(self) -> None:
        """Hands everything back and leaves the fleet."""
        ...

    async def wait(self, seconds: float) -> None:
        """Waits until the fleet changes, at most `seconds`."""
        ...

    async def close(self) -> None: ...
