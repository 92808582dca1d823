"""how far back `modifiedSince` reaches: evidence that it is read in another time zone

Theory of operation. `modifiedSince` carries no offset, and we mean UTC. If Precoro reads it in the company's time
zone, and that lies behind UTC, the answer begins later than meant: changes of the hours before are missing, and every
page of such an answer looks right. (If the zone lies ahead, more arrives than was requested, and nothing is lost.)

An answer that contains a row from before the cursor begins before the cursor, and so lacks nothing that changed
since. (So does one whose first row follows the cursor so closely that no time zone begins between them.) To have such
a row in every answer, a scan of changes asks back to its *anchor*: the date of the fifth newest row that the previous
scan listed. That costs five rows and no call. Rows are deleted and edited, but hardly all five between two scans.

If none arrives, the list is requested once more from far enough back for every time zone. If that shows rows which
the first answer should have contained, the first one began too late; the oldest row of the second one bounds by how
much. This *skew* is stored, and from then on every scan asks back further by it. The second answer has what the first
one lacked. If it shows no such row, the expected rows are gone or were edited, which is no news.
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
"""Rows that an anchor reaches back: few enough to cost nothing, and more than people edit between two scans."""

_DATES_KEPT = 100
"""Number of dates kept of a scan. If an import changed as many rows within one second, they would be listed
repeatedly.
"""

_COMMIT_S = 1.0
"""Seconds before an answer in which changes may not have been visible yet."""

_READABLE = len("2026-01-31T00:00:00")
_LONG_AGO = 1971

NO_ANCHOR = math.inf
"""There is no row to ask back to."""


class Skew(Struct, frozen=True):
    """The seconds by which Precoro's reading of `modifiedSince` is later than meant.

    found_at  when that was found (server's clock)
    overlap   the user's, when it was found: changing it restarts the proof
    """

    seconds: float = 0.0
    found_at: float = 0.0
    overlap: float = 0.0

    def under(self, overlap: float) -> float:
        return self.seconds if self.overlap == overlap else 0.0


class Dates(Struct, frozen=True):
    """When the rows that a scan has listed so far were changed, as texts in UTC.

    newest  the latest of those from before the scan began, newest first
    oldest  "" while none has a date
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
        """The latest time at which the next scan may begin."""
        newest = self.newest
        if len(newest) == _DATES_KEPT:
            newest = tuple(date for date in newest if date > newest[-1])
        return seconds_of(newest[:_ANCHOR_ROWS][-1]) if newest else NO_ANCHOR


def may_fall_short(asked: float, at: float, dates: Dates) -> bool:
    """Returns whether there is a time zone in which an answer with these rows began after `at`, and so may lack
    changes.

    asked  the value sent as `modifiedSince`
    """
    first = seconds_of(dates.oldest) + 1 if dates.oldest else math.inf
    latest = min(first - math.floor(asked), FARTHEST_S)
    return math.floor(latest / _STEP_S) * _STEP_S > at - asked


def skew_shown(meant: float, began: float, first: Dates, second: Dates) -> float | None:
    """Returns the skew shown by rows of the second answer that had changed before the first one began and that it
    lacked; None if there are none.

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
    """Returns whether it is a date. Some systems write an unknown date as one long ago, or as an impossible one."""
    try:
        return datetime.fromisoformat(text).year > _LONG_AGO
    except ValueError:
        return False
