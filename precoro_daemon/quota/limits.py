"""what Precoro grants a key, and who may spend how much of it: lanes, reserves, shares"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Literal

from msgspec import Struct, field

from precoro_daemon.quota.rate_limits import Period


class Lane(IntEnum):
    """Who spends calls, in order of precedence."""

    PAYMENTS = 0
    DELIVERIES = 1
    LISTS = 2
    DETAILS = 3
    FILES = 4
    CENSUS = 5


SECONDS: Mapping[Period, float] = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


class Share(Struct, frozen=True):
    """Calls that these lanes may make together in any 24 hours, whatever else is left: what is scheduled later in the
    day finds the rest. At least 1.

    scheduled  calls that lists take in a day. What they took beyond that so far, as a first listing does, is not
               there for these lanes either: lists and the documents of today would wait in the evening
    least      of `calls` are there all the same
    spread     this part of them leaves only as the day goes on: lanes above that need more than was foreseen find
               calls at any hour
    """

    lanes: frozenset[Lane]
    calls: int
    scheduled: float | None = None
    least: int = 1
    spread: float = 0.0


class Limits(Struct, frozen=True):
    """What Precoro grants one key; 0 lifts a limit.

    same_get_scope  what counts as the same GET: path and query, or the path alone
    reserve         calls of a day that must remain for the lanes above, by lane
    guard           seconds added to the second window
    margin          seconds added to every other window: two calls may reach the server closer than they left us
    shares          what some lanes may make of a day's calls at most
    """

    per_second: int = 1
    per_minute: int = 60
    per_hour: int = 1500
    per_day: int = 3000
    same_get_per_minute: int = 1
    same_get_per_hour: int = 30
    same_get_scope: Literal["url", "path"] = "url"
    reserve: Mapping[Lane, int] = field(default_factory=dict)
    guard: float = 0.02
    margin: float = 0.25
    shares: Sequence[Share] = ()

    @property
    def sustained(self) -> float:
        """Seconds between two calls that the hour and the day admit in the long run; 0: they admit any number."""
        given = ((SECONDS["hour"], self.per_hour), (SECONDS["day"], self.per_day))
        return max((seconds / calls for seconds, calls in given if calls), default=0.0)

    def reserved(self, period: Period, lane: Lane) -> int:
        """The reserve binds the day in full and the hour in proportion; shorter windows open soon enough."""
        calls = self.reserve.get(lane, 0)
        if period == "day":
            return calls
        return calls * self.per_hour // self.per_day if period == "hour" and self.per_day else 0
