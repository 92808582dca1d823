"""How fresh each list was kept in the last week, from what scans saw."""

from __future__ import annotations

import pytest

from precoro_daemon.quota.watched_hours import ScanSeen, WatchedHour
from precoro_daemon.status.freshness import Freshness, delays_by_hour, freshness_of, of_still_lists
from precoro_daemon.values.humanize import a_day

DAY = 86_400.0
MIDNIGHT = 1_795_564_800.0


def test_what_scans_saw_is_told_by_the_hour_in_which_changes_were_made() -> None:
    nine, ten = MIDNIGHT + 9 * 3600, MIDNIGHT + 10 * 3600
    seen = ScanSeen("invoices", nine + 1800, ten + 600, changed=[nine + 3000, nine + 3300, ten + 300])
    delays = delays_by_hour(seen.hours(), ten + 900)
    assert {hour: delay for hour, delay in enumerate(delays) if delay is not None} == {9: 1050.0, 10: 300.0}
    [(name, found)] = freshness_of(seen.hours(), ten + 900).items()
    assert (name, found.delay, found.worst) == ("invoices", 800.0, 1200.0)
    assert found.changes == pytest.approx(3 * DAY / 2400)


def test_the_first_hours_do_not_look_like_a_busy_week() -> None:
    hours = [WatchedHour("taxes", int(MIDNIGHT + 3600 * hour), seconds=3600, scans=4) for hour in range(3)]
    assert freshness_of(hours, MIDNIGHT + 3 * 3600)["taxes"] == Freshness(0.0, 12.0)
    week = [WatchedHour("taxes", int(MIDNIGHT + DAY * day), seconds=3600, scans=4) for day in range(4)]
    assert freshness_of(week, MIDNIGHT + 4 * DAY)["taxes"].scans == 4


def test_what_is_older_than_a_week_counts_no_more() -> None:
    old = WatchedHour(
        "invoices", int(MIDNIGHT - 8 * DAY), seconds=3600, changes=9, scans=1, delayed=9, delay=9.0, worst=1
    )
    assert freshness_of([old], MIDNIGHT) == {}
    assert set(delays_by_hour([old], MIDNIGHT)) == {None}


def test_lists_that_bring_nothing_share_a_sentence() -> None:
    still, busy = Freshness(0.0, 1.0), Freshness(3.0, 50.0)
    assert of_still_lists([busy]) == ""
    assert of_still_lists([busy, still]) == "1 list brought no change in 7 days; scans a day: 1.0."
    told = of_still_lists([Freshness(0.0, 12.0), busy, still])
    assert told == "2 lists brought no change in 7 days; scans a day: 1.0 to 12."


@pytest.mark.parametrize(
    ("times", "words"), [(0, "0"), (0.004, "0.1"), (0.25, "0.2"), (9.94, "9.9"), (9.96, "10"), (1440, "1,440")]
)
def test_how_often_in_a_day(times: float, words: str) -> None:
    assert a_day(times) == words
