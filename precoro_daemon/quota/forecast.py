"""how long older documents take, by what the days to come leave them

Theory of operation. A day of calls opens again as the one before it was spent: each call that left opens the day for
another one when it is a day old. So the last of many calls leaves so many days later at the hour at which one of
today's does. Of today's calls a part leaves at once and the rest evenly. On a first day less and less is kept for
payments and deliveries, and calls leave as the plans of the hours to come will let them.

What a first day brings nobody knows when it begins. So the time is worked out for the least and for the most that it
may bring too, and what was seen of the day brings the three together. As long as they lie apart a range is given, for
one number would be wrong.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Self

from msgspec import Struct

from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.values.humanize import span, span_between

_SURE = 1.1
"""Where least and most differ from what is likely by no more, one number says it."""


class TimeToGo(NamedTuple):
    """Seconds that are likely, and those that it takes at least and at most."""

    seconds: float = 0.0
    least: float = 0.0
    most: float = 0.0

    @classmethod
    def exactly(cls, seconds: float) -> Self:
        return cls(seconds, seconds, seconds)

    @property
    def sure(self) -> bool:
        return self.most <= _SURE * self.seconds and self.seconds <= _SURE * self.least

    @property
    def words(self) -> str:
        """As "about 2 days 7 h" or "2 to 3.5 days"."""
        return f"about {span(self.seconds)}" if self.sure else span_between(self.least, self.most)


class DaysAhead(Struct, frozen=True):
    """Calls for older documents.

    limits  what Precoro allows, by window; 0: that window has no limit
    today   of this day, and later: of each day of the week after it
    evenly  those of today that do not leave at once
    hours   on a first day, how many may have left after each hour from now on; else empty
    """

    limits: Mapping[str, float]
    today: int
    later: Sequence[int]
    evenly: float
    hours: Sequence[int] = ()

    def seconds_for(self, calls: int, spent: Sequence[float] = ()) -> float:
        """Until the last of so many has left.

        spent  how many seconds ago those of the last day left, oldest first
        """
        if calls <= 0:
            return 0.0
        ages = spent[-self.today :]
        days, number = self._day_of(len(ages) + calls - 1)
        today = -ages[number] if number < len(ages) else self._leaves(number + 1, ages)
        return max(0.0, days * SECONDS["day"] + today)

    def _day_of(self, number: int) -> tuple[int, int]:
        """Days until a call leaves, and the one of today at whose hour it does: what a day has more than today it has
        at once."""
        if number < self.today:
            return 0, number
        weeks, number = divmod(number - self.today, sum(self.later))
        for day, share in enumerate(self.later, 1 + weeks * len(self.later)):
            if number < share:
                return day, max(0, number - share + self.today)
            number -= share
        raise AssertionError

    def _leaves(self, calls: int, ages: Sequence[float]) -> float:
        """Until so many calls of today's have left, of which some have."""
        at_once = self._at_once(calls - len(ages))
        if self.hours:
            return min(max(at_once, self._hour_of(calls)), SECONDS["day"])
        beyond = calls - (self.today - self.evenly)
        later = ((beyond - made) * SECONDS["day"] / self.evenly - age for made, age in enumerate(ages or (0.0,)))
        return min(max(at_once, *later), SECONDS["day"])

    def _hour_of(self, calls: int) -> float:
        """Seconds until so many may have left."""
        hour = min(bisect_left(self.hours, calls), len(self.hours) - 1)
        if not hour:
            return 0.0
        before, after = self.hours[hour - 1], self.hours[hour]
        return (hour - (after - calls) / max(1, after - before)) * SECONDS["hour"]

    def _at_once(self, calls: int) -> float:
        """Until the last has left, as far as the day has them."""
        shorter = {window: int(calls) for window, calls in self.limits.items() if window != "day"}
        return duration(calls, [(seconds, shorter.get(window, 0)) for window, seconds in SECONDS.items()])


def duration(calls: int, windows: Sequence[tuple[float, int]]) -> float:
    """Seconds until the last of `calls` has left, when each window of that many seconds admits that many calls.

    A window with 0 calls is lifted. Windows are given from the shortest to the longest; each must be a multiple of
    what the shorter ones take to fill it, which the documented limits are.
    """
    seconds = 0.0
    left = max(calls - 1, 0)
    for length, limit in sorted(windows, reverse=True):
        if limit:
            seconds += (left // limit) * length
            left %= limit
    return seconds
