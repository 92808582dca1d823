"""One request to pay on real sockets: what leaves, over which connection, and what every answer means."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import anyio
import pytest
from aiohttp import web
from anyio.abc import SocketStream

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.session import HttpSession, Timeouts
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.payments import HttpPaymentGateway
from precoro_daemon.adapters.precoro.single_writes import SingleWrites
from precoro_daemon.errors import AuthenticationError, BudgetSpent, InvoiceUnfit, MalformedAnswer, NotFound
from precoro_daemon.payments.ports.gateway import PaymentRequest
from precoro_daemon.payments.rules.invoices import Payment
from precoro_daemon.quota.limits import Limits
from precoro_daemon.writes.outcome import Outcome
from tests.adapters.http.stand_ins import MemoryBook, RestoreGuard, credentials, serving, talking

pytestmark = pytest.mark.asyncio

LIFTED = Limits(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_per_minute=0, same_get_per_hour=0)
ORDER = PaymentRequest(45, Decimal("100.10"), date(2026, 1, 31), "our-name")
MADE = b'{"id": 7, "idn": "3", "sumPaid": "100.10", "invoice": {"id": "45"}, "externalId": "our-name"}'
QUICK = Timeouts(total=1.0, connect=1.0, read=1.0)


class Permits:
    """Called once for each request that may leave."""

    def __init__(self, takes: float = 0.0) -> None:
        self.bodies: list[str] = []
        self._takes = takes

    async def __call__(self, body: str) -> None:
        self.bodies.append(body)
        await anyio.sleep(self._takes)


@dataclass
class Opened:
    origin: str
    timeouts: Timeouts = QUICK
    limits: Limits = LIFTED
    book: MemoryBook = field(default_factory=MemoryBook)
    clock: RealClock = field(default_factory=RealClock)
    real_seconds: Callable[[], float] = time.monotonic

    @asynccontextmanager
    async def open(self) -> AsyncIterator[HttpPaymentGateway]:
        ours = credentials(self.origin)
        around = GateDependencies(self.book, self.clock, RestoreGuard())
        async with (
            HttpSession(ours, self.timeouts) as session,
            Throttled(session, ours, self.limits, around) as throttled,
        ):
            yield HttpPaymentGateway(
                Retrying(throttled, lambda: 0.0), SingleWrites(throttled, ours, self.clock, self.real_seconds)
            )


async def pay(
    origin: str, permit: Callable[[str], Awaitable[None]] | None = None, **given: object
) -> Outcome[Payment]:
    async with Opened(origin, **given).open() as gateway:
        return await gateway.create_payment(ORDER, permit or Permits())


def answering(status: int, body: bytes, kind: str = "application/json", **headers: str) -> Callable[..., object]:
    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(status=status, body=body, content_type=kind, headers=headers)

    return handler


async def test_what_leaves_is_one_form_on_a_connection_of_its_own() -> None:
    seen: list[tuple[object, bytes]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        assert request.transport is not None
        seen.append((request.transport.get_extra_info("peername"), await request.read()))
        return web.Response(body=MADE, content_type="application/json", status=201)

    permits = Permits()
    async with serving(handler) as origin, Opened(origin).open() as gateway:
        for _ in range(3):
            outcome = await gateway.create_payment(ORDER, permits)
    assert (outcome.kind, outcome.result and outcome.result.id) == ("accepted", 7)
    body = b"invoice%5Bid%5D=45&sumPaid=100.10&payDate=2026-01-31T00%3A00%3A00&logicType=0&externalId=our-name"
    assert [sent for _, sent in seen] == [body] * 3
    assert len({peer for peer, _ in seen}) == 3, "a kept connection may be dead, and nobody would know"
    assert len(permits.bodies) == 3
    assert len(set(permits.bodies)) == 1


ERRORS = b'{"code": 400, "message": "Validation Failed", "errors": {"errors": {"%s": ["%s"]}}}'


@pytest.mark.parametrize(
    ("status", "body", "kind", "outcome"),
    [
        (201, MADE, "application/json", "accepted"),
        (200, b'{"data": {"id": 7}}', "application/json", "accepted"),
        (201, b'{"id": 7, "invoice": {"id": 46}}', "application/json", "unknown"),
        (201, b"{}", "application/json", "unknown"),
        (201, b"", "application/json", "unknown"),
        (201, b'{"id": null}', "application/json", "unknown"),
        (200, b"<html>Thank you</html>", "text/html", "unknown"),
        (302, b"", "text/html", "unknown"),
        (400, ERRORS % (b"payDate", b"This value is not valid."), "application/json", "refused"),
        (422, ERRORS % (b"invoice", b"This document cannot be paid."), "application/json", "refused"),
        (400, ERRORS % (b"sumPaid", b"The Invoice is already fully paid."), "application/json", "unknown"),
        (400, ERRORS % (b"sumPaid", b"The amount must not exceed 5"), "application/json", "unknown"),
        (400, b'{"code": 400}', "application/json", "unknown"),
        (400, b"<html>Bad Request</html>", "text/html", "unknown"),
        (404, b'{"code": 404, "message": "Not Found"}', "application/json", "unknown"),
        (408, b"", "text/html", "unknown"),
        (500, b"{}", "application/json", "unknown"),
        (502, b"<html>", "text/html", "unknown"),
        (429, b'{"error": "Too many", "RateLimit-Type": "Daily limiter"}', "application/json", "unsent"),
        (429, b"<html>slow down</html>", "text/html", "unknown"),
    ],
)
async def test_what_an_answer_means(status: int, body: bytes, kind: str, outcome: str) -> None:
    calls = 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal calls
        calls += 1
        return await answering(status, body, kind, **({"Location": "/payments"} if status == 302 else {}))(request)

    async with serving(handler) as origin:
        said = await pay(origin)
    assert (said.kind, calls) == (outcome, 1)
    assert said.ended is None


async def test_a_refused_key_is_unknown_and_ends_everything_else() -> None:
    async with serving(answering(401, b'{"code": 401}')) as origin:
        said = await pay(origin)
    assert said.kind == "unknown"
    assert isinstance(said.ended, AuthenticationError)


async def _say(answer: bytes, stream: SocketStream) -> None:
    await stream.receive()
    if answer:
        await stream.send(answer)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{", b"nonsense\r\n\r\n", b"HTTP/1.1 2"]
)
async def test_an_answer_that_does_not_come_whole_is_unknown_and_not_repeated(answer: bytes) -> None:
    calls = 0

    async def conversation(stream: SocketStream) -> None:
        nonlocal calls
        calls += 1
        await _say(answer, stream)

    async with talking(conversation) as origin:
        said = await pay(origin)
    assert (said.kind, calls) == ("unknown", 1)


async def test_silence_is_unknown_after_the_deadline() -> None:
    calls = 0

    async def conversation(stream: SocketStream) -> None:
        nonlocal calls
        calls += 1
        await anyio.sleep_forever()

    began = time.monotonic()
    async with talking(conversation) as origin:
        said = await pay(origin)
        assert (said.kind, calls) == ("unknown", 1)
    assert time.monotonic() - began < 15


async def test_no_connection_is_unsent() -> None:
    async with serving(answering(201, MADE)) as origin:
        gone = origin
    said = await pay(gone)
    assert said.kind == "unsent"


async def test_nothing_leaves_later_than_five_seconds_after_the_permit() -> None:
    """The clock runs a thousand times faster, so that a connection takes more than five of its seconds."""
    calls = 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(body=MADE, content_type="application/json", status=201)

    async with serving(handler) as origin:
        said = await pay(origin, clock=RealClock(1_000_000.0))
    assert (said.kind, calls) == ("unsent", 0)
    assert "too long" in said.text


async def test_nothing_leaves_by_a_permit_that_took_more_than_five_real_seconds() -> None:
    """Such as one of a process that stood still meanwhile: its company may be another worker's."""
    clock = iter((100.0, 105.1))
    calls = 0

    async def handler(_: web.BaseRequest) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(body=MADE, content_type="application/json", status=201)

    async with serving(handler) as origin, Opened(origin, real_seconds=lambda: next(clock)).open() as gateway:
        said = await gateway.create_payment(ORDER, Permits())
    assert (said.kind, calls) == ("unsent", 0)
    assert "too long" in said.text


async def test_a_slow_permit_costs_a_rehearsal_nothing_of_its_five_seconds() -> None:
    async with serving(answering(201, MADE)) as origin:
        said = await pay(origin, Permits(takes=0.3), clock=RealClock(20.0))
    assert said.kind == "accepted"


async def test_a_permit_that_fails_lets_nothing_leave() -> None:
    calls = 0

    async def handler(request: web.BaseRequest) -> web.Response:
        nonlocal calls
        calls += 1
        return web.Response(status=201)

    async def refuse(body: str) -> None:
        raise NotFound("no")

    book = MemoryBook()
    async with serving(handler) as origin, Opened(origin, book=book, limits=Limits(per_day=10)).open() as gateway:
        with pytest.raises(NotFound):
            await gateway.create_payment(ORDER, refuse)
    assert calls == 0
    assert book.calls == [], "what never left is not charged"


async def test_the_permit_is_asked_only_when_the_call_may_leave() -> None:
    permits = Permits()
    async with serving(answering(201, MADE)) as origin, Opened(origin, limits=Limits(per_day=1)).open() as gateway:
        await gateway.create_payment(ORDER, permits)
        with pytest.raises(BudgetSpent):
            await gateway.create_payment(ORDER, permits)
    assert len(permits.bodies) == 1


INVOICE = (
    b'{"id": "45", "idn": "12", "status": 4, "sum": "100.10", "sumPaid": 50, "currency": "eur", "supplier": [], '
    b'"invoiceNumber": 2026, "externalId": null, "logicType": "0", "payments": %s}'
)


@pytest.mark.parametrize(
    ("payments", "found"),
    [
        (b"[]", []),
        (b'""', []),
        (b"null", []),
        (b'{"data": []}', []),
        (b'{"data": [{"id": 1, "sumPaid": 50.10, "status": 5}]}', [(1, Decimal("50.10"), False)]),
        (b'{"data": {"1": {"id": "1", "sumPaid": "50.1", "status": {"id": 8}}}}', [(1, Decimal("50.1"), True)]),
        (b'[{"id": 1, "sumPaid": null}]', [(1, None, False)]),
    ],
)
async def test_an_invoice_is_read_in_every_loose_shape(payments: bytes, found: list[object]) -> None:
    async with serving(answering(200, INVOICE % payments)) as origin, Opened(origin).open() as gateway:
        fresh = await gateway.read_invoice(12)
    invoice = fresh.invoice
    assert (invoice.id, invoice.idn, invoice.number, invoice.currency) == (45, 12, "2026", "EUR")
    assert invoice.remainder == Decimal("50.10")
    assert invoice.payments is not None
    assert [(one.id, one.amount, one.canceled) for one in invoice.payments] == found
    assert fresh.server_time is not None


async def test_another_invoice_is_no_answer() -> None:
    async with serving(answering(200, INVOICE % b"[]")) as origin, Opened(origin).open() as gateway:
        with pytest.raises(MalformedAnswer, match="another one"), anyio.fail_after(60):
            await gateway.read_invoice(13)


async def test_an_invoice_that_cannot_be_read_is_asked_for_once() -> None:
    """It says the same however often it is asked for, and each question is a call of the day."""
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(request.path)
        return web.Response(body=INVOICE % b'[{"sumPaid": "1.00"}]', content_type="application/json")

    async with serving(handler) as origin, Opened(origin).open() as gateway:
        with pytest.raises(InvoiceUnfit, match="a payment has no usable id") as unfit:
            await gateway.read_invoice(12)
    assert asked == ["/invoices/12"]
    assert '"sumPaid": "1.00"' in unfit.value.raw


async def test_names_and_reasons_are_set_by_patch() -> None:
    seen: list[tuple[str, str, str]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append((request.method, request.path, (await request.read()).decode()))
        return web.json_response({})

    async with serving(handler) as origin, Opened(origin).open() as gateway:
        await gateway.name_payment(3, "our name")
        await gateway.log_invoice(12, "no such account")
    assert seen == [
        ("PATCH", "/payments/3", "externalId=our+name"),
        ("PATCH", "/invoices/12", "externalIntegrationLog=no+such+account"),
    ]


async def test_payments_are_found_by_their_names_and_a_filter_that_is_ignored_does_no_harm() -> None:
    asked: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        asked.append(request.path_qs)
        body = (
            b'{"data": [{"id": 1, "externalId": "a", "sumPaid": 1.10}, {"id": 2, "externalId": 17}, {"id": null}, 5]}'
        )
        return web.Response(body=body, content_type="application/json")

    async with serving(handler) as origin, Opened(origin).open() as gateway:
        found = await gateway.find_payments({"a", "b"})
        assert [(one.id, one.amount) for one in found] == [(1, Decimal("1.10"))]
        assert [one.id for one in await gateway.find_payments({"17"})] == [2]
    assert asked[0] == "/payments?external_id%5B%5D=a&external_id%5B%5D=b&page=1&per_page=200"
