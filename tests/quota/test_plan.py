"""What the schedules take of a day, what back-fill gets, and that no lane ever takes more than its share."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.quota.budget import NO_KEY, Budget
from precoro_daemon.quota.limits import Lane, Limits, Share
from precoro_daemon.quota.plan import plan_quota

START = 1_800_000_000.0
DAY = 86_400.0


def test_the_defaults_leave_eleven_hundred_calls_to_documents() -> None:
    plan = plan_quota({"day": 3000}, {Lane.DETAILS: 100}, {"mirror_collections": 1800.0})
    assert plan is not None
    assert (plan.documents, plan.backfill, plan.affordable) == (1100, 825, True)
    assert round(plan.days(50_000), 1) == 60.6


def test_schedules_that_ask_for_more_than_a_day_has_are_known() -> None:
    plan = plan_quota({"day": 3000}, {Lane.DETAILS: 100}, {"mirror_collections": 7200.0})
    assert plan is not None
    assert not plan.affordable
    assert plan.documents == 150, "documents get a little all the same"


def test_without_any_limit_nothing_is_shared_out() -> None:
    assert plan_quota({"day": 0, "second": 0}, {}, {"mirror_collections": 1800.0}) is None


@pytest.mark.parametrize(
    ("limits", "granted", "window"),
    [
        ({"day": 3000, "hour": 1500, "minute": 0, "second": 1}, 3000, "day"),
        ({"day": 3000, "hour": 40, "minute": 60, "second": 1}, 960, "hour"),
        ({"day": 300_000, "hour": 0, "minute": 60, "second": 1}, 86_400, "minute"),
        ({"day": 0, "hour": 0, "minute": 0, "second": 0.5}, 43_200, "second"),
    ],
)
def test_the_narrowest_window_says_what_a_day_has(limits: dict[str, float], granted: int, window: str) -> None:
    plan = plan_quota(limits, {}, {"mirror_collections": 1000.0})
    assert plan is not None
    assert (plan.granted, plan.window) == (granted, window)
    assert plan.affordable is (granted > 1052)


@given(
    st.lists(st.tuples(st.sampled_from(list(Lane)), st.floats(0, 4000)), max_size=120),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_in_no_24_hours_does_a_lane_make_more_than_its_share(
    wishes: list[tuple[Lane, float]], documents: int, deliveries: int
) -> None:
    shares = (
        Share(frozenset({Lane.DETAILS, Lane.FILES, Lane.CENSUS}), documents),
        Share(frozenset({Lane.DELIVERIES}), deliveries),
    )
    budget = Budget(Limits(per_day=0, per_hour=0, same_get_per_hour=0, same_get_per_minute=0, shares=shares))
    now, made = START, list[tuple[float, Lane]]()
    for lane, pause in wishes:
        now += pause
        opens = budget.opening(lane, NO_KEY, now).at
        if opens > now + DAY / 2:
            continue  # it gives up, as BudgetSpent
        now = max(now, opens)
        budget.sent(budget.charge(NO_KEY, now, lane), now)
        made.append((now, lane))
        if len(made) % 7 == 0:  # a restart in between
            budget = Budget(budget.limits)
            budget.restore([(at, b"") for at, _ in made], {}, now, made)
    for share in shares:
        stamps = [at for at, lane in made if lane in share.lanes]
        crowded = [at for at in stamps if sum(at - DAY < other <= at for other in stamps) > share.calls]
        assert not crowded


def test_the_first_lanes_are_held_by_no_share_of_others() -> None:
    budget = Budget(Limits(per_second=0, per_minute=0, per_hour=0, shares=(Share(frozenset({Lane.CENSUS}), 2),)))
    for number in range(2):
        budget.charge(NO_KEY, START + number, Lane.CENSUS)
    assert budget.opening(Lane.CENSUS, NO_KEY, START + 5).at > START + DAY
    assert budget.opening(Lane.LISTS, NO_KEY, START + 5).at <= START + 5
    assert budget.spendable(Lane.CENSUS, START + 5) == 0
    assert budget.spendable(Lane.LISTS, START + 5) == 2998


def test_a_call_that_never_left_costs_no_share() -> None:
    budget = Budget(Limits(shares=(Share(frozenset({Lane.CENSUS}), 1),)))
    budget.refund(budget.charge(NO_KEY, START, Lane.CENSUS))
    assert budget.spendable(Lane.CENSUS, START + 1) == 1


def test_a_first_listing_takes_its_calls_from_the_back_fill_not_from_the_evening() -> None:
    """600 pages at once, then lists by their schedule; back-fill takes whatever it gets, users change documents."""
    plan = plan_quota({"day": 3000}, {Lane.DETAILS: 100}, {"mirror_collections": 1800.0})
    assert plan is not None
    budget = Budget(Limits(per_hour=0, same_get_per_hour=0, shares=plan.shares, reserve={Lane.DETAILS: 100}))
    made = dict.fromkeys(Lane, 0)

    def call(lane: Lane, now: float) -> bool:
        free = budget.opening(lane, NO_KEY, now).at <= now
        if free:
            budget.sent(budget.charge(NO_KEY, now, lane), now)
            made[lane] += 1
        return free

    now = START
    for _ in range(600):
        now += 1.1
        assert call(Lane.LISTS, now)
    for turn in range(2 * 1800):  # two days
        now += 48.0
        assert call(Lane.LISTS, now), "lists never wait"
        if turn % 8 == 0:
            assert call(Lane.DETAILS, now + 1.5), "nor do the documents of today: 225 a day of them"
        for second in range(3, 40, 2):
            call(Lane.CENSUS, now + second)
    assert made[Lane.CENSUS] > 825 + 150, "on the first day it gets a little, on the second its share"


def test_where_lists_take_all_there_is_documents_get_a_little() -> None:
    plan = plan_quota({"day": 3000}, {}, {"mirror_collections": 1800.0})
    assert plan is not None
    budget = Budget(Limits(per_hour=0, same_get_per_hour=0, shares=plan.shares))
    for number in range(2500):
        budget.charge(NO_KEY, START + number, Lane.LISTS)
    assert budget.spendable(Lane.DETAILS, START + 2600) == 150
    assert budget.spendable(Lane.CENSUS, START + 2600) == 1
