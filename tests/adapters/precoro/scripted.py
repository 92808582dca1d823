"""A list that answers page by page as a script says: it grows, shrinks, fails, holds answers back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

import anyio
import anyio.lowlevel

from precoro_daemon.adapters.precoro.pages import LAST, PageScan, scan_pages
from precoro_daemon.errors import DaemonError
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.documents import read_record

Meta = Literal["both", "totals", "has_next", "none"]

SIZE = 2


@dataclass
class ScriptedList:
    """Rows in pages of two.

    faults   what asking for a page raises; held: pages that answer once their event is set
    changes  what happens to the list right after a page was read
    """

    count: int
    meta: Meta = "both"
    faults: dict[int | str, DaemonError] = field(default_factory=dict)
    held: dict[int | str, anyio.Event] = field(default_factory=dict)
    changes: dict[int | str, Callable[[ScriptedList], None]] = field(default_factory=dict)
    asked: list[int | str] = field(default_factory=list)
    under_way: int = 0
    taken: int = 0
    farthest: int = 0

    async def fetch(self, number: int | str) -> Page:
        self.asked.append(number)
        self.under_way += 1
        self.farthest = max(self.farthest, number - self.taken if isinstance(number, int) else 0)
        try:
            await self.held[number].wait() if number in self.held else await anyio.lowlevel.checkpoint()
        finally:
            self.under_way -= 1
        if number in self.faults:
            raise self.faults[number]
        page = self.page(number)
        self.changes.get(number, lambda _: None)(self)
        return page

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // SIZE))

    def page(self, number: int | str) -> Page:
        place = self.pages if number == LAST else int(number)
        ids = range((place - 1) * SIZE + 1, min(place * SIZE, self.count) + 1)
        return Page(
            place,
            [read_record(b'{"id":%d}' % one) for one in ids],
            total=self.count if self.meta in ("both", "totals") else None,
            total_pages=self.pages if self.meta in ("both", "totals") else None,
            has_next=place < self.pages if self.meta in ("both", "has_next") else None,
        )

    @asynccontextmanager
    async def scan(self, start: int = 1, in_flight: int = 3) -> AsyncIterator[PageScan]:
        async with scan_pages(self.fetch, start, lambda: in_flight) as scan:
            yield scan

    async def read(self, start: int = 1, in_flight: int = 3) -> list[Page]:
        """All pages of one walk."""
        self.taken = start - 1
        pages: list[Page] = []
        async with self.scan(start, in_flight) as scan:
            async for batch in scan:
                pages += batch
                self.taken += len(batch)
        return pages


def ids(pages: list[Page]) -> list[int]:
    return [record.id for page in pages for record in page.records]
