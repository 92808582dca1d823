"""Which list is scanned next, and when: the value of a call against its price, within bounds that nothing breaks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from precoro_daemon.quota.change_rates import ChangeRates
from precoro_daemon.quota.freshness import SHORTEST_GAP_S, FreshnessPlanner, Pace
from precoro_daemon.quota.watched_hours import HOUR_S, ScanSeen, WatchedHour
from precoro_daemon.runtime.schedules import Every

NOW = 1_768_176_000.0
DAY = 86_400.0
NAMES = ("invoices", "payments", "taxes")


def planner(paces: dict[str, Pace], calls: float = 500.0, **usual: float) -> FreshnessPlanner:
    """`usual`: changes a day; nothing else is known. All were scanned just now."""
    made = FreshnessPlanner(paces, ChangeRates({name: usual.get(name, 24.0) for name in paces}), calls)
    for name in paces:
        made.scanned(name, NOW)
    return made


def scans_a_day(plan: FreshnessPlanner, name: str) -> float:
    """At rates that are the same in all hours, if it was scanned now."""
    plan.scanned(name, NOW)
    return DAY / (plan.next_scan(name, NOW) - NOW)


def test_what_was_never_scanned_is_due_at_once() -> None:
    fresh = FreshnessPlanner({"invoices": Pace(), "taxes": Pace()}, ChangeRates({"invoices": 1.0, "taxes": 1.0}), 9)
    fresh.scanned("invoices", NOW)
    assert fresh.due(NOW) == ["taxes"]
    assert fresh.next_turn(NOW) == -math.inf
    fresh.scanned("taxes", NOW)
    assert fresh.due(NOW) == []
    assert NOW < fresh.next_turn(NOW) <= NOW + DAY


@pytest.mark.parametrize(("weight", "changes"), [(1.0, 24.0), (4.0, 24.0), (1.0, 2_400.0), (1000.0, 24.0)])
def test_at_a_steady_rate_a_scan_comes_as_often_as_the_root_of_it_says(weight: float, changes: float) -> None:
    plan = planner({"invoices": Pace(weight=weight), "taxes": Pace()}, invoices=changes)
    gap = math.sqrt(2 * plan.price(NOW) / (weight * changes / DAY))
    assert plan.next_scan("invoices", NOW) - NOW == pytest.approx(max(gap, SHORTEST_GAP_S))


@pytest.mark.parametrize("calls", [10.0, 50.0, 200.0, 1_000.0])
def test_all_calls_of_a_usual_day_are_spent_and_no_more(calls: float) -> None:
    plan = planner({name: Pace() for name in NAMES}, calls, invoices=300.0, payments=30.0)
    assert sum(scans_a_day(plan, name) for name in NAMES) == pytest.approx(calls, rel=0.02)


def test_a_call_more_for_each_scan_makes_it_rarer() -> None:
    plan = planner({"invoices": Pace(calls=4.0), "taxes": Pace()})
    rare, plain = (plan.next_scan(name, NOW) - NOW for name in ("invoices", "taxes"))
    assert rare == pytest.approx(2 * plain)


def test_a_weight_of_zero_leaves_the_bound() -> None:
    plan = planner({"invoices": Pace(weight=0.0, oldest=7_200.0), "taxes": Pace()})
    assert plan.next_scan("invoices", NOW) == NOW + 7_200.0


def test_a_bound_that_the_calls_cannot_hold_is_held() -> None:
    plan = planner({name: Pace(oldest=600.0) for name in NAMES}, calls=5.0)
    assert plan.due(NOW + 599.0) == []
    assert set(plan.due(NOW + 600.0)) == set(NAMES)
    for turn in range(500):
        plan.scanned("invoices", NOW + turn * 600.0, 1)
    assert plan.next_scan("invoices", NOW + 499 * 600.0) == NOW + 500 * 600.0


def test_the_most_valuable_is_first() -> None:
    plan = planner({"taxes": Pace(), "invoices": Pace(weight=9.0), "payments": Pace(weight=3.0)})
    assert list(plan.due(NOW + DAY)) == ["invoices", "payments", "taxes"]


def test_a_schedule_of_the_users_has_its_turns_whatever_they_are_worth() -> None:
    plan = planner({"invoices": Pace(schedule=Every(300.0), weight=0.0), "taxes": Pace()}, calls=5.0)
    assert plan.next_scan("invoices", NOW) == NOW + 300.0


def test_what_is_urgent_is_scanned_sooner_for_as_long_as_it_is() -> None:
    plan = planner({name: Pace() for name in NAMES})
    calm = plan.next_scan("invoices", NOW)
    plan.press({"invoices": 4.0}, NOW)
    assert plan.next_scan("invoices", NOW) - NOW == pytest.approx((calm - NOW) / 2)
    plan.press({}, NOW)
    assert plan.next_scan("invoices", NOW) == pytest.approx(calm)


def test_what_became_urgent_since_its_last_scan_is_due_however_little_changes() -> None:
    plan = planner({"invoices": Pace(weight=1e-6), "taxes": Pace()})
    assert plan.next_scan("invoices", NOW + 600) > NOW + 6 * 3600
    plan.press({"invoices": 4.0}, NOW + 600)
    assert "invoices" in plan.due(NOW + 600)
    plan.scanned("invoices", NOW + 600, 1)
    assert plan.next_scan("invoices", NOW + 700) > NOW + 6 * 3600


def test_what_became_urgent_by_a_clock_that_was_set_back_since_is_not_scanned_every_minute() -> None:
    plan = planner({"invoices": Pace(weight=1e-6), "taxes": Pace()})
    plan.press({"invoices": 4.0}, NOW + 400 * DAY)
    assert "invoices" not in plan.due(NOW + 600)


def test_a_failed_scan_is_tried_again_later_each_time_and_an_hour_at_most() -> None:
    plan = planner({"invoices": Pace(oldest=600.0), "taxes": Pace()})
    at, waits = NOW + 600.0, []
    for _ in range(6):
        plan.failed("invoices", at)
        assert "invoices" not in plan.due(at)
        waits.append(plan.next_scan("invoices", at) - at)
        at += waits[-1]
    assert waits == [300.0, 600.0, 1200.0, 2400.0, 3600.0, 3600.0]
    plan.scanned("invoices", at)
    plan.failed("invoices", at + 900.0)
    assert plan.next_scan("invoices", at + 900.0) == at + 1_200.0


def test_the_price_rises_while_the_last_day_took_too_much_and_falls_again() -> None:
    plan = planner({name: Pace() for name in NAMES}, calls=100.0)
    usual = plan.price(NOW)
    now = NOW
    for turn in range(97):
        plan.scanned("invoices", now := NOW + turn * DAY / 98, 1)
        assert plan.price(now) == usual
    for _ in range(8):
        plan.scanned("invoices", now + 60, 1)
    assert plan.price(now + 60) > 2 * usual
    assert plan.price(now + DAY) == usual


@pytest.mark.parametrize("restarts", [False, True])
def test_a_first_day_with_far_more_changes_than_was_guessed_leaves_calls_for_its_evening(*, restarts: bool) -> None:
    """A change every two minutes of office hours in each list, where one in two days was guessed."""
    life = Life({name: Pace() for name in NAMES}, usual=0.5, evenly=120.0)
    polls: list[float] = []
    for hour in range(24):
        if restarts:
            life.start()
        while (turn := life.plan.next_turn(life.now)) < NOW + (hour + 1) * HOUR_S:
            life.now = max(turn, life.now)
            for name in life.plan.due(life.now):
                polls.append(life.now)
                life.scan(name, poll=True)
        life.now = NOW + (hour + 1) * HOUR_S
    by_hour = [sum(NOW + hour * HOUR_S <= at < NOW + (hour + 1) * HOUR_S for at in polls) for hour in range(24)]
    assert len(polls) <= 1.1 * life.calls
    assert min(by_hour[8:18]) >= 5, by_hour
    assert max(by_hour) <= 50, by_hour


def test_calls_of_a_wrong_clock_do_not_make_others_dear() -> None:
    plan = planner({name: Pace() for name in NAMES}, calls=100.0)
    usual = plan.price(NOW)
    for _ in range(200):
        plan.scanned("invoices", NOW + 400 * DAY, 1)
    assert plan.price(NOW + 400 * DAY) > usual
    assert plan.price(NOW + 60) == usual


@pytest.mark.parametrize("oldest", [1.0, DAY])
def test_nothing_is_so_valuable_that_it_is_scanned_again_within_a_minute(oldest: float) -> None:
    plan = planner({"invoices": Pace(oldest=oldest), "taxes": Pace(oldest=oldest)})
    plan.press({"invoices": 1e9, "taxes": 1e9}, NOW)
    assert plan.due(NOW + SHORTEST_GAP_S - 0.1) == []
    assert set(plan.due(NOW + SHORTEST_GAP_S)) == {"invoices", "taxes"}


def test_a_scan_of_a_wrong_clock_counts_from_when_it_is_set() -> None:
    plan = planner({"invoices": Pace(oldest=600.0), "taxes": Pace()})
    plan.scanned("invoices", NOW + 400 * DAY)
    assert "invoices" not in plan.due(NOW + 100.0)
    assert "invoices" in plan.due(NOW + 700.0)


def test_fewer_calls_make_each_dearer() -> None:
    plan = planner({name: Pace() for name in NAMES})
    dear = plan.price(NOW)
    plan.afford(250.0)
    assert plan.price(NOW) == pytest.approx(4 * dear, rel=0.05)


def test_webhooks_thin_out_polls_and_their_calls_are_not_spent_elsewhere() -> None:
    rates = ChangeRates(dict.fromkeys(NAMES, 24.0))
    rates.learn(WatchedHour(name, int(NOW) - hour * 3600, 3600.0, 20) for name in NAMES for hour in range(200))
    plan = FreshnessPlanner({name: Pace() for name in NAMES}, rates, 1_000.0)
    assert 100 < sum(scans_a_day(plan, name) for name in NAMES) < 200


def test_of_what_webhooks_announce_all_misses_matter_alike() -> None:
    rates = ChangeRates(dict.fromkeys(NAMES, 24.0))
    rates.learn(WatchedHour(name, int(NOW) - hour * 3600, 3600.0, 20) for name in NAMES for hour in range(200))
    plan = FreshnessPlanner({"invoices": Pace(weight=9.0), "taxes": Pace()}, rates, 1_000.0)
    weighty, plain = (scans_a_day(plan, name) for name in ("invoices", "taxes"))
    assert plain <= weighty < 1.2 * plain


@pytest.mark.parametrize("later", [60.0, 4_000.0, 90_000.0, 700_000.0])
def test_a_value_is_reached_when_the_integral_says(later: float) -> None:
    """Against sums of minutes, over hours and weeks."""
    hours = [WatchedHour("invoices", int(NOW) + hour * 3600, HOUR_S, hour % 7) for hour in range(-336, 0)]
    rates = ChangeRates({"invoices": 1.0, "taxes": 1.0})
    rates.learn(hours)
    plan = FreshnessPlanner({"invoices": Pace(oldest=30 * DAY), "taxes": Pace(oldest=30 * DAY)}, rates, 1.0)
    since, step = NOW + 1_234.0, min(60.0, later / 50)
    plan.scanned("invoices", since)
    value = moment = 0.0
    while moment < later:
        at = since + moment + step / 2
        value += rates.usually("invoices")[int(at // HOUR_S) % 168] * step * (later - moment - step / 2)
        moment += step
    urgency = plan.price(since) / (value * rates.lately("invoices", since) * rates.unannounced("invoices"))
    plan.press({"invoices": urgency}, since)
    assert plan.next_scan("invoices", since) - since == pytest.approx(max(later, SHORTEST_GAP_S), rel=0.01)


# -- no order of events --------------------------------------------------------------------------------------------


_name = st.sampled_from(NAMES)
_event = st.one_of(
    st.tuples(st.just("wait"), st.floats(0.1, 2 * DAY) | st.floats(0.1, 2 * SHORTEST_GAP_S)),
    st.tuples(st.just("turn"), st.just(0.0)),
    st.tuples(st.just("jump"), st.floats(-400 * DAY, 400 * DAY)),
    st.tuples(st.just("afford"), st.floats(-5, 5_000)),
    st.tuples(st.sampled_from(["scan", "delivery", "fail"]), st.tuples(_name, st.sampled_from([0, 1, 30, 5_000]))),
    st.tuples(st.just("press"), st.tuples(_name, st.sampled_from([0.1, 50.0]))),
    st.tuples(st.just("restart"), st.just(0.0)),
)
_pace = st.builds(
    Pace,
    weight=st.sampled_from([0.0, 1.0, 4.0, 1000.0]),
    oldest=st.sampled_from([1.0, 60.0, 900.0, DAY, 40 * DAY]),
    calls=st.sampled_from([1.0, 3.5]),
)


@dataclass
class Life:
    paces: dict[str, Pace]
    calls: float = 200.0
    now: float = NOW
    scans: dict[str, float] = field(default_factory=lambda: dict.fromkeys(NAMES, NOW))
    usual: float = 1.0
    evenly: float = 0.0
    """Seconds between two changes of a collection in office hours; 0: there are those that come with each scan."""
    failing: set[str] = field(default_factory=set)
    hours: list[WatchedHour] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.rates = ChangeRates(dict.fromkeys(NAMES, self.usual))
        self.rates.learn(self.hours)
        self.plan = FreshnessPlanner(self.paces, self.rates, self.calls)
        self.failing = set()
        for hour in self.hours:
            self.plan.scanned(hour.collection, hour.begins, hour.calls)
        for name, at in self.scans.items():
            self.plan.scanned(name, at)

    def happens(self, kind: str, what: object) -> None:
        match kind, what:
            case "wait" | "jump", float(seconds):
                self.now = max(0.0, self.now + seconds)
            case "turn", _:
                self.now = min(max(self.now, self.plan.next_turn(self.now)), self.now + 50 * DAY)
                for name in self.plan.due(self.now):
                    self.scan(name, 1, poll=True)
            case "afford", float(calls):
                self.plan.afford(calls)
            case "press", (str(name), float(times)):
                self.plan.press({name: times}, self.now)
            case "fail", (str(name), _):
                self.plan.failed(name, self.now)
                self.failing.add(name)
            case "scan" | "delivery", (str(name), int(changes)):
                self.scan(name, changes, poll=kind == "scan")
            case "restart", _:
                self.start()

    def scan(self, name: str, changes: int = 0, *, poll: bool) -> None:
        changed = [self.now] * changes + self._worked_on(self.scans[name])
        seen = ScanSeen(name, self.scans[name], self.now, changed, poll=poll).hours()
        self.hours += seen
        self.rates.learn(seen)
        self.plan.scanned(name, self.now, 1 if poll else 0)
        self.scans[name] = self.now
        self.failing.discard(name)

    def _worked_on(self, since: float) -> list[float]:
        if not self.evenly:
            return []
        first, last = math.floor((since - NOW) / self.evenly) + 1, math.floor((self.now - NOW) / self.evenly)
        moments = [NOW + number * self.evenly for number in range(first, last + 1)]
        return [at for at in moments if 8 <= (at - NOW) / HOUR_S % 24 < 18]

    def is_sound(self) -> None:
        due, price = self.plan.due(self.now), self.plan.price(self.now)
        assert math.isfinite(price)
        assert price > 0
        for name, pace in self.paces.items():
            self.scans[name] = min(self.scans[name], self.now)
            turn = self.plan.next_scan(name, self.now)
            assert math.isfinite(turn)
            assert turn >= self.plan.next_turn(self.now)
            retry = 3_600.0 if name in self.failing else 0.0
            bound = max(pace.oldest, SHORTEST_GAP_S)
            assert turn <= self.now + max(bound, retry) + 1e-3, "starved"
            if self.now < self.scans[name] + SHORTEST_GAP_S:
                assert name not in due, "again within the shortest gap"
            if self.now >= self.scans[name] + bound and not retry:
                assert name in due, "older than it may be"
            if turn <= self.now:
                assert name in due, "a turn is none when its time has come"


@given(st.fixed_dictionaries(dict.fromkeys(NAMES, _pace)), st.lists(_event, max_size=25))
@example(dict.fromkeys(NAMES, Pace(oldest=900.0)), [("fail", (NAMES[0], 0))] * 9)
def test_no_order_of_events_starves_a_collection_or_has_it_scanned_again_at_once(
    paces: dict[str, Pace], events: list[tuple[str, object]]
) -> None:
    life = Life(paces)
    life.is_sound()
    for kind, what in events:
        life.happens(kind, what)
        life.is_sound()


@given(st.lists(st.tuples(_name, st.floats(1.0, 2 * DAY)), max_size=20))
def test_a_restart_plans_the_same_turns(scans: list[tuple[str, float]]) -> None:
    """From what was kept: the hours, and when each was scanned last."""
    life = Life({name: Pace() for name in NAMES})
    for name, wait in scans:
        life.now += wait
        life.scan(name, 3, poll=False)
    again = Life(life.paces, now=life.now, scans=dict(life.scans), hours=list(life.hours))
    fresh = Life(life.paces, now=life.now, scans=dict(life.scans), hours=list(reversed(life.hours)))
    for name in NAMES:
        turn, lived = again.plan.next_scan(name, life.now), life.plan.next_scan(name, life.now)
        assert turn - life.scans[name] == pytest.approx(lived - life.scans[name], rel=0.1), "but for what is stale"
        assert turn == pytest.approx(fresh.plan.next_scan(name, life.now), abs=1.0)
