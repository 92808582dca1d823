"""the results of laps and runs, day by day"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor

from msgspec import Struct

from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.quota.watched_hours import WatchedHour
from precoro_daemon.runtime.ports import PastLap
from precoro_daemon.status.freshness import mean_delay

DAYS_SHOWN = 14
_DAY_S = SECONDS["day"]
HISTORY_SHOWN_S = DAYS_SHOWN * _DAY_S


class Day(Struct, frozen=True):
    """One day (UTC).

    begins   Unix seconds
    laps     laps that did something, and whole runs
    brought  records and details that were new or changed
    failed   number of failures
    delay    mean seconds from a change made on that day until a scan brought it, None if unknown
    """

    begins: float
    laps: int = 0
    brought: int = 0
    failed: int = 0
    delay: float | None = None


def by_day(
    history: Sequence[PastLap], hours: Sequence[WatchedHour], now: float, days: int = DAYS_SHOWN
) -> Sequence[Day]:
    """Returns the last `days`, including today, oldest first, with days on which nothing was done."""
    today = floor(now / _DAY_S)
    return [_day(number, history, hours) for number in range(today - days + 1, today + 1)]


def _day(number: int, history: Sequence[PastLap], hours: Sequence[WatchedHour]) -> Day:
    laps = [lap for lap in history if floor(lap.ended_at / _DAY_S) == number]
    delay = mean_delay([hour for hour in hours if floor(hour.begins / _DAY_S) == number])
    return Day(number * _DAY_S, len(laps), sum(lap.brought for lap in laps), sum(lap.failed for lap in laps), delay)
