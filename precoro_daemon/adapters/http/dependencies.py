"""what the throttle needs from outside: the account, a clock the server may set, who counts calls"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from precoro_daemon.quota.ports import BudgetBook, CallProgress
from precoro_daemon.runtime.ports import Clock


class ServerClock(Clock, Protocol):
    """A clock that can be set, once, by the first server's `Date`; returns the shift in seconds."""

    time_scale: float

    def anchor(self, server_now: float) -> float: ...


@dataclass(frozen=True, slots=True)
class GateDependencies:
    """The book of calls, the clock, and who counts calls."""

    book: BudgetBook
    clock: ServerClock
    progress: CallProgress
