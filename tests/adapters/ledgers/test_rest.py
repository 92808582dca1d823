"""The rest ledger: what each answer means, what leaves, and that no secret goes elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import pytest
from aiohttp import web
from anyio.abc import SocketStream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from precoro_daemon.adapters.http.origin import Outgoing
from precoro_daemon.adapters.ledgers.client import LedgerClient
from precoro_daemon.adapters.ledgers.positions import reach_back
from precoro_daemon.errors import DaemonError, DoubtfulError, LedgerMisfit, PermanentError, TemporaryError
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.payments.rules.receipts import Receipt
from tests.adapters.http.stand_ins import serving, talking
from tests.contracts.ledgers.accounting import TOKEN, Rpc, drop, reply
from tests.contracts.ledgers.books import entry, permitted, read_all
from tests.contracts.ledgers.configured import RPC, ledger_in, with_small_pages, write_secret

pytestmark = pytest.mark.asyncio

PLAIN = """
headers = { Authorization = "Bearer {token}" }
values = { account = "bank" }
error = "failure"
[ledger.rest.read]
path = "/list?since={position}&page={page}&size={size}"
rows = "rows"
paging = "page"
size = 3
[ledger.rest.read.fields]
key = "id"
invoice = "invoice"
amount = "amount"
paid_on = "day"
position = "at"
[[ledger.rest.prepare]]
path = "/bill/{invoice_external_id}"
take = { vendor = "vendor.id" }
[ledger.rest.create]
method = "POST"
path = "/pay"
body = '{"sum": "{amount}", "vendor": "{vendor}", "from": "{account}", "for": "{invoice_number}", "key": "{key}"}'
id = "id"
[ledger.rest.find]
path = "/find?key={key}"
rows = "rows"
id = "id"
match = "key"
"""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def ledger_at(origin: str, directory: Path, config: str = PLAIN, timeout: str = "2s") -> AsyncIterator[Ledger]:
    token = write_secret(directory)
    text = f'[ledger]\nkind = "rest"\nname = "books"\n[ledger.rest]\nbase_url = "{origin}"\ntimeout = "{timeout}"\n'
    async with ledger_in(directory, f'{text}token_file = "{token}"\n{config}') as ledger:
        yield ledger


@dataclass
class Scripted:
    """Answers the payment as told, everything else well."""

    pay: Handler
    bodies: list[bytes] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    found: Any = field(default_factory=lambda: {"rows": []})

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/pay":
            self.bodies.append(await request.read())
            return await self.pay(request)
        if request.path.startswith("/bill/"):
            return reply({"vendor": {"id": "v-7"}})
        return reply(self.found if request.path == "/find" else {"rows": self.rows})


def answering(body: Any, status: int = 200, **headers: str) -> Handler:
    async def handler(_: web.BaseRequest) -> web.Response:
        if isinstance(body, str):
            return web.Response(text=body, status=status, content_type="text/html", headers=headers)
        return web.Response(text=json.dumps(body), status=status, content_type="application/json", headers=headers)

    return handler


async def hang(_: web.BaseRequest) -> web.StreamResponse:
    await anyio.sleep(30)
    return web.Response()


async def outcome(pay: Handler, directory: Path, timeout: str = "2s") -> str | DaemonError:
    async with serving(Scripted(pay).serve) as origin, ledger_at(origin, directory, timeout=timeout) as ledger:
        try:
            return await ledger.create(entry(), permitted)
        except DaemonError as error:
            return error


@pytest.mark.parametrize(
    ("pay", "kind"),
    [
        (answering({"id": 7}), Receipt),
        (answering({"id": "p-7"}, 201), Receipt),
        (answering({"failure": "bill is paid"}), PermanentError),
        (answering({"message": "no such account"}, 400), PermanentError),
        (answering({"message": "unknown"}, 404), PermanentError),
        (answering({"message": "too much"}, 422), PermanentError),
        (answering({"message": "not yours"}, 403), LedgerMisfit),
        (answering({"message": "token expired"}, 401), TemporaryError),
        (answering({"message": "slower"}, 429), TemporaryError),
        (answering({"message": "too early"}, 425), TemporaryError),
        (answering({"message": "exists"}, 409), DoubtfulError),
        (answering({"message": "slow"}, 408), DoubtfulError),
        (answering("<html>Bad request</html>", 400), DoubtfulError),
        (answering("<html>Denied by proxy</html>", 403), DoubtfulError),
        (answering({"message": "oops"}, 500), DoubtfulError),
        (answering("<html>Bad gateway</html>", 502), DoubtfulError),
        (answering({"message": "later"}, 503), DoubtfulError),
        (answering({}, 302, Location="/elsewhere"), DoubtfulError),
        (answering("<html>Welcome</html>"), DoubtfulError),
        (answering({}), DoubtfulError),
        (answering({"id": None}), DoubtfulError),
        (answering({"id": True}), DoubtfulError),
        (answering([]), DoubtfulError),
        (drop, DoubtfulError),
        (hang, DoubtfulError),
    ],
)
async def test_what_an_answer_to_a_payment_means(tmp_path: Path, pay: Handler, kind: type):
    assert type(await outcome(pay, tmp_path, "1s" if pay is hang else "2s")) is kind


async def test_how_long_to_wait_is_taken_over(tmp_path: Path):
    refusal = await outcome(answering({}, 429, **{"Retry-After": "17"}), tmp_path)
    assert isinstance(refusal, TemporaryError)
    assert refusal.wait is not None
    assert 17 <= refusal.wait <= 18


async def test_a_payment_is_sent_once_whatever_happens(tmp_path: Path):
    for pay in (drop, answering({}, 503), answering({}, 307, Location="/pay")):
        books = Scripted(pay)
        async with serving(books.serve) as origin, ledger_at(origin, tmp_path) as ledger:
            with pytest.raises(DoubtfulError):
                await ledger.create(entry(), permitted)
        assert len(books.bodies) == 1


@dataclass
class SlowSteps:
    """Implements `Bearer`: its token takes that many seconds, and so does its permit."""

    token_s: float
    permit_s: float
    elapsed: float = 0.0

    async def token(self) -> str:
        self.elapsed += self.token_s
        return TOKEN

    async def renew(self, refused: str) -> None: ...

    async def permit(self, _: str) -> None:
        self.elapsed += self.permit_s


@pytest.mark.parametrize("permit_s", [4.0, 6.0])
async def test_a_payment_that_cannot_leave_within_five_seconds_does_not_leave(permit_s: float):
    """It may have been forbidden since, or another worker serves the company. What comes before the permit may take
    as long as it takes."""
    books, steps = Scripted(answering({"id": 7})), SlowSteps(60.0, permit_s)
    async with (
        serving(books.serve) as origin,
        LedgerClient("books", origin, steps, elapsed=lambda: steps.elapsed) as client,
    ):
        pay = Outgoing("POST", "/pay", body=b"{}")
        if permit_s > 5:
            with pytest.raises(TemporaryError, match="nothing was sent"):
                await client.send_payment("create", pay, steps.permit)
        else:
            assert await client.send_payment("create", pay, steps.permit) == {"id": 7}
    assert len(books.bodies) == (permit_s < 5)


@pytest.mark.parametrize("heard", [b"HTTP/1.1 2", b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"id": 7}', b""])
async def test_half_an_answer_is_a_doubt(tmp_path: Path, heard: bytes):
    async def conversation(stream: SocketStream) -> None:
        request = await stream.receive()
        if b"/bill/" in request:
            body = b'{"vendor": {"id": "v"}}'
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            await stream.send(head + body)
        elif heard:
            await stream.send(heard)

    async with talking(conversation) as origin, ledger_at(origin, tmp_path) as ledger:
        with pytest.raises(DoubtfulError):
            await ledger.create(entry(), permitted)


async def test_what_leaves_is_the_template_filled(tmp_path: Path):
    books = Scripted(answering({"id": 7}))
    async with serving(books.serve) as origin, ledger_at(origin, tmp_path) as ledger:
        await ledger.create(entry(amount="100000000000000.010"), permitted)
    body = json.loads(books.bodies[0], parse_float=Decimal)
    assert body == {
        "sum": Decimal("100000000000000.010"), "vendor": "v-7", "from": "bank", "for": "INV-2026/7 'ü'",
        "key": entry().key,
    }  # fmt: skip
    assert b'"sum":100000000000000.010,' in books.bodies[0]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.decimals("0.001", 10**15, places=3))
async def test_every_digit_leaves_and_arrives(tmp_path: Path, amount: Decimal):
    system = Rpc()
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, RPC) as ledger:
        await ledger.create(entry(amount=f"{amount:f}"), permitted)
        (payment,) = system.payments.values()
        (read,) = (await read_all(ledger)).payments
    assert payment.amount.as_tuple() == read.amount.as_tuple() == amount.as_tuple()


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"rows": [{"id": 1, "key": "other"}]}, LedgerMisfit),
        ({"rows": [{"id": 1, "key": entry().key}, {"id": 2, "key": entry().key}]}, PermanentError),
        ({"rows": "none"}, TemporaryError),
        ({}, TemporaryError),
        ({"failure": "broken"}, TemporaryError),
        ({"rows": [{"key": entry().key}]}, PermanentError),
        ({"rows": [{"id": None, "key": entry().key}]}, PermanentError),
    ],
)
async def test_a_look_up_that_proves_nothing_is_no_absence(tmp_path: Path, found: object, told: type[Exception]):
    books = Scripted(answering({}), found=found)
    async with serving(books.serve) as origin, ledger_at(origin, tmp_path) as ledger:
        with pytest.raises(told):
            await ledger.find(entry().key)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, LedgerMisfit), (403, LedgerMisfit), (404, LedgerMisfit), (401, TemporaryError), (429, TemporaryError),
     (500, TemporaryError), (503, TemporaryError), (302, TemporaryError)],
)  # fmt: skip
async def test_what_an_answer_to_a_question_means(tmp_path: Path, status: int, kind: type[Exception]):
    async with serving(answering({"message": "no"}, status)) as origin, ledger_at(origin, tmp_path) as ledger:
        for ask in (ledger.find("k"), read_all(ledger)):
            with pytest.raises(kind):
                await ask
        with pytest.raises(PermanentError if status in (400, 404) else kind):
            await ledger.create(entry(), permitted)


async def test_nonsense_is_no_empty_list(tmp_path: Path):
    for body in ("<html></html>", "", '{"rows": ', "null", "[]", '{"rows": NaN}'):
        async with serving(answering(body)) as origin, ledger_at(origin, tmp_path) as ledger:
            with pytest.raises(TemporaryError):
                await read_all(ledger)


async def test_rows_that_cannot_be_read_are_shown_beside_those_that_can(tmp_path: Path):
    good = {"id": 1, "invoice": "i", "amount": 1, "day": "2026-01-31", "at": "2026-01-31T00:00:00"}
    bad = [good | {"amount": "much"}, good | {"day": None}, {"invoice": "i"}, "row", good | {"invoice": ["x"]}]
    books = Scripted(answering({}))
    books.rows = [*bad[:2], good]
    async with (
        serving(books.serve) as origin,
        ledger_at(origin, tmp_path, PLAIN.replace("size = 3", "size = 9")) as ledger,
    ):
        found = await read_all(ledger)
        assert [payment.key for payment in found.payments] == ["1"]
        books.rows = bad
        reasons = [one.reason for one in (await read_all(ledger)).unreadable]
    assert [reason.partition(":")[0] for reason in reasons] == [
        "amount", "paid_on", "nothing to name it by at id", "the row is no JSON object", "invoice",
    ]  # fmt: skip


async def test_a_token_is_read_again_before_every_call(tmp_path: Path):
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers["Authorization"])
        return reply({"rows": []})

    async with serving(handler) as origin, ledger_at(origin, tmp_path) as ledger:
        await ledger.find("k")
        await anyio.to_thread.run_sync(write_secret, tmp_path, "another")
        await ledger.find("k")
        await anyio.Path(tmp_path / "token").chmod(0o644)
        with pytest.raises(TemporaryError, match="everyone on this machine can read the file"):
            await ledger.find("k")
    assert seen == [f"Bearer {TOKEN}", "Bearer another"]


async def test_what_the_ledger_says_back_shows_no_token(tmp_path: Path):
    async def echo(request: web.BaseRequest) -> web.Response:
        return web.json_response({"you sent": request.headers["Authorization"]}, status=400)

    async with serving(echo) as origin, ledger_at(origin, tmp_path) as ledger:
        told: list[str] = []
        for ask in (ledger.find("k"), ledger.create(entry(), permitted), read_all(ledger)):
            try:
                await ask
            except DaemonError as error:
                told.append(f"{error!r} {error} {error.__cause__!r} {error.__context__!r}")
    assert len(told) == 3
    assert not [text for text in told if TOKEN in text]
    assert "[redacted]" in told[0]


async def test_links_are_followed_at_home(tmp_path: Path):
    pages = {"/list?since=1970-01-01T00%3A00%3A00&page=1&size=3": "/list?p=2", "/list?p=2": None}
    row = {"invoice": "i", "amount": "1", "day": "2026-01-31"}

    async def handler(request: web.BaseRequest) -> web.Response:
        number = len(seen)
        seen.append(request.raw_path)
        following = pages[request.raw_path]
        return reply({"rows": [row | {"id": number, "at": f"2026-01-31T00:0{number}:00"}], "next": following})

    seen: list[str] = []
    config = PLAIN.replace('paging = "page"', 'paging = "link"\nnext = "next"')
    async with serving(handler) as origin, ledger_at(origin, tmp_path, config) as ledger:
        assert [payment.key for payment in (await read_all(ledger)).payments] == ["0", "1"]
    assert seen == list(pages)


async def test_a_page_that_names_itself_ends_with_an_error(tmp_path: Path):
    async def handler(_: web.BaseRequest) -> web.Response:
        return reply({"rows": [], "next": "again"})

    config = PLAIN.replace('paging = "page"', 'paging = "cursor"\nnext = "next"')
    async with serving(handler) as origin, ledger_at(origin, tmp_path, config) as ledger:
        with pytest.raises(LedgerMisfit, match="names itself"):
            await read_all(ledger)


async def test_rows_that_move_between_pages_are_not_lost(tmp_path: Path):
    """A payment of the first page is edited while the pages are read: all others move up by one."""
    system = Rpc()
    for number in range(9):
        system.add("901", Decimal(number + 1), "EUR", "2026-01-31")
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, with_small_pages(RPC)) as ledger:
        amounts: set[Decimal] = set()
        async with ledger.recorded(None) as batches:
            async for batch in batches:
                amounts |= {payment.amount for payment in batch.payments}
                if len(system.requests) == 1:
                    system.change(1, Decimal(100))
    assert amounts >= {Decimal(number + 1) for number in range(1, 9)} | {Decimal(100)}


async def test_many_rows_of_one_moment_are_all_read(tmp_path: Path):
    system = Rpc()
    for number in range(14):
        system.add("901", Decimal(number), "EUR", "2026-01-31")
    moment = system.tick()
    for payment in system.payments.values():
        payment.updated = moment
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, with_small_pages(RPC)) as ledger:
        assert len((await read_all(ledger)).amounts) == 14


async def test_a_payment_that_was_undone_comes_as_a_payment_of_nothing(tmp_path: Path):
    system = Rpc()
    system.add("901", Decimal(5), "EUR", "2026-01-31").status = "canceled"
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, RPC) as ledger:
        assert (await read_all(ledger)).amounts == {"1": Decimal(0)}


async def undone_in(ledger: Ledger) -> list[tuple[str, list[str]]]:
    async with ledger.recorded(None) as batches:
        return [(one.key, list(one.kept)) async for batch in batches for one in batch.undone]


async def test_an_rpc_payment_that_was_cancelled_and_lost_its_bill_is_undone(tmp_path: Path):
    system = Rpc()
    system.add("901", Decimal(5), "EUR", "2026-01-31").status = "canceled"
    shape = system.shape
    system.shape = lambda payment: shape(payment) | {"reconciled_bill_ids": []}  # type: ignore[method-assign]
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, RPC) as ledger:
        assert await undone_in(ledger) == [("1", [])]
        assert (await read_all(ledger)).unreadable == []


@pytest.mark.parametrize(("bill", "told"), [("404", "posted journal entries"), ("INV-1", "a whole number is wanted")])
async def test_what_the_vendor_refuses_is_told_in_its_words(tmp_path: Path, bill: str, told: str):
    system = Rpc()
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, RPC) as ledger:
        with pytest.raises(PermanentError, match=told):
            await ledger.create(entry(invoice_external_id=bill), permitted)
    assert system.payments == {}


async def test_a_wrong_key_for_rpc_is_told_although_the_status_is_200(tmp_path: Path):
    system = Rpc()
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, RPC) as ledger:
        await anyio.to_thread.run_sync(write_secret, tmp_path, "wr0ng")
        for ask in (ledger.find("k"), read_all(ledger)):
            with pytest.raises(TemporaryError, match="Access Denied"):
                await ask
        with pytest.raises(PermanentError, match="Access Denied"):
            await ledger.create(entry(), permitted)


async def test_one_rpc_payment_of_two_bills_is_put_aside(tmp_path: Path):
    system = Rpc()
    system.add("901", Decimal(5), "EUR", "2026-01-31")
    shape = system.shape
    system.shape = lambda payment: shape(payment) | {"reconciled_bill_ids": [1, 2]}  # type: ignore[method-assign]
    async with serving(system.serve) as origin, ledger_at(origin, tmp_path, RPC) as ledger:
        (bad,) = (await read_all(ledger)).unreadable
    assert bad.key == "1"
    assert "a list of 2, where one is wanted" in bad.reason


@pytest.mark.parametrize(
    ("position", "seconds", "earlier"),
    [
        ("2026-01-01T00:00:30", 60, "2025-12-31T23:59:30"),
        ("2026-01-01 00:00:30", 60, "2025-12-31 23:59:30"),
        ("2026-01-01T00:00:30Z", 60, "2025-12-31T23:59:30Z"),
        ("2026-01-01T00:00:30-08:00", 60, "2025-12-31T23:59:30-08:00"),
        ("4711", 60, "4651"),
        ("17", 60, "0"),
        ("a-17", 60, "a-17"),
        ("2026-01-01", 60, "2026-01-01"),
        ("0001-01-01T00:00:00", 60, "0001-01-01T00:00:00"),
        ("2026-01-01T00:00:30", 0, "2026-01-01T00:00:30"),
    ],
)
async def test_reaching_back_keeps_the_form(position: str, seconds: float, earlier: str):
    assert reach_back(position, seconds) == earlier


RECORDED = """
[ledger.rest.create.recorded]
amount = "sum"
currency = "in.code"
paid_on = "day"
invoice = "bill"
"""


async def paid(answer: Any, tmp_path: Path, status: int = 200) -> Receipt:
    books = Scripted(answering(answer, status))
    config = PLAIN.replace('error = "failure"\n', 'error = "failure"\nmessage = ["failure.words", "message"]\n')
    async with (
        serving(books.serve) as origin,
        ledger_at(origin, tmp_path, config + RECORDED) as ledger,
    ):
        return await ledger.create(entry(), permitted)


async def test_what_was_recorded_comes_back(tmp_path: Path):
    answer = {"id": 7, "sum": 12.5, "in": {"code": "usd"}, "day": "2026-01-31", "bill": 901}
    receipt = await paid(answer, tmp_path)
    assert receipt == Receipt("7", Decimal("12.5"), "USD", date(2026, 1, 31), "901")


@pytest.mark.parametrize("missing", ["sum", "in", "day", "bill"])
async def test_an_answer_that_does_not_say_what_was_recorded_is_a_doubt(tmp_path: Path, missing: str):
    answer = {"id": 7, "sum": 12.5, "in": {"code": "usd"}, "day": "2026-01-31", "bill": 901}
    del answer[missing]
    with pytest.raises(DoubtfulError, match="the payment was taken"):
        await paid(answer, tmp_path)


@pytest.mark.parametrize("status", [200, 422])
async def test_several_errors_where_one_is_usual_are_a_refusal(tmp_path: Path, status: int):
    config = PLAIN.replace('error = "failure"', 'error = "failure.only.words"')
    books = Scripted(answering({"failure": [{"words": "too late"}, {"words": "too much"}]}, status))
    async with serving(books.serve) as origin, ledger_at(origin, tmp_path, config) as ledger:
        with pytest.raises(PermanentError, match="too much"):
            await ledger.create(entry(), permitted)


async def test_a_refusal_is_told_in_the_words_of_the_ledger_alone(tmp_path: Path):
    long = "Traceback (most recent call last): " + "x" * 5000
    refused = {"failure": {"debug": long, "words": "nothing left to pay"}}
    for answer, status in ((refused, 200), ({"message": "nothing left to pay"}, 422)):
        with pytest.raises(PermanentError, match=r"\(nothing left to pay\)"):
            await paid(answer, tmp_path, status)
