"""What scans tell of rates of change: by hour of the week, whatever order and pieces it comes in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.quota.change_rates import ChangeRates, hour_of_week
from precoro_daemon.quota.watched_hours import HOUR_S, HOURS_A_WEEK, ScanSeen, WatchedHour

MONDAY = 1_768_176_000
HOUR = int(HOUR_S)
WEEK = HOURS_A_WEEK * HOUR


def office(begins: int) -> bool:
    """Monday to Friday from 8 to 18."""
    hours = (begins - MONDAY) // HOUR
    return hours // 24 % 7 < 5 and 8 <= hours % 24 < 18


def watched(collection: str, weeks: int, busy: int = 10, quiet: int = 0) -> list[WatchedHour]:
    """So many changes in each hour."""
    return [
        WatchedHour(collection, begins, seconds=HOUR_S, changes=changes, polled=changes)
        for begins in range(MONDAY, MONDAY + weeks * WEEK, HOUR)
        for changes in [busy if office(begins) else quiet]
    ]


def learned(hours: Sequence[WatchedHour], usual: float = 1.0) -> ChangeRates:
    rates = ChangeRates({"invoices": usual, "taxes": usual})
    rates.learn(hours)
    return rates


def at(rates: ChangeRates, day: int, hour: int, collection: str = "invoices") -> float:
    """Changes an hour that are usual then; day 0 is a Monday."""
    return rates.usually(collection)[hour_of_week(MONDAY + (day * 24 + hour) * HOUR)] * HOUR_S


def test_before_anything_is_known_the_rate_is_that_of_such_collections() -> None:
    rates = ChangeRates({"invoices": 24.0, "taxes": 0.0})
    assert at(rates, 2, 3) == pytest.approx(1.0)
    assert 0 < at(rates, 2, 3, "taxes") < 1e-3
    assert rates.lately("invoices", MONDAY) == pytest.approx(1.0)
    assert rates.unannounced("invoices") == 1.0


def test_two_weeks_teach_the_hours_of_an_office() -> None:
    rates = learned(watched("invoices", 2))
    assert 8 < at(rates, 1, 10) < 12
    assert at(rates, 1, 3) < 1
    assert at(rates, 5, 10) < 1.5


def test_the_weeks_shape_is_shared_with_a_collection_that_changes_seldom() -> None:
    rates = learned([*watched("invoices", 2), *watched("taxes", 2, busy=0)])
    assert at(rates, 1, 10, "taxes") > 5 * at(rates, 1, 3, "taxes")
    assert at(rates, 1, 10, "taxes") < 0.2


def test_a_night_shift_has_its_own_week() -> None:
    night = [
        replace(hour, collection="taxes", changes=0 if office(hour.begins) else 6) for hour in watched("taxes", 2)
    ]
    rates = learned([*watched("invoices", 2), *night])
    assert at(rates, 1, 3, "taxes") > 4
    assert at(rates, 1, 10, "taxes") < 1


def test_new_habits_count_for_more_than_old_ones() -> None:
    old = watched("invoices", 3)
    new = [replace(hour, begins=hour.begins + 3 * WEEK) for hour in watched("invoices", 3, busy=0, quiet=10)]
    rates = learned([*old, *new])
    assert at(rates, 1, 3) > 2 * at(rates, 1, 10)


def test_thousands_at_once_say_little_of_that_hour_next_week() -> None:
    hours = watched("invoices", 2)
    edited = [replace(hour, changes=5_000) if hour.begins == MONDAY + WEEK + 34 * HOUR else hour for hour in hours]
    assert at(learned(edited), 1, 10) < 3 * at(learned(hours), 1, 10)
    now = MONDAY + WEEK + 35 * HOUR
    until = [hour for hour in edited if hour.begins < now]
    assert learned(until).lately("invoices", now) < 5


@pytest.mark.parametrize(("changes", "low", "high"), [(0, 0.0, 0.25), (10, 0.8, 1.3), (40, 2.5, 4.5)])
def test_a_holiday_or_a_surprise_shows_within_hours(changes: int, low: float, high: float) -> None:
    monday = MONDAY + 2 * WEEK
    today = [WatchedHour("invoices", monday + hour * HOUR, HOUR_S, changes) for hour in range(8, 11)]
    rates = learned([*watched("invoices", 2), *today])
    assert low < rates.lately("invoices", monday + 11 * HOUR) < high
    assert rates.lately("invoices", monday + 40 * HOUR) == pytest.approx(1.0, abs=0.1)


def test_one_collection_tells_of_the_others_what_came_lately() -> None:
    monday = MONDAY + 2 * WEEK
    known = [*watched("invoices", 2), *watched("taxes", 2, busy=1)]
    rates = learned([*known, *(WatchedHour("invoices", monday + hour * HOUR, HOUR_S, 0) for hour in range(8, 11))])
    assert rates.lately("taxes", monday + 11 * HOUR) < 0.5


def test_webhooks_prove_themselves_and_dead_ones_are_noticed() -> None:
    def announced(hour: WatchedHour) -> WatchedHour:
        return replace(hour, polled=hour.changes // 10)

    rates = learned([announced(hour) for hour in watched("invoices", 2)])
    assert 0.09 < rates.unannounced("invoices") < 0.15
    assert rates.unannounced("taxes") < 0.2
    dead = [replace(hour, begins=hour.begins + 2 * WEEK) for hour in watched("invoices", 1) if office(hour.begins)]
    rates.learn(dead[:20])
    assert rates.unannounced("invoices") > 0.6


def test_hours_of_a_wrong_clock_are_forgotten_when_it_is_set() -> None:
    rates = learned(watched("invoices", 2))
    before = at(rates, 1, 10)
    rates.learn([WatchedHour("invoices", MONDAY + 500 * WEEK + hour * HOUR, HOUR_S, 3) for hour in range(48)])
    rates.learn(replace(hour, begins=hour.begins + 2 * WEEK) for hour in watched("invoices", 2))
    assert at(rates, 1, 10) == pytest.approx(before, rel=0.3)
    assert at(rates, 1, 3) < 1


def test_unknown_collections_are_passed_over() -> None:
    rates = learned([WatchedHour("unheard_of", MONDAY, HOUR_S, 9)])
    assert at(rates, 1, 10) == pytest.approx(1 / 24)


_hours = st.lists(
    st.builds(
        WatchedHour,
        collection=st.sampled_from(["invoices", "taxes", "unheard_of"]),
        begins=st.integers(-300, 2_000).map(lambda hour: MONDAY + hour * HOUR),
        seconds=st.floats(0, HOUR_S),
        changes=st.integers(0, 5_000),
        polled=st.integers(0, 5),
    ).map(lambda hour: replace(hour, polled=min(hour.polled, hour.changes))),
    max_size=30,
)


def _which(hour: WatchedHour) -> tuple[str, int]:
    return hour.collection, hour.begins


def everything(rates: ChangeRates) -> list[float]:
    now = MONDAY + 2_000 * HOUR
    names = ["invoices", "taxes"]
    return [
        *(rate for name in names for rate in rates.usually(name)),
        *(rates.lately(name, now - ago * HOUR) for name in names for ago in (-9, 0, 3, 40, 1_500)),
        *(rates.unannounced(name) for name in names),
    ]


@given(_hours, st.randoms())
def test_the_order_and_the_pieces_of_hours_do_not_matter(hours: list[WatchedHour], random: st.DataObject) -> None:
    """So a restart, which reads whole hours, knows the same."""
    halves = [
        part
        for hour in hours
        for changes in [hour.changes // 2]
        for part in (
            replace(hour, seconds=hour.seconds / 4, changes=changes, polled=0),
            replace(hour, seconds=hour.seconds * 3 / 4, changes=hour.changes - changes),
        )
    ]
    random.shuffle(halves)  # type: ignore[attr-defined]
    merged = [
        WatchedHour(
            collection, begins, sum(each.seconds for each in of_hour), sum(each.changes for each in of_hour),
            sum(each.polled for each in of_hour),
        )
        for (collection, begins), group in groupby(sorted(hours, key=_which), _which)
        for of_hour in [list(group)]
    ]  # fmt: skip
    assert everything(learned(halves)) == pytest.approx(everything(learned(merged)), rel=1e-6)


@given(st.lists(_hours, max_size=4))
def test_no_hours_make_a_rate_that_is_none(pieces: list[list[WatchedHour]]) -> None:
    """However the clock jumps between the pieces."""
    rates = ChangeRates({"invoices": 1.0, "taxes": 0.0})
    for hours in pieces:
        rates.learn(hours)
        known = everything(rates)
        assert all(math.isfinite(value) and value > 0 for value in known)
        assert all(rates.unannounced(name) <= 1.0 for name in ("invoices", "taxes"))


_moments = st.floats(MONDAY, MONDAY + 3 * 86_400)


@given(_moments, _moments, st.lists(_moments, max_size=20))
def test_a_scan_is_split_by_the_hour_and_nothing_is_lost(one: float, other: float, changed: list[float]) -> None:
    since, until = sorted((one, other))
    inside = [moment for moment in changed if since <= moment <= until]
    hours = ScanSeen("invoices", since, until, inside, calls=3).hours()
    assert [hour.begins for hour in hours] == sorted({hour.begins for hour in hours})
    assert all(hour.begins % HOUR == 0 and 0 <= hour.seconds <= HOUR_S for hour in hours)
    assert sum(hour.seconds for hour in hours) == pytest.approx(until - since, abs=1e-3)
    assert sum(hour.changes for hour in hours) == len(inside)
    assert sum(hour.delay for hour in hours) == pytest.approx(sum(until - moment for moment in inside), abs=1e-2)
    assert max(hour.worst for hour in hours) == max((until - moment for moment in inside), default=0.0)
    assert [(hour.scans, hour.calls) for hour in hours][-1] == (1, 3)
    assert sum(hour.scans for hour in hours) == 1
    for hour in hours:
        assert hour.changes == sum(hour.begins <= moment < hour.begins + HOUR for moment in inside)


def test_a_scan_after_which_the_clock_was_set_back_saw_no_time() -> None:
    (hour,) = ScanSeen("invoices", MONDAY + 9_000, MONDAY + 100, [MONDAY + 5_000.0]).hours()
    assert hour == WatchedHour("invoices", MONDAY, changes=1, polled=1, scans=1, calls=1, delayed=1)


def test_of_a_scan_that_tells_of_years_the_last_weeks_count() -> None:
    assert len(ScanSeen("invoices", 0.0, MONDAY + 100.0, []).hours()) == 6 * HOURS_A_WEEK + 1


def test_what_a_webhook_asked_for_was_not_polled_and_a_first_scan_knows_no_delays() -> None:
    (hour,) = ScanSeen("invoices", MONDAY, MONDAY + 900, [MONDAY + 300.0], late=False, poll=False).hours()
    assert hour == WatchedHour("invoices", MONDAY, seconds=900.0, changes=1, scans=1)


@pytest.mark.parametrize(("late", "poll", "calls"), [(True, True, 3), (True, False, 0), (False, True, 0)])
def test_what_webhooks_and_a_first_listing_took_is_not_lists_own(late: bool, poll: bool, calls: int) -> None:
    (hour,) = ScanSeen("invoices", MONDAY, MONDAY + 900, [], calls=3, late=late, poll=poll).hours()
    assert (hour.scans, hour.calls) == (1, calls)
