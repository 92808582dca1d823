"""First fills, call by call, beside webhooks and changed documents of a company with office hours: how long is left,
as it was told every two hours, against what it took."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest

from precoro_daemon.app.values import limits, plan_for
from precoro_daemon.quota.budget import NO_KEY, Budget
from precoro_daemon.quota.forecast import TimeToGo
from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.plan import Demand, QuotaPlan
from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.quota.watched_hours import HOURS_A_WEEK
from precoro_daemon.settings import Settings

MONDAY = 1_768_176_000.0
HOUR, DAY = 3_600.0, 86_400.0
SECTIONS: Any = {
    "precoro": {"region": "us", "email": "a@b.example", "token": "a-key-of-its-own"},
    "apply_deliveries": {"listen": "127.0.0.1:0", "secret": "0123456789abcdef01234567"},
}
SETTINGS = Settings(**SECTIONS)
A_CHANGE = {Lane.DELIVERIES: 1.2, Lane.DETAILS: 0.4}
"""Calls."""


def office(changes: float) -> UsualWeek:
    """Of so many changes on a workday, nearly all of them between 8 and 18."""
    rate, first = changes / (10 + 14 / 30) / HOUR, int(MONDAY // HOUR)
    hours = [(cell - first) % HOURS_A_WEEK for cell in range(HOURS_A_WEEK)]
    return UsualWeek([rate if hour // 24 < 5 and 8 <= hour % 24 < 18 else rate / 30 for hour in hours])


@dataclass
class Fill:
    """A company with so many changes on a workday, of which seven tenths are known from its lists, and with so many
    documents; the program is started so many hours after the beginning of a Monday."""

    changes: float
    documents: int
    start: float
    known: float = 0.7
    left: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = Budget(limits(SETTINGS))
        self.began = MONDAY + self.start * HOUR
        self.week, self.told_by = office(self.changes), office(self.changes * self.known)
        self.owed = dict.fromkeys(A_CHANGE, 0.0)

    def plan(self, now: float) -> QuotaPlan:
        backlog = self.documents - len(self.left)
        demand = Demand(bound=25, lists=1200, changes=self.changes * self.known, backlog=backlog)
        plan = plan_for(SETTINGS, demand, self.told_by, self.account, now)
        assert plan is not None
        return plan

    def goes_on(self) -> Iterator[tuple[float, TimeToGo]]:
        """Every two hours: when it is, and how long the fill should take from then on."""
        now, minutes = self.began, 0
        while len(self.left) < self.documents:
            if minutes % 15 == 0:
                plan = self.plan(now)
                self.account.adopt(plan.shares)
            if minutes % 120 == 0:
                ages = [now - at for at in self.left if at > now - DAY]
                yield now, plan.time_for(self.documents - len(self.left), ages)
            self.minute(now)
            now, minutes = now + 60.0, minutes + 1

    def minute(self, begins: float) -> None:
        now = begins
        for lane, calls in A_CHANGE.items():
            self.owed[lane] += calls * self.week.changes(begins, begins + 60.0)
            while self.owed[lane] >= 1 and self.account.opening(lane, NO_KEY, now).at <= now:
                self.account.charge(NO_KEY, now, lane)
                self.owed[lane], now = self.owed[lane] - 1, now + 1.1
        while len(self.left) < self.documents and now < begins + 60.0:
            now = max(now, self.account.opening(Lane.CENSUS, NO_KEY, now).at)
            if now < begins + 60.0:
                self.account.charge(NO_KEY, now, Lane.CENSUS)
                self.left.append(now)
                now += 1.1


@dataclass
class Course:
    """fill    as it went
    said    when something was told, and how long the fill should take from then on
    waited  when deliveries waited
    """

    fill: Fill
    said: list[tuple[float, TimeToGo]] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(Fill(460, 7_000, start=9), id="700 calls a day for changes, from nine o'clock"),
        pytest.param(Fill(60, 7_000, start=9), id="100 calls a day for changes, from nine o'clock"),
        pytest.param(Fill(200, 9_000, start=129), id="300 calls a day for changes, over a weekend"),
        pytest.param(Fill(460, 6_000, start=0, known=0.2), id="700 calls a day, of which lists show little"),
        pytest.param(Fill(460, 6_000, start=0, known=0.05), id="700 calls a day, of which lists show hardly any"),
        pytest.param(Fill(350, 5_600, start=99), id="560 calls a day, from Friday morning"),
        pytest.param(Fill(530, 4_200, start=97, known=0.5), id="850 calls a day, from Friday night"),
        pytest.param(Fill(460, 6_000, start=7, known=1.0), id="700 calls a day, which lists show"),
    ],
)
def course(request: pytest.FixtureRequest) -> Course:
    course = Course(request.param)
    for now, time in course.fill.goes_on():
        course.said.append((now, time))
        if course.fill.owed[Lane.DELIVERIES] >= 2:
            course.waited.append(now)
    return course


def test_what_is_told_of_a_fill_is_right_within_a_tenth(course: Course) -> None:
    """Until all but a tenth is over. Or it is a range that has the truth in it, until half a day's work was seen."""
    began, ended = course.fill.began, course.fill.left[-1]
    took = ended - began
    said = [(now, time) for now, time in course.said if now < ended - took / 10]
    assert len(said) > 20
    for now, time in said:
        soonest, likely, latest = ((now - began + each) / took for each in (time.least, time.seconds, time.most))
        near = likely == pytest.approx(1.0, abs=0.1)
        assert near or (not time.sure and soonest <= 1.0 <= latest), ((now - began) / HOUR, took / DAY, time)
        assert latest <= 2.5 * soonest
        if course.fill.told_by.changes(began, now) > 0.5 * course.fill.told_by.mean_day:
            assert near
            assert time.sure or now <= began + DAY, "one number"


def test_where_lists_show_what_changes_one_number_is_right_from_the_beginning() -> None:
    """With 100 calls a day for it, from nine in the morning: it was forecast as an eighth too long."""
    fill = Fill(60, 7_000, start=9)
    [(_, at_first), *_] = fill.goes_on()
    assert at_first.seconds == pytest.approx(fill.left[-1] - fill.began, rel=0.03)


def test_deliveries_never_wait_for_a_fill(course: Course) -> None:
    assert course.waited == []


@pytest.mark.parametrize(("start", "quiet"), [(3 * 24 + 18, 0), (2 * 24 + 18, 1)])
def test_a_fill_has_more_of_the_day_on_which_nothing_changes(start: float, quiet: int) -> None:
    """From Thursday and from Wednesday evening on: from Friday evening until Saturday evening."""
    fill = Fill(460, 50_000, start)
    plan = fill.plan(fill.began + 1)
    left = [bisect_right(range(50_000), day * DAY, key=plan.seconds_for) for day in range(1, 8)]
    shares = [later - sooner for sooner, later in pairwise(left)]
    busy = shares[:quiet] + shares[quiet + 1 :]
    assert shares[quiet] > max(busy) + 300


def test_on_sunday_evening_monday_has_its_calls() -> None:
    """Though the last day took none."""
    fill = Fill(460, 50_000, start=6 * 24 + 20)
    fill.account.charge(NO_KEY, fill.began - 2 * DAY, Lane.CENSUS)  # it is no first day
    sunday, saturday = fill.plan(fill.began), fill.plan(fill.began - DAY)
    assert sunday.kept > 3 * saturday.kept
    assert sunday.backfill < saturday.backfill - 500
