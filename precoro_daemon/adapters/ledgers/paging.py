"""scan of a list of payments, page by page, that loses no row when rows move between pages"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from precoro_daemon.adapters.ledgers.answers import MISSING, value_at
from precoro_daemon.adapters.ledgers.cells import moment_since_1970
from precoro_daemon.adapters.ledgers.positions import Positions, position_text, reach_back
from precoro_daemon.errors import LedgerMisfit, MalformedAnswer

MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Paging:
    """How to request a list.

    kind     "none": all at once
             "page", "offset": by number; the request contains {page} or {offset}
             "cursor": the answer names the next page at `next`, and the next request sends that value as {cursor}
             "link": the value at `next` is the address of the next page
    total    path of the number of rows in the list, "" if the answer does not say it
    start    the position before the first row
    overlap  how far a read goes back: seconds if positions are times, that many positions if they are whole numbers
    """

    kind: Literal["none", "page", "offset", "cursor", "link"]
    size: int = 100
    first: int = 1
    next: str = ""
    total: str = ""
    start: str = ""
    overlap: float = 0.0


class PageScan:
    """Decides which page to request next.

    With "page" and "offset", a row that changes during the scan moves to the end, and all rows after its old place
    move up by one. The first row of the next page then moves to a page that was already read. So the scan does not
    request the next page. It requests the first page again, from the newest safe position on. It requests the next
    page only while all rows have the same position.

    The scan distrusts the end of a list if there is evidence against it: a total that is larger, a server that
    sends less than a full page and has more, or a full page that names no next one.
    """

    def __init__(self, paging: Paging, position: str | None, origin: str) -> None:
        self._paging = paging
        self._origin = origin
        start = paging.start if position is None else position
        self._positions = Positions(start)
        self._asked = start if position is None else reach_back(start, paging.overlap)
        self._seen = {self._asked}
        self._index = 0
        self._cursor = ""
        self._pages = 0
        self._rows = 0  # rows so far of the list that is being requested
        self._shorter = 0  # rows of a short first page while the scan checks whether more follow, else 0
        self._is_first_reading = position is None
        self._has_positions = False
        self._size = paging.size
        self._last: Sequence[Any] = ()
        self.link: str | None = None

    @property
    def safe(self) -> str:
        return self._positions.safe

    @property
    def values(self) -> dict[str, Any]:
        return {
            "position": self._asked,
            "page": self._paging.first + self._index,
            "offset": self._paging.first + (self._shorter or self._index * self._size),
            "size": self._paging.size,
            "cursor": self._cursor,
        }

    @property
    def asks_past_the_end(self) -> bool:
        """Whether the next page is requested although the last one was not full."""
        return self._shorter > 0

    def has_ended(self, found: Any) -> bool:
        """Checks whether no page follows a short one (None), or the same one, if the server ignores page numbers."""
        return self._shorter > 0 and (found is None or self._is_last(found))

    def _is_last(self, found: Sequence[Any]) -> bool:
        return bool(found) and found == self._last

    def follow(self, positions: Sequence[str]) -> None:
        for position in positions:
            self._positions.follow(position)
            self._has_positions = True

    def goes_on(self, answer: Any, found: Sequence[Any], target: str) -> bool:
        """Checks whether to request another page after the one at address `target` with these rows.

        Raises LedgerMisfit if the configuration reads only a part of the list, and MalformedAnswer if the answer
        contradicts itself, which may be temporary.
        """
        again = self._is_last(found)
        self._last = found
        self._pages += 1
        self._rows += len(found)
        if self._pages >= MOST_PAGES:
            raise LedgerMisfit(f"read: the list has no end: {MOST_PAGES} pages and more")
        match self._paging.kind:
            case "page" | "offset":
                goes_on = self._next_number(len(found), again=again)
            case "cursor" | "link":
                goes_on = self._follow_next(answer, target)
            case _:
                goes_on = False
        if not goes_on:
            self._check_total(answer)
        return goes_on

    def _next_number(self, rows: int, *, again: bool) -> bool:
        """Checks whether to request another page by number. A short page is the last one only if nothing follows it,
        because a server may send fewer rows than requested.

        This is checked at the first page of the first reading, and at the first page of every reading of a list
        without positions. In the other cases the next reading resumes where a page ended too early.
        """
        if self._shorter:
            if not rows:
                return False
            self._size, self._shorter = self._shorter, 0
        if rows >= self._size:
            if again:
                raise LedgerMisfit("read: two pages in a row are the same: the request does not turn pages")
            self._turn()
            return True
        if rows and self._pages == 1 and (self._is_first_reading or not self._has_positions):
            self._shorter = rows
            self._index += 1
            return True
        return False

    def _turn(self) -> None:
        if self.safe in self._seen:
            self._index += 1
        else:
            self._seen.add(self.safe)
            self._asked, self._index, self._rows, self._last = self.safe, 0, 0, ()

    def _follow_next(self, answer: Any, target: str) -> bool:
        found = value_at(answer, self._paging.next)
        if found in (MISSING, None, False, ""):
            return False
        text = str(found)
        if text in (self._cursor, self.link):
            raise LedgerMisfit(f"read: the page at {text!r} names itself as the next one")
        if self._paging.kind == "link":
            self.link = same_origin(text, self._origin, target)
        else:
            self._cursor = text
        return True

    def _check_total(self, answer: Any) -> None:
        total = value_at(answer, self._paging.total) if self._paging.total else MISSING
        if isinstance(total, str) and total.strip().isdecimal():
            total = int(total)
        if isinstance(total, int) and not isinstance(total, bool) and total > self._rows:
            raise MalformedAnswer(f"read: the list ended after {self._rows} rows and says that it has {total}")

    def is_suspect(self, rows: int) -> bool:
        """Whether a list that ended may have more rows: it has a single full page that names no next one."""
        return self._paging.kind in ("cursor", "link") and self._pages == 1 and rows >= self._paging.size


def same_origin(link: str, origin: str, target: str = "/") -> str:
    """Returns a link's path and query. Raises LedgerMisfit if it leads to another origin, because the request carries
    the ledger's token.

    target  path and query of the page that contains the link, for relative links
    """
    try:
        absolute = urljoin(f"{origin}{target}", link)
        parts = urlsplit(absolute)
        leads_to = f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        leads_to = ""
    if leads_to != origin.lower() or not link.isascii() or not link.isprintable() or " " in link:
        raise LedgerMisfit(f"read: the next page is not followed: {link[:100]!r} is no address at {origin}")
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def position_in(value: Any) -> str | None:
    """Returns a position in the form that the next request uses, or None if it is no time to resume from.

    /Date(1573755038314)/ becomes 2019-11-14T18:10:38, cut to the second.
    """
    if isinstance(value, str) and value.strip().startswith("/Date("):
        moment = moment_since_1970(value.strip())
        return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S")
    return position_text(value)
