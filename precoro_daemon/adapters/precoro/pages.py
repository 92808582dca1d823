"""a scan over pages: several in flight, delivered in order"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import anyio
from anyio.abc import TaskGroup

from precoro_daemon.errors import DaemonError, PermanentError, TemporaryError
from precoro_daemon.mirror.rules.cursors import Page

LAST = "last"
"""A value of `page` besides numbers: the last page."""

MOST_HELD = 64
"""Pages that are kept while an earlier one is missing: as many as arrive while a refused one waits for its minute. A
page
of 200 documents takes about 1 MiB.
"""

Fetch = Callable[[int | str], Awaitable[Page]]


@asynccontextmanager
async def scan_pages(fetch: Fetch, start: int, in_flight: Callable[[], int]) -> AsyncIterator[PageScan]:
    """Scans from page `start` on. `in_flight` returns how many pages may be in flight or unread, not counting pages
    that
    wait for an earlier one.
    """
    scan = PageScan(fetch, start, in_flight)
    if not await scan.begin():
        yield scan
        return
    failure: DaemonError | None = None
    async with anyio.create_task_group() as group:
        group.start_soon(scan.feed, group, name="page scan")
        try:
            yield scan
        except DaemonError as error:
            failure = error
        group.cancel_scope.cancel()
    # Raised out here: the group would wrap it, and callers distinguish failures by their types.
    if failure is not None:
        raise failure


async def count_rows(fetch: Fetch) -> int:
    """Returns the number of rows of a list, as its first or else its last page states it; else the rows of the first
    page.
    """
    first = await fetch(1)
    if first.total is not None:
        return first.total
    last = None if first.is_last else await _last_page(fetch, first)
    return _rows(first) if last is None else _rows_up_to(first, last)


async def _last_page(fetch: Fetch, first: Page) -> Page | None:
    """Returns the last page, None if the API does not support requesting it by name."""
    try:
        last = await fetch(LAST)
    except (TemporaryError, PermanentError):
        return None
    return last if last.is_last and last.number > first.number else None


def _rows(page: Page) -> int:
    return len(page.records) + len(page.rejected)


def _rows_up_to(full: Page, last: Page) -> int:
    return (last.number - 1) * _rows(full) + _rows(last)


class PageScan(AsyncIterator[Sequence[Page]]):
    """Yields the pages' batches in order; a failure is raised in its place.

    The first page states the number of pages. Newer answers only say whether there is a next page. Then the last
    page is
    requested by name, because it states the count that proves a scan. If that is not supported, pages are
    requested before
    it is known which one ends the list, and those beyond the end are dropped.

    A refused page may have to wait for a minute. Later pages are fetched meanwhile, up to a limit; the refused one
    arrives
    last, and all are delivered in order.
    """

    def __init__(self, fetch: Fetch, start: int, in_flight: Callable[[], int]) -> None:
        self._fetch = fetch
        self._start = start
        self._next = start
        self._in_flight = in_flight
        self._outcomes: dict[int, Page | DaemonError] = {}
        self._farthest = start - 1
        self._end: int | None = None
        self._total: int | None = None
        self._over = False
        self._changed: anyio.Event | None = None

    async def begin(self) -> bool:
        """Fetches the first page. Returns False if there is nothing else to fetch."""
        await self._fetch_one(self._start)
        first = self._outcomes[self._start]
        return isinstance(first, Page) and not first.is_last

    async def feed(self, group: TaskGroup) -> None:
        """Starts the other fetches, as far ahead as allowed."""
        number = self._start + 1
        while True:
            if (self._end is None or number <= self._end) and self._may_fetch(number):
                group.start_soon(self._fetch_one, number, name=f"page {number}")
                number += 1
            else:
                await self._change()

    def _may_fetch(self, number: int) -> bool:
        """Returns whether a page may be fetched. An overtaken page waits for its own window and does not count as in
        flight.
        """
        if self._next in self._outcomes:
            return number < self._next + self._in_flight()
        under_way_from = max(self._next, self._farthest + 1)
        return number < min(under_way_from + self._in_flight(), self._next + MOST_HELD)

    async def _fetch_one(self, number: int) -> None:
        try:
            page = await self._fetch(number)
            await self._learn_the_end(page)
            self._outcomes[number] = page
        except DaemonError as error:
            self._outcomes[number] = error
        self._farthest = max(self._farthest, number)
        self._notify()

    async def _learn_the_end(self, page: Page) -> None:
        if page.is_last:
            self._end = page.number
        elif page.total_pages is not None:
            self._end = page.total_pages
        elif page.number == self._start:
            last = await _last_page(self._fetch, page)
            if last is not None:
                self._end, self._total = last.number, _rows_up_to(page, last)
        elif self._end is not None and page.number >= self._end:
            self._end = page.number + 1

    async def _change(self) -> None:
        self._changed = self._changed or anyio.Event()
        await self._changed.wait()

    def _notify(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def __anext__(self) -> Sequence[Page]:
        if self._over:
            raise StopAsyncIteration
        while self._next not in self._outcomes:
            await self._change()
        batch = self._take()
        self._notify()
        return batch

    def _take(self) -> Sequence[Page]:
        batch: list[Page] = []
        while not self._over and (outcome := self._outcomes.get(self._next)) is not None:
            if isinstance(outcome, DaemonError):
                if batch:
                    break
                raise outcome
            batch.append(outcome if outcome.total is not None else replace(outcome, total=self._total))
            del self._outcomes[self._next]
            self._next += 1
            self._over = outcome.is_last
        return batch
