"""which list to scan next, and when: where one call removes the most delay

Theory of operation. A change is late from the moment it is made until a scan brings it. The value of a scan of a
collection is the lateness that it ends, of the changes expected by the collection's rate λ, with their weight w:

    value(t) = w · ∫ λ(s) · (t − s) ds    from the previous scan until t, in weighted seconds

A call has a price in the same unit. A collection is scanned when its value has grown to the price of the calls
that its
scan takes; of several collections the most valuable goes first. At a constant rate that means a scan every
√(2 · price / (w · λ)) seconds, so the frequency follows √λ, which gives the least delay for a given number of calls
(Azar et al., "Tractable near-optimal policies for crawling", 2018). If rates change with the hour, the rule follows
them.

The price makes spending fit the budget: it is the lowest price at which the two busiest days of the usual week take
no more calls than lists may have. It is the same at all hours, because a call is worth as much at night. It rises
steeply when the last day took about as many calls or more, and when it took far more than is usual by this hour:
otherwise the evening of a first day with more changes than guessed, or of a Monday, would find no calls left.

Changes that webhooks announce need no poll, so only the others count in the value. The saved calls are not spent
elsewhere: lists may have the share of their calls that corresponds to unannounced changes, or a few to check on the
webhooks. So all changes together are no later than without webhooks. Weights matter less among the changes that
webhooks miss: the less is left to polls, the more alike the collections are.

Whatever its value, a collection is scanned before its age exceeds its bound, and not twice within a minute.
Collections with a schedule of the user's follow only that.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence

from msgspec import Struct

from precoro_daemon.quota.change_rates import ChangeRates
from precoro_daemon.quota.limits import SECONDS
from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.quota.watched_hours import HOUR_S, HOURS_A_WEEK
from precoro_daemon.runtime.schedules import Fixed

_DAY_S = SECONDS["day"]

SHORTEST_GAP_S = 60.0
"""Least seconds between two scans of a collection without a request: an identical GET within a minute would be
refused.
"""

_RETRY_S = 300.0
"""Seconds until the next attempt after a failed scan; it doubles with each further failure, up to an hour."""

_LONGEST_RETRY_S = 3600.0

_LEAST_PRICE, _HIGHEST_PRICE = 1e-3, 1e15
"""The range in which the price is searched, in weighted seconds."""

_PRICE_STEP = 1.02
"""The precision of the price, as a factor."""

_BUSIEST_DAYS = 2
"""The days of the usual week that together may take what there is: a single day may be the busiest by chance."""

_NEAR = 0.03
"""A turn is not recomputed for a relative change of its value below this."""

_PRESSED_FROM, _PRESSURE = 0.97, 24
"""From this share of what a day may take the price rises, with this power of the excess."""

_RUSH = 0.25
"""Share of what a day may take: this many calls beyond those usual by this hour are left to a rush of an hour."""

_CHECKING_CALLS = 160.0
"""The calls a day that polls may take at least where they only check on webhooks, if there are as many. That holds
for the busiest days: the mean is 148, and 95 of 100 changes that webhooks miss in office hours arrive within an hour.
"""

_SOONER_S, _SOONER = 0.5, 0.02
"""A collection is due this many seconds earlier, and this part of the time since its last scan earlier: the
expectation sinks a little while it waits, and a planned turn must still be one when its time has come.
"""


class Pace(Struct, frozen=True):
    """How one collection is kept fresh.

    weight    the importance of its changes; with 0 only the bound counts
    oldest    the most seconds since its last scan
    schedule  the user's, None to scan by value
    calls     the usual number of calls of a scan of changes
    """

    weight: float = 1.0
    oldest: float = _DAY_S
    schedule: Fixed | None = None
    calls: float = 1.0

    @property
    def least_calls_a_day(self) -> float:
        """The calls a day that it takes whatever changes."""
        return self.calls * (_DAY_S / self.oldest if self.schedule is None else self.schedule.turns_a_day)


_Wanted = tuple[Pace, Sequence[float]]
"""A pace, and its scans a second by hour of the week at a price of 1."""


class FreshnessPlanner:
    """Plans the scans. Times are Unix seconds. A collection that was never scanned is due at once."""

    def __init__(self, paces: Mapping[str, Pace], rates: ChangeRates, calls: float) -> None:
        """`calls`: those that polls may take together in a day."""
        self._paces = paces
        self._rates = rates
        self._calls = max(calls, 1.0)
        self._learned: Mapping[str, Sequence[float]] = {}
        self._weeks: dict[str, UsualWeek] = {}
        self._reached: dict[str, _Reached] = {}
        self._usual_price: float | None = None
        self._usual_calls = UsualWeek([0.0] * HOURS_A_WEEK)
        self._began = math.inf
        self._scanned: dict[str, float] = {}
        self._failures: dict[str, tuple[int, float]] = {}
        self._spent: deque[tuple[float, int]] = deque()
        self._spent_lately = 0
        self._urgent: Mapping[str, float] = {}
        self._urgent_since = -math.inf

    def afford(self, calls: float) -> None:
        """Sets the calls a day that polls may take from now on."""
        calls = max(calls, 1.0)
        if calls != self._calls:
            self._calls, self._usual_price = calls, None

    def press(self, urgent: Mapping[str, float], since: float) -> None:
        """Multiplies the weight of changes of these collections for now, and makes collections due that were not
        scanned after `since`: at night, when hardly a change is expected, no factor would make them due.
        """
        self._urgent, self._urgent_since = urgent, since

    def scanned(self, collection: str, at: float, calls: int = 0) -> None:
        """Records a successful scan that began at `at`. `calls`: those of a poll."""
        if collection in self._paces:
            self._scanned[collection] = max(at, self._scanned.get(collection, at))
            self._failures.pop(collection, None)
        if calls:
            self._spent.append((at, calls))
            self._spent_lately += calls
            self._began = min(at, self._began)

    def failed(self, collection: str, at: float) -> None:
        """Records a failed scan. It is tried again later, and other collections do not wait for it."""
        failures, _ = self._failures.get(collection, (0, 0.0))
        self._failures[collection] = (failures + 1, at)

    def due(self, now: float) -> Sequence[str]:
        """Returns the collections that are due, most valuable first."""
        price = self.price(now)
        due = [name for name in self._paces if self._turn(name, now, price, sooner=True) <= now]
        return sorted(due, key=lambda name: -self._worth(name, now, price))

    def next_turn(self, now: float) -> float:
        """Returns when the next collection is due."""
        price = self.price(now)
        return min((self._turn(name, now, price) for name in self._paces), default=math.inf)

    def next_scan(self, collection: str, now: float) -> float:
        """Returns when this collection is due, as it looks now."""
        return self._turn(collection, now, self.price(now))

    def _turn(self, name: str, now: float, price: float, *, sooner: bool = False) -> float:
        at, turn = self._last_scan(name, now), -math.inf
        if at is not None:
            turn = self._by_pace(name, at, now, price, sooner=sooner)
        failures, failed = self._failures.get(name, (0, 0.0))
        # A failure in the future was stamped by a clock that has been set since, and so was such a scan.
        if failures and failed <= now:
            turn = max(turn, failed + min(_RETRY_S * 2.0 ** (failures - 1), _LONGEST_RETRY_S))
        return turn

    def _last_scan(self, name: str, now: float) -> float | None:
        at = self._scanned.get(name)
        if at is not None and at > now:
            at = self._scanned[name] = now
        return at

    def _by_pace(self, name: str, at: float, now: float, price: float, *, sooner: bool) -> float:
        pace = self._paces[name]
        if pace.schedule is not None:
            return pace.schedule.after(at)
        if name in self._urgent and at < self._urgent_since <= now:
            return at + SHORTEST_GAP_S
        latest = at + max(pace.oldest, SHORTEST_GAP_S)
        if not (factor := self._factor(name, now)):
            return latest
        reached = self._when_reached(name, at, latest, price * pace.calls / factor)
        if sooner and reached < latest:
            reached -= max(_SOONER_S, _SOONER * (reached - at))
        return max(reached, at + SHORTEST_GAP_S)

    def _when_reached(self, name: str, at: float, latest: float, value: float) -> float:
        week, known = self._weeks[name], self._reached.get(name)
        if known is None or known.at != at or known.week is not week or abs(known.value / value - 1) > _NEAR:
            known = self._reached[name] = _Reached(week, at, value, week.reaches(at, latest, value))
        return known.when

    def _factor(self, name: str, now: float) -> float:
        """Returns the factor by which usual changes are multiplied now."""
        unannounced = self._rates.unannounced(name)
        return self._weight(name, unannounced) * self._rates.lately(name, now) * unannounced

    def _weight(self, name: str, unannounced: float) -> float:
        """Returns the effective weight. Announced changes arrive at once whatever their weight, and the ones that
        webhooks miss are more alike.
        """
        return math.pow(self._paces[name].weight, unannounced) * self._urgent.get(name, 1.0)

    def _worth(self, name: str, now: float, price: float) -> float:
        """Returns the value of one call for it, relative to the price; a collection without a value is ranked by its
        lateness.
        """
        if (at := self._last_scan(name, now)) is None:
            return math.inf
        pace = self._paces[name]
        value = self._weeks[name].value(at, now) * self._factor(name, now)
        return max(value / (pace.calls * price), (now - at) / max(pace.oldest, SHORTEST_GAP_S))

    def price(self, now: float) -> float:
        """Returns the price of a call in weighted seconds of delay."""
        if (weeks := self._rates.weeks) is not self._learned:
            self._learned, self._usual_price = weeks, None
            self._weeks = {name: UsualWeek(weeks[name]) for name in self._paces}
        usual = self._fit_price() if self._usual_price is None else self._usual_price
        return usual * self._pressure(now)

    def _pressure(self, now: float) -> float:
        """Returns 1, and more when the last day took about as many calls as it may by this hour, or more."""
        # Calls in the future were stamped by a clock that has been set since.
        while self._spent and not now - _DAY_S < self._spent[0][0] <= now:
            self._spent_lately -= self._spent.popleft()[1]
        return max(1.0, self._spent_lately / (_PRESSED_FROM * self._room(now))) ** _PRESSURE

    def _room(self, now: float) -> float:
        """Returns the calls that the last day may have taken; on a first day, those of the part that has passed."""
        since = max(now - _DAY_S, min(self._began, now))
        return min(self._calls, self._usual_calls.changes(since, now) + _RUSH * self._calls)

    def _fit_price(self) -> float:
        """Returns the price at which the busiest days of the usual week take the calls there are."""
        demands, unannounced, weighted = [], 0.0, 0.0
        for name, pace in self._paces.items():
            if pace.schedule is None:
                share, rates = self._rates.unannounced(name), self._weeks[name].rates
                wanted = math.sqrt(math.pow(pace.weight, share) * share / (2 * pace.calls))
                demands.append((pace, [wanted * math.sqrt(rate) for rate in rates]))
                unannounced += share * pace.weight * sum(rates)
                weighted += pace.weight * sum(rates)
        share = unannounced / weighted if weighted else 1.0
        allowed = min(self._calls, max(self._calls * share, _CHECKING_CALLS))
        low, high = _LEAST_PRICE, _HIGHEST_PRICE
        while high / low > _PRICE_STEP:
            middle = math.sqrt(low * high)
            if _busiest_day(demands, middle) > allowed:
                low = middle
            else:
                high = middle
        self._usual_price, self._usual_calls = high, UsualWeek(self._calls_by_hour(demands, high))
        return high

    def _calls_by_hour(self, demands: Sequence[_Wanted], price: float) -> Sequence[float]:
        """Returns calls a second for each hour of the usual week."""
        scheduled = sum(pace.least_calls_a_day for pace in self._paces.values() if pace.schedule is not None) / _DAY_S
        scale = 1 / math.sqrt(price)
        hours = [[pace.calls * scale * turn for turn in _turns(pace, wanted, scale)] for pace, wanted in demands]
        return [scheduled + sum(calls) for calls in zip(*hours, [0.0] * HOURS_A_WEEK, strict=True)]


class _Reached(Struct, frozen=True):
    """The last computed time at which the value of a scan reaches the price, for a previous scan `at`."""

    week: UsualWeek
    at: float
    value: float
    when: float


def _bounds(pace: Pace) -> tuple[float, float]:
    """Returns the fewest and the most scans a second that a collection may have."""
    return 1 / max(pace.oldest, SHORTEST_GAP_S), 1 / SHORTEST_GAP_S


def _turns(pace: Pace, wanted: Sequence[float], scale: float) -> Sequence[float]:
    """Returns the wanted scans, scaled and limited by the scaled bounds."""
    lowest, highest = _bounds(pace)
    low, high = lowest / scale, highest / scale
    return [low if each < low else min(each, high) for each in wanted]


def _busiest_day(demands: Sequence[_Wanted], price: float) -> float:
    """Returns the calls of the busiest days of the week."""
    days, scale = [0.0] * 7, 1 / math.sqrt(price)
    for pace, wanted in demands:
        turns = _turns(pace, wanted, scale)
        for day in range(7):
            days[day] += pace.calls * scale * sum(turns[24 * day : 24 * day + 24]) * HOUR_S
    return sum(sorted(days)[-_BUSIEST_DAYS:]) / _BUSIEST_DAYS
