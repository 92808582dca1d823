"""Files from other hosts: never the key, never from inside, and an address that is no longer good is told so."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from precoro_daemon.adapters.http.downloads import Downloads, read_address
from precoro_daemon.adapters.http.guarded import guarded_socket, is_inside
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.errors import AddressRefused, ConnectionFault, MalformedAnswer, ServerFault
from tests.adapters.http.stand_ins import serving

TIMEOUTS = Timeouts(total=2, connect=2, read=0.3)

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def downloads(*allowed: str) -> AsyncIterator[Downloads]:
    async with Downloads(allowed, TIMEOUTS) as session:
        yield session


async def fetch(session: Downloads, address: str) -> bytes:
    async with session.open(URL(address), {"Accept-Encoding": "identity"}) as body:
        read = b""
        while piece := await body.piece():
            read += piece
        return read


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://10.1.2.3/a",
        "https://169.254.169.254/latest/meta-data",
        "https://192.168.0.1:8443/a",
        "https://100.64.0.1/a",
        "https://0.0.0.0/a",
        "https://[fe80::1%25eth0]/a",
        "https://[::ffff:10.0.0.1]/a",
        "https://224.0.0.1/a",
        "https://[64:ff9b::7f00:1]:19666/x",
        "https://[64:ff9b::a9fe:a9fe]/latest/meta-data",
        "https://[64:ff9b:1::1]/a",
        "https://[64:ff9b:1:ffff::8.8.8.8]/a",
        "https://[::127.0.0.1]:19666/a",
        "https://[::8.8.8.8]/a",
        "https://[::]/a",
        "https://[2002:7f00:1::]/a",
        "https://[2002:808:808::1]/a",
        "https://[fec0::1]/a",
        "https://[2001:0:7f00:1::]/a",
        "https://localhost/a",
        "http://93.184.216.34/a",
        "ftp://93.184.216.34/a",
        "file:///etc/passwd",
        "data:text/plain,hello",
        "/relative",
    ],
)
async def test_an_address_where_no_file_may_come_from_is_refused(address: str) -> None:
    async with downloads() as session:
        with pytest.raises(AddressRefused):
            await fetch(session, address)


@pytest.mark.parametrize("host", ["93.184.216.34", "64:ff9b::5db8:d822", "2606:2800::1", "::ffff:93.184.216.34"])
async def test_addresses_of_the_internet_may_be_asked_also_through_nat64(host: str) -> None:
    assert not is_inside(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "::1", "64:ff9b::a00:1"])
async def test_what_is_connected_to_is_checked_once_more(host: str) -> None:
    """Whatever a resolver said, and said otherwise a moment later."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with pytest.raises(AddressRefused, match="private or local"):
        guarded_socket("", (family, socket.SOCK_STREAM, 6, "", (host, 443)))


async def test_a_name_that_leads_inside_is_refused_by_what_it_resolves_to() -> None:
    """The machine's own name stands for any name that somebody points at an address inside."""
    name = socket.gethostname()
    async with downloads() as session:
        with pytest.raises((AddressRefused, ConnectionFault)) as refused:
            await fetch(session, f"https://{name}/a")
    if isinstance(refused.value, AddressRefused):
        assert "private or local" in str(refused.value)


async def test_what_is_allowed_is_fetched_without_key_or_cookies() -> None:
    seen: list[dict[str, str]] = []

    async def answer(request: web.BaseRequest) -> web.Response:
        seen.append(dict(request.headers))
        return web.Response(body=b"content", headers={"Set-Cookie": "id=1"})

    async with serving(answer) as origin, downloads(origin.removeprefix("http://")) as session:
        assert await fetch(session, f"{origin}/a?signature=s%2Bx") == b"content"
        assert await fetch(session, f"{origin}/a") == b"content"
    for headers in seen:
        assert {name.lower() for name in headers} == {"host", "user-agent", "accept", "accept-encoding"}
        assert headers["User-Agent"].startswith("precoro-daemon/")


async def test_a_port_that_is_not_allowed_is_another_host() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=b"content")

    async with serving(answer) as origin, downloads("127.0.0.1:1") as session:
        with pytest.raises(AddressRefused):
            await fetch(session, f"{origin}/a")


async def test_every_redirect_is_judged_like_an_address() -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        place = {"/one": "/two", "/two": "/three", "/inside": "https://10.0.0.1/", "/round": "/round"}.get(
            request.path
        )
        return (
            web.Response(body=b"content") if place is None else web.Response(status=302, headers={"Location": place})
        )

    async with serving(answer) as origin, downloads(origin.removeprefix("http://")) as session:
        assert await fetch(session, f"{origin}/one") == b"content"
        with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
            await fetch(session, f"{origin}/inside")
        with pytest.raises(MalformedAnswer, match="answered 302"):
            await fetch(session, f"{origin}/round")


@pytest.mark.parametrize(
    ("status", "error"),
    [(403, MalformedAnswer), (404, MalformedAnswer), (410, MalformedAnswer), (204, MalformedAnswer),
                          (416, MalformedAnswer), (500, ServerFault), (503, ServerFault), (408, ServerFault)]
)  # fmt: skip
async def test_an_answer_without_a_file_is_told(status: int, error: type[Exception]) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=status)

    async with serving(answer) as origin, downloads("127.0.0.1") as session:
        with pytest.raises(error, match=str(status)) as told:
            await fetch(session, f"{origin}/a?signature=secret")
    assert "secret" not in str(told.value)


async def test_nobody_there_is_a_fault_of_the_line() -> None:
    async with downloads("127.0.0.1") as session:
        with pytest.raises(ConnectionFault):
            await fetch(session, "http://127.0.0.1:9/a")


async def test_a_dropped_connection_is_not_quietly_asked_again() -> None:
    asked = 0

    async def answer(request: web.BaseRequest) -> web.Response:
        nonlocal asked
        asked += 1
        if asked > 1:
            assert request.transport is not None
            request.transport.close()
        return web.Response(body=b"content")

    async with serving(answer) as origin, downloads("127.0.0.1") as session:
        assert await fetch(session, f"{origin}/a") == b"content"
        with pytest.raises(ConnectionFault):
            await fetch(session, f"{origin}/b")
    assert asked == 2


async def test_an_address_is_sent_as_it_was_written() -> None:
    start = URL("https://api.example.org/attachments/7")
    assert read_address("https://x.example/a%2Fb?sig=a%2Bb%3D", start).raw_path_qs == "/a%2Fb?sig=a%2Bb%3D"
    assert str(read_address("/files/ä b", start)) == "https://api.example.org/files/%C3%A4%20b"
    assert str(read_address("//x.example/a", start)) == "https://x.example/a"
    with pytest.raises(MalformedAnswer):
        read_address("https://[::1", start)
