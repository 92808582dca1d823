"""which list to scan next, and when: where one call removes the most delay

Theory of operation. A change is late from when it was made until a scan brings it. What a scan of a collection is
worth is the lateness that it ends, of changes that are to be expected by its rate λ, by their weight w:

    value(t) = w · ∫ λ(s) · (t − s) ds    from the scan before until t, in weighted seconds

A call has a price in the same unit. A collection is scanned when its value has grown to the price of the calls that
its scan takes; of several the most valuable goes first. At a steady rate that is a scan every √(2 · price / (w · λ))
seconds, so often as √λ says, which for a given number of calls leaves the least delay there can be (Azar et al.,
"Tractable near-optimal policies for crawling", 2018). Where rates change with the hour the rule goes with them.

The price is what makes spending fit the budget: the lowest at which the busiest day of the usual week takes no more
calls than lists may have. It is the same in all hours, for a call is worth as much at night; and it rises while the
last day took more than that. Changes that webhooks announce need no poll, so only the others count in the value, but
not in the price: what they save is not spent elsewhere.

Whatever its value, a collection is scanned before it gets older than its bound, and not again within a minute.
Collections with a schedule of the user's have their turns by that alone.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from precoro_daemon.quota.change_rates import HOUR_S, HOURS_A_WEEK, ChangeRates, hour_of_week
from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.runtime.schedules import Fixed

_DAY_S = SECONDS["day"]

SHORTEST_GAP_S = 60.0
"""Between two scans of a collection that come by themselves: the same GET within a minute would be refused."""

_RETRY_S = 300.0
"""After a scan that failed; twice as long after each further one, up to an hour."""

_LONGEST_RETRY_S = 3600.0

_LEAST_PRICE, _HIGHEST_PRICE = 1e-3, 1e15
"""Between them the price is looked for, in weighted seconds."""

_PRICE_STEP = 1.02
"""So near is the price that is found."""

_SOONER_S = 0.5
"""A value that is as good as at its price counts as there: rounding must not plan a turn that is none."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How one collection is to be kept fresh.

    weight    how much more a change of it matters than another's; 0: its bound alone counts
    oldest    seconds that its last scan may lie back
    schedule  the user's; None: by value
    calls     that a scan of changes takes as a rule
    """

    weight: float = 1.0
    oldest: float = _DAY_S
    schedule: Fixed | None = None
    calls: float = 1.0

    @property
    def least_calls_a_day(self) -> float:
        """That it takes whatever changes."""
        return self.calls * (_DAY_S / self.oldest if self.schedule is None else self.schedule.turns_a_day)


class FreshnessPlanner:
    """Times are Unix seconds. Nothing is due before `begin` said when each collection was last scanned."""

    def __init__(self, paces: Mapping[str, Pace], rates: ChangeRates, calls: float) -> None:
        """`calls`: a day that polls may take together."""
        self._paces = paces
        self._rates = rates
        self._calls = max(calls, 1.0)
        self._price: tuple[int, float] | None = None
        self._scanned: dict[str, float] = {}
        self._failures: dict[str, tuple[int, float]] = {}
        self._spent: deque[tuple[float, int]] = deque()
        self._spent_lately = 0
        self._urgent: Mapping[str, float] = {}

    @property
    def calls(self) -> float:
        """A day that polls may take together."""
        return self._calls

    def afford(self, calls: float) -> None:
        """Polls may take so many calls a day from now on."""
        calls = max(calls, 1.0)
        if calls != self._calls:
            self._calls, self._price = calls, None

    def press(self, urgent: Mapping[str, float]) -> None:
        """For now a change of these collections matters so many times as much as by its weight."""
        self._urgent = urgent

    def scanned(self, collection: str, at: float, calls: int = 0) -> None:
        """A scan that began then has ended well; `calls`: those of a poll."""
        if collection in self._paces:
            self._scanned[collection] = max(at, self._scanned.get(collection, at))
            self._failures.pop(collection, None)
        if calls:
            self._spent.append((at, calls))
            self._spent_lately += calls

    def failed(self, collection: str, at: float) -> None:
        """A scan did not get to its end. It is tried again later, and its siblings do not wait for it."""
        failures, _ = self._failures.get(collection, (0, 0.0))
        wait = min(_RETRY_S * 2.0**failures, _LONGEST_RETRY_S)
        self._failures[collection] = (failures + 1, at + wait)

    def due(self, now: float) -> Sequence[str]:
        """The collections whose turn it is, the most valuable first."""
        price = self.price(now)
        due = [name for name in self._paces if self._next(name, now, price) <= now]
        return sorted(due, key=lambda name: -self._worth(name, now, price))

    def next_turn(self, now: float) -> float:
        """When the next collection is due."""
        price = self.price(now)
        return min((self._next(name, now, price) for name in self._paces), default=math.inf)

    def next_scan(self, collection: str, now: float) -> float:
        """When this collection is due, as it looks now."""
        return self._next(collection, now, self.price(now))

    def _next(self, name: str, now: float, price: float) -> float:
        at = self._scanned.get(name)
        if at is not None and at > now:
            # It was stamped by a clock that has been set since.
            at = self._scanned[name] = now
        turn = -math.inf if at is None else self._turn(name, at, now, price)
        _, not_before = self._failures.get(name, (0, -math.inf))
        return max(turn, not_before)

    def _turn(self, name: str, at: float, now: float, price: float) -> float:
        pace = self._paces[name]
        if pace.schedule is not None:
            return pace.schedule.after(at)
        latest = at + max(pace.oldest, SHORTEST_GAP_S)
        factor = self._factor(name, now)
        reached = self._reaches(name, at, latest, price * pace.calls / factor) if factor else latest
        return min(max(reached - _SOONER_S, at + SHORTEST_GAP_S), latest)

    def _factor(self, name: str, now: float) -> float:
        """What a change that is usually to be expected counts for."""
        return self._weight(name) * self._rates.lately(name, now) * self._rates.unannounced(name)

    def _weight(self, name: str) -> float:
        return self._paces[name].weight * self._urgent.get(name, 1.0)

    def _reaches(self, name: str, at: float, latest: float, value: float) -> float:
        """When the value of a scan, by its usual rates, has grown to that much since the one `at`."""
        reached = changes = 0.0
        for begins, seconds, rate in self._hours(name, at, latest):
            grown = reached + changes * seconds + rate * seconds**2 / 2
            if grown >= value:
                return begins + (math.sqrt(changes**2 + 2 * rate * (value - reached)) - changes) / rate
            reached, changes = grown, changes + rate * seconds
        return latest

    def _hours(self, name: str, start: float, end: float) -> Iterator[tuple[float, float, float]]:
        """The time between, by the hour: when each part begins, its seconds, and the usual rate."""
        table, begins = self._rates.usually(name), start
        while begins < end:
            ends = min((math.floor(begins / HOUR_S) + 1) * HOUR_S, end)
            yield begins, ends - begins, table[hour_of_week(begins)]
            begins = ends

    def _worth(self, name: str, now: float, price: float) -> float:
        """Of one call for it, of the price; what has no value of its own by how late it is."""
        at = self._scanned.get(name)
        if at is None:
            return math.inf
        pace = self._paces[name]
        changes = value = 0.0
        for _, seconds, rate in self._hours(name, max(at, now - 2 * pace.oldest), now):
            value += changes * seconds + rate * seconds**2 / 2
            changes += rate * seconds
        return max(value * self._factor(name, now) / (pace.calls * price), (now - at) / pace.oldest)

    def price(self, now: float) -> float:
        """Of a call, in weighted seconds of delay."""
        hour = math.floor(now / HOUR_S)
        if self._price is None or self._price[0] != hour:
            self._price = (hour, self._usual_price())
        return self._price[1] * self._pressure(now)

    def _pressure(self, now: float) -> float:
        """1, and more while the last day took more calls than it may."""
        while self._spent and self._spent[0][0] <= now - _DAY_S:
            self._spent_lately -= self._spent.popleft()[1]
        return max(1.0, self._spent_lately / self._calls) ** 4

    def _usual_price(self) -> float:
        """At which the busiest day of the usual week takes as many calls as there may be."""
        demands = [
            (pace, [math.sqrt(pace.weight * rate / (2 * pace.calls)) for rate in self._rates.usually(name)])
            for name, pace in self._paces.items()
            if pace.schedule is None
        ]
        low, high = _LEAST_PRICE, _HIGHEST_PRICE
        while high / low > _PRICE_STEP:
            middle = math.sqrt(low * high)
            if _busiest_day(demands, middle) > self._calls:
                low = middle
            else:
                high = middle
        return high

    def expected(self, collection: str, now: float) -> tuple[float, float]:
        """Polls a day in the usual week, and the mean delay in seconds of the changes that they bring."""
        pace, table = self._paces[collection], self._rates.usually(collection)
        if pace.schedule is not None:
            scheduled = max(pace.schedule.turns_a_day, 1e-6)
            return scheduled, _DAY_S / scheduled / 2
        seen = self._weight(collection) * self._rates.unannounced(collection)
        price = 2 * self.price(now) * pace.calls
        turns = [min(max(math.sqrt(seen * rate / price), 1 / pace.oldest), 1 / SHORTEST_GAP_S) for rate in table]
        delays = sum(rate / turn / 2 for rate, turn in zip(table, turns, strict=True))
        return sum(turns) / HOURS_A_WEEK * _DAY_S, delays / sum(table)


def _busiest_day(demands: Sequence[tuple[Pace, Sequence[float]]], price: float) -> float:
    """Calls of the day of the week that takes the most. `demands`: scans a second by hour, at a price of 1."""
    days, scale = [0.0] * 7, 1 / math.sqrt(price)
    highest = 1 / SHORTEST_GAP_S
    for pace, table in demands:
        lowest = 1 / pace.oldest
        turns = [min(max(scale * wanted, lowest), highest) for wanted in table]
        for day in range(7):
            days[day] += pace.calls * sum(turns[24 * day : 24 * day + 24]) * HOUR_S
    return max(days)
