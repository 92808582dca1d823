"""Tries of one call through the whole stack: retrying(throttled(session))."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Answer, Request
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.errors import DoubtfulError, MalformedAnswer, NotFound, ServerFault, Stopped, WebPage
from precoro_daemon.quota.limits import Limits
from tests.adapters.http.stand_ins import MemoryBook, RestoreGuard, credentials, serving

LIFTED = Limits(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_per_minute=0, same_get_per_hour=0)
GET = Request("GET", "/invoices")
POST = Request("POST", "/payments")
SCALE = 500.0
PAGE = 299
"""Stands for a web page with status 200."""


class Script:
    """Answers with these statuses in turn, then 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = iter(statuses)
        self.calls = 0
        self.busy = anyio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.Response:
        self.calls += 1
        if self.calls == 11:
            self.busy.set()
        status = next(self.statuses, 200)
        if status == PAGE:
            return web.Response(text="<title>Hotel &amp; WiFi</title>", content_type="text/html")
        return web.json_response({"call": self.calls}, status=status)


@asynccontextmanager
async def client(script: Script, scale: float = SCALE) -> AsyncIterator[Retrying]:
    async with serving(script) as origin:
        ours = credentials(origin)
        around = GateDependencies(MemoryBook(), RealClock(scale), RestoreGuard())
        async with HttpSession(ours, Timeouts()) as session, Throttled(session, ours, LIFTED, around) as throttled:
            yield Retrying(throttled, jitter=lambda: 1.0)


@pytest.mark.asyncio
async def test_a_web_page_before_any_good_answer_is_not_asked_for_again() -> None:
    """A hotel's login page stays for hours; one between good answers passes."""
    script = Script(PAGE, 200, PAGE, 200)
    async with client(script) as retrying:
        with pytest.raises(WebPage, match="a web page came instead of data: Hotel & WiFi; a login page"):
            await retrying.send(GET, body)
        assert script.calls == 1
        await retrying.send(GET, body)
        await retrying.send(GET, body)
    assert script.calls == 4


def body(answer: Answer) -> bytes:
    return answer.body


@contextmanager
def logged() -> Iterator[list[tuple[str, float | None]]]:
    events: list[tuple[str, float | None]] = []
    with capture_logs() as logs:
        yield events
    events.extend((entry["event"], entry.get("wait")) for entry in logs)


@pytest.mark.asyncio
async def test_a_fault_is_retried_and_told():
    script = Script(503, 500)
    with logged() as events:
        async with client(script) as retrying:
            assert await retrying.send(GET, body) == b'{"call": 3}'
    assert events == [("call_retried", 1.0), ("call_retried", 2.0)]


@pytest.mark.asyncio
async def test_the_fifth_fault_is_the_last():
    script = Script(*[503] * 9)
    async with client(script) as retrying:
        with pytest.raises(ServerFault):
            await retrying.send(GET, body)
    assert script.calls == 5


@pytest.mark.asyncio
async def test_a_permanent_failure_is_not_retried():
    script = Script(404)
    async with client(script) as retrying:
        with pytest.raises(NotFound):
            await retrying.send(GET, body)
    assert script.calls == 1


@pytest.mark.asyncio
async def test_refusals_do_not_use_up_the_tries():
    script = Script(503, 429, 429, 503, 429, 503, 429, 503)
    with logged() as events:
        async with client(script) as retrying:
            assert await retrying.send(GET, body) == b'{"call": 9}'
    assert [event for event, _ in events].count("call_retried") == 4
    assert [event for event, _ in events].count("call_refused") == 4


@pytest.mark.asyncio
async def test_an_answer_that_cannot_be_read_is_asked_for_again():
    def read(answer: Answer) -> bytes:
        if answer.body == b'{"call": 1}':
            raise MalformedAnswer("half a JSON")
        return answer.body

    script = Script()
    async with client(script) as retrying:
        assert await retrying.send(GET, read) == b'{"call": 2}'


@pytest.mark.asyncio
async def test_a_post_in_doubt_is_never_sent_twice():
    def unreadable(answer: Answer) -> bytes:
        raise MalformedAnswer("half a JSON")

    script = Script(500)
    async with client(script) as retrying:
        with pytest.raises(DoubtfulError):
            await retrying.send(POST, body)
        assert script.calls == 1
        with pytest.raises(DoubtfulError):
            await retrying.send(POST, unreadable)
    assert script.calls == 2


@pytest.mark.asyncio
async def test_a_sleeping_retry_holds_no_slot():
    script = Script(200, *[503] * 10)
    async with client(script, scale=1.0) as retrying, anyio.create_task_group() as tasks:
        await retrying.send(GET, body)
        for _ in range(10):
            tasks.start_soon(retrying.send, GET, body)
        with anyio.fail_after(60):
            await script.busy.wait()
            assert await retrying.send(Request("GET", "/other"), body) == b'{"call": 12}'
        tasks.cancel_scope.cancel()


@pytest.mark.asyncio
async def test_stop_lets_calls_in_flight_finish_and_wakes_sleeping_retries():
    answer = anyio.Event()
    outcomes: dict[str, object] = {}

    async def handler(request: web.BaseRequest) -> web.Response:
        if request.path == "/fault":
            return web.json_response({}, status=503, headers={"Retry-After": "50"})
        if request.path == "/slow":
            await answer.wait()
        return web.json_response({})

    async with serving(handler) as origin:
        ours = credentials(origin)
        around = GateDependencies(MemoryBook(), RealClock(), RestoreGuard())
        paced = Limits(per_minute=2, per_second=20)
        async with HttpSession(ours, Timeouts()) as session, Throttled(session, ours, paced, around) as throttled:
            retrying = Retrying(throttled)

            async def ask(path: str) -> None:
                try:
                    outcomes[path] = await retrying.send(Request("GET", path), body)
                except Stopped as stopped:
                    outcomes[path] = type(stopped)

            with anyio.fail_after(60):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(ask, "/fault")
                    await anyio.sleep(0.2)
                    tasks.start_soon(ask, "/slow")
                    await anyio.sleep(0.2)
                    tasks.start_soon(ask, "/waits for its minute")
                    await anyio.sleep(0.2)
                    throttled.stop()
                    await anyio.sleep(0.1)
                    assert sorted(outcomes) == ["/fault", "/waits for its minute"]
                    answer.set()
                await ask("/too late")
    assert outcomes.pop("/slow") == b"{}"
    assert set(outcomes.values()) == {Stopped}
