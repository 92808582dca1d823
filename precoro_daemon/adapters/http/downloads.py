"""files from other hosts: without the key, over https, never from a private network"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

import aiohttp
import anyio.to_thread
from yarl import URL

from precoro_daemon import __version__
from precoro_daemon.adapters.http.exchange import Body
from precoro_daemon.adapters.http.faults import FAULTS, READ_BUFFER, ComingBody, Faults
from precoro_daemon.adapters.http.guarded import Guard, origin_of, shown
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.route import route_in_use
from precoro_daemon.errors import AddressRefused, ConnectionFault, MalformedAnswer, ServerFault

_REDIRECTS = 5
_TO_ELSEWHERE = frozenset({301, 302, 303, 307, 308})


class Downloads:
    """Fetches a download address. The address, and every redirect, is untrusted.

    allowed  hosts, as "host" or "host:port", that may be private, local or without https
    home     the origin whose calls are charged: no redirect leads back there without a charge
    """

    def __init__(self, allowed: Collection[str], timeouts: Timeouts, home: str = "") -> None:
        self._home = origin_of(URL(home)) if home else None
        self._guard = Guard(allowed, "[fetch_attachments]")
        self._timeouts = timeouts
        self._faults = Faults()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        route = route_in_use()
        trust = await anyio.to_thread.run_sync(route.trust) if route.ca_file else True
        self._proxy = route.proxy_for
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=self._guard.connector(trust),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": f"precoro-daemon/{__version__}", "Accept": "*/*"},
                read_bufsize=READ_BUFFER,
                auto_decompress=False,  # a file may be meant to stay packed
                middlewares=(self._faults.once,),
                timeout=aiohttp.ClientTimeout(None, self._timeouts.connect, sock_read=self._timeouts.read),
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def open(self, address: URL, headers: Mapping[str, str]) -> AsyncIterator[Body]:
        """Opens the answer at the end of all redirects.

        Raises AddressRefused, ConnectionFault, ServerFault, and MalformedAnswer for an address that has expired.
        """
        async with AsyncExitStack() as stack:
            body = await self._get(address, headers, stack)
            for _ in range(_REDIRECTS):
                if body.head.status not in _TO_ELSEWHERE:
                    break
                address = read_address(body.head.header("location"), address)
                body = await self._get(address, headers, stack)
            _refuse(address, body.head.status)
            yield body

    async def _get(self, address: URL, headers: Mapping[str, str], stack: AsyncExitStack) -> ComingBody:
        self._check(address)
        try:
            proxy = self._proxy(address)
            self._guard.enter(address, proxied=proxy is not None)
            response = await stack.enter_async_context(
                self._session.get(address, headers=headers, allow_redirects=False, proxy=proxy)
            )
        except (AddressRefused, ConnectionFault, *FAULTS) as error:
            fault = error if isinstance(error, AddressRefused) else self._faults.of(shown(address), error)
        else:
            return ComingBody(response, shown(address), self._faults, self._timeouts.read)
        raise fault

    def _check(self, address: URL) -> None:
        if not address.host or address.scheme not in ("http", "https"):
            raise AddressRefused(f"{shown(address)} is no address of a file")
        if origin_of(address) == self._home:
            raise MalformedAnswer(f"a redirect leads back to {shown(address)}")
        self._guard.check(address)


def read_address(text: str, start: URL) -> URL:
    """Parses a foreign address, byte for byte if it can be sent so; a relative one is resolved against `start`."""
    try:
        address = start.join(URL(text, encoded=text.isascii() and text.isprintable() and " " not in text))
        # yarl reads the port, and the resolver the labels of the name, only when they are needed.
        origin_of(address)
        (address.host or "").encode("idna")
    except ValueError:
        raise MalformedAnswer(f"{shown(start)} names {text.partition('?')[0][:200]!r}, which is no address") from None
    return address


def _refuse(address: URL, status: int) -> None:
    if status in (200, 206):
        return
    text = f"{shown(address)} answered {status}"
    if status == 408 or status >= 500:
        raise ServerFault(text)
    raise MalformedAnswer(f"{text}; a download address is good for a while only, so Precoro is asked for a new one")
