"""how far back `modifiedSince` reaches: what shows that it is read in another time zone

Theory of operation. `modifiedSince` carries no offset, and we mean UTC. A Precoro that reads it in the time zone of
the company answers from a later time on where that zone lies behind UTC: what changed in the hours before is missing,
and every page of such an answer looks right. (Where it lies ahead, more comes than was asked for, and nothing is
lost.)

An answer that holds a row from before the cursor begins before the cursor, and so lacks nothing that changed since.
(So does one whose first row comes so soon after the cursor that no time zone begins between them.) To have such a row
in every answer, a scan of changes asks back to its *anchor*: the date of the fifth newest row that the scan before it
listed. That costs five rows and no call. Rows are deleted and edited, but hardly all five between two scans.

Where none comes, the list is asked once more from so far back that every time zone is covered. If rows show then that
the first answer should have held, it began too late: by how much at most follows from the oldest row of the second
one. This *skew* is kept, and every scan asks so much further back from then on. What the first answer lacked, the
second one has. If no such row shows, the others are gone or were edited, which is no news.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime

from msgspec import Struct

FARTHEST_S = 14 * 3600.0
"""No time zone is further from UTC."""

_STEP_S = 900.0
"""Time zones differ from UTC by whole quarters of an hour."""

_ANCHOR_ROWS = 5
"""So many rows an anchor reaches back: few enough to cost nothing, more than people touch between two scans."""

_DATES_KEPT = 100
"""Of the rows of a scan. As many within one second, by an import, would have to be listed again and again."""

_COMMIT_S = 1.0
"""What changed so shortly before an answer may not have been visible yet."""

_READABLE = len("2026-01-31T00:00:00")
_LONG_AGO = 1971

NO_ANCHOR = math.inf
"""There is no row to ask back to."""


class Skew(Struct, frozen=True):
    """By how many seconds Precoro's reading of `modifiedSince` is later than meant.

    found_at  when that was found (server's clock)
    overlap   the user's, when it was found: who changes that begins the proof anew
    """

    seconds: float = 0.0
    found_at: float = 0.0
    overlap: float = 0.0

    def under(self, overlap: float) -> float:
        return self.seconds if self.overlap == overlap else 0.0


class Dates(Struct, frozen=True):
    """When the rows were changed that a scan has listed so far, as texts in UTC.

    newest  the latest of those from before the scan began, newest first
    oldest  "" as long as none has a date
    """

    newest: tuple[str, ...] = ()
    oldest: str = ""

    def with_rows(self, dates: Iterable[str | None], began: float) -> Dates:
        listed = sorted(date for date in dates if date is not None and len(date) == _READABLE)
        oldest = next(filter(_is_date, listed), "")
        # Only what may be kept is read: most rows of a long list are older than a hundred others.
        kept_from = self.newest[-1] if len(self.newest) == _DATES_KEPT else ""
        fresh = filter(_is_date, listed[bisect_right(listed, kept_from) : bisect_right(listed, text_of(began))])
        newest = sorted((*self.newest, *fresh), reverse=True)
        return Dates(tuple(newest[:_DATES_KEPT]), min(filter(None, (oldest, self.oldest)), default=""))

    @property
    def anchor(self) -> float:
        """Where the next scan is to begin at the latest."""
        newest = self.newest
        if len(newest) == _DATES_KEPT:
            newest = tuple(date for date in newest if date > newest[-1])
        return seconds_of(newest[:_ANCHOR_ROWS][-1]) if newest else NO_ANCHOR


def may_fall_short(asked: float, at: float, dates: Dates) -> bool:
    """There is a time zone in which an answer with these rows began after `at`, and so may lack what changed since.

    asked  what was sent as `modifiedSince`
    """
    first = seconds_of(dates.oldest) + 1 if dates.oldest else math.inf
    latest = min(first - math.floor(asked), FARTHEST_S)
    return math.floor(latest / _STEP_S) * _STEP_S > at - asked


def skew_shown(meant: float, began: float, first: Dates, second: Dates) -> float | None:
    """What rows of the second answer show that had been changed before the first one began, and that it lacked; None:
    nothing.

    meant  the time from which the first answer should have begun to list
    began  when it was given
    """
    latest = min(text_of(began - _COMMIT_S), first.oldest or "9")
    if not any(text_of(meant) <= date < latest for date in second.newest):
        return None
    late = seconds_of(second.oldest) - (meant - FARTHEST_S)
    return min(FARTHEST_S, max(_STEP_S, math.ceil(late / _STEP_S) * _STEP_S))


def text_of(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def seconds_of(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _is_date(text: str) -> bool:
    """Some systems write a date that is not known as one long ago, or as none that there is."""
    try:
        return datetime.fromisoformat(text).year > _LONG_AGO
    except ValueError:
        return False
