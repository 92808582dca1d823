"""what the runtime needs from outside: time, the book of laps, signs of life, the supervisor"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from precoro_daemon.runtime.tenure import Fleet, Holding, Standing


class Clock(Protocol):
    """Time as the program lives it: Unix seconds that never run backwards while the process lives.

    For rehearsals it may run faster than real time; `sleep` is then shorter by the same factor.
    """

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass(frozen=True, slots=True)
class LapTimes:
    """Unix seconds by the Clock. `good_at`: when a lap last ended without failures, None if none did."""

    started_at: float
    ended_at: float
    good_at: float | None = None


class PastLap(Struct, frozen=True):
    """A lap, or a whole run with --once, that is worth remembering.

    job      its name; "" for a whole run
    ended_at Unix seconds; seconds: how long it took
    brought  records and details that were new or changed; failed: what failed in it
    reason   the first thing that failed, or what ended it, "" for nothing
    """

    job: str
    ended_at: float
    seconds: float
    brought: int = 0
    failed: int = 0
    reason: str = ""


class LapBook(Protocol):
    """The last lap of each job, and a history of the laps that did something, kept for 90 days. Durable when a method
    returns. Raises StoreUnusable."""

    async def load(self) -> Mapping[str, LapTimes]: ...

    async def save(self, job: str, times: LapTimes, past: PastLap | None = None) -> None:
        """Where `good_at` is None, the earlier one stays. `past` goes into the history with it."""
        ...

    async def record(self, past: PastLap) -> None:
        """Into the history alone."""
        ...

    async def history(self, since: float) -> Sequence[PastLap]:
        """What ended since then, the oldest first."""
        ...


class PartPulse(Struct):
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


own_pulse: ContextVar[PartPulse | None] = ContextVar("own_pulse", default=None)
"""The pulse of the job that the present task, and every task it starts, belongs to."""


class Heartbeat(Protocol):
    """What the watchdog looks at, and what it says of it."""

    @property
    def parts(self) -> Iterable[PartPulse]: ...

    def summary(self) -> str:
        """How the program is, in one line for people."""
        ...


class Tenure(Protocol):
    """Whether this process still serves the company. Cheap: it asks no database."""

    def refuse_if_lost(self) -> None:
        """Before anything leaves that no transaction of the state goes before. Raises Deposed, StoreUnavailable."""
        ...


class Permanent:
    """Implements `Tenure` where no other process can serve the company: it holds the state itself."""

    def refuse_if_lost(self) -> None:
        """Nobody else is there."""


class Brake(Protocol):
    """Lets calls of all companies of a process leave no faster than their common address may make them."""

    async def wait(self) -> None:
        """Until the next call may leave. In the order in which they ask; one that is cancelled holds nothing."""
        ...


class Leases(Protocol):
    """The lease of one worker, and the companies that it holds. Raises StoreUnavailable where the database cannot be
    asked at present, StoreUnusable where it never can. Whatever is asked ends within a third of a lease."""

    @property
    def worker(self) -> str:
        """The id of the worker since it last joined."""
        ...

    async def join(self) -> None:
        """Become a worker of the fleet, under a new id and with a new lease."""
        ...

    async def keep(self) -> None:
        """Renew the lease in time, however busy the loop is, until it is lost: nothing brings it back then. A loop
        that is stuck loses it too. Cancelled, it renews no more."""
        ...

    @property
    def standing(self) -> Standing:
        """As of now. Cheap."""
        ...

    def doubt(self) -> None:
        """The database may be gone: the lease counts as unreachable until it is renewed, which is tried at once."""
        ...

    async def holdings(self) -> Sequence[Holding] | None:
        """What this worker holds; None if its lease has run out."""
        ...

    async def survey(self, known: Collection[str]) -> Fleet: ...

    async def take(self, known: Collection[str], most: int) -> Sequence[Holding]:
        """Companies without a living holder, each under its next epoch."""
        ...

    async def release(self, companies: Collection[str]) -> Collection[str]:
        """Those that were handed back; the others have a transaction under way, and are to be tried again."""
        ...

    async def leave(self) -> None:
        """Hand everything back, and be gone."""
        ...

    async def wait(self, seconds: float) -> None:
        """Until something changed in the fleet, or so long."""
        ...

    async def close(self) -> None: ...
