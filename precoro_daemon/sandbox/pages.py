"""one page of a list, joined from the rows' ready JSON"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from precoro_daemon.sandbox.options import Meta
from precoro_daemon.sandbox.refusals import RefusedError
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import dumps

PAGE_SIZES = (10, 20, 50, 100, 200)


@dataclass(frozen=True)
class PageCall:
    """The page that a call requests. Number 0 is the last page."""

    number: int
    size: int

    def place(self, total: int) -> tuple[int, int]:
        """Returns the page's number and the number of pages. An empty list has one empty page."""
        pages = max(1, -(-total // self.size))
        return (self.number or pages), pages


def page_call(query: Sequence[tuple[str, str]]) -> PageCall:
    asked = dict(query)
    size, number = asked.get("per_page", "10"), asked.get("page", "1")
    if not size.isdecimal() or int(size) not in PAGE_SIZES:
        raise RefusedError("per_page", "per_page must be one of 10, 20, 50, 100, 200")
    if number == "last":
        return PageCall(0, int(size))
    if not number.isdecimal() or int(number) < 1:
        raise RefusedError("page", "page must be a positive number or last")
    return PageCall(int(number), int(size))


@dataclass(frozen=True)
class Page:
    """What `pagination` states about one page."""

    call: PageCall
    total: int
    count: int
    address: str
    query: Sequence[tuple[str, str]] = ()

    def pagination(self, style: Meta) -> dict[str, Any]:
        """Returns the object `pagination`. Older answers lack `has_next_page`, newer ones lack `total` and
        `total_pages`.
        """
        number, pages = self.call.place(self.total)
        body: dict[str, Any] = {"total": self.total} if style != "has_next" else {}
        body |= {"count": self.count, "per_page": self.call.size, "current_page": number}
        if style != "has_next":
            body["total_pages"] = pages
        if style != "totals":
            body["has_next_page"] = number < pages
        body["links"] = self._links(number, pages)
        return body

    def _links(self, number: int, pages: int) -> object:
        links = {}
        if number > 1:
            links["previous"] = self._link(number - 1)
        if number < pages:
            links["next"] = self._link(number + 1)
        return links or []

    def _link(self, number: int) -> str:
        others = [(key, value) for key, value in self.query if key != "page"]
        return f"{self.address}?{urlencode([*others, ('page', str(number))])}"


def render(rows: Sequence[Row], raw: Callable[[Row], bytes], meta: dict[str, Any] | None) -> bytes:
    """Returns the answer's body. It has no `meta` if `meta` is None."""
    data = b",".join(map(raw, rows))
    if meta is None:
        return b'{"data":[%b]}' % data
    return b'{"data":[%b],"meta":{"pagination":%b}}' % (data, dumps(meta))
