"""the changes expected between two times by hourly rates of the week, and the value of finding them"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from precoro_daemon.quota.watched_hours import HOUR_S, HOURS_A_WEEK, WEEK_S

_DAYS_A_WEEK = 7


class UsualWeek:
    """Times are Unix seconds. Precomputed sums up to the start of each hour make a day as cheap as a minute."""

    def __init__(self, rates: Sequence[float]) -> None:
        """`rates`: changes a second, by hour of the week."""
        self.rates = rates
        self._changes, self._delays = [0.0], [0.0]
        changes = delays = 0.0
        for rate in rates:
            delays += (changes + rate * HOUR_S / 2) * HOUR_S
            changes += rate * HOUR_S
            self._changes.append(changes)
            self._delays.append(delays)

    @property
    def mean_day(self) -> float:
        """The changes of a mean day."""
        return self._changes[-1] / _DAYS_A_WEEK

    def changes(self, since: float, until: float) -> float:
        """Returns the changes between these times."""
        start = math.floor(since / WEEK_S) * WEEK_S
        return self._sums(until - start)[0] - self._sums(since - start)[0]

    def by_hour(self, since: float, hours: int) -> Sequence[float]:
        """Returns the changes in each of the next `hours` hours."""
        first, passed = divmod(since / HOUR_S, 1)
        rates = [self.rates[(int(first) + hour) % HOURS_A_WEEK] * HOUR_S for hour in range(hours + 1)]
        return [before * (1 - passed) + after * passed for before, after in pairwise(rates)]

    def value(self, since: float, until: float) -> float:
        """Returns the value of a scan: the total seconds by which the changes since the previous scan will be
        late.
        """
        start = math.floor(since / WEEK_S) * WEEK_S
        changes, delays = self._sums(since - start)
        return max(0.0, self._sums(until - start)[1] - delays - changes * (until - since))

    def _sums(self, at: float) -> tuple[float, float]:
        """Returns the changes since the start of a fixed week, and their integral."""
        weeks, within = divmod(at, WEEK_S)
        hour = min(int(within // HOUR_S), HOURS_A_WEEK - 1)
        seconds, rate = within - hour * HOUR_S, self.rates[hour]
        changes, of_week = self._changes[hour], self._changes[-1]
        delays = self._delays[hour] + (changes + rate * seconds / 2) * seconds
        before = weeks * self._delays[-1] + of_week * (WEEK_S * weeks * (weeks - 1) / 2 + weeks * within)
        return weeks * of_week + changes + rate * seconds, before + delays

    def reaches(self, since: float, latest: float, value: float) -> float:
        """Returns when the value of a scan reaches `value`, or `latest` if it does not before."""
        start = math.floor(since / WEEK_S) * WEEK_S
        seen, delays = self._sums(since - start)

        def missing(until: float) -> float:
            return value - self._sums(until - start)[1] + delays + seen * (until - since)

        if missing(latest) >= 0:
            return latest
        first = math.floor(since / HOUR_S)
        low, high = 0, math.ceil(latest / HOUR_S) - first
        while high - low > 1:
            middle = (low + high) // 2
            if missing((first + middle) * HOUR_S) > 0:
                low = middle
            else:
                high = middle
        begins = max(since, (first + low) * HOUR_S)
        changes, more = self._sums(begins - start)[0] - seen, max(0.0, missing(begins))
        rate = self.rates[(first + low) % HOURS_A_WEEK]
        return min(begins + 2 * more / (changes + math.sqrt(changes**2 + 2 * rate * more)), latest)
