"""What a first mirror costs: calls, and time as a service and with --once once a day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from precoro_daemon.mirror.rules.estimates import Cost, Estimate, estimate
from precoro_daemon.quota.budget import NO_KEY, Budget
from precoro_daemon.quota.limits import Lane, Limits
from precoro_daemon.quota.plan import Demand, QuotaPlan, plan_quota

START = 1_800_000_000.0
DAY = 86_400.0
RESERVE = {Lane.DETAILS: 100, Lane.FILES: 110, Lane.CENSUS: 120}
LIMITS = {"second": 1.0, "minute": 60.0, "hour": 1500.0, "day": 3000.0}
LIFTED = dict.fromkeys(LIMITS, 0.0)


def estimated(*costs: Cost, limits: dict[str, float] = LIMITS, changes: float = 50) -> Estimate:
    backlog = sum(cost.details for cost in costs)
    plan = plan_quota(limits, RESERVE, Demand(bound=25, lists=1200, changes=changes, backlog=backlog))
    return estimate(costs, plan, limits, kept=120)


def test_a_collection_costs_its_pages_and_its_details() -> None:
    assert Cost("invoices", rows=450, pages=3, details=450).calls == 453


def test_it_is_what_the_plan_of_a_first_fill_says() -> None:
    found = estimated(Cost("invoices", 6_900, 35, 6_900), Cost("taxes", 12, 1, 0))
    plan = plan_quota(LIMITS, RESERVE, Demand(bound=25, lists=1200, changes=50, backlog=6_900))
    assert plan is not None
    assert plan.filling
    assert found.calls == 6_936
    assert (found.service.seconds, found.service.per_day) == (plan.seconds_for(6_936), plan.backfill)


def test_with_once_a_day_each_run_scans_every_list_and_leaves_what_is_kept() -> None:
    found = estimated(Cost("invoices", 5_700, 29, 5_700), Cost("taxes", 12, 1, 0))
    assert found.once.per_day == 3000 - 120 - 2
    assert 1 * DAY < found.once.seconds < 1.1 * DAY
    assert not found.within_a_day


def test_what_fits_into_a_day_takes_as_long_as_its_calls() -> None:
    found = estimated(Cost("invoices", 120, 1, 120))
    assert found.within_a_day
    assert found.service.seconds == found.once.seconds == 120


def test_where_nothing_is_limited_it_takes_no_time() -> None:
    found = estimated(Cost("invoices", 90_000, 450, 90_000), limits=LIFTED)
    assert (found.service.seconds, found.once.seconds, found.within_a_day) == (0, 0, True)


@dataclass
class Played:
    """A first fill, call by call, in virtual time. spent: when calls for older documents left."""

    budget: Budget
    now: float = START
    spent: list[float] = field(default_factory=list)

    def call(self, lane: Lane) -> None:
        self.now = max(self.now, self.budget.opening(lane, NO_KEY, self.now).at)
        self.budget.sent(self.budget.charge(NO_KEY, self.now, lane), self.now)
        if lane is Lane.CENSUS:
            self.spent.append(self.now)


def as_a_service(
    plan: QuotaPlan, pages: int, details: int, changes: int, later: QuotaPlan | None = None
) -> Iterator[Played]:
    """The lists first; then polls and the documents of the day when their time has come, older ones all the time.

    later  the plan after the first day
    """
    played = Played(Budget(Limits(reserve=RESERVE, same_get_per_hour=0, shares=plan.shares)))
    for _ in range(pages):
        played.call(Lane.LISTS)
    every = {Lane.LISTS: DAY / plan.lists, Lane.DETAILS: DAY / changes}
    due = {lane: played.now + pause for lane, pause in every.items()}
    while len(played.spent) < details:
        if later is not None and played.now > START + DAY:
            played.budget.adopt(later.shares)
            later = None
        lane = min(due, key=lambda lane: due[lane])
        if played.budget.opening(Lane.CENSUS, NO_KEY, played.now).at < due[lane]:
            played.call(Lane.CENSUS)
            yield played
        else:
            played.now = max(played.now, due[lane])
            due[lane] += every[lane]
            played.call(lane)


COMPANIES = [pytest.param(70, 6_930, 72, id="7,000 calls"), pytest.param(130, 12_000, 300, id="12,000 documents")]


@pytest.mark.parametrize(("pages", "details", "changes"), COMPANIES)
def test_as_a_service_it_takes_what_was_said_before_and_meanwhile(pages: int, details: int, changes: int) -> None:
    found = estimated(Cost("invoices", details, pages, details), changes=changes)
    plan = plan_quota(LIMITS, RESERVE, Demand(bound=25, lists=1200, changes=changes, backlog=details))
    assert plan is not None
    said = {}
    for played in as_a_service(plan, pages, details, changes):
        if len(played.spent) % 300 == 1:
            lately = [played.now - at for at in played.spent if at > played.now - DAY]
            said[played.now] = played.now + plan.seconds_for(details - len(played.spent), lately)
    took = played.now - START
    assert found.service.seconds == pytest.approx(took, rel=0.1)
    assert list(said.values()) == pytest.approx([played.now] * len(said), abs=0.1 * took)
    assert len(said) > 20


def test_a_first_day_that_keeps_calls_for_payments_delays_the_rest_by_no_more_than_was_said() -> None:
    demand = Demand(bound=25, lists=1200, changes=72, backlog=6_930, usual=150)
    at_first = replace(demand, unknown=1.0, ebbing=(1.0,) * 23 + (0.0,), seen=0.0)
    first, later = (plan_quota(LIMITS, RESERVE, each) for each in (at_first, demand))
    assert first is not None
    assert later is not None
    assert first.backfill < later.backfill
    assert later.seconds_for(50_000) < first.seconds_for(50_000), "on later days what was seen and a guess"
    *_, played = as_a_service(first, 70, 6_930, 72, later)
    took = played.now - START
    assert took < 2.8 * DAY, "what is unknown is kept for the whole of the first day here"
    assert first.seconds_for(6_930) == pytest.approx(took, rel=0.1)


def test_with_once_once_a_day_it_takes_what_was_said() -> None:
    lists, pages, details = 25, 70, 6_930
    costs = [Cost("invoices", details, pages - lists + 1, details), *[Cost("taxes", 3, 1, 0)] * (lists - 1)]
    played = Played(Budget(Limits(reserve=RESERVE, same_get_per_hour=0)))
    for day in range(9):
        played.now = max(played.now, START + day * (DAY + 60))
        for _ in range(lists if day else pages):
            played.call(Lane.LISTS)
        while len(played.spent) < details and played.budget.spendable(Lane.CENSUS, played.now):
            played.call(Lane.CENSUS)
    assert len(played.spent) == details
    assert estimated(*costs).once.seconds == pytest.approx(played.spent[-1] - START, rel=0.1)
