"""files from other hosts: without the key, over https, never from inside somebody's network"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Self

import aiohttp
import anyio.to_thread
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from precoro_daemon import __version__
from precoro_daemon.adapters.http.exchange import Body
from precoro_daemon.adapters.http.faults import FAULTS, READ_BUFFER, ComingBody, Faults
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.route import route_in_use
from precoro_daemon.errors import AddressRefused, ConnectionFault, MalformedAnswer, ServerFault

_REDIRECTS = 5
_TO_ELSEWHERE = frozenset({301, 302, 303, 307, 308})


class Downloads:
    """Fetches what a download address leads to. The address is somebody else's word, and so is every redirect.

    allowed  hosts, as "host" or "host:port", that may be private, local or without https
    home     the origin whose calls are charged: no redirect leads back there past the account of calls
    """

    def __init__(self, allowed: Collection[str], timeouts: Timeouts, home: str = "") -> None:
        self._home = origin_of(URL(home)) if home else None
        self._allowed = frozenset(host.lower() for host in allowed)
        self._timeouts = timeouts
        self._faults = Faults()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        route = route_in_use()
        trust = await anyio.to_thread.run_sync(route.trust) if route.ca_file else True
        self._proxy = route.proxy_for
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=_Guarded(), use_dns_cache=False, socket_factory=_guarded_socket, ssl=trust
                ),
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
        """The answer at the end of all redirects.

        Raises AddressRefused, ConnectionFault, ServerFault; MalformedAnswer for an address that is no longer good.
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
            # A proxy stands inside, and it alone sees where a name leads.
            _may_lead_inside.set(proxy is not None or self._is_allowed(address.host or "", address.port))
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
        if self._is_allowed(address.host, address.port):
            return
        if address.scheme != "https":
            raise AddressRefused(f"{shown(address)} is not https{_REMEDY}")
        # An address in numbers is never resolved, so the resolver does not see it.
        if _is_inside(address.host):
            raise AddressRefused(f"{shown(address)} is a private or local address{_REMEDY}")

    def _is_allowed(self, host: str, port: int | None) -> bool:
        return bool({host.lower(), f"{host.lower()}:{port}"} & self._allowed)


_may_lead_inside: ContextVar[bool] = ContextVar("_may_lead_inside", default=False)
"""Whether what the present task fetches may come from inside."""


def _guarded_socket(found: aiohttp.AddrInfoType) -> socket.socket:
    """The last check: of the very address that is connected to, wherever it comes from."""
    family, kind, protocol, _, address = found
    if not _may_lead_inside.get() and _is_inside(str(address[0])):
        raise AddressRefused(f"{address[0]} is a private or local address{_REMEDY}")
    return socket.socket(family, kind, protocol)


_REMEDY = "; if it is right, name it in allowed_hosts of [fetch_attachments]"


class _Guarded(AbstractResolver):
    """Resolves as the system does and refuses names that lead inside: here, as what it answers is connected to."""

    def __init__(self) -> None:
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        if not _may_lead_inside.get() and any(_is_inside(one["host"]) for one in found):
            raise AddressRefused(f"{host} leads to a private or local address{_REMEDY}")
        return found

    async def close(self) -> None:
        await self._system.close()


def _is_inside(host: str) -> bool:
    """Whether it is an address, in numbers, that is not one of the public internet."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if any(address in network for network in _INSIDE):
            return True
        address = _translated(address)
    return not address.is_global or address.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_INSIDE = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "64:ff9b:1::/48",  # NAT64 of somebody's own: RFC 8215
        "2002::/16",  # 6to4, which carries any IPv4 address: RFC 7526 ends it
        "fec0::/10",  # site-local: RFC 3879 ends it
    )
)


def _translated(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that one in IPv6 leads to: mapped, by NAT64, or in the old form ::a.b.c.d."""
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return ipaddress.IPv4Address(0) if int(address) >> 32 == 0 else address


def read_address(text: str, start: URL) -> URL:
    """An address as another party wrote it, byte for byte where it can be sent so; relative ones begin at `start`."""
    try:
        address = start.join(URL(text, encoded=text.isascii() and text.isprintable() and " " not in text))
        # yarl reads the port, and the resolver the labels of the name, only when they are needed.
        origin_of(address)
        (address.host or "").encode("idna")
    except ValueError:
        raise MalformedAnswer(f"{shown(start)} names {text.partition('?')[0][:200]!r}, which is no address") from None
    return address


def origin_of(address: URL) -> tuple[str, str, int | None]:
    """Scheme, host and port, the same however they are written."""
    return (address.scheme, (address.host or "").lower(), address.port)


def _refuse(address: URL, status: int) -> None:
    if status in (200, 206):
        return
    text = f"{shown(address)} answered {status}"
    if status == 408 or status >= 500:
        raise ServerFault(text)
    raise MalformedAnswer(f"{text}; a download address is good for a while only, so Precoro is asked for a new one")


def shown(address: URL) -> str:
    """Without query and fragment, which often hold a signature that opens the file to anybody."""
    return (
        str(address.with_query(None).with_fragment(None).with_user(None)) if address.host else "the download address"
    )
