"""How many calls go side by side."""

from __future__ import annotations

import pytest

from precoro_daemon.quota.pacing import in_flight_bound, latency_after


@pytest.mark.parametrize(
    ("latency", "interval", "bound"),
    [(0.0, 1.02, 2), (0.3, 1.02, 2), (5.0, 1.0, 6), (600.0, 1.0, 32), (9.0, 0.0, 16)],
)
def test_as_many_as_use_the_rate_at_this_latency(latency: float, interval: float, bound: int) -> None:
    assert in_flight_bound(latency, interval, proven=True) == bound


def test_a_key_that_proved_nothing_yet_has_one_call_under_way() -> None:
    assert in_flight_bound(600.0, 1.0, proven=False) == 1


def test_the_latency_rises_at_once_and_falls_slowly() -> None:
    assert latency_after(1.0, 9.0) == 9.0
    assert latency_after(9.0, 1.0) == pytest.approx(7.4)
