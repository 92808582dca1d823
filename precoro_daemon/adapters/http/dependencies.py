"""what the throttle needs from outside: account, clock, progress, lease, common brake"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from precoro_daemon.runtime.ports import Brake, Clock, Permanent, Tenure

if TYPE_CHECKING:
    from precoro_daemon.quota.ports import BudgetBook, CallProgress


class ServerClock(Clock, Protocol):
    """A clock that can be set once, by the first server's `Date`; returns the shift in seconds."""

    time_scale: float

    def anchor(self, server_now: float) -> float: ...


class GateDependencies(Struct, frozen=True):
    """The book of calls, the clock, the counter of calls, whether this process still serves the company, and the
    brake of its address.
    """

    book: BudgetBook
    clock: ServerClock
    progress: CallProgress
    tenure: Tenure = field(default_factory=Permanent)
    brake: Brake | None = None
