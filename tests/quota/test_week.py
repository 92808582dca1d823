"""A story of the whole program with another user of its key, restarts and kills, in virtual time: nothing is refused
by our own doing, payments and changed documents do not wait for what can wait, no list is forgotten."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from precoro_daemon.quota.limits import Lane
from tests.quota.virtual_company import Arrival
from tests.quota.week import DAY, HOUR, MONDAY, Course, Story, play

SHORT = Story(
    days=1.5, quota=400, edits=40, payments=4, others=4.0, others_from=0.4, others_until=9.0, ends=5.0, seed=3,
    counts={"invoices": 220, "purchaseorders": 60, "receipts": 20, "suppliers": 8, "items": 10,
            "taxes": 3, "units": 3, "locations": 3},
)  # fmt: skip


WEEK = Story(
    quota=600, edits=60, payments=6, others=4.0,
    counts={"invoices": 400, "purchaseorders": 200, "receipts": 50, "suppliers": 20, "items": 40,
            "taxes": 5, "units": 3, "locations": 3},
)  # fmt: skip
"""`make sweep` plays it from many seeds: a fifth of the usual quota, a first fill of more than a day."""


SPENT = Story(
    days=1.25, quota=200, edits=60, payments=0, announced=0.0, others=0.0, ends=0.0,
    counts={"invoices": 1_500}, lists=("invoices",),
)  # fmt: skip
"""More documents than the calls of a day; the end of one day and the beginning of the next."""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return play(tmp_path_factory.mktemp("week"), SHORT)


def test_the_story_has_in_it_what_makes_it_hard(course: Course) -> None:
    assert course.ends["killed"] > 0
    assert course.ends["stopped"] > 0
    assert course.by_others > 40
    assert course.theirs, "others fill the day before we can know of them"
    assert course.sent
    assert course.exported


def test_nothing_is_refused_by_our_own_doing(course: Course) -> None:
    """However often it is started anew."""
    assert course.ours == [], course.shown()


def test_a_day_that_others_fill_is_run_into_twice_at_most(course: Course) -> None:
    """A first refusal may be a whim, the second tells all."""
    days = [one for one in course.theirs if one.refused and one.refused.period == "day"]
    assert len(days) <= 2, course.shown()


def test_no_payment_waits_for_anything_but_its_turn(course: Course) -> None:
    assert course.unsent == []
    assert max(course.sent) <= 20 * 60, course.shown()
    assert "day" not in course.held, course.shown()


def test_what_was_paid_in_precoro_is_in_the_books_within_two_hours_at_night_too(course: Course) -> None:
    assert max(course.exported) <= 2 * HOUR, course.shown()


def test_a_document_that_changed_is_asked_for_once_whoever_wants_it(course: Course) -> None:
    """The job of details wants each that was paid, and so does the export of payments."""
    asked: dict[str, Arrival] = {}
    again = []
    for one in course.arrivals:
        if "/" in one.request.target[1:] and one.request.lane in (Lane.PAYMENTS, Lane.DETAILS) and not one.refused:
            before = asked.get(one.request.target)
            if before and one.answer == before.answer and one.request.lane is not before.request.lane:
                again.append((before, one))
            asked[one.request.target] = one
    assert len(course.exported) > 1
    assert [pair for pair in again if pair[1].at - pair[0].at < 5 * 60] == []


def test_no_list_is_forgotten(course: Course) -> None:
    assert len(course.gaps) == 9
    assert max(course.gaps.values()) <= DAY + HOUR, course.shown()


def test_polls_are_spread_over_the_day(course: Course) -> None:
    """What can wait takes its share at once, polls do not: each hour has a part of them."""
    polls = Counter(int((one.at - MONDAY) // HOUR) for one in course.arrivals if one.request.lane is Lane.LISTS)
    later = [polls[hour] for hour in range(6, 36)]
    assert sum(later) > 50
    assert max(later) <= 0.25 * sum(later)


def test_backfill_is_newest_first_and_documents_of_today_do_not_wait_for_it(course: Course) -> None:
    asked = [one.request.target for one in course.arrivals if one.request.lane is Lane.CENSUS]
    filled = [course.changed_at[target] for target in asked if target in course.changed_at]
    assert len(filled) > 100
    in_turn = [later <= earlier for earlier, later in pairwise(filled)]
    assert sum(in_turn) > 0.95 * len(in_turn), "but for those that a later page of the list brings"
    in_order = sorted(course.detailed)
    assert in_order[int(0.9 * len(in_order))] <= 15 * 60, course.shown()


def test_days_of_spent_quota_bring_no_refusal_and_hold_up_no_list(tmp_path: Path) -> None:
    with capture_logs() as logs:
        course = play(tmp_path, SPENT)
    assert [*course.ours, *course.theirs] == [], course.shown()
    assert sum(course.calls.values()) <= 1.25 * 200 + 200
    assert course.details > 150, "back-fill goes on"
    assert len(course.listed) > 30
    assert max(course.listed) <= 3 * HOUR, course.shown()
    told = [line for line in logs if line["event"] == "budget_spent"]
    assert 0 < len(told) < 40, "it is told once a day for each job, not with every call"
