"""Four weeks of a company in virtual time: two learned, two played by a fixed lap, by the planner, and by the optimum
of one who knows the true rates."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, pairwise
from random import Random

from precoro_daemon.quota.change_rates import ChangeRates
from precoro_daemon.quota.freshness import FreshnessPlanner, Pace
from precoro_daemon.quota.watched_hours import ScanSeen, WatchedHour
from tests.bench.freshness_companies import (
    DAY_S,
    HOUR_S,
    LEARNED_DAYS,
    MIX,
    PLAYED_DAYS,
    START,
    WEIGHTS,
    Company,
)

PLAY = START + LEARNED_DAYS * DAY_S
END = PLAY + PLAYED_DAYS * DAY_S
_LEARNED = range(LEARNED_DAYS * 24)
_PLAYED = range(LEARNED_DAYS * 24, (LEARNED_DAYS + PLAYED_DAYS) * 24)
_BOUND_S = DAY_S
_ANNOUNCED_S = 5.0
_LAP_S = 1200.0
PACES = {name: Pace(weight=WEIGHTS.get(name, 1.0), oldest=_BOUND_S) for name in MIX}


@dataclass
class Story:
    """What a company changes: what polls must find, and what webhooks announce."""

    company: Company
    found: dict[str, list[float]] = field(default_factory=dict)
    announced: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def draw(cls, company: Company, seed: int = 14) -> Story:
        random, story = Random(seed), cls(company)
        for name in MIX:
            story.found[name], story.announced[name] = [], []
            for moment in company.changes(name, range(_PLAYED.stop), random):
                told = random.random() < company.announced
                (story.announced if told else story.found)[name].append(moment)
        return story

    @property
    def weights(self) -> Mapping[str, float]:
        """Of those that webhooks miss each counts alike."""
        return {name: 1.0 if self.company.announced else pace.weight for name, pace in PACES.items()}

    def between(self, name: str, since: float, until: float) -> Sequence[float]:
        """What a poll brings."""
        moments = self.found[name]
        return moments[bisect_right(moments, since) : bisect_right(moments, until)]

    def known(self) -> Iterator[WatchedHour]:
        """What is known after two weeks, however often anybody looked: dates are Precoro's."""
        for name in MIX:
            for hour in _LEARNED:
                begins = START + hour * HOUR_S
                found, told = (
                    bisect_right(moments, begins + HOUR_S) - bisect_right(moments, begins)
                    for moments in (self.found[name], self.announced[name])
                )
                yield WatchedHour(name, int(begins), seconds=HOUR_S, changes=found + told, polled=found)


@dataclass
class Played:
    """When each collection was polled, and how late each change came."""

    story: Story
    polls: Mapping[str, Sequence[float]]

    @cached_property
    def delays(self) -> Mapping[str, Sequence[tuple[float, float]]]:
        """When it happened, and for how long it was not here, or would not have been without its webhook. What no
        poll came for any more does not count."""
        late = {}
        for name, polls in self.polls.items():
            moments = sorted(self.story.found[name] + self.story.announced[name])
            last = polls[-1] if polls else PLAY
            played = moments[bisect_right(moments, PLAY) : bisect_right(moments, last)]
            late[name] = [(moment, polls[bisect_right(polls, moment)] - moment) for moment in played if moment < last]
        return late

    @cached_property
    def calls(self) -> Sequence[float]:
        return sorted(poll for polls in self.polls.values() for poll in polls)

    @property
    def calls_a_day(self) -> float:
        return len(self.calls) / PLAYED_DAYS

    @property
    def calls_by_day(self) -> Sequence[int]:
        edges = [bisect_left(self.calls, PLAY + day * DAY_S) for day in range(PLAYED_DAYS + 1)]
        return [after - before for before, after in pairwise(edges)]

    @property
    def most_in_a_day(self) -> int:
        """Any 24 hours."""
        return self._most_within(DAY_S)

    @property
    def most_in_a_minute(self) -> int:
        return self._most_within(60.0)

    def _most_within(self, seconds: float) -> int:
        return max((bisect_right(self.calls, at + seconds - 1e-6) - i for i, at in enumerate(self.calls)), default=0)

    @cached_property
    def expected(self) -> float:
        """All delays together, by weight, as by the true rates they are to be expected: chance takes no part."""
        return sum(
            weight * TrueValue.of(self.story.company, name).delay(self.polls[name])
            for name, weight in self.story.weights.items()
        )

    def of(self, names: Sequence[str], *, busy: bool = False, until: float = END) -> Delays:
        company = self.story.company
        late = (each for name in names for each in self.delays[name])
        return Delays(sorted(delay for at, delay in late if at < until and (not busy or company.busy(at))))


@dataclass(frozen=True)
class Delays:
    seconds: Sequence[float]

    @property
    def mean(self) -> float:
        return sum(self.seconds) / max(len(self.seconds), 1)

    @property
    def p95(self) -> float:
        return self.seconds[int(0.95 * len(self.seconds))] if self.seconds else 0.0

    @property
    def worst(self) -> float:
        return self.seconds[-1] if self.seconds else 0.0

    def __str__(self) -> str:
        return f"mean {duration(self.mean)}, p95 {duration(self.p95)}, worst {duration(self.worst)}"


def duration(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def fixed(story: Story, lap: float = _LAP_S) -> Played:
    """All lists every so many seconds."""
    laps = int((END - PLAY) / lap)
    return Played(story, {name: [PLAY + (turn + 1) * lap - 1e-3 for turn in range(laps)] for name in MIX})


def planned(story: Story, calls: float, rates: ChangeRates | None = None) -> Played:
    """By the planner, after two learned weeks or with what it is given."""
    if rates is None:
        rates = ChangeRates(dict.fromkeys(MIX, 1.0))
        rates.learn(story.known())
    planner = FreshnessPlanner(PACES, rates, calls)
    polls: dict[str, list[float]] = {name: [] for name in MIX}
    told = sorted((moment, name) for name, moments in story.announced.items() for moment in moments if moment > PLAY)
    told.reverse()
    scanned = dict.fromkeys(MIX, PLAY)
    for name in MIX:
        planner.scanned(name, PLAY)
    now = PLAY
    while (now := max(planner.next_turn(now), now + 1.0)) < END:
        while told and told[-1][0] <= now:
            rates.learn([_delivery(*told.pop())])
        for name in planner.due(now):
            seen = ScanSeen(name, scanned[name], now, story.between(name, scanned[name], now))
            rates.learn(seen.hours())
            planner.scanned(name, now, 1)
            scanned[name] = now
            polls[name].append(now)
    return Played(story, polls)


def first_scan(story: Story) -> ChangeRates:
    """What the first scan of all tells of two weeks: each row's last change, which half of the changes were not."""
    random, rates = Random(1), ChangeRates(dict.fromkeys(MIX, 1.0))
    for name in MIX:
        last = [at for at in story.between(name, START, PLAY) if random.random() < 0.5]
        rates.learn(ScanSeen(name, START, PLAY, last, late=False).hours())
    return rates


def _delivery(moment: float, name: str) -> WatchedHour:
    """A change that a webhook announced is here at once."""
    begins = int(moment // HOUR_S * HOUR_S)
    return WatchedHour(name, begins, changes=1, delayed=1, delay=_ANNOUNCED_S, worst=_ANNOUNCED_S)


def optimal(story: Story, calls: Sequence[int]) -> Played:
    """So many calls in each part of the time, made by the same rule with the true rates, at one price in all hours of
    a part. With steady rates no schedule has less delay; where rates change, none has much less (see `least`)."""
    values = {name: TrueValue.of(story.company, name) for name in MIX}
    polls: dict[str, list[float]] = {name: [] for name in MIX}
    part, price = (END - PLAY) / len(calls), 1e4
    for number, wanted in enumerate(calls):
        begins, found = PLAY + number * part, polls
        for _ in range(12):
            found = {
                name: value.scans(price / story.weights[name], _BOUND_S, polls[name], begins, begins + part)
                for name, value in values.items()
            }
            count = sum(map(len, found.values()))
            if abs(count - wanted) <= 0.002 * wanted:
                break
            price *= min(max(count / wanted, 0.5), 2.0) ** 2
        for name, scans in found.items():
            polls[name] += scans
    return Played(story, polls)


class TrueValue:
    """What a scan is worth by rates that are known for each hour of a time."""

    def __init__(self, start: float, rates: Sequence[float]) -> None:
        self.start, self.rates = start, rates
        self._changes = [0.0, *accumulate(rate * HOUR_S for rate in rates)]
        steps = ((so_far + rate * HOUR_S / 2) * HOUR_S for so_far, rate in zip(self._changes, rates, strict=False))
        self._delays = [0.0, *accumulate(steps)]

    @classmethod
    def of(cls, company: Company, name: str) -> TrueValue:
        missed = 1 - company.announced
        return cls(PLAY, [missed * rate for rate in company.rates(name, _PLAYED)])

    @property
    def end(self) -> float:
        return self.start + len(self.rates) * HOUR_S

    def sums(self, at: float) -> tuple[float, float]:
        """Changes since the start, and the integral of these."""
        hour = min(int((at - self.start) // HOUR_S), len(self.rates) - 1)
        seconds, rate = at - self.start - hour * HOUR_S, self.rates[hour]
        changes = self._changes[hour]
        return changes + rate * seconds, self._delays[hour] + (changes + rate * seconds / 2) * seconds

    def value(self, since: float, until: float) -> float:
        changes, delays = self.sums(since)
        return self.sums(until)[1] - delays - changes * (until - since)

    def delay(self, scans: Sequence[float]) -> float:
        """That such scans leave."""
        edges = [self.start, *scans, self.end]
        return sum(self.value(since, until) for since, until in pairwise(edges))

    def scans(
        self, price: float, bound: float, before: Sequence[float] = (), begins: float = 0.0, ends: float = math.inf
    ) -> list[float]:
        """Between these times, each when the value since the one before has grown to the price."""
        scans, at = [], before[-1] if before else self.start
        while (at := max(self._reaches(at, price, bound), begins)) < min(ends, self.end):
            scans.append(at)
        return scans

    def _reaches(self, since: float, price: float, bound: float) -> float:
        low, high = since, min(since + bound, self.end)
        if self.value(since, high) < price:
            return since + bound
        while True:  # regula falsi is not worth it: hour by hour, then in one step
            changes, _ = self.sums(low)
            grown, rate = changes - self.sums(since)[0], self.rates[int((low - self.start) // HOUR_S)]
            ends = min((math.floor((low - self.start) / HOUR_S + 1e-9) + 1) * HOUR_S + self.start, high)
            missing = price - self.value(since, low)
            if ends >= high or self.value(since, ends) >= price:
                return min(low + 2 * missing / (grown + math.sqrt(grown**2 + 2 * rate * missing)), high)
            low = ends


def least(value: TrueValue, price: float, grid: float = 300.0) -> tuple[int, float]:
    """Scans, and the delay that they leave, of the schedule on this grid than which none costs less at this price for
    a scan; by dynamic programming. Nothing else with so many scans has less delay."""
    moments = int((value.end - value.start) / grid)
    sums = [value.sums(value.start + moment * grid) for moment in range(moments + 1)]
    costs, before = [0.0], [0]
    for here in range(1, moments + 1):
        delays = sums[here][1]
        cost, came = min(
            (costs[since] + delays - sums[since][1] - sums[since][0] * (here - since) * grid, since)
            for since in range(max(0, here - int(DAY_S / grid)), here)
        )
        costs.append(cost + price)
        before.append(came)
    scans, here = 0, moments
    while here:
        scans, here = scans + 1, before[here]
    return scans, costs[-1] - scans * price
