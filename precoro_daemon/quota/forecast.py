"""how long older documents take, by what the hours to come leave them

Theory of operation. The plan of each hour to come says how many calls for older documents the last day may hold then,
and how many of them leave only as the day goes on: fewer where a Monday's webhooks and payments come into the day
ahead, more where a weekend's are all that the last day had. The calls are followed through these plans hour by hour,
from those that left in the last day on: a call opens the day for another one when it is a day old. Beyond
a week and a day the same week comes again.

What a first day brings nobody knows when it begins. So the time is worked out for the least and for the most that it
may bring too, and what was seen of the day brings the three together. As long as they lie apart a range is given, for
one number would be wrong.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Self

from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.quota.watched_hours import HOUR_S
from precoro_daemon.values.humanize import span, span_between

_SURE = 1.1
"""Where least and most differ from what is likely by no more, one number says it."""

_HOURS_A_DAY, _HOURS_A_WEEK = 24, 168
"""Hours."""

_AGO = range(_HOURS_A_DAY, 0, -1)
"""Hours before the end of one: the beginnings of those of a day."""

_USUAL_FOR = 0.2
"""So much of a day counts what payments and deliveries are taken to make before any was seen. It says how long a fill
takes; a day that is over says it better."""

_LEAST_SEEN = 1e-3

HOURS_AHEAD = _HOURS_A_DAY + _HOURS_A_WEEK
"""That are followed: what the last day made is over after the first of them, and the others come again."""


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


class Calls(NamedTuple):
    """Of a kind, at some hour.

    made      in the last day
    reckoned  with which a plan reckons, by those and, as long as little of a day was seen, by a guess
    coming    of the changes of a mean day, the part to be expected in the next day
    """

    made: float
    reckoned: float
    coming: float


def calls_by_hour(
    gone: Sequence[float], coming: Sequence[float], seen: float, guess: float, made: int
) -> Iterator[Calls]:
    """Now, and at each of the hours to come, of what comes with changes.

    gone    changes to be expected in each hour of the last day, in any unit
    coming  of those of a mean day, the part to be expected in each hour to come and in those of a day beyond
    seen    likewise in that of the last day from which calls are known
    guess   of the calls of a mean day, before any was seen
    made    calls of the last day
    """
    usual = sum(gone)
    parts = [part / usual for part in gone] if usual else [1 / _HOURS_A_DAY] * _HOURS_A_DAY
    mean_day = _mean_day(guess, made, seen)
    changes = _sums([part * seen for part in parts], coming)
    calls = _sums([part * made for part in parts], [part * mean_day for part in coming])
    for hour in range(HOURS_AHEAD):
        now = hour + _HOURS_A_DAY
        of_last, of_next = changes[now] - changes[hour], round(changes[now + _HOURS_A_DAY] - changes[now], 9)
        of_day = calls[now] - calls[hour]
        yield Calls(of_day, max(_mean_day(guess, of_day, of_last) * of_next, of_day), of_next)


def _sums(gone: Sequence[float], coming: Sequence[float]) -> Sequence[float]:
    """Up to the beginning of each hour."""
    return list(accumulate((*gone, *coming), initial=0.0))


def _mean_day(guess: float, made: float, seen: float) -> float:
    """Calls of it, by those of a day of which that part was seen and, as long as it is little, by a guess."""
    weight = _USUAL_FOR * max(0.0, 1 - seen)
    return (made + guess * weight) / max(seen + weight, _LEAST_SEEN)


class HourAhead(NamedTuple):
    """What its plan leaves to older documents.

    calls   that the last day may hold at its end
    spread  this part of them leaves only as the day goes on
    """

    calls: float
    spread: float


def time_through(
    hours: Iterable[HourAhead], limits: Mapping[str, float], calls: int, spent: Sequence[float] = ()
) -> float:
    """Seconds until the last of so many calls has left.

    hours   to come, `HOURS_AHEAD` of them
    limits  what Precoro allows, by window; 0: that window has no limit
    spent   how many seconds ago those of the last day left, oldest first
    """
    if calls <= 0:
        return 0.0
    shorter = [(seconds, int(limits.get(window, 0))) for window, seconds in SECONDS.items() if window != "day"]
    fastest = min((most * HOUR_S / seconds for seconds, most in shorter if most), default=math.inf)
    made = _made_by_hour(spent)
    last, room = made[-1] + calls, min(made[:-1])
    for hour, (of_day, spread) in enumerate(hours):
        before, at_once, step = made[-1], of_day * (1 - spread), of_day * spread / _HOURS_A_DAY
        begins = max(before, at_once + min(before, room))
        room = min([left + step * ago for left, ago in zip(made[-_HOURS_A_DAY:], _AGO, strict=True)])
        ends = min(max(begins, at_once + room), before + fastest)
        if ends >= last:
            evenly = HOUR_S * (last - begins) / (ends - begins) if last > begins else 0.0
            return hour * HOUR_S + min(HOUR_S, max(evenly, duration(int(last - before), shorter)))
        made.append(ends)
    return HOUR_S * (HOURS_AHEAD + _beyond(made[-_HOURS_A_WEEK - 1 :], last - made[-1]))


def _made_by_hour(spent: Sequence[float]) -> list[float]:
    """How many of them had left at the beginning of each hour of the last day, and now."""
    ages = spent[::-1]
    return [float(len(ages) - bisect_left(ages, ago * HOUR_S)) for ago in (*_AGO, 0)]


def _beyond(week: Sequence[float], calls: float) -> float:
    """Hours that so many calls take where one week is like the other. `week`: how many had left at each hour."""
    weeks, rest = divmod(calls, max(week[-1] - week[0], 1.0))
    hour = bisect_left(week, week[0] + rest, lo=1, hi=_HOURS_A_WEEK)
    part = (week[0] + rest - week[hour - 1]) / max(week[hour] - week[hour - 1], 1.0)
    return weeks * _HOURS_A_WEEK + hour - 1 + part


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
