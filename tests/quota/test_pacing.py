"""When calls leave, played against ways that take long and differently long; how many go side by side."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.quota.limits import Limits
from precoro_daemon.quota.pacing import Pace, Trip, in_flight_bound, latency_after

GUARD = 0.002
Draw = Callable[[int], float]
"""Seconds that the call of this number takes."""


@dataclass
class Line:
    """Calls that leave as soon as they may, their ways, a server that judges them as they arrive, and their answers.

    fixed      the server's seconds begin with each second of its clock
    in_flight  how many calls may be without an answer
    lateness   seconds by which every call leaves later than it may
    """

    pace: Pace
    way: Draw
    answer: Draw
    fixed: bool = False
    in_flight: int = 8
    lateness: float = 0.001
    accepted: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    left: list[float] = field(default_factory=list)

    def play(self, calls: int) -> None:
        now, out = 0.0, 0
        events: list[tuple[float, int, Trip, bool | None]] = []
        while len(self.left) < calls or events:
            may = max(now, self.pace.opens()) if len(self.left) < calls and out < self._allowed() else math.inf
            if events and events[0][0] <= may:
                now, number, trip, verdict = heappop(events)
                if verdict is None:
                    accepted = self._judge(number, now)
                    takes = self.answer(number) if accepted else 0.003
                    heappush(events, (now + takes, number, trip, accepted))
                else:
                    out -= 1
                    self.pace.answered(trip, now, accepted=verdict)
                    if not verdict:
                        self.pace.refused(trip, now)
            else:
                now = may + self.lateness
                out += 1
                number = len(self.left)
                self.left.append(now)
                heappush(events, (now + self.way(number), number, self.pace.sent(now), None))

    def _allowed(self) -> int:
        """Until the key is proven, one."""
        return self.in_flight if self.accepted else 1

    def _judge(self, number: int, now: float) -> bool:
        before = self.accepted[-1] if self.accepted else -9.0
        good = math.floor(before + 0.4) != math.floor(now + 0.4) if self.fixed else now - before >= 1 - 1e-9
        (self.accepted if good else self.refused).append(now if good else number)
        return good

    def a_minute(self, since: int) -> float:
        """Accepted calls a minute after so many had left."""
        later = [at for at in self.accepted if at > self.left[since]]
        return 60 * (len(later) - 1) / (later[-1] - later[0])


def between(least: float, most: float, seed: int) -> Draw:
    random = Random(seed)
    return lambda _: random.uniform(least, most)


@pytest.mark.parametrize("fixed", [False, True], ids=["sliding", "fixed"])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("way", "answer", "least"),
    [
        pytest.param((0.0, 0.04), (0.003, 0.005), 58, id="0-40 ms"),
        pytest.param((0.02, 0.15), (0.003, 0.005), 56, id="20-150 ms"),
        pytest.param((0.0, 0.001), (0.3, 0.9), 57, id="answers 300-900 ms"),
        pytest.param((0.0, 0.001), (3.0, 3.01), 58, id="answers 3 s"),
        pytest.param((0.0, 0.01), (3.0, 3.2), 57.5, id="answers 3 s, on a busy machine"),
        pytest.param((0.02, 0.03), (1.0, 6.0), 57, id="answers 1-6 s"),
    ],
)
def test_a_network_is_learned_at_the_cost_of_one_refusal_at_most(
    way: tuple[float, float], answer: tuple[float, float], least: float, seed: int, *, fixed: bool
) -> None:
    line = Line(Pace(1, GUARD), between(*way, seed), between(*answer, seed + 9), fixed)
    line.play(2_200)
    assert len([number for number in line.refused if number < 200]) <= 1
    assert [number for number in line.refused if number >= 200] == []
    assert line.a_minute(200) >= least


@pytest.mark.parametrize(
    ("way", "answer", "lateness", "least"),
    [
        pytest.param((0.02, 0.15), (0.003, 0.005), 0.001, 56, id="20-150 ms"),
        pytest.param((0.0, 0.001), (3.0, 3.0), 0.001, 59, id="answers 3 s"),
        pytest.param((0.0, 0.01), (3.0, 3.1), 0.015, 57, id="answers 3 s, and a machine that is late"),
    ],
)
def test_the_pace_is_kept_up_for_2_000_calls_and_none_of_them_is_refused(
    way: tuple[float, float], answer: tuple[float, float], lateness: float, least: float
) -> None:
    """A call takes the program a millisecond from its turn until it is written."""
    for seed in range(10, 18):
        line = Line(Pace(1, GUARD), between(*way, seed), between(*answer, seed + 9), lateness=lateness)
        line.play(2_200)
        assert len([number for number in line.refused if number < 200]) <= 1
        assert [number for number in line.refused if number >= 200] == []
        assert line.a_minute(200) >= least


@pytest.mark.parametrize("seed", range(3))
def test_where_only_the_answer_proves_an_arrival_it_is_waited_for(seed: int) -> None:
    """The ways alone differ by 350 ms: a mean of 175 ms a call is what certainty costs."""
    line = Line(Pace(1, GUARD), between(0.05, 0.4, seed), between(0.003, 0.005, seed + 9))
    line.play(2_200)
    assert len(line.refused) == 1
    assert line.refused[0] < 200
    assert line.a_minute(200) >= 50


@pytest.mark.parametrize("fixed", [False, True], ids=["sliding", "fixed"])
def test_where_ways_and_answers_differ_a_trial_finds_the_way_s_part(*, fixed: bool) -> None:
    for seed in range(3):
        line = Line(Pace(1, GUARD), between(0.02, 0.15, seed), between(2.5, 3.5, seed + 9), fixed)
        line.play(2_200)
        assert 1 <= len(line.refused) <= 2
        assert line.a_minute(200) >= 42


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("way", "answer"),
    [((0.02, 0.15), (0.05, 0.4)), ((0.05, 0.4), (0.0, 0.0)), ((0.0, 0.04), (0.3, 0.9)), ((0.02, 0.15), (2.5, 3.5))],
)
def test_where_the_hour_holds_calls_anyway_no_refusal_is_risked(
    way: tuple[float, float], answer: tuple[float, float], seed: int
) -> None:
    """1,500 an hour are 25 a minute, and what is certain is faster."""
    line = Line(Pace(1, GUARD, Limits().sustained), between(*way, seed), between(*answer, seed + 9))
    line.play(2_500)
    assert line.refused == []
    assert line.a_minute(200) >= 27


few_ms = st.lists(st.floats(0, 0.014), min_size=2, max_size=60)


@given(few_ms, few_ms, st.integers(1, 40), st.floats(0, 2), st.integers(1, 4))
def test_no_order_of_ways_within_what_is_known_lets_calls_come_too_close(
    ways: Sequence[float], answers: Sequence[float], in_flight: int, base: float, per_second: int
) -> None:
    pace = Pace(per_second, GUARD)
    teach(pace, base + min(ways) + min(answers), base + max(ways) + max(answers))
    arrivals: list[float] = []

    def answer(number: int) -> float:
        return base + answers[number % len(answers)]

    def way(number: int) -> float:
        arrivals.append(line.left[number] + ways[number % len(ways)])
        return ways[number % len(ways)]

    line = Line(pace, way, answer, in_flight=in_flight)
    line.play(60)
    spaced = sorted(arrivals)
    assert all(later - one >= 1 for one, later in zip(spaced, spaced[per_second:], strict=False))


def teach(pace: Pace, *round_trips: float, until: float = -100.0) -> None:
    """Round trips long ago."""
    for number, seconds in enumerate(reversed(round_trips)):
        at = until - 100.0 * (len(round_trips) - number)
        pace.answered(pace.sent(at), at + seconds, accepted=True)


def test_an_answer_proves_that_the_next_may_leave_earlier() -> None:
    pace = Pace(1, 0.0)
    teach(pace, *[0.1] * 99, 0.4)
    trip = pace.sent(0.0)
    held = pace.opens()
    assert held == pytest.approx(1 + pace.way)
    assert pace.way > 0.3
    pace.answered(trip, 0.1, accepted=True)
    assert 1.0 <= pace.opens() < 1.02


def test_a_call_that_hangs_or_is_lost_holds_the_next_for_a_second_more_at_most() -> None:
    pace = Pace(1, 0.0)
    teach(pace, 0.1, 0.1, 0.1, 60.0)
    trip = pace.sent(0.0)
    assert pace.opens() == 2.0
    pace.lost(trip)
    assert pace.opens() == 2.0
    pace.sent(2.0)
    assert pace.opens() == 4.0


def test_a_refused_call_proves_only_that_it_came_before_its_answer() -> None:
    pace = Pace(1, 0.0)
    teach(pace, *[0.3] * 999, 0.31)
    trip = pace.sent(0.0)
    assert pace.opens() > 1.01
    pace.answered(trip, 0.005, accepted=False)
    assert pace.opens() == pytest.approx(1.005)


def slow_answers() -> Pace:
    """A pace that has learned that round trips differ, but the ways do not."""
    pace = Pace(1, GUARD)
    Line(pace, between(0.0, 0.001, 1), between(0.3, 0.9, 2)).play(200)
    assert pace.way == 0.03
    return pace


def refuse(pace: Pace, before: float, after: float, start: float) -> None:
    """The second of two calls, which took so long there and back, is refused."""
    first, second = pace.sent(start), pace.sent(start + 1.04)
    pace.answered(first, start + before, accepted=True)
    pace.answered(second, start + 1.04 + after, accepted=False)
    pace.refused(second, start + 1.04 + after)


def test_a_refusal_that_the_way_explains_is_believed_for_a_week() -> None:
    pace = slow_answers()
    refuse(pace, 0.9, 0.01, 10_000)
    assert pace.way == pytest.approx(0.12)
    assert pace.interval == 1 + GUARD
    for start in range(10_100, 614_000, 400):
        with_a_call(pace, start)
    assert pace.way == pytest.approx(0.12)
    pace.answered(pace.sent(616_000), 616_000.3, accepted=True)
    assert pace.way == pytest.approx(0.06)


def with_a_call(pace: Pace, start: float) -> None:
    """Two calls as in `refuse`, but both accepted."""
    first, second = pace.sent(start), pace.sent(start + 1.04)
    pace.answered(first, start + 0.9, accepted=True)
    pace.answered(second, start + 1.04 + 0.3, accepted=True)


def test_calls_that_left_before_a_refusal_was_known_teach_nothing_more() -> None:
    pace = slow_answers()
    trips = [pace.sent(10_000 + 1.04 * number) for number in range(4)]
    for trip in trips[1:]:
        pace.answered(trip, 10_003.5, accepted=False)
        pace.refused(trip, 10_003.5)
    assert pace.way == pytest.approx(0.12)


def test_a_refusal_that_nothing_explains_widens_the_guard_for_two_thousand_calls() -> None:
    pace = Pace(1, GUARD)
    teach(pace, *[0.05] * 100)
    for number in range(3):
        refuse(pace, 0.05, 0.05, 100.0 * number)
    assert pace.interval == pytest.approx(1.032)
    for number in range(1_000):
        with_equal_calls(pace, 1_000.0 + 10 * number)
    assert pace.interval == pytest.approx(1.022)
    for number in range(100):
        refuse(pace, 0.05, 0.05, 100_000.0 + 100 * number)
    assert pace.interval == pytest.approx(1.5)


def with_equal_calls(pace: Pace, start: float) -> None:
    for at in (start, start + 2):
        pace.answered(pace.sent(at), at + 0.05, accepted=True)


def test_old_round_trips_are_forgotten() -> None:
    pace = Pace(1, 0.0)
    teach(pace, 0.01, *[0.2] * 400)
    trip = pace.sent(0.0)
    pace.answered(trip, 0.2, accepted=True)
    assert pace.opens() > 1.19
    teach(pace, *[0.2] * 2_000, until=300_000)
    trip = pace.sent(300_000)
    pace.answered(trip, 300_000.2, accepted=True)
    assert pace.opens() == pytest.approx(300_001, abs=0.001)


def test_a_clock_that_was_set_holds_nobody() -> None:
    pace = Pace(1, 0.0)
    trip = pace.sent(90_000.0)
    pace.forget_trips()
    assert pace.opens() == -math.inf
    pace.answered(trip, 90_000.1, accepted=True)
    assert pace.opens() == -math.inf


def test_without_a_limit_nothing_holds() -> None:
    pace = Pace(0, GUARD)
    pace.answered(pace.sent(1.0), 1.5, accepted=True)
    assert pace.opens() == -math.inf
    assert pace.interval == 0.0


def test_memory_is_bounded_by_seconds_not_by_calls() -> None:
    pace = Pace(5, GUARD)
    for number in range(5_000):
        pace.answered(pace.sent(number / 5), number / 5 + 0.1, accepted=bool(number % 2))
    assert len(pace._trips) < 20
    assert chain(pace._trips[-1]) <= 2


def chain(trip: Trip) -> int:
    return 0 if trip.before is None else 1 + chain(trip.before)


@pytest.mark.parametrize(
    ("latency", "interval", "bound"),
    [(0.0, 1.02, 2), (0.3, 1.02, 2), (5.0, 1.0, 6), (600.0, 1.0, 32), (9.0, 0.0, 16)],
)
def test_as_many_as_use_the_rate_at_this_latency(latency: float, interval: float, bound: int) -> None:
    assert in_flight_bound(latency, interval, proven=True) == bound


def test_a_key_that_proved_nothing_yet_has_one_call_under_way() -> None:
    assert in_flight_bound(600.0, 1.0, proven=False) == 1


def test_the_latency_rises_at_once_and_falls_slowly() -> None:
    assert latency_after(1.0, 9.0) == 9.0
    assert latency_after(9.0, 1.0) == pytest.approx(7.4)
