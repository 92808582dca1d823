"""page after page of payments, without losing rows that move between pages meanwhile"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from precoro_daemon.adapters.ledgers.answers import MISSING, value_at
from precoro_daemon.adapters.ledgers.cells import EPOCH_DATE
from precoro_daemon.adapters.ledgers.positions import Positions, position_text
from precoro_daemon.errors import LedgerMisfit

MOST_PAGES = 100_000


@dataclass(frozen=True, slots=True)
class Paging:
    """How a list is asked for.

    kind     "none": all at once; "page", "offset": by number, the request names {page} or {offset};
             "cursor": the answer names the next page at `next`, and the request hands that back as {cursor};
             "link": what stands at `next` is the address of the next page
    start    the position before the first row
    overlap  seconds a reading reaches back, where positions are times
    """

    kind: Literal["none", "page", "offset", "cursor", "link"]
    size: int = 100
    first: int = 1
    next: str = ""
    start: str = ""
    overlap: float = 0.0


class PageScan:
    """Decides what is asked next.

    With "page" and "offset", a row that changes meanwhile moves to the end, and the others move up by one: the first
    row of the next page is then on none. So the next question is not for the next page but for the first page from
    the newest position on, and only among rows of one position for the next page.
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
        self.link: str | None = None

    @property
    def safe(self) -> str:
        return self._positions.safe

    @property
    def values(self) -> dict[str, Any]:
        size = self._paging.size
        return {
            "position": self._asked,
            "page": self._paging.first + self._index,
            "offset": self._paging.first + self._index * size,
            "size": size,
            "cursor": self._cursor,
        }

    def follow(self, positions: Sequence[str]) -> None:
        for position in positions:
            self._positions.follow(position)

    def goes_on(self, answer: Any, rows: int) -> bool:
        """Whether there is another page to ask for, after one with that many rows."""
        self._pages += 1
        if self._pages >= MOST_PAGES:
            raise LedgerMisfit(f"read: the list has no end: {MOST_PAGES} pages and more")
        match self._paging.kind:
            case "page" | "offset":
                return rows >= self._paging.size and self._turn()
            case "cursor" | "link":
                return self._follow_next(answer)
        return False

    def _turn(self) -> bool:
        if self.safe in self._seen:
            self._index += 1
        else:
            self._seen.add(self.safe)
            self._asked, self._index = self.safe, 0
        return True

    def _follow_next(self, answer: Any) -> bool:
        found = value_at(answer, self._paging.next)
        if found in (MISSING, None, False, ""):
            return False
        text = str(found)
        if text in (self._cursor, self.link):
            raise LedgerMisfit(f"read: the page at {text!r} names itself as the next one")
        if self._paging.kind == "link":
            self.link = same_origin(text, self._origin)
        else:
            self._cursor = text
        return True


def same_origin(link: str, origin: str) -> str:
    """Path and query of a link, if it leads nowhere else: the request carries the ledger's key."""
    parts = urlsplit(link)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    elsewhere = bool(parts.scheme or parts.netloc) and f"{parts.scheme}://{parts.netloc}".lower() != origin.lower()
    if elsewhere or not target.startswith("/") or not target.isascii() or not target.isprintable() or " " in target:
        raise LedgerMisfit(f"read: the next page is not followed: {link[:100]!r} is no address at {origin}")
    return target


def position_in(value: Any) -> str:
    """As the next request has it. /Date(1573755038314)/ becomes 2019-11-14T18:10:38, cut to the second."""
    if isinstance(value, str) and (match := EPOCH_DATE.fullmatch(value.strip())):
        return datetime.fromtimestamp(int(match[1]) // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return position_text(value)


def reach_back(position: str, seconds: float) -> str:
    """The position so much earlier, if it is a time; in the form it had."""
    if not seconds or not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", position):
        return position
    try:
        moment = datetime.fromisoformat(position) - timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return position
    text = moment.isoformat(sep=position[10])
    return text.replace("+00:00", "Z") if position.endswith("Z") else text
