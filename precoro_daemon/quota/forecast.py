"""how long older documents take, according to what the coming hours leave them

Theory of operation. The plan of each coming hour says how many calls for older documents the last day may contain by
then, and how many of them leave only as the day goes on. A Monday's webhooks and payments leave fewer, a weekend
leaves more. The calls are simulated through these plans hour by hour, starting with those of the last day: a call
makes room for another one when it is a day old. After a week and a day the same week repeats.

At its start, nobody knows what a first day brings. So the time is also computed for the least and the most that it
may bring, and the three results converge as the day is observed. While they differ the forecast is a range, because
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
"""If least and most differ from the likely time by no more than this factor, one number is enough."""

_HOURS_A_DAY, _HOURS_A_WEEK = 24, 168
"""Hours."""

_AGO = range(_HOURS_A_DAY, 0, -1)
"""Hours back from the end of an hour to the starts of those of its last day."""

_USUAL_FOR = 0.2
"""The part of a day for which a guess about payments and deliveries counts before any was observed. It affects how
long a fill takes; a whole observed day says it better.
"""

_LEAST_SEEN = 1e-3

HOURS_AHEAD = _HOURS_A_DAY + _HOURS_A_WEEK
"""The hours that are simulated: the calls of the last day are over after the first day, and the week then repeats."""


class TimeToGo(NamedTuple):
    """The likely number of seconds, the least and the most."""

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
        """The time as "about 2 days 7 h" or "2 to 3.5 days"."""
        return f"about {span(self.seconds)}" if self.sure else span_between(self.least, self.most)


class Calls(NamedTuple):
    """Calls of one kind at some hour.

    made      in the last day
    reckoned  the calls a day with which a plan works: from those made and, while little of a day was observed, a
    guess
    coming    the share of a mean day's changes that is expected in the next day
    """

    made: float
    reckoned: float
    coming: float


def calls_by_hour(
    gone: Sequence[float], coming: Sequence[float], seen: float, guess: float, made: int
) -> Iterator[Calls]:
    """Yields the calls caused by changes, now and at each coming hour.

    gone    changes expected in each hour of the last day, in any unit
    coming  the share of a mean day's changes expected in each coming hour, with a day beyond
    seen    the same for the part of the last day whose calls are known
    guess   calls of a mean day, before any was observed
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
    """Returns the sums up to the start of each hour."""
    return list(accumulate((*gone, *coming), initial=0.0))


def _mean_day(guess: float, made: float, seen: float) -> float:
    """Returns the calls of a mean day, from the part of a day that was observed and, while that is small, a guess."""
    weight = _USUAL_FOR * max(0.0, 1 - seen)
    return (made + guess * weight) / max(seen + weight, _LEAST_SEEN)


class HourAhead(NamedTuple):
    """What an hour's plan leaves to older documents.

    calls   the most that the last day may contain at the hour's end
    spread  the part of them that leaves only as the day goes on
    """

    calls: float
    spread: float


def time_through(
    hours: Iterable[HourAhead], limits: Mapping[str, float], calls: int, spent: Sequence[float] = ()
) -> float:
    """Returns the seconds until the last of `calls` has left.

    hours   the coming hours, `HOURS_AHEAD` of them
    limits  calls that Precoro allows, by window; 0 for no limit
    spent   ages in seconds of the calls of the last day, oldest first
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
    """Returns how many of them had left at the start of each hour of the last day, and now."""
    ages = spent[::-1]
    return [float(len(ages) - bisect_left(ages, ago * HOUR_S)) for ago in (*_AGO, 0)]


def _beyond(week: Sequence[float], calls: float) -> float:
    """Returns the hours that `calls` take if every week is like `week`, which says how many had left at each hour."""
    weeks, rest = divmod(calls, max(week[-1] - week[0], 1.0))
    hour = bisect_left(week, week[0] + rest, lo=1, hi=_HOURS_A_WEEK)
    part = (week[0] + rest - week[hour - 1]) / max(week[hour] - week[hour - 1], 1.0)
    return weeks * _HOURS_A_WEEK + hour - 1 + part


def duration(calls: int, windows: Sequence[tuple[float, int]]) -> float:
    """Returns the seconds until the last of `calls` has left, if each window of that many seconds admits that many
    calls.

    A window of 0 calls has no limit. Windows are given from the shortest to the longest; each must be a multiple of
    the time that the shorter ones take to fill it, as the documented limits are.
    """
    seconds = 0.0
    left = max(calls - 1, 0)
    for length, limit in sorted(windows, reverse=True):
        if limit:
            seconds += (left // limit) * length
            left %= limit
    return seconds
