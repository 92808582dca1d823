"""the last two weeks for people: each day's changes, their delay, and its failures"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from precoro_daemon.adapters.listener.bars import bars, scale
from precoro_daemon.adapters.listener.html import Html, tag
from precoro_daemon.adapters.listener.panels import sheet
from precoro_daemon.status.history import Day
from precoro_daemon.status.snapshot import Stored
from precoro_daemon.values.humanize import many, span


def history(stored: Stored) -> Iterator[Html]:
    """Yields nothing before the first day with activity."""
    if any(day.laps for day in stored.days):
        yield sheet("The last two weeks", *_charts(stored.days))


def _charts(days: Sequence[Day]) -> Iterator[Html]:
    most = max(days, key=lambda day: day.brought)
    brought = f"{sum(day.brought for day in days):,} records and details, most on {_day(most)}: {most.brought:,}"
    yield tag("h3", "New or changed by day")
    yield bars([float(day.brought) for day in days], f"New or changed by day: {brought}", last=True)
    yield _days(days)
    yield tag("p", f"{brought}.", class_="soft")
    if any(day.delay is not None for day in days):
        worst = max(days, key=lambda day: day.delay or 0.0)
        late = f"At most {span(worst.delay or 0.0)}, on {_day(worst)}"
        yield tag("h3", "Mean delay of changes by day")
        yield bars([day.delay or 0.0 for day in days], f"Mean delay of changes by day: {late}", last=True)
        yield _days(days)
        yield tag("p", f"{late}.", class_="soft")
    failed = [f"{_day(day)}: {day.failed:,}" for day in reversed(days) if day.failed]
    said = f"{many(len(failed), 'day')} with failures ({'; '.join(failed)})." if failed else "Nothing failed."
    yield tag("p", f"{said} More: precoro-daemon history.", class_="soft")


def _days(days: Sequence[Day]) -> Html:
    return scale(_day(days[0]), _day(days[len(days) // 2]), "today")


def _day(day: Day) -> str:
    return datetime.fromtimestamp(day.begins, UTC).strftime("%d %b").lstrip("0")
