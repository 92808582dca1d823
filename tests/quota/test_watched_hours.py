"""What is known of the hours of a collection: added up and forgotten, whatever order it comes in."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.quota.watched_hours import HOURS_A_WEEK, KnownHours, WatchedHour

HOUR = 3600

NUMBERS = st.integers(-2 * HOURS_A_WEEK, 4 * HOURS_A_WEEK)
HOURS = st.builds(
    lambda number, seconds, changes: WatchedHour("invoices", number * HOUR, seconds, changes, changes // 2),
    NUMBERS,
    st.integers(1, HOUR).map(float),
    st.integers(0, 9),
)


def known(hours: Sequence[WatchedHour]) -> KnownHours:
    found = KnownHours()
    for hour in hours:
        found.add(hour)
    return found


@given(st.lists(HOURS, max_size=30))
def test_hours_add_up_and_come_in_order(hours: Sequence[WatchedHour]) -> None:
    found = known(hours)
    expected = {
        begins: [each for each in hours if each.begins == begins]
        for begins in sorted({each.begins for each in hours})
    }
    assert list(found) == [
        (begins, sum(each.changes for each in same), sum(each.seconds for each in same))
        for begins, same in expected.items()
    ]
    for begins, same in expected.items():
        changes, polled = (sum(getattr(each, name) for each in same) for name in ("changes", "polled"))
        assert found.find(begins) == (changes, sum(each.seconds for each in same), polled)


@given(st.lists(HOURS, max_size=30), NUMBERS, NUMBERS)
def test_hours_outside_of_what_is_kept_are_as_if_never_known(
    hours: Sequence[WatchedHour], after: int, until: int
) -> None:
    found = known(hours)
    found.keep(after * HOUR, until * HOUR)
    inside = known([each for each in hours if after * HOUR < each.begins <= until * HOUR])
    assert list(found) == list(inside)
    assert all(found.find(each.begins) == inside.find(each.begins) for each in hours)


def test_an_hour_of_which_nothing_is_known_is_not_found() -> None:
    found = known([WatchedHour("invoices", 5 * HOUR, 60.0, 2, 1)])
    assert found.find(4 * HOUR) is None
    assert found.find(1_000 * HOUR) is None


@given(st.lists(HOURS, max_size=30), NUMBERS)
def test_a_week_has_what_its_hours_have(hours: Sequence[WatchedHour], last: int) -> None:
    found = known(hours)
    of_week = [each for each in hours if last - HOURS_A_WEEK < each.begins // HOUR <= last]
    assert found.of_week(last * HOUR) == (sum(h.changes for h in of_week), sum(h.polled for h in of_week))
