"""Through a proxy where one is named, by certificates that are believed here; and what is said where that fails."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from yarl import URL

from precoro_daemon.adapters.http.downloads import Downloads
from precoro_daemon.adapters.http.origin import Origin, OriginOptions, Outgoing, Timeouts
from precoro_daemon.adapters.http.route import Route, route_in_use, use_route
from precoro_daemon.errors import AddressRefused, ConfigurationError, ConnectionFault
from tests.adapters.http.stand_ins import serving

TIMEOUTS = Timeouts(total=5, connect=5, read=5)
NAME = "books.test"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@dataclass
class Proxy:
    """Leads every name to one port of this machine, or refuses."""

    to: int
    refuses: bool = False
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            yield self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split(b"\r\n")[0].decode())
        if self.refuses:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.to)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, back), _pump(there, writer))


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while piece := await source.read(65_536):
        sink.write(piece)
    sink.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a company that signs for everybody; with its key in one file."""
    path = tmp_path_factory.mktemp("ca") / "company.pem"
    command = f"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN={NAME}"
    names = ["-addext", f"subjectAltName=DNS:{NAME}", "-keyout", str(path), "-out", f"{path}.cert"]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.cert").read_bytes())
    return path


@asynccontextmanager
async def secured(certificate: Path) -> AsyncIterator[int]:
    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(text="data")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def got(route: Route, origin: str) -> tuple[str, int]:
    """The answer, and how often it was told that the request had left."""
    left: list[None] = []

    async def on_sent() -> None:
        left.append(None)

    async with use_route(route), Origin(OriginOptions(origin, TIMEOUTS, 1000), {}, tuple) as opened:
        answer = await opened.send(Outgoing("GET", "/x", {}), on_sent)
        return answer.body.decode(), len(left)


@pytest.mark.asyncio
async def test_a_call_goes_through_the_proxy_and_believes_the_named_certificate(certificate: Path) -> None:
    async with secured(certificate) as port, Proxy(port).open() as proxy:
        with pytest.raises(ConnectionFault, match=rf"certificate of {NAME} is not believed.* as ca_file in"):
            await got(Route(proxy.url), f"https://{NAME}")
        assert await got(Route(proxy.url, certificate), f"https://{NAME}") == ("data", 1)
    assert set(proxy.asked) == {f"CONNECT {NAME}:443 HTTP/1.1"}


@pytest.mark.asyncio
async def test_files_come_through_it_too_and_addresses_inside_stay_refused(certificate: Path) -> None:
    async with secured(certificate) as port, Proxy(port).open() as proxy:
        async with use_route(Route(proxy.url, certificate)), Downloads((), TIMEOUTS) as files:
            async with files.open(URL(f"https://{NAME}/file"), {}) as body:
                assert await body.piece() == b"data"
            with pytest.raises(AddressRefused):
                async with files.open(URL("https://10.0.0.1/file"), {}):
                    pass
        assert len(proxy.asked) == 1


@pytest.mark.asyncio
async def test_what_fails_on_the_way_is_named(unused_tcp_port: int) -> None:
    async with Proxy(0, refuses=True).open() as proxy:
        with pytest.raises(ConnectionFault, match=r"the proxy http://127\.0\.0\.1.* answered 407 .*see HTTPS_PROXY"):
            await got(Route(proxy.url), f"https://{NAME}")
    with pytest.raises(ConnectionFault, match=rf"the proxy 127\.0\.0\.1:{unused_tcp_port} cannot be reached"):
        await got(Route(f"http://127.0.0.1:{unused_tcp_port}"), f"https://{NAME}")
    with pytest.raises(ConnectionFault, match=r"speaks no HTTP; allowed: http://host:port"):
        await got(Route("socks5://name:word@127.0.0.1:1"), f"https://{NAME}")
    with pytest.raises(ConnectionFault, match=f"the name {NAME} cannot be resolved. Check DNS"):
        await got(Route(), f"https://{NAME}")


def test_who_says_which_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    there = URL("https://api.precoro.com/x")
    assert Route().proxy_for(there) is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert Route().proxy_for(there) == URL("http://proxy.example:3128")
    assert Route().proxy_for(URL("http://elsewhere.example")) is None
    assert Route("http://named.example:1").proxy_for(there) == URL("http://named.example:1")
    for here in ("https://localhost/x", "http://127.0.0.1:8765/x", "https://[::1]/x"):
        assert Route("http://named.example:1").proxy_for(URL(here)) is None
    monkeypatch.setenv("NO_PROXY", "intern.example,.precoro.com")
    assert Route("http://named.example:1").proxy_for(there) is None
    assert Route().proxy_for(URL("https://files.example/x")) is not None
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv("all_proxy", "http://all.example:1")
    assert Route().proxy_for(URL("http://elsewhere.example")) == URL("http://all.example:1")


@pytest.mark.asyncio
async def test_each_company_has_its_own_way() -> None:
    async def of(name: str) -> str:
        async with use_route(Route(f"http://{name}:1")):
            await asyncio.sleep(0)
            inner = asyncio.create_task(asyncio.sleep(0, route_in_use().proxy))
            return await inner

    assert await asyncio.gather(of("a"), of("b")) == ["http://a:1", "http://b:1"]
    assert route_in_use() == Route()


@pytest.mark.asyncio
async def test_a_file_that_holds_no_certificates(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    async with serving(lambda _: asyncio.sleep(0, web.Response())) as origin:
        for name, why in (("empty.pem", "holds no certificates"), ("missing.pem", "No such file")):
            with pytest.raises(ConfigurationError, match=f"precoro.ca_file .*{name}: {why}"):
                await got(Route(ca_file=tmp_path / name), origin)
