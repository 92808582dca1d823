"""the limits that Precoro grants a key, and how much each lane may spend: lanes, reserves, shares"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Literal

from msgspec import Struct, field

from precoro_daemon.quota.rate_limits import Period


class Lane(IntEnum):
    """The spenders of calls, in order of precedence."""

    PAYMENTS = 0
    DELIVERIES = 1
    LISTS = 2
    DETAILS = 3
    FILES = 4
    CENSUS = 5


SECONDS: Mapping[Period, float] = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


class Share(Struct, frozen=True):
    """Calls that these lanes may make together in any 24 hours, so that work scheduled later in the day finds the
    rest. At least 1.

    scheduled  the calls that lists take in a day; what they took beyond that so far, as a first listing does, is
               subtracted, because lists and today's documents would otherwise wait in the evening
    least      the part of `calls` that is never subtracted
    spread     the part that leaves only as the day goes on, so that higher lanes that need more than was foreseen
    find
               calls at any hour
    """

    lanes: frozenset[Lane]
    calls: int
    scheduled: float | None = None
    least: int = 1
    spread: float = 0.0


class Limits(Struct, frozen=True):
    """The limits of one key; 0 stands for no limit.

    same_get_scope  what makes two GETs identical: path and query, or the path alone
    reserve         by lane: calls of a day that must remain for the lanes above it
    guard           seconds added to the window of a second
    margin          seconds added to every other window: two calls may arrive closer together than they left
    shares          the most that some lanes may make of a day's calls
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
        """The seconds between two calls that the hour and the day allow in the long run; 0 if they set no limit."""
        given = ((SECONDS["hour"], self.per_hour), (SECONDS["day"], self.per_day))
        return max((seconds / calls for seconds, calls in given if calls), default=0.0)

    def reserved(self, period: Period, lane: Lane) -> int:
        """Returns the reserve of a window: the day's in full, the hour's in proportion; shorter windows open soon
        enough.
        """
        calls = self.reserve.get(lane, 0)
        if period == "day":
            return calls
        return calls * self.per_hour // self.per_day if period == "hour" and self.per_day else 0
