"""What the schedules take of a day, what back-fill gets, and that no lane ever takes more than its share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.app.values import limits as limits_of
from precoro_daemon.app.values import plan_for
from precoro_daemon.quota.budget import NO_KEY, Budget
from precoro_daemon.quota.forecast import duration
from precoro_daemon.quota.lessons import Lessons
from precoro_daemon.quota.limits import Lane, Limits, Share
from precoro_daemon.quota.plan import Demand, QuotaPlan, plan_quota
from precoro_daemon.quota.shares import ShareAccount
from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.quota.watched_hours import HOURS_A_WEEK
from precoro_daemon.settings import Settings

START = 1_800_000_000.0
DAY = 86_400.0


NORMAL = {"day": 3000, "hour": 1500, "minute": 60, "second": 1}
RESERVE = {Lane.DETAILS: 100}
ALIKE = UsualWeek([1e-3] * HOURS_A_WEEK)
"""All hours."""


def planned(limits: dict[str, float], demand: Demand, reserve: dict[Lane, int] | None = None) -> QuotaPlan:
    plan = plan_quota(limits, RESERVE if reserve is None else reserve, demand)
    assert plan is not None
    return plan


def test_a_first_fill_has_most_of_the_day_and_says_when_it_is_done() -> None:
    plan = planned(NORMAL, Demand(bound=25, lists=1200, changes=72, backlog=50_000))
    assert plan.filling
    assert (plan.lists, plan.today, plan.backfill) == (200, 150, 2550)
    assert plan.today + plan.backfill >= 0.75 * plan.granted
    assert round(plan.seconds_for(50_250) / DAY, 2) == 19.07
    assert plan.seconds_for(50_250) / DAY <= 1.1 * 50_250 / 2900 + 1 / 24, "as hours are followed as a whole"


def test_what_was_never_listed_to_its_end_is_taken_for_a_first_fill() -> None:
    assert planned(NORMAL, Demand(bound=25, lists=1200, backlog=None)).filling


def test_afterwards_polls_have_what_the_user_allows() -> None:
    plan = planned(NORMAL, Demand(bound=25, lists=1200, changes=72, backlog=40))
    assert not plan.filling
    assert plan.lists == 1200
    assert plan.documents == 3000 - 100 - 1200


def test_after_a_fill_polls_wait_until_its_calls_have_left_the_day() -> None:
    """Else the documents of today would wait for that."""
    plan = planned(NORMAL, Demand(bound=25, lists=1200, changes=72, backlog=0, spent=2550))
    assert plan.lists == 3000 - 100 - 150 - 2550
    assert planned(NORMAL, Demand(bound=25, lists=1200, changes=72, spent=2890)).lists == 200, "as in the fill"
    assert planned(NORMAL, Demand(bound=25, lists=1200, changes=72, spent=1000)).lists == 1200


def test_the_last_documents_of_a_fill_do_not_wait_for_polls() -> None:
    """They did, for up to ten hours: lists took what they were still to have."""
    last = Demand(bound=25, lists=1200, changes=35, backlog=178, spent=2410)
    assert planned(NORMAL, last).backfill > 2_410 + 178
    assert planned(NORMAL, last).lists == 200, "as in the fill"
    assert planned(NORMAL, replace(last, backlog=0)).lists > 300


def test_polls_leave_the_documents_of_a_busy_day_their_calls() -> None:
    plan = planned(NORMAL, Demand(bound=25, lists=1200, changes=2000))
    assert plan.lists == 3000 - 100 - 150 - 2560
    assert planned(NORMAL, Demand(bound=25, lists=1200, changes=7200)).lists == 25, "what the bounds ask for"


def test_back_fill_leaves_the_documents_of_today_what_they_took_in_the_last_day() -> None:
    """Where more changes than was learned, as on a first day."""
    fill = Demand(bound=25, lists=1200, changes=72, backlog=50_000)
    assert planned(NORMAL, fill).today == 150
    busier = planned(NORMAL, replace(fill, detailed=400, spent=400))
    assert (busier.today, busier.documents) == (560, planned(NORMAL, fill).documents)


def test_bounds_that_ask_for_more_than_a_day_has_are_known() -> None:
    plan = planned(NORMAL, Demand(bound=7200, lists=1200))
    assert not plan.affordable
    assert plan.lists == 7200
    assert plan.documents == 150, "documents get a little all the same"


CROWD = Demand(bound=50, lists=1200, changes=3_000, polled=200, urgent=1_000, paid=480, pays=True)
"""More documents change than a day has calls for."""


def test_where_more_documents_change_than_there_are_calls_every_hour_opens_some() -> None:
    """Else all would be spent in the morning, and what payments need beyond what was foreseen is not there until the
    next one."""
    plan = planned(NORMAL, CROWD)
    assert plan.crowded
    account, now, left = ShareAccount(plan.shares), START, [0] * 48
    while now < START + 2 * DAY:
        if account.opens(Lane.DETAILS, now, 0.0) <= now:
            account.note(now, Lane.DETAILS)
            left[int((now - START) // 3600)] += 1
        now += 2.4 if account.opens(Lane.DETAILS, now, 0.0) <= now else 120.0
    assert min(left) >= 0.9 * 0.6 * plan.documents / 24
    assert sum(left[:24]) == pytest.approx(plan.documents, rel=0.02)


def test_a_usual_day_takes_its_documents_as_they_come() -> None:
    plan = planned(NORMAL, Demand(bound=50, lists=1200, changes=600))
    assert not plan.crowded
    account = ShareAccount(plan.shares)
    for number in range(1_200):
        assert account.opens(Lane.DETAILS, START + number, 0.0) <= START + number
        account.note(START + number, Lane.DETAILS)


def test_payments_and_webhooks_of_a_busy_day_keep_a_quarter_each() -> None:
    plan = planned(NORMAL, CROWD)
    assert (plan.kept, plan.paying) == (1_250, 600)
    flood = planned(NORMAL, replace(CROWD, urgent=9_000, paid=4_500))
    assert (flood.kept, flood.paying) == (1_500, 750)


@pytest.mark.parametrize(("bound", "polled", "beyond"), [(50, 0, 50), (50, 255, 50), (1_800, 1_800, 60)])
def test_documents_and_webhooks_leave_lists_what_bounds_ask_for(bound: int, polled: int, beyond: int) -> None:
    """Payments made in Precoro are found by lists."""
    plan = planned(NORMAL, replace(CROWD, bound=bound, polled=polled))
    budget = Budget(Limits(per_second=0, per_minute=0, per_hour=0))
    budget.adopt(plan.shares)
    calls = [*[Lane.LISTS] * polled, *[Lane.PAYMENTS] * 480]
    for number, lane in enumerate(calls):
        budget.charge(NO_KEY, START + number, lane)
    now, lanes = START + len(calls), [Lane.DELIVERIES, Lane.DETAILS, Lane.CENSUS]
    while ready := [lane for lane in lanes if budget.opening(lane, NO_KEY, now).at <= now]:
        budget.charge(NO_KEY, now, ready[0])
        now += 1
    assert beyond <= (budget.spendable(Lane.LISTS, now) or 0) <= max(2 * beyond, 110)


def test_without_any_limit_nothing_is_shared_out() -> None:
    assert plan_quota({"day": 0, "second": 0}, {}, Demand(bound=25, lists=1200)) is None


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
    plan = planned(limits, Demand(bound=1000, lists=1200), {})
    assert (plan.granted, plan.window) == (granted, window)
    assert plan.affordable is (granted > 1052)


@given(
    granted=st.integers(1, 100_000),
    kept=st.integers(0, 5_000),
    bound=st.floats(0, 10_000),
    lists=st.integers(1, 5_000),
    changes=st.floats(0, 20_000),
    backlog=st.one_of(st.none(), st.integers(0, 500_000)),
    spent=st.integers(0, 5_000),
    urgent=st.integers(0, 5_000),
    unknown=st.floats(0, 1),
    files=st.booleans(),
)
def test_no_plan_gives_away_more_than_there_is(
    granted: int,
    kept: int,
    bound: float,
    lists: int,
    changes: float,
    backlog: int | None,
    *,
    files: bool,
    **made: Any,
) -> None:
    demand = Demand(bound=bound, lists=lists, changes=changes, backlog=backlog, files=files, **made)
    plan = planned({"day": granted}, demand, {Lane.DETAILS: kept})
    assert plan.kept >= kept
    least = max(1, int(granted * 0.05))
    assert plan.lists >= int(bound)
    assert plan.lists <= max(bound, lists, 1)
    assert plan.documents + plan.lists + plan.kept <= granted or plan.documents <= least + 1
    assert min(plan.today + 1, plan.waiting, plan.backfill) >= 1
    assert plan.backfill <= plan.waiting
    assert all(share.calls >= 1 for share in plan.shares)


@pytest.mark.parametrize(("urgent", "kept"), [(0, 100), (60, 100), (200, 250), (3_000, 750)])
def test_payments_and_webhooks_keep_what_they_took_in_the_last_day(urgent: int, kept: int) -> None:
    """A flood of webhooks keeps no more than a quarter."""
    plan = planned(NORMAL, Demand(bound=25, lists=1200, changes=72, backlog=50_000, urgent=urgent))
    assert plan.kept == kept
    assert plan.documents + plan.lists + plan.kept <= 3_000


def test_on_a_first_day_payments_and_webhooks_keep_as_much_beyond_what_they_made() -> None:
    """Nobody knows yet what they make. What can wait leaves more of its share to the hours to come."""
    first = Demand(bound=25, lists=1200, backlog=50_000, urgent=10, unknown=1.0)
    assert planned(NORMAL, first).kept == 460
    assert planned(NORMAL, replace(first, urgent=500)).kept == 950
    assert planned(NORMAL, replace(first, urgent=900)).kept == 1_050
    kept = [planned(NORMAL, replace(first, urgent=200, unknown=part)).kept for part in (1.0, 0.5, 0.25, 0.1, 0.0)]
    assert kept == [650, 650, 425, 290, 250], "less and less from the second half of the day on"
    assert [planned(NORMAL, replace(first, unknown=part)).spread for part in (1.0, 0.4, 0.0)] == [0.6, 0.39, 0.25]


@pytest.mark.parametrize(
    ("paid", "unknown", "paying"), [(0, 1.0, 150), (0, 0.0, 0), (80, 0.0, 100), (80, 0.4, 200), (900, 0.0, 750)]
)
def test_no_other_lane_takes_what_payments_keep(paid: int, unknown: float, paying: int) -> None:
    demand = Demand(bound=25, lists=1200, backlog=50_000, urgent=paid, paid=paid, pays=True, unknown=unknown)
    plan = planned(NORMAL, demand)
    assert plan.paying == paying
    assert planned(NORMAL, replace(demand, pays=False)).paying == 0
    budget = Budget(Limits(per_second=0, per_minute=0, per_hour=0))
    budget.adopt(plan.shares)
    lanes = [Lane.DELIVERIES, Lane.LISTS]
    made = 0
    while budget.opening(lanes[made % 2], NO_KEY, START + made).at <= START + made:
        budget.charge(NO_KEY, START + made, lanes[made % 2])
        made += 1
    assert made == 3_000 - paying
    assert budget.spendable(Lane.PAYMENTS, START + made) == paying


@pytest.mark.parametrize(("others", "lists"), [(2_400, 3), (2_452, 3), (2_489, 1), (2_495, 0)])
def test_what_bounds_ask_of_lists_payments_leave_them_even_of_a_spent_day(others: int, lists: int) -> None:
    """A morning took more than payments leave by now: lists go on at the pace that bounds ask for, as they
    find what was paid in Precoro, until all is spent but what payments made and a little more."""
    paid = 480
    demand = Demand(bound=50, lists=1200, backlog=50_000, urgent=paid + 600, paid=paid, pays=True, polled=250,
                    spent=others - 850, unknown=0.1)  # fmt: skip
    budget = Budget(Limits(per_second=0, per_minute=0, per_hour=0))
    budget.adopt(planned(NORMAL, demand).shares)
    made = [(Lane.PAYMENTS, paid), (Lane.DELIVERIES, 600), (Lane.LISTS, 250), (Lane.CENSUS, others - 850)]
    for lane in [lane for lane, calls in made for _ in range(calls)]:
        budget.charge(NO_KEY, START, lane)
    assert budget.spendable(Lane.LISTS, START + 1) == lists
    assert budget.spendable(Lane.DELIVERIES, START + 1) == 0


def test_a_first_day_is_over_when_the_first_call_is_a_day_old() -> None:
    sections: Any = {
        "precoro": {"region": "us", "email": "a@b.example", "token": "a-key-of-its-own"},
        "apply_deliveries": {"listen": "127.0.0.1:0", "secret": "0123456789abcdef01234567"},
    }
    settings = Settings(**sections)
    account, demand = Budget(limits_of(settings)), Demand(bound=25, lists=1200, backlog=50_000)
    kept = []
    for now in (START, START + 0.7 * DAY, START + DAY + 1):
        account.charge(NO_KEY, now, Lane.LISTS)
        plan = plan_for(settings, demand, ALIKE, account, now)
        assert plan is not None
        kept.append(plan.kept)
    assert kept == [450, 270, 100]


@pytest.mark.parametrize(("a_day", "near"), [(0, 0.03), (100, 0.03), (300, 0.05), (600, 0.14)])
def test_on_a_first_day_a_forecast_takes_the_hours_to_come_for_like_those_seen(a_day: int, near: float) -> None:
    """Payments and webhooks leave a fill the less the more they make."""
    demand = Demand(bound=25, lists=1200, backlog=50_000, pays=True, usual=150)
    settled = planned(NORMAL, replace(demand, urgent=a_day))
    for seen in (0.2, 0.4, 0.6, 0.9):
        plan = planned(NORMAL, replace(demand, urgent=int(a_day * seen), unknown=1 - seen, seen=seen))
        assert plan.seconds_for(50_000) == pytest.approx(settled.seconds_for(50_000), rel=near)


def test_before_anything_was_seen_a_forecast_reckons_with_some_payments() -> None:
    first = planned(NORMAL, Demand(bound=25, lists=1200, backlog=50_000, unknown=1.0, usual=150, seen=0.0))
    many, none = (planned(NORMAL, Demand(bound=25, lists=1200, backlog=50_000, urgent=urgent)) for urgent in (600, 0))
    assert many.seconds_for(50_000) > first.seconds_for(50_000) > none.seconds_for(50_000)


def test_what_can_wait_never_leaves_an_hour_without_calls_for_payments() -> None:
    """Three quarters of it leave at once and the rest evenly, so that every hour of every day opens some, whatever
    urgent lanes make beyond what was foreseen."""
    plan = planned(NORMAL, Demand(bound=25, lists=1200, changes=72, backlog=50_000))
    account, now, left = ShareAccount(plan.shares), START, [0] * 72
    while now < START + 3 * DAY:
        if account.opens(Lane.CENSUS, now, 0.0) <= now:
            account.note(now, Lane.CENSUS)
            left[int((now - START) // 3600)] += 1
        now += 2.4 if account.opens(Lane.CENSUS, now, 0.0) <= now else 300.0
    assert sum(left[:2]) == pytest.approx(0.75 * plan.backfill, rel=0.05)
    assert sum(left[:24]) == pytest.approx(plan.backfill, rel=0.02)
    assert min(left) >= 0.9 * 0.25 * plan.backfill / 24
    assert max(sum(left[hour : hour + 24]) for hour in range(48)) <= plan.backfill


def test_what_others_on_the_key_make_is_not_divided_again() -> None:
    settings = Settings(precoro={"region": "us", "email": "a@b.example", "token": "s3cret-key"})  # type: ignore[arg-type]
    account, demand = Budget(limits_of(settings)), Demand(bound=25, lists=1200, backlog=50_000)
    before = plan_for(settings, demand, ALIKE, account, START)
    account.recall(Lessons(others={"day": (500.0, START)}))
    after = plan_for(settings, demand, ALIKE, account, START)
    assert before is not None
    assert after is not None
    assert (before.granted, after.granted) == (3_000, 2_500)
    assert after.seconds_for(50_000) > before.seconds_for(50_000)


def test_a_new_plan_counts_what_was_spent_by_the_former() -> None:
    budget = Budget(Limits(per_hour=0, per_second=0, per_minute=0, shares=(Share(frozenset({Lane.CENSUS}), 5),)))
    for number in range(4):
        budget.charge(NO_KEY, START + number, Lane.CENSUS if number else Lane.FILES)
    budget.adopt((Share(frozenset({Lane.CENSUS, Lane.FILES}), 6),))
    assert budget.spendable(Lane.CENSUS, START + 5) == 2
    budget.adopt((Share(frozenset({Lane.FILES}), 6),))
    assert budget.spendable(Lane.FILES, START + 5) == 5
    assert budget.spendable(Lane.CENSUS, START + 5) == 2996


@given(
    st.lists(st.tuples(st.sampled_from(list(Lane)), st.floats(0, 4000)), min_size=20, max_size=120),
    st.integers(1, 5),
    st.integers(1, 5),
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
    plan = planned({"day": 3000}, Demand(bound=1800, lists=1800, changes=220))
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
        for second in range(3, 40, 6):
            call(Lane.CENSUS, now + second)
    assert made[Lane.CENSUS] > plan.backfill + 100, "on the first day it gets a little, on the second its share"


def test_where_lists_take_all_there_is_documents_get_a_little() -> None:
    plan = planned({"day": 3000}, Demand(bound=1800, lists=1800), {})
    budget = Budget(Limits(per_hour=0, same_get_per_hour=0, shares=plan.shares))
    for number in range(2500):
        budget.charge(NO_KEY, START + number, Lane.LISTS)
    assert budget.spendable(Lane.DETAILS, START + 2600) == 150
    assert budget.spendable(Lane.CENSUS, START + 2600) == 1


@given(
    limits=st.fixed_dictionaries({"day": st.integers(200, 300), "hour": st.sampled_from([0, 50, 90])}),
    calls=st.integers(0, 500),
    waited=st.lists(st.floats(0, 200), max_size=100),
)
def test_what_is_left_takes_as_long_as_trying_it_would_show(
    limits: dict[str, float], calls: int, waited: Sequence[float]
) -> None:
    """From any day of calls that the plan allowed."""
    plan = planned(limits, Demand(bound=1, lists=200, backlog=None), {})
    day = Tried(plan, int(limits["hour"]))
    for pause in waited:  # as they may have left
        day.call(day.now + pause)
    now = day.now + 3600.0 if waited else 0.0
    ages = [now - at for at in day.left if at > now - DAY]
    day.now = now
    for _ in range(calls):
        day.call(day.now)
    took = day.now - now
    assert plan.seconds_for(calls, ages) == pytest.approx(took, abs=DAY / 8)


@dataclass
class Tried:
    """Calls for older documents that leave as soon as the account of the plan's shares, and the hour, let them."""

    plan: QuotaPlan
    hour: int
    now: float = 0.0
    left: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.account = ShareAccount(self.plan.shares)

    def call(self, at: float) -> None:
        hour = self.left[-self.hour] + 3600.0 if 0 < self.hour <= len(self.left) else 0.0
        self.now = max(at, hour, self.account.opens(Lane.CENSUS, at, 0.0))
        self.account.note(self.now, Lane.CENSUS)
        self.left.append(self.now)


DOCUMENTED = [(1.0, 1), (60.0, 60), (3600.0, 1_500), (86_400.0, 3_000)]


def when_the_last_leaves(calls: int, windows: Sequence[tuple[float, int]]) -> float:
    """The same found by trying: each call leaves as soon as no window that ends with it is over-full."""
    stamps: list[float] = []
    for _ in range(calls):
        at = stamps[-1] if stamps else 0.0
        for length, limit in windows:
            if limit and len(stamps) >= limit:
                at = max(at, stamps[-limit] + length)
        stamps.append(at)
    return stamps[-1] if stamps else 0.0


@pytest.mark.parametrize(
    ("calls", "seconds"),
    [(0, 0), (1, 0), (2, 1), (61, 60), (1_500, 1_499), (1_501, 3_600), (3_000, 5_099), (3_001, 86_400)],
)
def test_how_long_the_documented_limits_take(calls: int, seconds: float) -> None:
    assert duration(calls, DOCUMENTED) == seconds


def test_a_lifted_window_takes_no_time() -> None:
    assert duration(10_000, [(length, 0) for length, _ in DOCUMENTED]) == 0
    assert duration(6_001, [(1.0, 0), (86_400.0, 3_000)]) == 2 * 86_400.0


@given(st.integers(0, 7_000))
def test_it_is_what_trying_it_would_show(calls: int) -> None:
    assert duration(calls, DOCUMENTED) == when_the_last_leaves(calls, DOCUMENTED)


@given(st.integers(0, 100_000))
def test_one_more_call_never_takes_less(calls: int) -> None:
    assert duration(calls + 1, DOCUMENTED) >= duration(calls, DOCUMENTED)
