"""Bodies that come past aiohttp's parser are whole or known to be cut, and leave their connection as they should."""

from __future__ import annotations

import asyncio
import random
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from precoro_daemon.adapters.http.exchange import Body
from precoro_daemon.adapters.http.origin import Origin, OriginOptions, Outgoing, Timeouts
from precoro_daemon.adapters.http.route import Route, use_route
from precoro_daemon.errors import ConnectionFault, TimedOut
from tests.adapters.http.test_route import NAME, Proxy

pytestmark = pytest.mark.asyncio

CONTENT = random.Random(5).randbytes(5_000_000)
SHORT, LONG = 1_000, 3_000_000

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Line:
    """A server of one kind of line, plain or by TLS, also behind a proxy, that says what `talk` says to each
    connection."""

    certificate: Path | None
    proxied: bool = False
    connections: int = 0

    @asynccontextmanager
    async def to(self, talk: Talk, *, read: float = 5.0) -> AsyncIterator[Origin]:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            try:
                await talk(reader, writer)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        context = None
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        here = f"{'https' if context else 'http'}://127.0.0.1:{port}"
        origin = f"https://{NAME}" if self.proxied else here
        timeouts = Timeouts(total=5, connect=5, read=read)
        async with (
            server,
            Proxy(port).open() as proxy,
            use_route(Route(proxy.url if self.proxied else "", self.certificate)),
            Origin(OriginOptions(origin, timeouts, 1000), {}, tuple) as opened,
        ):
            yield opened


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "here.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=here"
    names = ["-addext", f"subjectAltName=IP:127.0.0.1,DNS:{NAME}", "-keyout", str(path), "-out", f"{path}.cert"]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.cert").read_bytes())
    return path


@pytest.fixture(params=["plain", "tls"])
def line(request: pytest.FixtureRequest, certificate: Path) -> Line:
    return Line(None if request.param == "plain" else certificate, proxied=request.param == "proxy")


async def asked(reader: asyncio.StreamReader) -> int:
    """The number in the path of the next request."""
    head = await reader.readuntil(b"\r\n\r\n")
    return int(head.split()[1][1:])


def head(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length


def whole(behind: bytes = b"", *, most: int = 100) -> Talk:
    """Answers so many times on a connection, each body a moment after its head."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(most):
            length = await asked(reader)
            writer.write(head(length))
            await writer.drain()
            await asyncio.sleep(0.01)
            writer.write(CONTENT[:length] + behind)
            await writer.drain()

    return talk


async def left() -> None: ...


@asynccontextmanager
async def body_of(origin: Origin, number: int) -> AsyncIterator[Body]:
    async with origin.open(Outgoing("GET", f"/{number}"), left) as body:
        yield body


async def fetched(origin: Origin, number: int) -> bytes:
    async with body_of(origin, number) as body:
        return b"".join([bytes(piece) async for piece in pieces(body)])


async def pieces(body: Body) -> AsyncIterator[bytes | memoryview]:
    while piece := await body.piece():
        yield piece


async def until_fault(body: Body) -> tuple[bytes, ConnectionFault | None]:
    read = b""
    try:
        async for piece in pieces(body):
            read += piece
    except ConnectionFault as fault:
        return read, fault
    return read, None


@pytest.mark.parametrize("line", ["plain", "tls", "proxy"], indirect=True)
async def test_bodies_of_any_length_come_over_one_connection(line: Line) -> None:
    lengths = [0, 1, LONG, 2**18 - 1, 2**18, 2**18 + 1, 2**20, 2**20 + 1, 2**21 + 2**18, SHORT, len(CONTENT)]
    drawn = random.Random(1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            length = await asked(reader)
            said = head(length) + CONTENT[:length]
            while said:
                cut = drawn.choice((100, 20_000, 300_000, len(said)))
                writer.write(said[:cut])
                await writer.drain()
                await asyncio.sleep(0)
                said = said[cut:]

    async with line.to(talk) as origin:
        for length in lengths * 2:
            assert await fetched(origin, length) == CONTENT[:length]
    assert line.connections == 1


async def test_a_long_body_comes_in_large_pieces(line: Line) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(head(len(CONTENT)))
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(CONTENT)
        await writer.drain()

    async with line.to(talk) as origin, body_of(origin, 1) as body:
        assert [len(piece) async for piece in pieces(body)] == [2**20] * 4 + [len(CONTENT) - 2**22]


@pytest.mark.parametrize("ending", ["close", "abort"])
@pytest.mark.parametrize("came", [2**18, 2**20, LONG - 1])
async def test_one_that_breaks_off_is_told_after_all_that_came(line: Line, ending: str, came: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = await asked(reader)
        writer.write(head(length))
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.write(CONTENT[: came if line.connections == 1 else length])
        await writer.drain()
        await asyncio.sleep(0.1)
        getattr(writer.transport, ending)()

    async with line.to(talk) as origin:
        async with body_of(origin, LONG) as body:
            read, fault = await until_fault(body)
            assert read == CONTENT[:came]
            assert f"{came:,} of {LONG:,} bytes came" in str(fault)
            with pytest.raises(ConnectionFault):
                await body.piece()
        assert await fetched(origin, LONG) == CONTENT[:LONG], "the next one has a connection of its own"
    assert line.connections == 2


@pytest.mark.parametrize("came", [0, 400_000])
async def test_one_that_stands_still_is_given_up(line: Line, came: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(await asked(reader)) + CONTENT[:came])
        await writer.drain()
        await asyncio.sleep(30)

    async with line.to(talk, read=0.2) as origin:
        async with body_of(origin, LONG) as body:
            read, fault = await until_fault(body)
        assert read == CONTENT[:came]
        assert isinstance(fault, TimedOut)


async def test_what_came_is_given_out_while_the_rest_is_awaited(line: Line) -> None:
    """The server waits for the client to have it: of a body that trickles, all is judged as it comes."""
    came = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = await asked(reader)
        writer.write(head(length))
        await writer.drain()
        await asyncio.sleep(0.01)
        writer.write(CONTENT[:500_000])
        await came.wait()
        writer.write(CONTENT[500_000:length])
        await writer.drain()

    async with line.to(talk) as origin, body_of(origin, LONG) as body:
        read = b""
        async for piece in pieces(body):
            read += piece
            if len(read) == 500_000:
                came.set()
        assert read == CONTENT[:LONG]


async def test_who_leaves_in_the_middle_leaves_nothing_to_the_next(line: Line) -> None:
    async with line.to(whole()) as origin:
        async with body_of(origin, LONG) as body:
            assert await body.piece() == CONTENT[: 2**20]
        assert await fetched(origin, LONG + 1) == CONTENT[: LONG + 1]
        async with body_of(origin, LONG) as body:
            reading = asyncio.ensure_future(body.piece())
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        assert await fetched(origin, SHORT) == CONTENT[:SHORT]
    assert line.connections == 3


async def test_what_comes_behind_a_body_is_no_part_of_it_nor_of_the_next(line: Line) -> None:
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong" * 3
    async with line.to(whole(stray)) as origin:
        for _ in range(3):
            assert await fetched(origin, LONG) == CONTENT[:LONG]
            await asyncio.sleep(0.05)


async def test_a_connection_that_is_closed_after_a_body_is_not_used_again(line: Line) -> None:
    async with line.to(whole(most=1)) as origin:
        for number in range(3):
            assert await fetched(origin, LONG) == CONTENT[:LONG]
            await asyncio.sleep(0.05)
            assert line.connections == number + 1
