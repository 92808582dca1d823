"""single calls that test how Precoro answers: one attempt each, and a refusal is a result"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.exchange import Answer, Exchange, Request, check
from precoro_daemon.adapters.http.refusals import read_refusal
from precoro_daemon.adapters.precoro.payloads import PageRequest, read_page
from precoro_daemon.adapters.precoro.queries import list_query, page_query
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.quota.limits import Lane
from precoro_daemon.quota.rate_limits import Refusal

_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Probed:
    """page     None if the call was refused
    refusal  the reason
    headers  of the answer, with names in lower case
    """

    page: Page | None
    refusal: Refusal | None
    headers: Mapping[str, str]


class PrecoroProbes:
    """Requests single pages of lists. They are charged and paced like every call."""

    def __init__(self, exchange: Exchange, credentials: Credentials) -> None:
        self._exchange = exchange
        self._credentials = credentials

    async def page(self, wanted: ListRequest, per_page: int, lane: Lane) -> Probed:
        """Requests one page. Raises what `Exchange` raises except RateLimited, and MalformedAnswer."""
        query = (*list_query(wanted), *page_query(1, per_page))
        request = Request("GET", wanted.collection.path, query, lane=lane)
        answer = await self._exchange.send_once(request, _nothing)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if answer.status == _TOO_MANY:
            return Probed(None, _refusal(answer), headers)
        check(request, answer, self._credentials.secrets)
        page = read_page(answer.body, PageRequest(wanted.collection, 1, per_page), answer.server_time)
        return Probed(page, None, headers)


def _refusal(answer: Answer) -> Refusal:
    return read_refusal(answer.headers, answer.body, answer.server_time or 0.0)


async def _nothing() -> None:
    """Grants at once: reading needs no permit."""
