"""connections only to public addresses and over https, except to hosts that the user allows"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Collection
from contextvars import ContextVar
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from precoro_daemon.errors import AddressRefused

_may_lead_inside: ContextVar[bool] = ContextVar("_may_lead_inside", default=False)
"""Whether the present task may connect to a private address."""


class Guard:
    """allowed  hosts, as "host" or "host:port", that may be private, local or without https
    section  the section of the configuration that names them
    """

    def __init__(self, allowed: Collection[str], section: str) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._remedy = f"; if it is right, name it in allowed_hosts of {section}"

    def connector(self, trust: ssl.SSLContext | bool, limit: int = 100) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(
            resolver=_Guarded(self._remedy),
            use_dns_cache=False,
            socket_factory=partial(guarded_socket, self._remedy),
            ssl=trust,
            limit=limit,
        )

    def check(self, address: URL) -> None:
        """Raises AddressRefused if the address may not be requested."""
        if self._is_allowed(address):
            return
        if address.scheme != "https":
            raise AddressRefused(f"{shown(address)} is not https{self._remedy}")
        # An address in numbers is never resolved, so the resolver does not see it.
        if is_inside(address.host or ""):
            raise AddressRefused(f"{shown(address)} is a private or local address{self._remedy}")

    def enter(self, address: URL, *, proxied: bool) -> None:
        """Announces the next request of the present task. A proxy is inside the network, and only it sees where a
        name leads.
        """
        _may_lead_inside.set(proxied or self._is_allowed(address))

    def _is_allowed(self, address: URL) -> bool:
        host = (address.host or "").lower()
        return bool({host, f"{host}:{address.port}"} & self._allowed)


def guarded_socket(remedy: str, found: aiohttp.AddrInfoType) -> socket.socket:
    """Makes the last check: of the very address that is connected to, wherever it comes from."""
    family, kind, protocol, _, address = found
    if not _may_lead_inside.get() and is_inside(str(address[0])):
        raise AddressRefused(f"{address[0]} is a private or local address{remedy}")
    return socket.socket(family, kind, protocol)


class _Guarded(AbstractResolver):
    """Resolves as the system does, and refuses names that lead inside, because its answer is connected to."""

    def __init__(self, remedy: str) -> None:
        self._remedy = remedy
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        if not _may_lead_inside.get() and any(is_inside(one["host"]) for one in found):
            raise AddressRefused(f"{host} leads to a private or local address{self._remedy}")
        return found

    async def close(self) -> None:
        await self._system.close()


def is_inside(host: str) -> bool:
    """Returns whether the host is a numeric address that is not on the public internet."""
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
    """Returns the IPv4 address behind an IPv6 address: mapped, by NAT64, or in the old form ::a.b.c.d."""
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return ipaddress.IPv4Address(0) if int(address) >> 32 == 0 else address


def origin_of(address: URL) -> tuple[str, str, int | None]:
    """Returns scheme, host and port in a normal form."""
    return (address.scheme, (address.host or "").lower(), address.port)


def shown(address: URL) -> str:
    """Returns the address without query and fragment, which often hold a signature that gives anyone access."""
    return (
        str(address.with_query(None).with_fragment(None).with_user(None)) if address.host else "the download address"
    )
