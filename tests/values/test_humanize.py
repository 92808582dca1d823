"""Lengths of time that are not known exactly."""

from __future__ import annotations

import pytest

from precoro_daemon.values.humanize import span_between


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [(2.1, 3.3, "2 to 3.5 days"), (0.9, 1.6, "0.5 to 2 days"), (0.1, 0.9, "2 to 22 h"), (0.01, 0.05, "14 to 72 min")],
)
def test_a_range_has_both_ends_in_it(least: float, most: float, words: str) -> None:
    assert span_between(least * 86_400, most * 86_400) == words
