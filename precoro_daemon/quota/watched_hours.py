"""when a collection changes, as observed by scans, hour by hour

Hours are those of Precoro's clock. They add up, in whatever order and pieces they arrive.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor

from msgspec import Struct

HOUR_S = 3600.0
HOURS_A_WEEK = 168
WEEK_S = HOURS_A_WEEK * HOUR_S

MEMORY_S = 6 * WEEK_S
"""Older hours count for less than an eighth, and need not be kept."""


@dataclass(frozen=True, slots=True)
class WatchedHour:
    """One hour of one collection, as far as scans observed it. Observations of the same hour add up.

    begins   Unix seconds, a whole hour
    seconds  the part of it whose changes are known
    changes  changed rows, by Precoro's own dates
    polled   those of `changes` that a poll brought, not a webhook
    scans    scans made in it, polls and others
    calls    calls that polls took, without a first listing: the calls of lists in a day are measured by them
    delayed  changes whose delay is known
    delay    their total delay in seconds
    worst    the longest delay in seconds
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


class ScanSeen(Struct, frozen=True):
    """What one scan of changes observed in a collection.

    since    the start of the previous scan, from which on changes are known (Precoro's clock)
    until    the start of this scan (Precoro's clock)
    changed  when each row that it brought was changed, as far as that lies between the two
    late     whether delays are known: rows could be seen since they changed
    poll     whether it was a poll, not requested by a webhook
    """

    collection: str
    since: float
    until: float
    changed: Sequence[float]
    calls: int = 1
    late: bool = True
    poll: bool = True

    def hours(self) -> Sequence[WatchedHour]:
        """Returns the observations split by the hour."""
        since = max(min(self.since, self.until), self.until - MEMORY_S)
        first, at = floor(since / HOUR_S), floor(self.until / HOUR_S)
        edges = [since, *(begins * HOUR_S for begins in range(first + 1, at + 1)), self.until]
        delays: defaultdict[int, list[float]] = defaultdict(list)
        for moment in self.changed:
            clamped = min(max(moment, since), self.until)
            delays[floor(clamped / HOUR_S)].append(self.until - clamped)
        return [
            self._hour(begins, end - start, delays[begins], begins == at)
            for begins, (start, end) in enumerate(pairwise(edges), first)
        ]

    def _hour(self, begins: int, seconds: float, delays: Sequence[float], scanned: bool) -> WatchedHour:
        known = delays if self.late else ()
        return WatchedHour(
            self.collection,
            int(begins * HOUR_S),
            seconds=seconds,
            changes=len(delays),
            polled=len(delays) if self.poll else 0,
            scans=int(scanned),
            calls=self.calls if scanned and self.poll and self.late else 0,
            delayed=len(known),
            delay=sum(known),
            worst=max(known, default=0.0),
        )


class KnownHours:
    """What is known about each hour of one collection: its changes, the seconds watched, and the changes that polls
    brought.

    They are stored in arrays, one for each week, which begins on a Thursday as Unix time does. An object for each
    hour would take ten times the memory, 5 MB for all collections of a company.
    """

    def __init__(self) -> None:
        self._weeks: dict[int, _Rows] = {}

    def add(self, hour: WatchedHour) -> None:
        week, cell = _place(hour.begins)
        if week not in self._weeks:
            self._weeks[week] = _rows()
        changes, seconds, polled = self._weeks[week]
        changes[cell] += hour.changes
        seconds[cell] += hour.seconds
        polled[cell] += hour.polled

    def find(self, begins: float) -> tuple[int, float, int] | None:
        """Returns an hour's values, None if nothing is known about it."""
        week, cell = _place(begins)
        if (rows := self._weeks.get(week)) is None:
            return None
        changes, seconds, polled = rows
        return (changes[cell], seconds[cell], polled[cell]) if seconds[cell] or changes[cell] else None

    def of_week(self, last: float) -> tuple[int, int]:
        """Returns the changes of the 168 hours up to and including the one that begins at `last`, and those that
        polls brought.
        """
        week, cell = _place(last)
        changed = polled = 0
        for number, cells in ((week, slice(cell + 1)), (week - 1, slice(cell + 1, None))):
            if (rows := self._weeks.get(number)) is not None:
                changed, polled = changed + sum(rows[0][cells]), polled + sum(rows[2][cells])
        return changed, polled

    def __iter__(self) -> Iterator[tuple[int, int, float]]:
        """Yields the start of each known hour, its changes and the seconds watched."""
        for week, (changes, seconds, _) in sorted(self._weeks.items()):
            start = week * int(WEEK_S)
            for cell, (changed, watched) in enumerate(zip(changes, seconds, strict=True)):
                if watched or changed:
                    yield start + cell * int(HOUR_S), changed, watched

    def keep(self, after: float, until: float) -> None:
        """Forgets hours that begin at or before `after`, or after `until`."""
        for week in [week for week in self._weeks if not after < week * WEEK_S <= until - WEEK_S]:
            for cell in range(HOURS_A_WEEK):
                if not after < week * WEEK_S + cell * HOUR_S <= until:
                    for row in self._weeks[week]:
                        row[cell] = 0
            if not any(any(row) for row in self._weeks[week]):
                del self._weeks[week]


_Rows = tuple["array[int]", "array[float]", "array[int]"]


def _rows() -> _Rows:
    nothing = [0] * HOURS_A_WEEK
    return array("I", nothing), array("d", nothing), array("I", nothing)


def _place(begins: float) -> tuple[int, int]:
    """Returns the number of the week, and of the hour in it."""
    return divmod(floor(begins / HOUR_S), HOURS_A_WEEK)
