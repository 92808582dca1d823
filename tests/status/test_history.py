"""What every day came to."""

from __future__ import annotations

from precoro_daemon.quota.watched_hours import WatchedHour
from precoro_daemon.runtime.ports import PastLap
from precoro_daemon.status.history import Day, by_day

DAY = 86_400.0
NOW = 20_000 * DAY + 3_600


def test_days_add_up_and_empty_ones_stand_too() -> None:
    history = [
        PastLap("lists", NOW - 3 * DAY, 1.0, brought=5),
        PastLap("lists", NOW - DAY, 1.0, brought=2, failed=1, reason="x"),
        PastLap("", NOW - DAY - 3_599, 1.0, brought=3),
        PastLap("lists", NOW, 1.0, failed=2),
    ]
    hours = [WatchedHour("invoices", int(NOW - DAY - 3600), delayed=2, delay=100.0)]
    assert by_day(history, hours, NOW, days=3) == [
        Day(19_998 * DAY),
        Day(19_999 * DAY, laps=2, brought=5, failed=1, delay=50.0),
        Day(20_000 * DAY, laps=1, failed=2),
    ]
