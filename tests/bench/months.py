"""Simulated days of the service with its quota used up: how soon a change is here while details are back-filled, and
what the process comes to hold."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import quantiles

import anyio

from tests.bench.figures import Aim, Line
from tests.bench.processes import CLIENT_CORE, SERVER_CORE
from tests.system.months import Course, Plan, live

_LAPS = Aim(2.0)
_FRESH = Plan(days=7, scale=1000, invoices=50_000, edits=100, payments=20)
_LONG = Plan(days=30, scale=3000, invoices=20_000, edits=100, payments=20, announced=True)


def week(folder: Path) -> Iterator[Line]:
    """About ten minutes. A lap of the lists is due every twenty minutes."""
    course = _lived(folder, _FRESH)
    yield from _ages("until a change is here", course.rows)
    yield from _ages("until its detail is here", course.details)
    yield from _ages("until a payment of the books is made", course.paid)
    yield _none("  payments made twice", course.twice)
    yield _none(f"  refused of {course.calls:,} calls", sum(course.refused.values()))


def month(folder: Path) -> Iterator[Line]:
    """About fifteen minutes: does anything grow from the first day to the last?"""
    course = _lived(folder, _LONG)
    first, last = course.samples[min(8, len(course.samples) - 1)], course.samples[-1]  # after a day, and in the end
    yield Line(
        "memory after 30 days",
        f"{last.rss:.0f} MB",
        "after one",
        f"{first.rss:.0f} MB",
        last.rss / first.rss,
        Aim(1.1),
    )
    yield Line(
        "  descriptors",
        str(last.descriptors),
        "after one",
        str(first.descriptors),
        last.descriptors / first.descriptors,
        Aim(1.2),
    )
    yield Line("  write-ahead log at most", f"{max(one.wal for one in course.samples):.1f} MB", "", "")
    yield Line("  lines of the log a day", f"{course.log_lines / _LONG.days:,.0f}", "", "")
    yield _none(f"  refused of {course.calls:,} calls", sum(course.refused.values()))


def _lived(folder: Path, plan: Plan) -> Course:
    os.sched_setaffinity(0, {SERVER_CORE, CLIENT_CORE})  # the system decides who runs where
    try:
        course = anyio.run(partial(live, folder, plan))
    finally:
        os.sched_setaffinity(0, {CLIENT_CORE})
    print(f"  {course.told()}", flush=True)
    return course


def _ages(figure: str, laps: Sequence[float]) -> Iterator[Line]:
    cuts = quantiles(laps, n=20)
    yield Line(figure, f"p95 {cuts[18]:.2f} laps", "", f"p50 {cuts[9]:.2f}, worst {max(laps):.1f}", cuts[18], _LAPS)


def _none(figure: str, count: int) -> Line:
    return Line(figure, str(count), "allowed", "0", float(count), Aim(0))
