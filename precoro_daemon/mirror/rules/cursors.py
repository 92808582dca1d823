"""when a scan is proved, and when a cursor may move"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.documents import Record, Rejected
from precoro_daemon.mirror.rules.reach import NO_ANCHOR, Dates, may_fall_short

Kind = Literal["changes", "whole"]

_SCAN_TRIES = 3
"""Scans of the same changes before the cursor moves without proof, and a census has to prove the rest."""

_CHEAP_CENSUS = 50
"""Pages. A census up to this size is repeated at once, a few times; a larger one must not use up the day's quota."""

_CENSUS_TRIES = 3
"""Attempts of a small census before it is spaced out as well: a list whose total is always wrong proves nothing."""

_SHORT_SCANS = 3
"""Whole scans with the same number of missing rows after which these are believed to be hidden from the key."""

_DISTINCT_S = 97.0
"""The most seconds by which requests from the same anchor differ: a prime, so that no schedule coincides with it."""

_CENSUS_PAUSE = 60.0
"""Seconds of pause for each page and each further failed attempt of a census."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list as Precoro sent it.

    total, total_pages, has_next are None if the answer lacks them. server_time is the answer's own `Date` (Unix
    seconds), None if it had none.
    """

    number: int
    records: Sequence[Record]
    rejected: Sequence[Rejected] = ()
    total: int | None = None
    total_pages: int | None = None
    has_next: bool | None = None
    server_time: float | None = None

    @property
    def is_last(self) -> bool:
        """Whether the answer says so itself; the number of its rows never counts."""
        if self.has_next is not None:
            return not self.has_next
        if self.total_pages is not None:
            return self.number >= self.total_pages
        return True


@dataclass(frozen=True, slots=True)
class Scan:
    """One reading of all pages of a list, and its progress. It is stored, so it can be resumed by page.

    kind        "changes": since the cursor; "whole": everything that the user's filter admits (first scan and census)
    since       the value sent as `modifiedSince` (Unix seconds), None for none
    filter      fingerprint of the user's filter that bounds a whole scan
    started_at  server's Date of page 1, None until it arrived
    next_page   the first page that is not yet committed
    total       the number of rows according to page 1, None if it did not say
    last_page   number of the last page once known
    rows        readable rows received
    rejected    unreadable rows received
    distinct    different ids among the rows
    drifted     whether the list was seen to change during the scan
    newest      highest id on page 1, None once a higher one arrived; not stored: unknown for a resumed scan
    dates       when the received rows were changed; None if unknown, as for a resumed scan
    hidden      rows that the list counts and does not show to this key, as far as known; not stored
    far         whether it asks back far enough for any time zone; not stored: a resumed scan proves nothing
    """

    collection: str
    kind: Kind
    since: float | None = None
    filter: str = ""
    started_at: float | None = None
    next_page: int = 1
    total: int | None = None
    last_page: int | None = None
    rows: int = 0
    rejected: int = 0
    distinct: int = 0
    drifted: bool = False
    newest: int | None = field(default=None, compare=False)
    dates: Dates | None = field(default=None, compare=False)
    hidden: int = field(default=0, compare=False)
    far: bool = field(default=False, compare=False)

    @property
    def finished(self) -> bool:
        return self.last_page is not None and self.next_page > self.last_page

    @property
    def steady(self) -> bool:
        """Whether it is over, no page disagreed on the total, and no row arrived twice."""
        return self.finished and not self.drifted and self.rows == self.distinct

    @property
    def short(self) -> int:
        """The number of rows that the list counts and that did not arrive."""
        return 0 if self.total is None else self.total - self.rows - self.rejected

    @property
    def sound(self) -> bool:
        """Whether it is steady and no row is missing. How many of the hidden rows changed is unknown."""
        allowed = (0, self.hidden) if self.since is None else range(self.hidden + 1)
        return self.steady and self.short in allowed

    @property
    def proved(self) -> bool:
        """Whether it is sound, and complete by the list's own count. One page is one snapshot and needs no count."""
        counted = self.total is not None and (self.since is None or not self.short)
        return self.covered or (self.sound and (counted or self.last_page == 1))

    @property
    def covered(self) -> bool:
        """Whether it is over and everything that page 1 counted has arrived, whatever was created or deleted
        meanwhile: as many different ids, none of them new. Later records have higher ids than all before. If rows
        enter a list in other ways, by a filter or by being edited, this proves nothing.
        """
        known = self.since is None and not self.filter and self.newest is not None and not self.rejected
        return self.finished and known and self.distinct == self.total


@dataclass(frozen=True, slots=True)
class Cursor:
    """The state of a collection.

    at          the next scan of changes starts here, less the overlap (server's clock); None: nothing listed yet
    whole_at    start of the last whole scan that was proved complete
    pages       pages of the last whole scan
    unproved    > 0 demands a census: one for changes that could not be proved complete, one for each whole scan since
    unproved_at when those changes were scanned, or the last of these whole scans ended (server's clock)
    tries       unproved scans of the present changes
    filter      fingerprint of the user's filter the mirror was filled under
    anchor      the next scan of changes asks back to here at least, where there are rows that it must list (`reach`);
                NO_ANCHOR: there are none; None: unknown
    short       rows that the last whole scan lacked by the list's own count, although it was steady
    hidden      rows believed to be hidden from this key, because every whole scan lacks them
    """

    collection: str
    at: float | None = None
    whole_at: float | None = None
    pages: int = 0
    unproved: int = 0
    unproved_at: float | None = None
    tries: int = 0
    filter: str = ""
    anchor: float | None = None
    short: int = 0
    hidden: int = 0


def advance(scan: Scan, pages: Sequence[Page], distinct: int) -> Scan:
    """Returns the scan after `pages` were committed; it has seen `distinct` ids so far."""
    for page in pages:
        scan = _after(scan, page)
    return replace(scan, distinct=distinct)


def server_time(scan: Scan, pages: Sequence[Page]) -> float | None:
    """Returns when the last of `pages` arrived by the server's clock, or else when its scan began; None if
    unknown.
    """
    times = [page.server_time for page in pages if page.server_time is not None]
    return times[-1] if times else scan.started_at


def _after(scan: Scan, page: Page) -> Scan:
    first = scan.next_page == 1
    emptied = not first and not page.records and not page.rejected
    highest = max((row.id for row in page.records), default=-1)
    older = scan.newest is not None and highest <= scan.newest
    return replace(
        scan,
        started_at=page.server_time if first else scan.started_at,
        total=page.total if first else scan.total,
        last_page=page.number if page.is_last else None,
        next_page=page.number + 1,
        rows=scan.rows + len(page.records),
        rejected=scan.rejected + len(page.rejected),
        drifted=scan.drifted or emptied or (not first and page.total != scan.total),
        newest=highest if first else scan.newest if older else None,
        dates=_dates(scan, page),
    )


def _dates(scan: Scan, page: Page) -> Dates | None:
    began, before = (page.server_time, Dates()) if scan.next_page == 1 else (scan.started_at, scan.dates)
    if began is None or before is None:
        return None
    return before.with_rows((row.updated_at for row in page.records), began)


def settle(scan: Scan, cursor: Cursor, ended_at: float) -> Cursor:
    """Returns the cursor after a finished scan.

    A scan of changes that is not proved is repeated from the same cursor, at most twice. Then, and after a whole scan
    that is not proved, the cursor moves to the start of the scan anyway, and a census is owed: the next scan of
    changes finds what changed since then, but only a census finds what this one may have skipped.
    """
    if scan.kind == "changes":
        return _settle_changes(replace(scan, hidden=cursor.hidden), cursor, ended_at)
    cursor = _believe(scan, cursor)
    return _settle_whole(replace(scan, hidden=cursor.hidden), cursor, ended_at)


def _believe(scan: Scan, cursor: Cursor) -> Cursor:
    """Stores how many rows the whole list lacks by its own count. If that number stays the same scan after scan, no
    row slipped from page to page: the count includes rows that this key may not see.
    """
    if not scan.steady or scan.short < 0:
        return cursor
    same = scan.short == cursor.short and cursor.unproved >= _SHORT_SCANS - 1
    return replace(cursor, short=scan.short, hidden=scan.short if same or not scan.short else cursor.hidden)


def _settle_whole(scan: Scan, cursor: Cursor, ended_at: float) -> Cursor:
    accepted = _accepted(scan, earlier=cursor.unproved)
    at = scan.started_at if cursor.at is None else cursor.at
    if accepted and not scan.filter:
        # A filtered census does not list what has left the filter, so it may start a cursor but never move one.
        at = max(at or 0.0, scan.started_at or 0.0) or None
    anchor = None if scan.dates is None else scan.dates.anchor
    settled = replace(cursor, at=at, pages=scan.last_page or 0, filter=scan.filter, anchor=anchor)
    if accepted and (cursor.unproved_at or 0.0) > (scan.started_at or ended_at):
        # Meanwhile a scan of changes was not proved: what it may have skipped is newer than what was listed here.
        return replace(settled, whole_at=scan.started_at, unproved=1)
    if accepted:
        return replace(settled, whole_at=scan.started_at, unproved=0, unproved_at=None)
    return replace(settled, unproved=cursor.unproved + 1, unproved_at=ended_at)


def _settle_changes(scan: Scan, cursor: Cursor, ended_at: float) -> Cursor:
    accepted = _accepted(scan, earlier=cursor.tries)
    if not accepted and cursor.tries + 1 < _SCAN_TRIES:
        return replace(cursor, tries=cursor.tries + 1)
    at = cursor.at if scan.started_at is None else scan.started_at
    moved = replace(cursor, at=at, tries=0, anchor=_next_anchor(scan, cursor))
    if scan.far and moved.anchor == NO_ANCHOR:  # all the newest rows are gone: what is left only a census tells
        return replace(moved, unproved=max(moved.unproved, 1), unproved_at=ended_at)
    if accepted or cursor.unproved > 1:
        return moved  # a census that keeps failing is spaced out, from its own end
    return replace(moved, unproved=1, unproved_at=ended_at)


def _next_anchor(scan: Scan, cursor: Cursor) -> float | None:
    """Returns the next anchor. If the expected rows did not arrive, the next scan asks back to the same one, unless
    this scan went back far.
    """
    dates = scan.dates
    if dates is None or ((not dates.newest or falls_short(scan, cursor)) and not scan.far):
        return cursor.anchor
    return dates.anchor


def falls_short(scan: Scan, cursor: Cursor) -> bool:
    """Returns whether the finished scan of changes since `cursor` has no row which shows that nothing is missing."""
    if scan.since is None or scan.dates is None or cursor.at is None or cursor.anchor in (None, NO_ANCHOR):
        return False
    return may_fall_short(scan.since, cursor.at, scan.dates)


def _accepted(scan: Scan, *, earlier: int) -> bool:
    """Returns whether it is proved or, if the list never states its length, a second sound scan after an earlier
    one.
    """
    return scan.proved or (scan.sound and earlier > 0)


def next_scan(collection: Collection, cursor: Cursor, overlap: float, skew: float = 0.0) -> Scan:
    """Returns the scan that brings the mirror up to date: everything at first, then the changes since the cursor.

    Small sets are always listed whole: it costs the same single call, and shows deletions too.
    """
    if cursor.at is None or listed_whole(collection, cursor):
        return whole_scan(cursor)
    return Scan(collection.name, "changes", since=meant_since(cursor, overlap) - skew, hidden=cursor.hidden)


def whole_scan(cursor: Cursor) -> Scan:
    return Scan(cursor.collection, "whole", filter=cursor.filter, hidden=cursor.hidden)


def meant_since(cursor: Cursor, overlap: float) -> float:
    """Returns the time from which a scan of changes must list them. (Before the first whole list it means nothing.)

    No two scans send the same value for one anchor: Precoro refuses a request that it has just answered.
    """
    at, anchor = cursor.at or 0.0, NO_ANCHOR if cursor.anchor is None else cursor.anchor
    return min(at - overlap, anchor - at % _DISTINCT_S)


def listed_whole(collection: Collection, cursor: Cursor) -> bool:
    """Returns whether each scan of the collection lists it whole, as a census does. That includes lists without a row
    to ask back to, which have hardly any.
    """
    rowless = cursor.anchor == NO_ANCHOR and not cursor.filter
    return (collection.small or rowless) and cursor.pages <= 1


def scan_again(scan: Scan, cursor: Cursor) -> bool:
    """Returns whether changes that were not proved are scanned again at once."""
    return scan.kind == "changes" and cursor.tries > 0


def census_due(cursor: Cursor, every: float, now: float) -> bool:
    """Returns whether a census is due by age, or because it is owed. One that keeps failing is spaced out, on a long
    list at once.
    """
    if cursor.at is None:
        return False
    if cursor.unproved:
        further = cursor.unproved - (_CENSUS_TRIES if cursor.pages <= _CHEAP_CENSUS else 1)
        pause = max(further, 0) * cursor.pages * _CENSUS_PAUSE
        # What is owed at once needs no clock: ours may be a second behind the server's, which tells no parts of one.
        return not pause or now >= (cursor.unproved_at or 0.0) + min(pause, every)
    return cursor.whole_at is None or now >= cursor.whole_at + every
