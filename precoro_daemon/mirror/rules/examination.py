"""what a few answers show about how Precoro sorts lists, counts rows and reads times"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.reach import FARTHEST_S
from precoro_daemon.values.json_reading import utc_text, whole_number

_LEAST_ROWS = 3
"""Rows with different values, below which an order may be chance."""

_QUARTER_S = 900.0
_KILO = (("KB", 1000), ("KiB", 1024))
_ROUNDED = 1.0
"""The rounding error of a size in kilobytes."""

_SORTED_BY = (("createDate", "creation"), ("updateDate", "last change"), ("id", "id"))


def order_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns the order, as in "newest first by creation"; "" if the rows show none."""
    for name, word in _SORTED_BY:
        values = [value for row in rows if (value := _comparable(row.get(name))) is not None]
        if len(values) < len(rows) or len(set(values)) < _LEAST_ROWS:
            continue
        if all(one >= other for one, other in pairwise(values)):
            return f"newest first by {word}"
        if all(one <= other for one, other in pairwise(values)):
            return f"oldest first by {word}"
    return ""


def _comparable(value: Any) -> str | None:
    number = whole_number(value)
    return f"{number:020}" if number is not None else utc_text(value)


def totals_of(page: Page) -> str:
    """Returns what a page states about its list."""
    said = {
        "total": page.total is not None,
        "total_pages": page.total_pages is not None,
        "has_next_page": page.has_next is not None,
    }
    return ", ".join(name for name, there in said.items() if there)


def newest_change(dates: Iterable[str | None]) -> float | None:
    """Returns the latest of the dates, which are in UTC, as Unix seconds; None if none is readable."""
    found = []
    for date in dates:
        try:
            found.append(datetime.fromisoformat(date or "").replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    return max(found, default=None)


EVERY_ZONE = tuple(-FARTHEST_S / 3600 + step / 4 for step in range(int(8 * FARTHEST_S / 3600) + 1))
"""Hours ahead of UTC."""


def next_zone(zones: Sequence[float]) -> float | None:
    """Returns the zone to test next, of those in which `modifiedSince` may be read: whether the true one lies as far
    east.

    UTC is found by two requests, any other zone by at most seven more. None: it is known, or none fits.
    """
    if len(zones) <= 1:
        return None
    if 0.0 in zones:
        return 0.0 if zones[0] < 0 else zones[1]
    return zones[len(zones) // 2]


def question(changed_at: float, zone: float) -> float:
    """Returns the `modifiedSince` that brings a row changed at that time (Unix seconds) if it is read as far east or
    further.
    """
    return changed_at + zone * 3600 - _QUARTER_S / 2


def narrowed(zones: Sequence[float], zone: float, *, came: bool) -> Sequence[float]:
    """Returns the zones that remain once the row arrived, or did not."""
    return [one for one in zones if (one >= zone) is came]


def zone_name(hours: float) -> str:
    """Returns the zone for people: UTC, UTC+5:30."""
    whole, rest = divmod(round(abs(hours) * 60), 60)
    return f"UTC{'-' if hours < 0 else '+'}{whole}:{rest:02}" if hours else "UTC"


def unit_of(size: int | None, length: int) -> str:
    """Returns the unit of a file's size, from its real length; "" if none fits."""
    if size is None or length <= 0:
        return ""
    if size == length:
        return "bytes"
    return next((name for name, unit in _KILO if abs(size - length / unit) <= _ROUNDED), "")
