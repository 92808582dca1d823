"""One exchange on the wire: what leaves, what comes back, and that nothing else escapes."""

from __future__ import annotations

import gzip
from contextlib import suppress
from functools import cache

import anyio
import pytest
from aiohttp import web
from anyio.abc import SocketStream

from precoro_daemon.adapters.http.exchange import Answer, Request
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.errors import ConnectionFault, DoubtfulError, MalformedAnswer, TemporaryError
from tests.adapters.http.stand_ins import credentials, hear_request, serving, talking

PATIENT = Timeouts()
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Sent:
    def __init__(self) -> None:
        self.times = 0

    async def __call__(self) -> None:
        self.times += 1


async def ask(origin: str, request: Request, timeouts: Timeouts = PATIENT) -> Answer:
    async with HttpSession(credentials(origin), timeouts) as session:
        return await session.send(request, Sent())


@pytest.mark.asyncio
async def test_what_leaves_is_exactly_what_was_asked_with_our_name_and_key():
    seen: list[web.BaseRequest] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request)
        return web.json_response({}, headers={"Date": "Tue, 16 Dec 2025 09:00:00 GMT"})

    request = Request("GET", "/invoices", (("status[]", "2"), ("status[]", "4"), ("q", "a b&c/é+")))
    async with serving(handler) as origin:
        answer = await ask(origin, request)
    assert seen[0].raw_path == request.target == "/invoices?status%5B%5D=2&status%5B%5D=4&q=a%20b%26c%2F%C3%A9%2B"
    assert seen[0].headers["X-AUTH-TOKEN"] == "t0ken-0f-ours"
    assert seen[0].headers["email"] == "api@example.org"
    assert seen[0].headers["Accept"] == "application/json"
    assert seen[0].headers["User-Agent"].startswith("precoro-daemon/")
    assert (answer.status, answer.body, answer.server_time) == (200, b"{}", 1765875600.0)


@pytest.mark.asyncio
async def test_a_form_leaves_as_a_form():
    seen: list[tuple[str, dict[str, str]]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append((request.content_type, dict(await request.post())))
        return web.json_response({}, status=201)

    async with serving(handler) as origin:
        await ask(origin, Request("POST", "/payments", form=(("invoice[id]", "45"), ("sumPaid", "12.50"))))
    assert seen == [("application/x-www-form-urlencoded", {"invoice[id]": "45", "sumPaid": "12.50"})]


@pytest.mark.parametrize("path", ["@elsewhere.example/", ".elsewhere.example/", "", "https://elsewhere.example/"])
def test_no_path_can_change_the_host(path: str):
    with pytest.raises(ValueError, match="slash"):
        Request("GET", path)


@pytest.mark.asyncio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_and_no_cookie_kept(status: int):
    elsewhere: list[str] = []
    cookies: list[str | None] = []

    async def other(request: web.BaseRequest) -> web.Response:
        elsewhere.append(request.path)
        return web.json_response({})

    async with serving(other) as there:

        async def handler(request: web.BaseRequest) -> web.Response:
            cookies.append(request.headers.get("Cookie"))
            return web.Response(status=status, headers={"Location": f"{there}/x", "Set-Cookie": "a=b; Path=/"})

        async with serving(handler) as origin, HttpSession(credentials(origin), Timeouts()) as session:
            answers = [await session.send(Request("GET", f"/{n}"), Sent()) for n in range(2)]
    assert [answer.status for answer in answers] == [status, status]
    assert (elsewhere, cookies) == ([], [None, None])


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_a_dropped_kept_alive_connection_is_one_request_not_two(method: str):
    """aiohttp by itself sends such a request again."""
    requests: list[bytes] = []

    async def conversation(stream: SocketStream) -> None:
        requests.append(await hear_request(stream))
        await stream.send(GOOD)
        requests.append(await hear_request(stream))

    sent = Sent()
    async with talking(conversation) as origin, HttpSession(credentials(origin), Timeouts()) as session:
        await session.send(Request(method, "/1"), sent)
        with pytest.raises(ConnectionFault, match=f"{method} /2"):
            await session.send(Request(method, "/2"), sent)
        await anyio.sleep(0.05)
    assert len(requests) == sent.times == 2


def answering(*pieces: bytes, then_hang: bool = False):
    async def conversation(stream: SocketStream) -> None:
        await hear_request(stream)
        for piece in pieces:
            await stream.send(piece)
        if then_hang:
            await anyio.sleep_forever()

    return conversation


async def trickle(stream: SocketStream) -> None:
    await hear_request(stream)
    await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        await stream.send(b" ")
        await anyio.sleep(0.05)


async def endless(stream: SocketStream) -> None:
    await hear_request(stream)
    await stream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    while True:
        await stream.send(chunk)


async def bomb(stream: SocketStream) -> None:
    body = packed_bomb()
    await hear_request(stream)
    await stream.send(GZIP % len(body) + body)


@cache
def packed_bomb() -> bytes:
    return gzip.compress(bytes(65 * 2**20))


GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

BROKEN = {
    "closed at once": (answering(), ConnectionFault),
    "half a status line": (answering(b"HTTP/1.1 20"), ConnectionFault),
    "half the headers": (answering(b"HTTP/1.1 200 OK\r\nContent-Le"), ConnectionFault),
    "less than Content-Length": (answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), ConnectionFault),
    "chunks without an end": (answering(CHUNKED + b"2\r\n{}\r\n"), ConnectionFault),
    "half a chunk": (answering(CHUNKED + b"9\r\n{}"), ConnectionFault),
    "a chunk of nonsense": (answering(CHUNKED + b"zz\r\n{}\r\n"), TemporaryError),
    "a late chunk of nonsense": (answering(CHUNKED + b"2\r\n{}\r\n", b"zz\r\n{}\r\n"), TemporaryError),
    "not gzip": (answering(GZIP % 4 + b"{}{}"), TemporaryError),
    "not HTTP": (answering(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), MalformedAnswer),
    "a header too long": (answering(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 99999 + b"\r\n\r\n"), MalformedAnswer),
    "a bad header": (answering(b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n"), MalformedAnswer),
    "two lengths": (
        answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        TemporaryError,
    ),
    "silence": (answering(then_hang=True), ConnectionFault),
    "silence in the body": (answering(CHUNKED, then_hang=True), ConnectionFault),
    "a byte now and then": (trickle, ConnectionFault),
    "endless": (endless, MalformedAnswer),
    "a bomb": (bomb, MalformedAnswer),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("fault", BROKEN)
async def test_no_broken_answer_gives_data_or_a_foreign_error(fault: str, method: str):
    conversation, expected = BROKEN[fault]
    slow = fault in ("endless", "a bomb")
    timeouts = Timeouts(total=30.0 if slow else 0.4, connect=5.0, read=30.0 if slow else 0.2)
    async with talking(conversation) as origin:
        with pytest.raises(expected if method == "GET" else DoubtfulError) as caught:
            await ask(origin, Request(method, "/invoices"), timeouts)
    assert str(caught.value).startswith(f"{method} /invoices: ")
    # aiohttp's errors carry the request's headers: they must not hang behind ours in a traceback.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.asyncio
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_refused_connection_was_not_sent_and_says_so(method: str):
    async with talking(answering()) as origin:
        pass
    sent = Sent()
    async with HttpSession(credentials(origin), Timeouts()) as session:
        with pytest.raises(ConnectionFault):
            await session.send(Request(method, "/payments"), sent)
    assert sent.times == 0


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "request_", [Request("GET", "/1"), Request("POST", "/2", form=(("a", "b" * 3000),))], ids=str
)
async def test_sent_is_told_once_when_the_request_is_written_and_before_the_answer(request_: Request):
    order: list[str] = []
    asked, told = anyio.Event(), anyio.Event()

    async def sent() -> None:
        order.append("sent")
        # The next call's interval counts from here: whoever is told must be told of what has left.
        with anyio.fail_after(60):
            await asked.wait()
        told.set()

    async def handler(request: web.BaseRequest) -> web.Response:
        await request.read()
        asked.set()
        await told.wait()
        order.append("answered")
        return web.json_response({})

    async with serving(handler) as origin, HttpSession(credentials(origin), Timeouts()) as session:
        await session.send(request_, sent)
    assert order == ["sent", "answered"]


@pytest.mark.asyncio
async def test_what_the_server_echoes_of_the_key_is_not_in_the_error():
    secret = credentials("").token

    async def conversation(stream: SocketStream) -> None:
        await hear_request(stream)
        await stream.send(f"HTTP/1.1 {secret} api@example.org\r\n\r\n".encode())

    async with talking(conversation) as origin:
        with pytest.raises(TemporaryError) as caught:
            await ask(origin, Request("GET", "/x"))
    assert secret not in f"{caught.value!r} {caught.value}"
    assert "api@example.org" not in str(caught.value)


@pytest.mark.asyncio
@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Dec 2025 09:00:00 GMT"])
async def test_an_unreadable_date_is_none(date: str):
    async with talking(
        answering(b"HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Length: 2\r\n\r\n{}" % date.encode())
    ) as origin:
        assert (await ask(origin, Request("GET", "/"))).server_time is None


@pytest.mark.asyncio
async def test_a_cancelled_call_closes_its_connection():
    closed = anyio.Event()

    async def conversation(stream: SocketStream) -> None:
        await hear_request(stream)
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
        closed.set()

    async with talking(conversation) as origin, HttpSession(credentials(origin), Timeouts()) as session:
        with anyio.move_on_after(0.1):
            await session.send(Request("GET", "/"), Sent())
        with anyio.fail_after(60):
            await closed.wait()


def test_credentials_and_sessions_do_not_show_the_key():
    ours = credentials("https://api.example.org")
    assert ours.token not in f"{ours!r} {ours} {HttpSession(ours, Timeouts())!r} {ours.fingerprint}"


@pytest.mark.asyncio
async def test_what_may_no_longer_leave_sends_nothing_and_leaves_no_connection_open():
    heard: list[bytes] = []
    sent = Sent()

    async def listen(stream: SocketStream) -> None:
        async with stream:
            with suppress(anyio.EndOfStream):
                heard.append(await stream.receive())
        closed.set()

    closed = anyio.Event()
    async with talking(listen) as origin, HttpSession(credentials(origin), PATIENT) as session:
        with pytest.raises(ConnectionFault, match="nothing was sent"):
            await session.send(Request("POST", "/payments", form={"a": "b"}, may_leave=lambda: False), sent)
        with anyio.fail_after(60):
            await closed.wait()
    assert heard == []
    assert sent.times == 0
