"""The budget as properties: whoever follows it is never over a limit, and never waits for nothing."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import structs

from precoro_daemon.quota.budget import MEMORY, NO_KEY, Budget, Closure
from precoro_daemon.quota.limits import SECONDS, Lane, Limits
from precoro_daemon.quota.rate_limits import Period, Refusal

START = 1_750_000_000.0
MOST_MARGIN = 0.25
SMALL = Limits(
    per_second=1,
    per_minute=5,
    per_hour=12,
    per_day=20,
    same_get_per_minute=1,
    same_get_per_hour=3,
    reserve={Lane.DETAILS: 4, Lane.CENSUS: 9},
)


@dataclass(frozen=True)
class Step:
    """Somebody in `lane` wants a call to `target`, `pause` seconds after the last one; `late`: it takes so long to be
    sent; `restart`: the process is started anew before."""

    lane: Lane
    target: str
    method: str
    pause: float
    late: float
    restart: bool


steps = st.builds(
    Step,
    lane=st.sampled_from(Lane),
    target=st.sampled_from(["/a?1", "/a?2", "/b", "/c"]),
    method=st.sampled_from(["GET", "GET", "POST"]),
    pause=st.one_of(st.just(0.0), st.floats(0, 3), st.floats(0, 4000), st.floats(0, 90_000)),
    late=st.one_of(st.just(0.0), st.floats(0, 2)),
    restart=st.booleans(),
)
limits = st.builds(
    Limits,
    per_second=st.integers(0, 3),
    per_minute=st.integers(0, 6),
    per_hour=st.integers(0, 12),
    per_day=st.integers(4, 12),
    same_get_per_minute=st.integers(0, 2),
    same_get_per_hour=st.integers(0, 4),
    same_get_scope=st.sampled_from(["url", "path"]),
    reserve=st.sampled_from([{}, {Lane.DETAILS: 1, Lane.CENSUS: 3}]),
)


@dataclass(frozen=True)
class Made:
    at: float
    counted: str
    lane: Lane


def follow(granted: Limits, wishes: Sequence[Step]) -> list[Made]:
    """Do what the budget says, and check that it held nobody longer than it had to."""
    budget = Budget(granted)
    now = START
    made: list[Made] = []
    history: list[tuple[float, bytes]] = []
    settled = True
    for wish in wishes:
        now += wish.pause
        if wish.restart:
            budget = Budget(granted)
            budget.restore(history, {}, now)
            settled = not history or now - history[-1][0] > 10
        key = budget.key(wish.method, wish.target)
        counted = wish.target.partition("?")[0] if granted.same_get_scope == "path" else wish.target
        made_before = Made(now, counted if wish.method == "GET" else "", wish.lane)
        opening = budget.opening(wish.lane, key, now)
        if settled and opening.at > now:
            assert opening.at <= needed(granted, made, made_before) + MOST_MARGIN
        now = max(now, opening.at)
        charge = budget.charge(key, now)
        now += wish.late
        budget.sent(charge, now)
        history.append((now, charge.counted))
        made.append(replace(made_before, at=now))
    return made


def needed(granted: Limits, made: Sequence[Made], wish: Made) -> float:
    """The first moment at which the call fits into every window, by counting."""
    spans = [(SECONDS[p], allowed(granted, p, wish.lane), [m.at for m in made]) for p in SECONDS]
    mine = [m.at for m in made if wish.counted and m.counted == wish.counted]
    spans += [(60.0, granted.same_get_per_minute, mine), (3600.0, granted.same_get_per_hour, mine)]
    return max([wish.at] + [stamps[-limit] + span for span, limit, stamps in spans if limit and len(stamps) >= limit])


def allowed(granted: Limits, period: Period, lane: Lane) -> int:
    limit: int = getattr(granted, f"per_{period}")
    reserve = granted.reserve.get(lane, 0) if period in ("hour", "day") else 0
    return limit and max(1, limit - reserve * limit // granted.per_day)


def most_in_any(span: float, stamps: Sequence[float]) -> int:
    return max((bisect_right(stamps, at + span) - i for i, at in enumerate(stamps)), default=0)


AGAIN = Step(Lane.LISTS, "/a?1", "GET", pause=70.0, late=0.0, restart=False)


@given(limits, st.lists(steps, max_size=80))
@example(Limits(same_get_per_minute=1, same_get_per_hour=3), [AGAIN] * 5)
def test_no_window_is_ever_exceeded_and_nobody_waits_for_nothing(granted: Limits, wishes: list[Step]):
    made = follow(granted, wishes)
    stamps = [call.at for call in made]
    for period, span in SECONDS.items():
        limit = getattr(granted, f"per_{period}")
        assert not limit or most_in_any(span, stamps) <= limit
    for counted in {call.counted for call in made} - {""}:
        mine = [call.at for call in made if call.counted == counted]
        for span, limit in ((60.0, granted.same_get_per_minute), (3600.0, granted.same_get_per_hour)):
            assert not limit or most_in_any(span, mine) <= limit


@given(limits, st.lists(steps, max_size=80))
@example(
    Limits(per_second=0, per_minute=0, per_hour=6, per_day=12, same_get_per_minute=0, same_get_per_hour=0,
           reserve={Lane.CENSUS: 4}),
    [replace(AGAIN, lane=Lane.CENSUS, target=f"/a?{number}") for number in range(9)],
)  # fmt: skip
def test_a_lane_spends_only_what_is_above_its_reserve(granted: Limits, wishes: list[Step]):
    made = follow(granted, wishes)
    for i, call in enumerate(made):
        for period in ("hour", "day"):
            before = sum(call.at - SECONDS[period] <= other.at for other in made[:i])
            assert not (limit := allowed(granted, period, call.lane)) or before < limit


@given(st.lists(st.floats(-MEMORY, MEMORY), max_size=30), st.sampled_from(Lane))
def test_any_history_is_survived(stamps: list[float], lane: Lane):
    budget = Budget(SMALL)
    budget.restore([(START + at, b"") for at in stamps], {}, START)
    opening = budget.opening(lane, NO_KEY, START)
    assert opening.at <= START + SECONDS["day"] + MOST_MARGIN
    assert all(left >= 0 for left in budget.left(START).values())


def test_stamps_in_the_future_count_as_made_now():
    budget = Budget(SMALL)
    budget.restore([(START + 9000, b"")] * 5, {}, START)
    assert budget.left(START) == {"second": 0, "minute": 0, "hour": 7, "day": 15}
    assert budget.opening(Lane.PAYMENTS, NO_KEY, START).at == START + 60.25


def test_the_documented_limits_give_a_day_of_calls_one_a_second():
    budget = Budget(Limits(guard=0.01))
    now = START
    times = []
    for n in range(3000):
        key = budget.key("GET", f"/x?{n}")
        now = max(now, budget.opening(Lane.PAYMENTS, key, now).at)
        budget.charge(key, now)
        times.append(now - START)
    assert times[1499] == pytest.approx(1499 * 1.01)
    assert times[1500] == 3600.25
    assert times[2999] == pytest.approx(3600.25 + 1499 * 1.01)
    opening = budget.opening(Lane.PAYMENTS, NO_KEY, now)
    assert opening == (START + 86400.25, "day")


def test_memory_is_bounded_by_the_limits_not_by_the_calls():
    budget = Budget(Limits(per_second=0, per_minute=0, per_day=0))
    for n in range(30_000):
        budget.charge(budget.key("GET", f"/x?{n}"), START + 10 * n)
    assert len(budget._stamps) <= 2 * 1500 + 100
    assert len(budget._gets) <= 362
    budget = Budget(Limits(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_per_hour=0))
    for n in range(1000):
        budget.charge(budget.key("GET", "/x"), START + n)
    assert [len(stamps) for stamps in budget._gets.values()] == [1]


def test_all_lifted_is_unlimited_until_something_is_closed():
    lifted = Limits(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_per_minute=0, same_get_per_hour=0)
    budget = Budget(lifted)
    assert budget.unlimited(START)
    assert budget.left(START) == {}
    charge = budget.charge(budget.key("GET", "/x"), START)
    budget.refused(charge, Refusal("Hourly limiter", False, "hour", 30.0), START)
    assert not budget.unlimited(START + 29)
    assert budget.unlimited(START + 31)


def test_a_refund_gives_the_call_back():
    budget = Budget(SMALL)
    key = budget.key("GET", "/x")
    budget.refund(budget.charge(key, START))
    assert budget.opening(Lane.LISTS, key, START).at == -math.inf
    assert budget.left(START)["day"] == 20


def test_a_delayed_send_moves_its_windows():
    budget = Budget(SMALL)
    key = budget.key("GET", "/x")
    budget.sent(budget.charge(key, START), START + 3)
    assert budget.opening(Lane.LISTS, NO_KEY, START + 3).at == pytest.approx(START + 4.02)
    assert budget.opening(Lane.LISTS, key, START + 3).at == START + 63.25


# What a 429 teaches


def refuse(budget: Budget, target: str, period: Period, now: float = START, **more: object) -> Closure:
    refusal = Refusal(**({"type": "", "route": False, "period": period, "wait": None} | more))
    return budget.refused(budget.charge(budget.key("GET", target), now), refusal, now)


@pytest.mark.parametrize("period", ["second", "minute", "hour", "day"])
def test_a_closed_window_holds_every_lane_and_nothing_is_left_of_it(period: Period):
    budget = Budget(Limits())
    closure = refuse(budget, "/x", period, wait=500.0)
    assert closure[:2] == (period, START + 500)
    for lane in Lane:
        assert budget.opening(lane, NO_KEY, START + 1) == (START + 500, period)
    assert budget.left(START + 1)[period] == 0
    assert budget.opening(Lane.LISTS, NO_KEY, START + 501).at < START + 501


def test_a_route_refusal_holds_that_get_alone():
    budget = Budget(Limits())
    closure = refuse(budget, "/x?1", "minute", route=True, wait=90.0)
    assert budget.opening(Lane.LISTS, budget.key("GET", "/x?1"), START + 70).at == START + 90
    assert budget.opening(Lane.LISTS, budget.key("GET", "/x?2"), START + 70).at < START + 70
    assert closure.until == START + 90


def test_a_route_refusal_of_a_post_holds_everything_as_it_should_not_exist():
    budget = Budget(Limits())
    charge = budget.charge(budget.key("POST", "/x"), START)
    assert budget.refused(charge, Refusal("Route", True, "minute", 30.0), START).window == "second"


@pytest.mark.parametrize(("wait", "kept"), [(-5.0, 1.0), (0.0, 1.0), (7.5, 7.5), (3e8, 26 * 3600.0)])
def test_waits_stay_within_a_second_and_26_hours(wait: float, kept: float):
    assert refuse(Budget(Limits()), "/x", "day", wait=wait).until == START + kept


def test_without_a_time_the_window_is_closed_until_our_oldest_call_leaves_it():
    budget = Budget(Limits())
    budget.charge(NO_KEY, START)
    assert refuse(budget, "/x", "minute", START + 20).until == START + 60
    assert refuse(budget, "/y", "minute", START + 200).until == START + 260
    assert refuse(budget, "/x?1", "hour", START + 300, route=True).until == START + 3900


def test_refusals_in_a_row_without_a_time_wait_ever_longer_until_a_success():
    budget = Budget(Limits())
    now = START
    waits = []
    for n in range(20):
        closure = refuse(budget, f"/{n}", "second", now)
        waits.append(closure.until - now)
        now = closure.until + 1
    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert max(waits) <= 26 * 3600
    budget.accepted()
    assert refuse(budget, "/y", "second", now).until == now + 1


@pytest.mark.parametrize(
    ("asked_before", "refused", "contradicts"),
    [(["/x?1"], "/x?2", True), (["/x?2"], "/x?2", False), (["/x?1", "/x?2"], "/x?2", False), (["/y"], "/x?2", False)],
)
def test_a_route_refusal_of_what_was_not_asked_contradicts_the_scope(
    asked_before: list[str], refused: str, contradicts: bool
):
    budget = Budget(Limits())
    for n, target in enumerate(asked_before):
        budget.charge(budget.key("GET", target), START + n)
    assert refuse(budget, refused, "minute", START + 10, route=True, wait=5.0).contradicts_scope is contradicts
    assert not refuse(budget, "/x?9", "minute", START + 500, route=True, wait=5.0).contradicts_scope


GET = "/invoices?page=1"


def test_a_refused_get_may_be_asked_again_when_its_limit_opens():
    budget = Budget(Limits())
    key = budget.key("GET", GET)
    refuse(budget, GET, "second", wait=1.0)
    assert budget.opening(Lane.LISTS, key, START + 2).at <= START + 2
    refuse(budget, GET, "minute", START + 2, wait=10.0)
    assert budget.opening(Lane.LISTS, key, START + 13).at <= START + 13
    refuse(budget, "/other", "minute", START + 13, route=True, wait=5.0)
    assert budget.opening(Lane.LISTS, budget.key("GET", "/other"), START + 19).at <= START + 19


def test_only_the_refused_one_of_two_same_gets_is_forgotten():
    budget = Budget(Limits(same_get_per_minute=2))
    key = budget.key("GET", GET)
    first = budget.charge(key, START)
    budget.charge(key, START + 2)
    budget.refused(first, Refusal("", False, "second", 1.0), START + 3)
    budget.charge(key, START + 5)
    assert budget.opening(Lane.LISTS, key, START + 6).at == START + 62.25


def test_refused_gets_count_once_precoro_is_seen_to_count_them():
    budget = Budget(Limits())
    key = budget.key("GET", GET)
    assert not refuse(budget, GET, "second", wait=1.0).counts_refused
    told = refuse(budget, GET, "minute", START + 2, route=True, wait=58.0)
    assert (told.counts_refused, told.contradicts_scope) == (True, False)
    refuse(budget, "/b", "second", START + 100, wait=1.0)
    assert budget.opening(Lane.LISTS, budget.key("GET", "/b"), START + 102).at == START + 160.25
    refuse(budget, GET, "second", START + 200, wait=1.0)
    assert not refuse(budget, GET, "minute", START + 202, route=True, wait=58.0).counts_refused, "it is told once"
    assert budget.opening(Lane.LISTS, key, START + 203).at >= START + 260


def test_a_repeat_that_is_refused_an_hour_later_shows_nothing():
    budget = Budget(Limits())
    refuse(budget, GET, "second", wait=1.0)
    assert not refuse(budget, GET, "minute", START + 3_000, route=True, wait=58.0).counts_refused


def test_a_refused_repeat_whose_path_was_asked_contradicts_the_scope_and_shows_nothing_else():
    budget = Budget(Limits())
    budget.charge(budget.key("GET", "/invoices?page=2"), START)
    refuse(budget, GET, "second", START + 1, wait=1.0)
    told = refuse(budget, GET, "minute", START + 3, route=True, wait=57.0)
    assert (told.counts_refused, told.contradicts_scope) == (False, True)


def test_longer_windows_hold_however_much_faster_a_call_is_on_its_way_than_those_before():
    budget = Budget(SMALL)
    key = budget.key("GET", GET)
    budget.charge(key, START)
    assert budget.opening(Lane.LISTS, key, START, way=0.1).at == START + 60.25
    assert budget.opening(Lane.LISTS, key, START, way=0.8).at == START + 60.8
    for n in range(4):
        budget.charge(NO_KEY, START + 2 + n)
    assert budget.opening(Lane.PAYMENTS, NO_KEY, START + 9, way=0.8).at == START + 60.8


# Others on the same key


def day_of(calls: int, budget: Budget, until: float) -> None:
    for n in range(calls):
        budget.charge(NO_KEY, until - 2 * (calls - n))


def test_a_spent_day_that_we_did_not_spend_lowers_what_is_ours_step_by_step():
    budget = Budget(Limits(per_hour=0))
    day_of(1_000, budget, START)
    told = refuse(budget, GET, "day", START, wait=3_600.0).shared
    assert told == ("day", 3_000, 1_001, 300)
    assert budget.left(START + 3_601)["day"] == 3_000 - 1_001 - 300
    again = refuse(budget, GET, "day", START + 3_602, wait=3_600.0)
    assert again.shared is None, "it is told once"
    assert budget.left(START + 7_300)["day"] == 0
    assert budget.spendable(Lane.DETAILS, START + 7_300) == 0
    assert budget.left(START + 2 * 86_400)["day"] == 3_000 - 1_798


def test_a_minute_that_grants_less_than_is_documented_is_run_into_twice_and_then_once_an_hour():
    granted, hours, refusals = 40, 3, 0
    budget, now, accepted = Budget(Limits(per_hour=0, per_day=0)), START, list[float]()
    while now < START + hours * 3_600:
        now = max(now, budget.opening(Lane.LISTS, NO_KEY, now).at)
        charge = budget.charge(NO_KEY, now)
        if len(accepted) >= granted and accepted[-granted] > now - 60:
            refusals += 1
            budget.refused(charge, Refusal("Minute limiter", False, "minute", accepted[-granted] + 60 - now), now)
        else:
            accepted.append(now)
        now += 1.0
    assert refusals <= 2 + 2 * hours
    assert len(accepted) > 0.9 * granted * 60 * hours


def test_a_burst_of_others_leaves_us_half_of_a_minute():
    budget = Budget(Limits())
    for n in range(5):
        refuse(budget, GET, "minute", START + 90 * n, wait=60.0)
    assert budget.left(START + 600)["minute"] == 30


def test_what_others_make_keeps_the_reserve_of_what_is_left():
    budget = Budget(Limits(per_hour=0, per_day=100, reserve={Lane.DETAILS: 20}))
    day_of(30, budget, START)
    for at in (START, START + 7_200):
        refuse(budget, GET, "day", at, wait=3_600.0)
    tomorrow = START + 86_400 + 7_210
    made = 100 - budget.left(tomorrow)["day"]
    assert made == 61
    for n in range(100 - made - 20):
        budget.charge(NO_KEY, tomorrow + n)
    later = tomorrow + 1_000
    assert budget.opening(Lane.DETAILS, NO_KEY, later).at > later
    assert budget.opening(Lane.PAYMENTS, NO_KEY, later).at <= later


def test_a_whim_costs_a_tenth_of_a_day_and_fades():
    budget = Budget(Limits())
    refuse(budget, GET, "day", wait=5.0)
    days = [budget.left(START + 86_400 * n + 100_000)["day"] for n in range(60)]
    assert days[0] == 3_000 - 270
    assert days == sorted(days)
    assert days[-1] == 3_000


def test_calls_in_flight_when_a_window_closes_are_no_second_refusal():
    budget = Budget(Limits())
    charges = [budget.charge(NO_KEY, START + n) for n in range(3)]
    for charge in charges:
        budget.refused(charge, Refusal("Daily limiter", False, "day", 60.0), START + 4)
    assert budget.left(START + 100)["day"] == 3_000 - 3 - 300


def test_a_full_window_of_our_own_is_nobody_elses():
    budget = Budget(Limits())
    for n in range(1_495):
        budget.charge(NO_KEY, START + n)
    assert refuse(budget, GET, "hour", START + 1_500, wait=60.0).shared is None
    assert budget.left(START + 1_600)["hour"] == 4


@pytest.mark.parametrize("limit", [1, 2, 10])
def test_tiny_windows_keep_one_call(limit: int):
    budget = Budget(Limits(per_day=limit, per_hour=0))
    for n in range(3):
        refuse(budget, f"/{n}", "day", START + 100_000 * n, wait=1.0)
    later = START + 600_000.0
    assert budget.opening(Lane.CENSUS, NO_KEY, later).at <= later


def test_closures_survive_a_restart_but_no_longer_than_a_day_and_two_hours():
    budget = Budget(Limits())
    budget.restore([], {"hour": START + 100, "day": START + 1e9, "minute": START - 1}, START)
    assert budget.opening(Lane.LISTS, NO_KEY, START) == (START + 26 * 3600, "day")
    assert budget.left(START) == {"second": 1, "minute": 60, "hour": 0, "day": 0}


def test_by_path_every_page_is_the_same_get():
    by_path = Budget(Limits(same_get_scope="path"))
    by_path.charge(by_path.key("GET", "/x?page=1"), START)
    assert by_path.opening(Lane.LISTS, by_path.key("GET", "/x?page=2"), START + 30).at == START + 60.25
    assert by_path.opening(Lane.LISTS, by_path.key("PUT", "/x"), START + 30).at < START + 30


def test_the_reserve_binds_hours_in_proportion():
    granted = Limits(reserve={Lane.CENSUS: 200})
    assert granted.reserved("day", Lane.CENSUS) == 200
    assert granted.reserved("hour", Lane.CENSUS) == 100
    assert granted.reserved("minute", Lane.CENSUS) == 0
    assert structs.replace(granted, per_day=0).reserved("hour", Lane.CENSUS) == 0
    assert granted.reserved("day", Lane.PAYMENTS) == 0


def test_a_get_that_was_never_written_is_forgotten_whole():
    budget = Budget(Limits())
    unsent = budget.key("GET", "/invoices?page=1")
    budget.refund(budget.charge(unsent, 1000.0))
    assert budget.opening(Lane.LISTS, unsent, 1000.0).at <= 1000.0
    budget.charge(budget.key("GET", "/invoices?page=2"), 9000.0)
    assert budget.left(9000.0)["day"] == 2999
