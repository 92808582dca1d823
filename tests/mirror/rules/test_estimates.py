"""What a first mirror costs: calls and time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.mirror.rules.estimates import Cost, duration

DOCUMENTED = [(1.0, 1), (60.0, 60), (3600.0, 1_500), (86_400.0, 3_000)]


def when_the_last_leaves(calls: int, windows: Sequence[tuple[float, int]]) -> float:
    """The same found by trying: each call leaves as soon as no window that ends with it is over-full."""
    stamps: list[float] = []
    for _ in range(calls):
        at = stamps[-1] if stamps else 0.0
        for length, limit in windows:
            if limit and len(stamps) >= limit:
                at = max(at, stamps[-limit] + length)
        stamps.append(at)
    return stamps[-1] if stamps else 0.0


def test_a_collection_costs_its_pages_and_its_details() -> None:
    assert Cost("invoices", rows=450, pages=3, details=450).calls == 453


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [(0, 0), (1, 0), (2, 1), (61, 60), (1_500, 1_499), (1_501, 3_600), (3_000, 5_099), (3_001, 86_400)],
)
def test_how_long_the_documented_limits_take(calls: int, seconds: float) -> None:
    assert duration(calls, DOCUMENTED) == seconds


def test_a_lifted_window_takes_no_time() -> None:
    assert duration(10_000, [(length, 0) for length, _ in DOCUMENTED]) == 0
    assert duration(6_001, [(1.0, 0), (86_400.0, 3_000)]) == 2 * 86_400.0


@given(st.integers(0, 7_000))
def test_it_is_what_trying_it_would_show(calls: int) -> None:
    assert duration(calls, DOCUMENTED) == when_the_last_leaves(calls, DOCUMENTED)


@given(st.integers(0, 100_000))
def test_one_more_call_never_takes_less(calls: int) -> None:
    assert duration(calls + 1, DOCUMENTED) >= duration(calls, DOCUMENTED)
