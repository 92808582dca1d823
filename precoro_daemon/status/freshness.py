"""how fresh each list was in the last week: its changes, its scans, and the delay of changes"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import floor

from msgspec import Struct

from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.quota.watched_hours import HOUR_S, WatchedHour
from precoro_daemon.values.humanize import a_day, many

_DAY_S = SECONDS["day"]
_SHOWN_S = 7 * _DAY_S


class Freshness(Struct, frozen=True):
    """One collection in the last week.

    changes, scans  a day
    delay           mean seconds from a change until a scan brought it, None if nothing changed since the first
    reading
    worst           the longest delay
    """

    changes: float = 0.0
    scans: float = 0.0
    delay: float | None = None
    worst: float | None = None


def of_still_lists(lists: Iterable[Freshness]) -> str:
    """Returns a sentence about the lists without changes, "" if there are none."""
    scans = [a_day(one.scans) for one in sorted(lists, key=lambda one: one.scans) if not one.changes]
    if not scans:
        return ""
    often = " to ".join(dict.fromkeys((scans[0], scans[-1])))
    return f"{many(len(scans), 'list')} brought no change in 7 days; scans a day: {often}."


def freshness_of(hours: Sequence[WatchedHour], now: float) -> Mapping[str, Freshness]:
    """Returns freshness by collection, as far as it is known for the last week."""
    lately = _last_week(hours, now)
    # Changes of a time before the first scan are known; what began then is a day old at least, so that the first
    # hours do not look like a busy week.
    first = min((hour.begins for hour in lately if hour.scans), default=now)
    days = max(1.0, (now - first) / _DAY_S)
    return {name: _freshness([hour for hour in lately if hour.collection == name], days) for name in _names(lately)}


def delays_by_hour(hours: Sequence[WatchedHour], now: float) -> Sequence[float | None]:
    """Returns the mean delay in seconds by the hour of the day (UTC) of the change, None if unknown."""
    lately = _last_week(hours, now)
    days = [[one for one in lately if floor(one.begins / HOUR_S) % 24 == hour] for hour in range(24)]
    return [mean_delay(each) for each in days]


def _freshness(hours: Sequence[WatchedHour], days: float) -> Freshness:
    seconds = sum(hour.seconds for hour in hours)
    delay = mean_delay(hours)
    return Freshness(
        changes=sum(hour.changes for hour in hours) * _DAY_S / seconds if seconds else 0.0,
        scans=sum(hour.scans for hour in hours) / days,
        delay=delay,
        worst=None if delay is None else max(hour.worst for hour in hours),
    )


def mean_delay(hours: Sequence[WatchedHour]) -> float | None:
    """Returns the mean seconds from a change until a scan brought it, None if unknown."""
    delayed = sum(hour.delayed for hour in hours)
    return sum(hour.delay for hour in hours) / delayed if delayed else None


def _last_week(hours: Sequence[WatchedHour], now: float) -> Sequence[WatchedHour]:
    return [hour for hour in hours if now - _SHOWN_S < hour.begins <= now]


def _names(hours: Sequence[WatchedHour]) -> Sequence[str]:
    return sorted({hour.collection for hour in hours})
