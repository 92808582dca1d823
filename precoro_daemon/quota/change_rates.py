"""how often each collection changes, by hour of the week: learned from what scans brought

Theory of operation. A scan tells which rows changed since the one before and when each did, by Precoro's own dates:
changes with their times, and hours of which it is known what changed in them. From these the rate of change of a
collection at any hour of the week is estimated as the mean of a Gamma distribution, whose prior comes from what is
known already, so that a guess gives way as soon as a few changes speak against it:

    a collection's level      from its own changes; before there are any, from what such collections usually have
    the company's week        from all collections together: hour of the day, then workday or weekend, then hour of
                              the week, each the prior of the next
    a collection's own week   its level by the company's week, until its own changes say otherwise (a night shift)
    the last hours            how much more or less than that came lately, in this collection and in all of them: a
                              holiday or a surprise shows within hours, and is forgotten as fast

What is older counts less each week, so habits may change. Hours are those of Precoro's clock in UTC: nobody knows the
company's time zone, and none is needed.

Where webhooks come in, a change that a poll brings is one that no webhook announced. Their share tells how much there
is for polls to find; it is 1 until webhooks have proved themselves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import floor

HOUR_S = 3600.0
HOURS_A_WEEK = 168
_WEEK_S = HOURS_A_WEEK * HOUR_S

_FORGOTTEN_A_WEEK = 0.3
"""Share of what was learned that a week takes away: three weeks count for most of it."""

MEMORY_S = 6 * _WEEK_S
"""What is older counts for less than an eighth, and need not be kept."""

_PRIOR_CHANGES = 2.0
"""Changes that a prior counts for: few, so that it gives way soon."""

_LEVEL_PRIOR_HOURS = 6.0

_LATELY_S = 3 * HOUR_S
"""In so many seconds what came lately counts for half."""

_LATELY_CHANGES = 2.0
_LATELY_HOURS = 24

_UNANNOUNCED_PRIOR = 4.0
"""Changes that webhooks must have announced before polls rely on them."""

_UNANNOUNCED_MEMORY = 200.0
"""Changes after which what is known of webhooks is forgotten to a third, so that dead ones are noticed."""

_LEAST_RATE = 1e-9
"""A second: once in thirty years. Nothing is so still that it needs to be divided by 0."""


@dataclass(frozen=True, slots=True)
class WatchedHour:
    """One hour of one collection, as far as scans saw it. Those of the same hour add up.

    begins    Unix seconds, a whole hour
    seconds   of it for which it is known what changed
    changes   of rows, by Precoro's own dates
    polled    changes of them that a poll brought, no webhook
    scans     made in it, polls and others, and the calls that they took
    delayed   changes of which is known how late they came; delay: of all these together, worst: of one (seconds)
    """

    collection: str
    begins: int
    seconds: float = 0.0
    changes: int = 0
    polled: int = 0
    scans: int = 0
    calls: int = 0
    delayed: int = 0
    delay: float = 0.0
    worst: float = 0.0


@dataclass(frozen=True, slots=True)
class ScanSeen:
    """What one scan of changes saw of a collection.

    since    the one before began then, which tells of what is known; until: this one began (both by Precoro's clock)
    changed  when each row that it brought was changed, so far as that lies between
    late     the delays are known: rows were there to be seen since they changed
    poll     it came by itself, no webhook asked for it
    """

    collection: str
    since: float
    until: float
    changed: Sequence[float]
    calls: int = 1
    late: bool = True
    poll: bool = True

    def hours(self) -> Sequence[WatchedHour]:
        """Split by the hour."""
        at = floor(self.until / HOUR_S)
        hours = dict.fromkeys(range(floor(self.since / HOUR_S), at + 1), 0.0)
        edges = [self.since, *(begins * HOUR_S for begins in list(hours)[1:]), self.until]
        for begins, (start, end) in zip(hours, pairwise(edges), strict=True):
            hours[begins] = end - start
        changes: defaultdict[int, list[float]] = defaultdict(list)
        for moment in self.changed:
            clamped = min(max(moment, self.since), self.until)
            changes[floor(clamped / HOUR_S)].append(self.until - clamped)
        return [self._hour(begins, seconds, changes[begins], begins == at) for begins, seconds in hours.items()]

    def _hour(self, begins: int, seconds: float, delays: Sequence[float], scanned: bool) -> WatchedHour:
        known = delays if self.late else ()
        return WatchedHour(
            self.collection,
            int(begins * HOUR_S),
            seconds=seconds,
            changes=len(delays),
            polled=len(delays) if self.poll else 0,
            scans=int(scanned),
            calls=self.calls if scanned else 0,
            delayed=len(known),
            delay=sum(known),
            worst=max(known, default=0.0),
        )


@dataclass(slots=True)
class _Watched:
    """What is known of one collection: changes and hours by hour of the week, changes and seconds by hour of the last
    day, and what was announced. Older weeks count less."""

    changes: list[float] = field(default_factory=lambda: [0.0] * HOURS_A_WEEK)
    hours: list[float] = field(default_factory=lambda: [0.0] * HOURS_A_WEEK)
    lately: dict[int, tuple[float, float]] = field(default_factory=dict)
    polled: float = 0.0
    announced: float = 0.0

    def forget(self, weeks: int) -> None:
        kept = (1 - _FORGOTTEN_A_WEEK) ** weeks
        self.changes = [changes * kept for changes in self.changes]
        self.hours = [hours * kept for hours in self.hours]

    def learn(self, hour: WatchedHour, weight: float) -> None:
        cell = hour_of_week(hour.begins)
        self.changes[cell] += hour.changes * weight
        self.hours[cell] += hour.seconds / HOUR_S * weight
        changes, seconds = self.lately.pop(hour.begins, (0.0, 0.0))
        self.lately[hour.begins] = (changes + hour.changes, seconds + hour.seconds)
        for begins in [at for at in self.lately if at < hour.begins - _LATELY_HOURS * HOUR_S]:
            del self.lately[begins]
        kept = max(0.0, 1 - hour.changes / _UNANNOUNCED_MEMORY)
        self.polled = self.polled * kept + hour.polled
        self.announced = self.announced * kept + hour.changes - hour.polled


class ChangeRates:
    """The rates of change of a company's collections. Times are Unix seconds by Precoro's clock."""

    def __init__(self, usual: Mapping[str, float]) -> None:
        """`usual`: changes a day that such a collection has, before anything is known of this one."""
        self._usual = {name: max(changes / 86_400.0, _LEAST_RATE) for name, changes in usual.items()}
        self._watched = {name: _Watched() for name in usual}
        self._week = 0
        self._latest = 0
        self._tables: tuple[int, dict[str, list[float]]] = (-1, {})
        self._lately: tuple[int, dict[str, float]] = (0, {})

    def learn(self, hours: Iterable[WatchedHour]) -> None:
        """In the order of time. Hours of unknown collections are passed over, and what lies very far back."""
        for hour in hours:
            week = floor(hour.begins / _WEEK_S)
            if (watched := self._watched.get(hour.collection)) is None or week <= self._week - 2 * MEMORY_S / _WEEK_S:
                continue
            if week > self._week:
                for each in self._watched.values():
                    each.forget(min(week - self._week, HOURS_A_WEEK))
                self._week = week
            watched.learn(hour, (1 - _FORGOTTEN_A_WEEK) ** (self._week - week))
            self._latest = max(self._latest, hour.begins)
        self._lately = (0, {})

    def usually(self, collection: str) -> Sequence[float]:
        """Changes a second by hour of the week, as known at the beginning of the hour."""
        if self._tables[0] != self._latest:
            self._tables = (self._latest, self._weeks())
        return self._tables[1][collection]

    def busiest_day(self, collections: Sequence[str]) -> float:
        """Changes of these collections together on the day of the usual week that has the most."""
        weeks = [self.usually(name) for name in collections]
        days = [sum(sum(week[24 * day : 24 * day + 24]) for week in weeks) * HOUR_S for day in range(7)]
        return max(days)

    def lately(self, collection: str, now: float) -> float:
        """How many times as much as usually came in the last hours."""
        minute = floor(now / 60)
        if self._lately[0] != minute:
            seen = {name: self._seen_lately(name, now) for name in self._watched}
            company = _posterior(1.0, *map(sum, zip(*seen.values(), strict=True)))
            self._lately = (minute, {name: _posterior(company, *each) for name, each in seen.items()})
        return self._lately[1][collection]

    def _seen_lately(self, collection: str, now: float) -> tuple[float, float]:
        """Changes of the last hours, and how many there usually are; what is older counts less."""
        table, seen, usual = self.usually(collection), 0.0, 0.0
        for begins, (changes, seconds) in self._watched[collection].lately.items():
            weight = 0.5 ** (max(0.0, now - begins - HOUR_S / 2) / _LATELY_S)
            seen += changes * weight
            usual += table[hour_of_week(begins)] * seconds * weight
        return seen, usual

    def unannounced(self, collection: str) -> float:
        """Share of the changes that no webhook announces."""
        watched = self._watched[collection]
        known = watched.polled + watched.announced
        return (_UNANNOUNCED_PRIOR + watched.polled) / (_UNANNOUNCED_PRIOR + known)

    def _weeks(self) -> dict[str, list[float]]:
        levels = {name: self._level(name) for name in self._watched}
        week = self._company_week(sum(levels.values()))
        return {name: self._own_week(name, level, week) for name, level in levels.items()}

    def _level(self, name: str) -> float:
        """Changes a second, over all hours."""
        watched, usual = self._watched[name], self._usual[name]
        changes = usual * HOUR_S * _LEVEL_PRIOR_HOURS + sum(watched.changes)
        return changes / (HOUR_S * (_LEVEL_PRIOR_HOURS + sum(watched.hours)))

    def _company_week(self, level: float) -> list[float]:
        """How many times as much as on average changes at each hour of the week, over all collections."""
        every = list(self._watched.values())
        changes = [sum(each.changes[cell] for each in every) for cell in range(HOURS_A_WEEK)]
        expected = [
            level * HOUR_S * sum(each.hours[cell] for each in every) / max(len(every), 1)
            for cell in range(HOURS_A_WEEK)
        ]
        week = [1.0] * HOURS_A_WEEK
        for cells in _GROUPINGS:
            week = [
                _posterior(week[number], sum(changes[cell] for cell in group), sum(expected[cell] for cell in group))
                for number, group in enumerate(cells)
            ]
        mean = sum(week) / HOURS_A_WEEK
        return [each / mean for each in week]

    def _own_week(self, name: str, level: float, week: Sequence[float]) -> list[float]:
        watched = self._watched[name]
        rates = []
        for cell in range(HOURS_A_WEEK):
            prior = max(level * week[cell], _LEAST_RATE)
            factor = _posterior(1.0, watched.changes[cell], prior * HOUR_S * watched.hours[cell])
            rates.append(max(prior * factor, _LEAST_RATE))
        return rates


def hour_of_week(at: float) -> int:
    return floor(at / HOUR_S) % HOURS_A_WEEK


def _posterior(prior: float, seen: float, expected: float) -> float:
    """The mean factor after so many changes where that many were expected by a factor of 1."""
    return (_PRIOR_CHANGES + seen) / (_PRIOR_CHANGES / max(prior, 1e-3) + expected)


def _groupings() -> Sequence[Sequence[Sequence[int]]]:
    """For each hour of the week the hours it is like, from coarse to fine: the same hour of all days, of all workdays
    or weekend days, itself. Unix time began on a Thursday."""

    def weekend(cell: int) -> bool:
        return (cell // 24 + 3) % 7 >= 5

    cells = range(HOURS_A_WEEK)
    return (
        [[other for other in cells if other % 24 == cell % 24] for cell in cells],
        [[other for other in cells if other % 24 == cell % 24 and weekend(other) == weekend(cell)] for cell in cells],
        [[cell] for cell in cells],
    )


_GROUPINGS = _groupings()
