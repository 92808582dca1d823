"""What a process has learned of the line and of others on the key holds for the next one, fades, and is void where
the clock was set back."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.quota.budget import Budget
from precoro_daemon.quota.lessons import Lessons
from precoro_daemon.quota.limits import Lane, Limits
from precoro_daemon.quota.pacing import Pace
from precoro_daemon.quota.rate_limits import Refusal

T0 = 1_800_000_000.0
DAY = 86_400.0


def travelled(calls: int, start: float = T0) -> Pace:
    """Whose answers took 0.2 to 0.6 seconds."""
    pace, random, at = Pace(1, 0.02), Random(1), start
    for _ in range(calls):
        at += 2
        pace.answered(pace.sent(at), at + random.uniform(0.2, 0.6), accepted=True)
    return pace


def handed_over(pace: Pace, age: float) -> Pace:
    after = Pace(1, 0.02)
    after.recall(Lessons.recalled(pace.lessons._replace(at=T0).flat, T0 + age))
    return after


def test_the_next_process_waits_no_longer_than_the_one_before() -> None:
    before = travelled(100)
    assert handed_over(before, 60.0).way == pytest.approx(before.way, rel=0.01)
    assert before.way < Pace(1, 0.02).way


def test_what_was_known_of_the_line_counts_for_less_after_days() -> None:
    ways = [handed_over(travelled(100), days * DAY).way for days in (0, 2, 4, 30)]
    assert ways == sorted(ways)
    assert ways[-1] == Pace(1, 0.02).way, "after a month nothing is known"


def test_a_refusal_that_ended_a_trial_needs_no_second_one_in_the_next_process() -> None:
    """A trial is what may cost a refusal: its outcome is kept."""
    before = travelled(100)
    first = before.sent(T0 + 500)
    before.answered(first, T0 + 500.6, accepted=True)
    second = before.sent(T0 + 501.0)
    before.answered(second, T0 + 501.2, accepted=False)
    before.refused(second, T0 + 501.2)
    after = handed_over(before, 600.0)
    assert after.lessons._replace(round_trips=0) == before.lessons._replace(round_trips=0)


def shared(at: float) -> Budget:
    """A budget of a day in which others are known to make 300 calls."""
    budget = Budget(Limits(per_second=0, per_minute=0, per_hour=0, per_day=1_000))
    for _ in range(2):
        budget.restore([(at - 10 - number, b"") for number in range(600)], {}, at)
        charge = budget.charge(budget.key("GET", "/invoices"), at)
        budget.refused(charge, Refusal("Daily limiter", route=False, period="day", wait=5.0), at + 1)
        at += 20
    return budget


def test_others_on_the_key_are_known_to_the_next_process_and_fade() -> None:
    before = shared(T0)
    lessons = before.add_lessons(Lessons(T0))

    def left_after(age: float) -> int:
        after = Budget(before.limits)
        after.recall(Lessons.recalled(lessons.flat, T0 + 100 + age))
        return after.spendable(Lane.DETAILS, T0 + 100 + age) or 0

    assert left_after(0) == pytest.approx(1_000 - 400, abs=2)
    assert left_after(0) < left_after(2 * DAY) < left_after(9 * DAY) < 1_000


def test_lessons_of_a_clock_that_has_been_set_back_are_void() -> None:
    flat = shared(T0).add_lessons(travelled(50).lessons._replace(at=T0)).flat
    assert Lessons.recalled(flat, T0 - 3600) == Lessons()


def test_a_garbled_row_teaches_nothing() -> None:
    assert Lessons.recalled({}, T0) == Lessons()
    assert Lessons.recalled({"at": math.nan}, T0) == Lessons()
    assert Lessons.recalled({"at": T0, "round_trips": 50.0, "others_day": 5.0}, T0) == Lessons(T0)
    wide = {"at": T0, "round_trips": 50.0, "least": 0.3, "greatest": 0.2}
    assert Lessons.recalled(wide, T0) == Lessons(T0), "the greatest is less than the least"


@given(
    st.dictionaries(
        st.sampled_from(
            ["at", "round_trips", "least", "greatest", "tried", "guard", "tightened_at", "others_minute",
             "others_minute_since", "others_hour", "others_hour_since", "others_day", "others_day_since"]
        ),
        st.floats() | st.sampled_from([T0, T0 - 60, T0 + 3, 5.0, -5.0, 1e300]),
    )
)  # fmt: skip
def test_no_row_whatever_stands_in_it_lets_calls_leave_too_soon_or_never(flat: dict[str, float]) -> None:
    recalled = Lessons.recalled({"at": T0, **flat}, T0)
    pace, budget = Pace(1, 0.02), Budget(Limits(per_day=3_000))
    pace.recall(recalled)
    budget.recall(recalled)
    assert 0 <= pace.way <= 1
    assert 1.02 <= pace.interval <= 1.52
    pace.sent(T0)
    assert T0 + 1 <= pace.opens() <= T0 + 2.6
    for period, limit in (("minute", 60), ("hour", 1_500), ("day", 3_000)):
        assert 0 <= budget.left(T0)[period] <= limit
    budget.charge(budget.key("GET", "/invoices"), T0)
    assert budget.opening(Lane.PAYMENTS, budget.key("GET", "/taxes"), T0 + 5).at <= T0 + DAY + 1


@given(
    at=st.floats(0, 4e9), age=st.floats(-1e6, 1e8), trips=st.integers(0, 10**6), least=st.floats(0, 1e3),
    more=st.floats(0, 1e3), tried=st.floats(0.03, 1.0) | st.just(math.inf), guard=st.floats(0, 1),
    others=st.floats(0, 3_000), since=st.floats(0, 4e9),
)  # fmt: skip
def test_whatever_was_kept_a_pace_waits_between_nothing_and_a_second_beyond_its_gap(
    at: float,
    age: float,
    trips: int,
    least: float,
    more: float,
    tried: float,
    guard: float,
    others: float,
    since: float,
) -> None:
    kept = Lessons(at, trips, least, least + more, tried, guard, at, {"day": (others, since)})
    recalled = Lessons.recalled(kept.flat, at + age)
    pace, budget = Pace(1, 0.02), Budget(Limits(per_day=3_000))
    pace.recall(recalled)
    budget.recall(recalled)
    assert 0 <= pace.way <= 1
    assert 1.02 <= pace.interval <= 1.5
    pace.sent(at)
    assert at + 1 <= pace.opens() <= at + 2.6
    assert 0 <= budget.left(at + age)["day"] <= 3_000
