"""the Precoro port over HTTP"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TypeVar

from precoro_daemon.adapters.http.exchange import Answer, Request
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.precoro.pages import PageScan, count_rows, scan_pages
from precoro_daemon.adapters.precoro.payloads import PageRequest, read_detail, read_page
from precoro_daemon.adapters.precoro.queries import list_query, page_query
from precoro_daemon.errors import ConnectionFault, Unreachable, WebPage
from precoro_daemon.mirror.ports.precoro import Detail, ListRequest
from precoro_daemon.mirror.rules.collections import PAGE_SIZES, Collection
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.quota.limits import Lane

T = TypeVar("T")


class PrecoroClient:
    """Implements `ports.Precoro`. Answers are parsed inside the retried call, so that an incomplete JSON is requested
    again.
    """

    def __init__(self, exchange: Retrying, per_page: int) -> None:
        self._exchange = exchange
        self._per_page = per_page
        self._reached = False

    def scan(self, wanted: ListRequest, lane: Lane, start: int) -> AbstractAsyncContextManager[PageScan]:
        fetch = partial(self._page, wanted, lane)
        return scan_pages(fetch, start, lambda: self._exchange.in_flight_bound)

    async def page(self, wanted: ListRequest, lane: Lane, number: int) -> Page:
        return await self._page(wanted, lane, number)

    async def probe(self, collection: Collection, lane: Lane) -> None:
        await self._page(ListRequest(collection), lane, 1, per_page=PAGE_SIZES[0])

    async def measure(self, wanted: ListRequest, lane: Lane) -> int:
        return await count_rows(partial(self._page, wanted, lane, per_page=PAGE_SIZES[0]))

    async def _page(self, wanted: ListRequest, lane: Lane, number: int | str, *, per_page: int | None = None) -> Page:
        size = per_page or self._per_page
        page = PageRequest(wanted.collection, number if isinstance(number, int) else None, size)
        query = (*list_query(wanted), *page_query(number, size))

        def read(answer: Answer) -> Page:
            return read_page(answer.body, page, answer.server_time)

        return await self._send(Request("GET", wanted.collection.path, query, lane=lane), read)

    async def detail(self, collection: Collection, key: int | str, lane: Lane) -> Detail:
        def read(answer: Answer) -> Detail:
            return read_detail(answer.body, collection=collection, key=key)

        return await self._send(Request("GET", f"{collection.path}/{key}", lane=lane), read)

    async def _send(self, request: Request, read: Callable[[Answer], T]) -> T:
        """Sends a request with retries. If nothing was ever reached, the first call that gives up does so for all."""
        try:
            result = await self._exchange.send(request, read)
        except (ConnectionFault, WebPage) as error:
            if self._reached:
                raise
            raise Unreachable(
                f"Precoro cannot be reached: {error}. Check the network and base_url or region"
            ) from error
        self._reached = True
        return result
