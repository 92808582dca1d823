"""Every answer that is known of the API, canned: what the session and the client make of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aioresponses import CallbackResult, aioresponses
from yarl import URL

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Answer, OnSent, Request, check
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.errors import (
    AuthenticationError,
    DoubtfulError,
    Forbidden,
    MalformedAnswer,
    NotFound,
    RateLimited,
    Refused,
    ServerFault,
    Unreachable,
)
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane, Limits
from precoro_daemon.status.progress import Silent
from tests.adapters.http.stand_ins import MemoryBook, credentials

ORIGIN = "https://api.precoro.com"
OURS = credentials(ORIGIN)
INVOICES = COLLECTIONS["invoices"]
FIRST_PAGE = f"{ORIGIN}/invoices?page=1&per_page=200"
LIFTED = Limits(0, 0, 0, 0, same_get_per_minute=0, same_get_per_hour=0)
GET = Request("GET", "/invoices/12")
POST = Request("POST", "/payments", form=(("invoice[id]", "45"), ("sumPaid", "12.50")))


@pytest.fixture
def canned() -> Iterator[aioresponses]:
    with aioresponses() as answers:
        yield answers


async def nobody_counts() -> None:
    """Nobody counts."""


async def exchange(request: Request) -> Answer:
    """One exchange and what its answer means, without waiting and trying again."""
    async with HttpSession(OURS, Timeouts()) as session:
        answer = await session.send(request, nobody_counts)
    check(request, answer, OURS.secrets)
    return answer


@dataclass
class TellingWire:
    """aioresponses leaves out aiohttp's tracing, by which the session learns that a request was written."""

    session: HttpSession

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        await on_sent()
        return await self.session.send(request, nobody_counts)


@asynccontextmanager
async def client() -> AsyncIterator[PrecoroClient]:
    """The whole client; its pauses pass a thousand times faster."""
    around = GateDependencies(MemoryBook(), RealClock(1_000.0), Silent())
    async with (
        HttpSession(OURS, Timeouts()) as session,
        Throttled(TellingWire(session), OURS, LIFTED, around) as throttled,
    ):
        yield PrecoroClient(Retrying(throttled), per_page=200)


def paged(*rows: Any, **pagination: Any) -> dict[str, Any]:
    return {"data": list(rows), "meta": {"pagination": pagination}}


STATUSES = [
    (301, MalformedAnswer, "redirects are never followed"),
    (302, MalformedAnswer, "redirects are never followed"),
    (400, Refused, "not accepted"),
    (401, AuthenticationError, "token, e-mail or region"),
    (403, Forbidden, "grant the role in Precoro"),
    (404, NotFound, "deleted"),
    (405, Refused, "not accepted"),
    (408, ServerFault, "retried by itself"),
    (409, Refused, "not accepted"),
    (422, Refused, "not accepted"),
    (429, RateLimited, "when the limit opens"),
    (500, ServerFault, "retried by itself"),
    (502, ServerFault, "retried by itself"),
    (503, ServerFault, "retried by itself"),
    (504, ServerFault, "retried by itself"),
]


@pytest.mark.asyncio
@pytest.mark.parametrize(("status", "failure", "advice"), STATUSES, ids=[str(row[0]) for row in STATUSES])
async def test_what_a_status_means(canned: aioresponses, status: int, failure: type[Exception], advice: str) -> None:
    canned.get(f"{ORIGIN}/invoices/12", status=status, payload={"message": "so it is"})
    with pytest.raises(failure, match=advice) as told:
        await exchange(GET)
    assert f"GET /invoices/12: Precoro answered {status}" in str(told.value)
    assert "so it is" in str(told.value)


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [302, 408, 500, 503])
async def test_a_write_without_a_clear_answer_is_in_doubt(canned: aioresponses, status: int) -> None:
    canned.post(f"{ORIGIN}/payments", status=status)
    with pytest.raises(DoubtfulError, match="may have been carried out"):
        await exchange(POST)


@pytest.mark.asyncio
async def test_a_refused_write_names_the_field(canned: aioresponses) -> None:
    refusal = {"errors": {"errors": {"sumPaid": ["The Invoice is already fully paid."]}}}
    canned.post(f"{ORIGIN}/payments", status=400, payload=refusal)
    with pytest.raises(Refused, match=r"sumPaid.*The Invoice is already fully paid\."):
        await exchange(POST)


@pytest.mark.asyncio
async def test_a_write_goes_out_as_a_form(canned: aioresponses) -> None:
    canned.post(f"{ORIGIN}/payments", status=201, payload={"id": 1, "idn": 2})
    assert (await exchange(POST)).status == 201
    (call,) = canned.requests["POST", URL(f"{ORIGIN}/payments")]
    assert call.kwargs["data"] == b"invoice%5Bid%5D=45&sumPaid=12.50"
    assert call.kwargs["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


@pytest.mark.asyncio
async def test_every_call_says_who_we_are_and_follows_nowhere(canned: aioresponses) -> None:
    canned.get(f"{ORIGIN}/invoices/12", payload={"id": 7, "idn": 12})
    await exchange(GET)
    (call,) = canned.requests["GET", URL(f"{ORIGIN}/invoices/12")]
    assert call.kwargs["headers"]["X-AUTH-TOKEN"] == OURS.token
    assert call.kwargs["headers"]["email"] == OURS.email
    assert call.kwargs["headers"]["User-Agent"].startswith("precoro-daemon/")
    assert call.kwargs["allow_redirects"] is False


@pytest.mark.asyncio
async def test_a_redirect_elsewhere_never_gets_the_key(canned: aioresponses) -> None:
    canned.get(f"{ORIGIN}/invoices/12", status=302, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(MalformedAnswer, match=r"answered 302 to https://elsewhere\.example/"):
        await exchange(GET)
    assert list(canned.requests) == [("GET", URL(f"{ORIGIN}/invoices/12"))]


@pytest.mark.asyncio
async def test_a_web_page_is_no_answer_even_with_200(canned: aioresponses) -> None:
    canned.get(f"{ORIGIN}/invoices/12", body="<html>Scheduled maintenance</html>", content_type="text/html")
    with pytest.raises(MalformedAnswer, match="a web page came instead of data: one without a title"):
        await exchange(GET)


@pytest.mark.asyncio
async def test_what_an_answer_echoes_of_us_is_not_told(canned: aioresponses) -> None:
    canned.get(f"{ORIGIN}/invoices/12", status=400, payload={"token": OURS.token, "user": OURS.email.upper()})
    with pytest.raises(Refused) as told:
        await exchange(GET)
    assert OURS.token not in str(told.value)
    assert OURS.email not in str(told.value).lower()


@pytest.mark.asyncio
async def test_the_servers_own_time_comes_with_the_page(canned: aioresponses) -> None:
    date = "Tue, 16 Dec 2025 09:00:00 GMT"
    canned.get(FIRST_PAGE, payload=paged({"id": 7}, total=1, total_pages=1), headers={"Date": date})
    async with client() as precoro, precoro.scan(ListRequest(INVOICES), Lane.LISTS, 1) as batches:
        ((page,),) = [batch async for batch in batches]
    assert page.server_time == 1_765_875_600.0


ROW = {"id": 7, "idn": "12", "supplier": [], "legalEntity": "", "items": None}
HERE = {"count": 1, "per_page": 200, "current_page": 1}
SHAPES = {
    "older": paged(ROW, total=1, total_pages=1, links=[], **HERE),
    "newer": paged(ROW, has_next_page=False, **HERE),
    "numbers as strings": paged(ROW, total="1", total_pages="1"),
    "keyed by id": {"data": {"7": ROW}, "meta": {"pagination": HERE | {"has_next_page": False}}},
    "no paging": {"data": [ROW], "meta": []},
    "no meta": {"data": [ROW]},
}


@pytest.mark.asyncio
@pytest.mark.parametrize("answer", SHAPES.values(), ids=SHAPES)
async def test_shapes_of_a_list(canned: aioresponses, answer: Any) -> None:
    canned.get(FIRST_PAGE, payload=answer)
    async with client() as precoro, precoro.scan(ListRequest(INVOICES), Lane.LISTS, 1) as batches:
        ((page,),) = [batch async for batch in batches]
    assert [(record.id, record.idn) for record in page.records] == [(7, 12)]


@pytest.mark.asyncio
async def test_filters_go_out_in_the_words_of_the_api(canned: aioresponses) -> None:
    canned.get(f"{FIRST_PAGE}&status%5B%5D=2&status%5B%5D=4", payload=paged(total=0, total_pages=0))
    wanted = ListRequest(INVOICES, Filter(status=frozenset({2, 4})))
    async with client() as precoro, precoro.scan(wanted, Lane.LISTS, 1) as batches:
        ((page,),) = [batch async for batch in batches]
    assert page.total == 0


LIMITERS = [
    {"RateLimit-Type": "Route based limiter by minute", "RateLimit-Retry-After": "2025-12-16 09:00:49 UTC"},
    {"RateLimit-Type": "Hourly limiter", "RateLimit-Retry-After": "2025-12-16T09:00:49+00:00"},
    {"RateLimit-Type": "Daily limiter", "RateLimit-Retry-After": "whenever"},
    {"RateLimit-Type": "a new one"},
    {},
]


@pytest.mark.asyncio
@pytest.mark.parametrize("limiter", LIMITERS, ids=lambda limiter: limiter.get("RateLimit-Type", "none"))
@pytest.mark.parametrize("place", ["body", "headers"])
async def test_a_refusal_for_the_limits_names_its_limiter(
    canned: aioresponses, limiter: dict[str, str], place: str
) -> None:
    told = {"body": {"payload": {"error": "Too many requests"} | limiter}, "headers": {"headers": limiter}}[place]
    canned.get(f"{ORIGIN}/invoices/12", status=429, **told)
    with pytest.raises(RateLimited, match=r"answered 429") as refusal:
        await exchange(GET)
    assert refusal.value.wait == 0.0, "the budget knows until when"


@pytest.mark.asyncio
async def test_a_refused_call_is_repeated_when_its_window_opens(canned: aioresponses) -> None:
    date = {"Date": "Tue, 16 Dec 2025 09:00:00 GMT"}
    limiter = {"RateLimit-Type": "Route based limiter by minute", "RateLimit-Retry-After": "2025-12-16 09:00:49 UTC"}
    canned.get(f"{ORIGIN}/invoices/12", status=429, payload=limiter, headers=date)
    canned.get(f"{ORIGIN}/invoices/12", payload={"id": 7, "idn": 12}, headers=date)
    async with client() as precoro:
        assert (await precoro.detail(INVOICES, 12, Lane.DETAILS)).id == 7


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500}, id="500"),
        pytest.param({"status": 503, "headers": {"Retry-After": "1"}}, id="503"),
        pytest.param({"exception": aiohttp.ServerDisconnectedError()}, id="closed"),
        pytest.param({"exception": aiohttp.ClientPayloadError("cut")}, id="cut"),
        pytest.param({"exception": TimeoutError()}, id="late"),
        pytest.param({"body": '{"id": 7, "id'}, id="half a JSON"),
        pytest.param({"body": ""}, id="nothing"),
        pytest.param({"payload": {"id": 8, "idn": 13}}, id="another document"),
    ],
)
async def test_what_may_pass_is_tried_again(canned: aioresponses, fault: dict[str, Any]) -> None:
    canned.get(f"{ORIGIN}/invoices/12", **fault)
    canned.get(f"{ORIGIN}/invoices/12", payload={"id": 7, "idn": 12})
    async with client() as precoro:
        assert (await precoro.detail(INVOICES, 12, Lane.DETAILS)).id == 7


@pytest.mark.asyncio
async def test_what_stays_refused_is_not_tried_again(canned: aioresponses) -> None:
    calls: list[str] = []

    def refuse(url: URL, **_: Any) -> CallbackResult:
        calls.append(url.path)
        return CallbackResult(status=404, body=json.dumps({"code": 404, "message": "Not Found"}))

    canned.get(f"{ORIGIN}/invoices/12", callback=refuse, repeat=True)
    async with client() as precoro:
        with pytest.raises(NotFound):
            await precoro.detail(INVOICES, 12, Lane.DETAILS)
    assert calls == ["/invoices/12"]


@pytest.mark.asyncio
async def test_a_refused_key_ends_everything_at_once(canned: aioresponses) -> None:
    canned.get(f"{ORIGIN}/invoices/12", status=401, payload={"code": 401, "message": "Invalid credentials."})
    async with client() as precoro:
        for key in (12, 13):
            with pytest.raises(AuthenticationError, match="Invalid credentials"):
                await precoro.detail(INVOICES, key, Lane.DETAILS)
    assert list(canned.requests) == [("GET", URL(f"{ORIGIN}/invoices/12"))]


@pytest.mark.asyncio
async def test_where_nothing_answers_the_operator_is_told_what_to_check(canned: aioresponses) -> None:
    fault = aiohttp.ClientConnectionError("Cannot connect to host api.precoro.com")
    canned.get(f"{ORIGIN}/invoices/12", exception=fault, repeat=True)
    async with client() as precoro:
        with pytest.raises(Unreachable, match="Cannot connect to host"):
            await precoro.detail(INVOICES, 12, Lane.DETAILS)
