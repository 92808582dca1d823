"""how often each collection changes, by hour of the week, learned from scans

Theory of operation. A scan shows which rows changed since the previous scan, and when, by Precoro's own dates:
that is,
changes with their times, and hours whose changes are known. From these the rate of change of a collection at any hour
of the week is estimated as the mean of a Gamma distribution. Its prior comes from what is already known, so that a
guess gives way as soon as a few changes contradict it:

    a collection's level      from its own changes; before there are any, from the usual level of such collections
    the company's week        from all collections together: hour of the day, then workday or weekend, then hour of
                              the week, each the prior of the next
    a collection's own week   its level times the company's week, until its own changes differ (a night shift)
    the last hours            how the latest changes compare with that, in this collection and in all of them: a
                              holiday or a surprise shows within hours, and is forgotten as fast

Older observations count less with each week, so habits may change. The last twelve hours are not yet part of the
usual week, because they are compared with it. An hour in which somebody edits thousands of rows counts for ten normal
ones; otherwise it would be expected again next week. Hours are those of Precoro's clock in UTC: the company's time
zone is unknown, and not needed.

What is learned depends only on the hours, in whatever order and pieces they arrive: a restart that reads them again
computes the same rates.

With webhooks, a change that a poll brings is one that no webhook announced. Their share says how much there is for
polls to find. It is taken from a collection's latest changes as far as they suffice, else from those of all
collections. It is 1 until webhooks have proved themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from math import floor, inf
from typing import NamedTuple

from precoro_daemon.quota.usual_week import UsualWeek
from precoro_daemon.quota.watched_hours import HOUR_S, HOURS_A_WEEK, MEMORY_S, WEEK_S, KnownHours, WatchedHour

_KEPT_A_WEEK = 0.7
"""Weight that an observation keeps with each week: three weeks make up most of the total."""

_WRONG_CLOCK_S = WEEK_S
"""Hours that lie this far after the latest learned one come from a clock that was set since."""

_PRIOR_CHANGES = 2.0
"""Changes that a prior counts for: few, so that it gives way soon."""

_LEVEL_PRIOR_HOURS = 6.0

_SURPRISE, _SURPRISING_CHANGES = 10.0, 20
"""The most that one hour counts for: this multiple of an average hour, but at least this many changes. Thousands of
rows edited at once say little about the same hour next week.
"""

_RARE_HOURS = 0.01
"""The share of hours, those with the most changes, that is left out of the average hour."""

_LATELY_S = HOUR_S
"""Half-life of recent changes in seconds."""

_LATELY_HOURS = 12

_UNANNOUNCED_PRIOR = 12.0
"""Changes that the share of all collections counts for when one collection's webhooks are judged; and the changes
that count as unannounced before anything is known.
"""

_UNANNOUNCED_CHANGES = 300
"""Number of latest changes, of at most a week, that show what webhooks announce, so that dead webhooks are
noticed.
"""

_LEAST_RATE = 1e-9
"""Changes a second: once in thirty years. It avoids a division by 0."""

_STALE = 0.03
"""The usual week is recomputed when this share of everything known was learned since."""


class ChangeRates:
    """The rates of change of a company's collections. Times are Unix seconds by Precoro's clock."""

    def __init__(self, usual: Mapping[str, float]) -> None:
        """`usual`: changes a day that such a collection usually has, before anything is known about this one."""
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
        """Learns hours in any order. Hours of unknown collections, and those that lie very far back, are ignored."""
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
        """Returns each collection's changes a second by hour of the week. The mapping is a new one once something was
        learned.
        """
        if self._stale:
            self._weeks, self._stale = self._learned_weeks(), False
            self._lately.clear()
        return self._weeks

    def usually(self, collection: str) -> Sequence[float]:
        """Returns changes a second by hour of the week."""
        return self.weeks[collection]

    def busiest_day(self, collections: Sequence[str]) -> float:
        """Returns the changes of these collections together on the busiest day of the usual week."""
        weeks = [self.usually(name) for name in collections]
        days = [sum(sum(week[24 * day : 24 * day + 24]) for week in weeks) * HOUR_S for day in range(7)]
        return max(days)

    def of_company(self) -> UsualWeek:
        """The week of all collections together."""
        weeks = [self.usually(name) for name in self._hours]
        return UsualWeek([sum(rates) for rates in zip([_LEAST_RATE] * HOURS_A_WEEK, *weeks, strict=True)])

    def lately(self, collection: str, now: float) -> float:
        """Returns the ratio of the changes in the last hours to the usual ones."""
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
        """Returns the changes of the last hours, and how many are usual; older ones count less."""
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
        """Returns the share of changes that no webhook announces."""
        if not self._unannounced:
            for name in self._hours.keys() - self._announced.keys():
                self._announced[name] = self._latest_changes(name)
            changes, polled = (sum(each) for each in zip(*self._announced.values(), strict=True))
            company = _posterior_share(1.0, changes, polled)
            self._unannounced = {name: _posterior_share(company, *each) for name, each in self._announced.items()}
        return self._unannounced[collection]

    def _latest_changes(self, collection: str) -> tuple[int, int]:
        """Returns the latest changes that show what webhooks announce, and how many of them a poll brought."""
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
        """Returns changes and watched hours; older ones count less. The last hours are left out, because they are
        compared with what was usual before.
        """
        all_changes, watched, most = [0.0] * HOURS_A_WEEK, [0.0] * HOURS_A_WEEK, self._most[name]
        until = self._latest - _LATELY_HOURS * HOUR_S
        for begins, changes, seconds in hours:
            if begins < until:
                weight, cell = self._counts_for(begins), hour_of_week(begins)
                all_changes[cell] += min(changes, most) * weight
                watched[cell] += seconds / HOUR_S * weight
        return all_changes, watched

    def _level(self, name: str, hours: Sequence[_Hour]) -> float:
        """Returns changes a second over all hours."""
        counted, watched = self._usual[name] * HOUR_S * _LEVEL_PRIOR_HOURS, _LEVEL_PRIOR_HOURS
        for begins, changes, seconds in hours:
            weight = self._counts_for(begins)
            counted += min(changes, self._most[name]) * weight
            watched += seconds / HOUR_S * weight
        return counted / (HOUR_S * watched)

    def _counts_for(self, begins: int) -> float:
        return _KEPT_BY_WEEK[int((self._latest - begins) // WEEK_S)]


class _Fading(NamedTuple):
    """The weights of the last hours, and the ratio of recent to usual changes of all collections together."""

    now: float
    fades: float
    company: float


_Hour = tuple[int, int, float]
"""From `KnownHours`: the start of an hour, its changes and the seconds watched."""

_Known = tuple[Sequence[float], Sequence[float]]
_KEPT_BY_WEEK = [_KEPT_A_WEEK**weeks for weeks in range(int(MEMORY_S // WEEK_S) + 1)]


def _most_changes(by_hour: Sequence[int]) -> float:
    """Returns the most changes that one hour counts for."""
    if not by_hour:
        return _SURPRISING_CHANGES
    plain = sorted(by_hour)[: len(by_hour) - max(1, int(len(by_hour) * _RARE_HOURS))]
    return max(_SURPRISING_CHANGES, _SURPRISE * sum(plain) / max(len(plain), 1))


def _company_week(levels: Mapping[str, float], known: Mapping[str, _Known]) -> Sequence[float]:
    """Returns the ratio of each hour of the week to the average hour, over all collections."""
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
    """Returns the ratio of actual to expected changes for each hour of the week, refined from coarse to fine."""
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
    """Returns the mean factor after `seen` changes where a factor of 1 predicts `expected`."""
    return (_PRIOR_CHANGES + seen) / (_PRIOR_CHANGES / max(prior, 1e-3) + expected)


def _posterior_share(prior: float, changes: float, polled: float) -> float:
    return (_UNANNOUNCED_PRIOR * prior + polled) / (_UNANNOUNCED_PRIOR + changes)


def _groupings() -> Sequence[Sequence[Sequence[int]]]:
    """Returns the hours of the week that are alike, from coarse to fine: the same hour of all days, of workdays or
    the weekend, and each hour on its own. Unix time began on a Thursday.
    """
    cells = range(HOURS_A_WEEK)
    weekend = {cell for cell in cells if (cell // 24 + 3) % 7 >= 5}
    days = [[cell for cell in cells if cell % 24 == hour] for hour in range(24)]
    parts = [[cell for cell in day if (cell in weekend) is free] for day in days for free in (False, True)]
    return days, parts, [[cell] for cell in cells]


_GROUPINGS = _groupings()
