"""durations, sizes, counts and points in time as people write them"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil, floor


def span(seconds: float) -> str:
    """Returns a duration: "40 s", "12 min", "3 h 20 min", "2 days 4 h"."""
    if seconds < 100:
        return f"{max(seconds, 0):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 36:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    whole = "1 day" if days == 1 else f"{days} days"
    return f"{whole} {hours} h" if hours else whole


def span_between(least: float, most: float) -> str:
    """Returns an uncertain duration: "40 to 55 min", "20 to 31 h", "2 to 3.5 days"."""
    unit, name, step = (60.0, "min", 1.0)
    if most >= 36 * 3600:
        unit, name, step = (86_400.0, "days", 0.5)
    elif most >= 6_000:
        unit, name = (3_600.0, "h")
    return f"{floor(least / unit / step) * step:g} to {ceil(most / unit / step) * step:g} {name}"


def a_day(times: float) -> str:
    """Returns a number of times a day: "0.2", "14", "1,440"."""
    return f"{times:,.0f}" if times >= 9.95 or not times else f"{max(times, 0.1):.1f}"


def many(count: int, what: str) -> str:
    """Returns a count with its noun: "1 payment", "2 payments"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


_UNITS = ("B", "KB", "MB", "GB", "TB")


def amount(bytes_: float) -> str:
    """Returns a size: "512 B", "3.4 MB", "12 GB"."""
    power = 0
    while bytes_ >= 999.5 and power < len(_UNITS) - 1:
        bytes_ /= 1000
        power += 1
    return f"{bytes_:.0f} {_UNITS[power]}" if not power or bytes_ >= 99.5 else f"{bytes_:.1f} {_UNITS[power]}"


def day(seconds: float) -> str:
    """ "2026-11-30", in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def moment(seconds: float | None) -> str:
    """Returns a point in time in UTC, to the minute; "never" for None."""
    return "never" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
