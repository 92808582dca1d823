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

What is older counts less each week, so habits may change. The last twelve hours are not in the usual week yet, for it
is what they are compared with. An hour in which somebody edits thousands of rows counts for ten plain ones: it would
otherwise be expected again next week. Hours are those of Precoro's clock in UTC: nobody knows the company's time
zone, and none is needed.

What is learned follows from the hours alone, whatever order and pieces they came in: a restart that reads them again
leads to the same rates.

Where webhooks come in, a change that a poll brings is one that no webhook announced. Their share, of one collection's
latest changes as far as they tell and of all collections' else, says how much there is for polls to find; it is 1
until webhooks have proved themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from math import floor, inf
from typing import NamedTuple

from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.quota.watched_hours import HOUR_S, HOURS_A_WEEK, MEMORY_S, WEEK_S, KnownHours, WatchedHour

_KEPT_A_WEEK = 0.7
"""What was learned counts for so much less with each week: three weeks count for most of it."""

_WRONG_CLOCK_S = WEEK_S
"""Hours so far ahead of those that were learned last come from a clock that has been set since."""

_PRIOR_CHANGES = 2.0
"""Changes that a prior counts for: few, so that it gives way soon."""

_LEVEL_PRIOR_HOURS = 6.0

_SURPRISE, _SURPRISING_CHANGES = 10.0, 20
"""An hour counts for so many times what an hour has on average, and for so many changes at least: thousands of rows
that somebody edits at once say little of that hour next week."""

_RARE_HOURS = 0.01
"""So large a share of the hours, those with most changes, tells nothing of what an hour has on average."""

_LATELY_S = HOUR_S
"""In so many seconds what came lately counts for half."""

_LATELY_HOURS = 12

_UNANNOUNCED_PRIOR = 12.0
"""Changes that what is known of all collections counts for, when one collection's webhooks are judged; and what is
taken for unannounced before anything is known of any."""

_UNANNOUNCED_CHANGES = 300
"""So many of the latest changes say what webhooks announce, of a week at most: dead webhooks are noticed."""

_LEAST_RATE = 1e-9
"""A second: once in thirty years. Nothing is so still that it needs to be divided by 0."""

_STALE = 0.03
"""The usual week is put together anew when so much has been learned since, as a share of all that is known."""


class ChangeRates:
    """The rates of change of a company's collections. Times are Unix seconds by Precoro's clock."""

    def __init__(self, usual: Mapping[str, float]) -> None:
        """`usual`: changes a day that such a collection has, before anything is known of this one."""
        self._usual = {name: max(changes / 86_400.0, _LEAST_RATE) for name, changes in usual.items()}
        self._hours = {name: KnownHours() for name in usual}
        self._latest = 0
        self._known = self._new = (0.0, 0.0)
        self._stale = True
        self._most = dict.fromkeys(usual, inf)
        self._weeks: dict[str, Sequence[float]] = {}
        self._lately_at = 0
        self._lately: dict[str, tuple[float, float]] = {}
        self._lately_all = (0.0, 0.0)
        self._fading = _Fading(inf, 0.0, 0.0)
        self._announced: dict[str, tuple[int, int]] = {}
        self._unannounced: dict[str, float] = {}

    def learn(self, hours: Iterable[WatchedHour]) -> None:
        """In any order. Hours of unknown collections are passed over, and what lies very far back."""
        known = [hour for hour in hours if hour.collection in self._hours]
        if not known:
            return
        self._set_clock(max(hour.begins for hour in known))
        for hour in known:
            if hour.begins <= self._latest - MEMORY_S:
                continue
            self._hours[hour.collection].add(hour)
            self._new = self._new[0] + hour.changes, self._new[1] + hour.seconds
            self._lately.pop(hour.collection, None)
            self._announced.pop(hour.collection, None)
        self._unannounced = {}
        self._stale |= any(new > _STALE * old for new, old in zip(self._new, self._known, strict=True))

    def _set_clock(self, newest: int) -> None:
        if newest < self._latest - _WRONG_CLOCK_S:
            for hours in self._hours.values():
                hours.keep(after=-inf, until=newest + _WRONG_CLOCK_S)
            self._latest, self._known = newest, (0.0, 0.0)
            self._announced.clear()
        self._latest = max(self._latest, newest)

    @property
    def weeks(self) -> Mapping[str, Sequence[float]]:
        """Of each collection the changes a second by hour of the week. Another mapping when something was learned."""
        if self._stale:
            self._weeks, self._stale = self._learned_weeks(), False
            self._lately.clear()
        return self._weeks

    def usually(self, collection: str) -> Sequence[float]:
        """Changes a second by hour of the week."""
        return self.weeks[collection]

    def busiest_day(self, collections: Sequence[str]) -> float:
        """Changes of these collections together on the day of the usual week that has the most."""
        weeks = [self.usually(name) for name in collections]
        days = [sum(sum(week[24 * day : 24 * day + 24]) for week in weeks) * HOUR_S for day in range(7)]
        return max(days)

    def of_company(self) -> UsualWeek:
        """Of all collections together."""
        weeks = [self.usually(name) for name in self._hours]
        return UsualWeek([sum(rates) for rates in zip([_LEAST_RATE] * HOURS_A_WEEK, *weeks, strict=True)])

    def lately(self, collection: str, now: float) -> float:
        """How many times as much as usually came in the last hours."""
        weeks, hour = self.weeks, floor(now / HOUR_S)
        if self._lately_at != hour or len(self._lately) < len(self._hours):
            self._update_lately(weeks, hour)
        if self._fading.now != now:
            fades = 0.5 ** ((now - hour * HOUR_S) / _LATELY_S)
            seen, usual = self._lately_all
            self._fading = _Fading(now, fades, _posterior(1.0, fades * seen, fades * usual))
        _, fades, company = self._fading
        seen, usual = self._lately[collection]
        return _posterior(company, fades * seen, fades * usual)

    def _update_lately(self, weeks: Mapping[str, Sequence[float]], hour: int) -> None:
        if self._lately_at != hour:
            self._lately_at = hour
            self._lately.clear()
        for name in self._hours.keys() - self._lately.keys():
            self._lately[name] = self._seen_lately(name, weeks[name], hour)
        seen, usual = zip(*self._lately.values(), strict=True)
        self._lately_all = sum(seen), sum(usual)
        self._fading = _Fading(inf, 0.0, 0.0)

    def _seen_lately(self, collection: str, table: Sequence[float], hour: int) -> tuple[float, float]:
        """Changes of the last hours, and how many there usually are; what is older counts less."""
        hours, most = self._hours[collection], self._most[collection]
        seen = usual = 0.0
        for ago in range(_LATELY_HOURS):
            if (found := hours.find((hour - ago) * HOUR_S)) is not None:
                changes, seconds, _ = found
                weight = 0.5 ** (max(ago - 0.5, 0.0) * HOUR_S / _LATELY_S)
                seen += min(changes, most) * weight
                usual += table[(hour - ago) % HOURS_A_WEEK] * seconds * weight
        return seen, usual

    def unannounced(self, collection: str) -> float:
        """Share of the changes that no webhook announces."""
        if not self._unannounced:
            for name in self._hours.keys() - self._announced.keys():
                self._announced[name] = self._latest_changes(name)
            changes, polled = (sum(each) for each in zip(*self._announced.values(), strict=True))
            company = _posterior_share(1.0, changes, polled)
            self._unannounced = {name: _posterior_share(company, *each) for name, each in self._announced.items()}
        return self._unannounced[collection]

    def _latest_changes(self, collection: str) -> tuple[int, int]:
        """So many as tell of webhooks, and how many of them a poll brought."""
        hours = self._hours[collection]
        of_week = hours.of_week(self._latest)
        if of_week[0] <= _UNANNOUNCED_CHANGES:  # as nearly always: hour by hour it takes a hundred times as long
            return of_week
        changes = polled = 0
        for begins in count(self._latest, -int(HOUR_S)):
            if (hour := hours.find(begins)) is not None:
                changes, polled = changes + hour[0], polled + hour[2]
                if changes >= _UNANNOUNCED_CHANGES:
                    break
        return changes, polled

    def _learned_weeks(self) -> dict[str, Sequence[float]]:
        for hours in self._hours.values():
            hours.keep(after=self._latest - MEMORY_S, until=inf)
        seen = {name: list(hours) for name, hours in self._hours.items()}
        self._most = {name: _most_changes([changes for _, changes, _ in hours]) for name, hours in seen.items()}
        known = {name: self._by_hour_of_week(name, hours) for name, hours in seen.items()}
        self._known = (
            sum(changes for hours in seen.values() for _, changes, _ in hours),
            sum(seconds for hours in seen.values() for _, _, seconds in hours),
        )
        self._new = (0.0, 0.0)
        levels = {name: self._level(name, hours) for name, hours in seen.items()}
        week = _company_week(levels, known)
        return {name: _own_week(levels[name], week, *each) for name, each in known.items()}

    def _by_hour_of_week(self, name: str, hours: Sequence[_Hour]) -> _Known:
        """Changes and watched hours; what is older counts less. The last hours are left out: they are compared with
        what was usual before."""
        all_changes, watched, most = [0.0] * HOURS_A_WEEK, [0.0] * HOURS_A_WEEK, self._most[name]
        until = self._latest - _LATELY_HOURS * HOUR_S
        for begins, changes, seconds in hours:
            if begins < until:
                weight, cell = self._counts_for(begins), hour_of_week(begins)
                all_changes[cell] += min(changes, most) * weight
                watched[cell] += seconds / HOUR_S * weight
        return all_changes, watched

    def _level(self, name: str, hours: Sequence[_Hour]) -> float:
        """Changes a second, over all hours."""
        counted, watched = self._usual[name] * HOUR_S * _LEVEL_PRIOR_HOURS, _LEVEL_PRIOR_HOURS
        for begins, changes, seconds in hours:
            weight = self._counts_for(begins)
            counted += min(changes, self._most[name]) * weight
            watched += seconds / HOUR_S * weight
        return counted / (HOUR_S * watched)

    def _counts_for(self, begins: int) -> float:
        return _KEPT_BY_WEEK[int((self._latest - begins) // WEEK_S)]


class _Fading(NamedTuple):
    """How much of the last hours counts now, and how much more than usual came in all collections together."""

    now: float
    fades: float
    company: float


_Hour = tuple[int, int, float]
"""Of `KnownHours`: when it begins, its changes and the seconds watched."""

_Known = tuple[Sequence[float], Sequence[float]]
_KEPT_BY_WEEK = [_KEPT_A_WEEK**weeks for weeks in range(int(MEMORY_S // WEEK_S) + 1)]


def _most_changes(by_hour: Sequence[int]) -> float:
    """That one hour counts for."""
    if not by_hour:
        return _SURPRISING_CHANGES
    plain = sorted(by_hour)[: len(by_hour) - max(1, int(len(by_hour) * _RARE_HOURS))]
    return max(_SURPRISING_CHANGES, _SURPRISE * sum(plain) / max(len(plain), 1))


def _company_week(levels: Mapping[str, float], known: Mapping[str, _Known]) -> Sequence[float]:
    """How many times as much as on average changes at each hour of the week, over all collections."""
    changes = [sum(cells) for cells in zip(*(each for each, _ in known.values()), strict=True)]
    expected = [0.0] * HOURS_A_WEEK
    for name, (_, watched) in known.items():
        hourly = levels[name] * HOUR_S
        expected = [so_far + hourly * hours for so_far, hours in zip(expected, watched, strict=True)]
    week = _factors(changes, expected)
    mean = sum(week) / HOURS_A_WEEK
    return [each / mean for each in week]


def _own_week(level: float, week: Sequence[float], changes: Sequence[float], watched: Sequence[float]) -> list[float]:
    prior = [max(level * share, _LEAST_RATE) for share in week]
    factors = _factors(changes, [rate * HOUR_S * hours for rate, hours in zip(prior, watched, strict=True)])
    return [max(rate * factor, _LEAST_RATE) for rate, factor in zip(prior, factors, strict=True)]


def _factors(changes: Sequence[float], expected: Sequence[float]) -> Sequence[float]:
    """How many times as much as expected came at each hour of the week, from coarse to fine."""
    factors: Sequence[float] = [1.0] * HOURS_A_WEEK
    for groups in _GROUPINGS:
        finer = [0.0] * HOURS_A_WEEK
        for group in groups:
            factor = _posterior(
                factors[group[0]], sum([changes[cell] for cell in group]), sum([expected[cell] for cell in group])
            )
            for cell in group:
                finer[cell] = factor
        factors = finer
    return factors


def hour_of_week(at: float) -> int:
    return floor(at / HOUR_S) % HOURS_A_WEEK


def _posterior(prior: float, seen: float, expected: float) -> float:
    """The mean factor after so many changes where that many were expected by a factor of 1."""
    return (_PRIOR_CHANGES + seen) / (_PRIOR_CHANGES / max(prior, 1e-3) + expected)


def _posterior_share(prior: float, changes: float, polled: float) -> float:
    return (_UNANNOUNCED_PRIOR * prior + polled) / (_UNANNOUNCED_PRIOR + changes)


def _groupings() -> Sequence[Sequence[Sequence[int]]]:
    """The hours of the week that are alike, from coarse to fine: the same hour of all days, of all workdays or of the
    weekend, each by itself. Unix time began on a Thursday."""
    cells = range(HOURS_A_WEEK)
    weekend = {cell for cell in cells if (cell // 24 + 3) % 7 >= 5}
    days = [[cell for cell in cells if cell % 24 == hour] for hour in range(24)]
    parts = [[cell for cell in day if (cell in weekend) is free] for day in days for free in (False, True)]
    return days, parts, [[cell] for cell in cells]


_GROUPINGS = _groupings()
