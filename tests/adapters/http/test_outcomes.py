"""Every call is told once, without ids, by what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from anyio.abc import SocketStream

from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.exchange import Request
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.outcomes import outcome_of, outcome_of_failure, route_of
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.errors import ConnectionFault, DaemonError, DoubtfulError, MalformedAnswer, TimedOut
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from tests.adapters.http.stand_ins import MemoryBook, RestoreGuard, hear_request, serving, talking
from tests.adapters.http.test_throttled import LIFTED, Bench, get, in_turn, refusing


@pytest.mark.parametrize(
    ("path", "route"),
    [
        *((one.path, one.path) for one in COLLECTIONS.values()),
        ("/invoices/4711", "/invoices/{id}"),
        ("/payments/1/cancel", "/payments/{id}"),
        ("/attachments/9", "/attachments/{id}"),
        ("/invoicesX/9", "other"),
        ("/", "other"),
        ("/secret-key-in-a-path", "other"),
    ],
)
def test_routes_have_no_ids(path: str, route: str) -> None:
    assert route_of(Request("GET", path, (("page", "3"),))) == route


def test_an_address_that_others_wrote_is_no_route() -> None:
    assert route_of(Request("GET", "/invoices/7", encoded="/invoices/7?signature=abc")) == "other"


def test_there_are_few_outcomes() -> None:
    known = {outcome_of(status) for status in range(100, 600)}
    assert known == {
        "1xx", "2xx", "3xx", "4xx", "5xx",
        "400", "401", "403", "404", "408", "409", "422", "429", "500", "502", "503", "504",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimedOut("late"), "timeout"),
        (ConnectionFault("reset"), "broken"),
        (MalformedAnswer("half"), "malformed"),
        (DoubtfulError("perhaps"), "doubtful"),
    ],
)
def test_failures_by_name(error: DaemonError, outcome: str) -> None:
    assert outcome_of_failure(error) == outcome


@pytest.mark.asyncio
async def test_answers_are_told_whatever_they_say() -> None:
    async with serving(in_turn(refusing("Daily limiter", **{"RateLimit-Retry-After": 1}))) as origin:
        bench = Bench(origin)
        async with bench.client(LIFTED) as client:
            with pytest.raises(DaemonError):
                await client.send(get(1))
            await client.send(get(2))
            async with client.open(Request("GET", "/attachments/9")):
                pass
    assert bench.restore_guard.answers == [
        ("GET", "/invoices", "429"),
        ("GET", "/invoices", "2xx"),
        ("GET", "/attachments/{id}", "2xx"),
    ]


async def silence(stream: SocketStream) -> None:
    await stream.receive()
    await stream.receive()


async def hang_up(stream: SocketStream) -> None:
    await hear_request(stream)


async def babble(stream: SocketStream) -> None:
    await hear_request(stream)
    await stream.send(b"220 smtp.example.org ESMTP\r\n")


async def _open(client: Throttled) -> None:
    async with client.open(get(1)):
        pass


@pytest.mark.asyncio
@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize(
    ("conversation", "outcome"), [(silence, "timeout"), (hang_up, "broken"), (babble, "malformed")]
)
async def test_no_answer_is_told_too(
    conversation: Callable[[SocketStream], Awaitable[None]], outcome: str, opened: bool
) -> None:
    restore_guard = RestoreGuard()
    async with talking(conversation) as origin:
        ours = Credentials(origin, "t0ken", "api@example.org")
        around = GateDependencies(MemoryBook(), Bench(origin).clock, restore_guard)
        timeouts = Timeouts(total=0.3, connect=0.3, read=0.3)
        async with HttpSession(ours, timeouts) as session, Throttled(session, ours, LIFTED, around) as client:
            with pytest.raises(DaemonError):
                await (_open(client) if opened else client.send(get(1)))
    assert restore_guard.answers == [("GET", "/invoices", outcome)]
