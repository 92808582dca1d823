"""the route of calls: direct or through a proxy, and the certificates to trust"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path
from urllib.request import getproxies_environment, proxy_bypass

from msgspec import Struct
from yarl import URL

from precoro_daemon.errors import ConfigurationError, ConnectionFault


class Route(Struct, frozen=True):
    """proxy    for calls that NO_PROXY does not exempt; "": as HTTPS_PROXY, HTTP_PROXY or ALL_PROXY say
    ca_file  certificates to trust in addition to the system's
    """

    proxy: str = ""
    ca_file: Path | None = None

    def proxy_for(self, address: URL) -> URL | None:
        """Returns the proxy, None for a direct call, as always on this machine. Raises ConnectionFault if it is no
        HTTP proxy.
        """
        host = address.host or ""
        if _is_here(host) or proxy_bypass(f"{host}:{address.port}"):
            return None
        known = getproxies_environment()
        given = self.proxy or known.get(address.scheme) or known.get("all") or ""
        if not given:
            return None
        proxy = URL(given if "://" in given else f"http://{given}")
        if proxy.scheme not in ("http", "https") or not proxy.host:
            raise ConnectionFault(f"the proxy {proxy.with_user(None)} speaks no HTTP; allowed: http://host:port")
        return proxy

    def trust(self) -> ssl.SSLContext | bool:
        """Returns the trusted certificates for aiohttp, True for its default. Blocking. Raises ConfigurationError."""
        if self.ca_file is None:
            return True
        context = ssl.create_default_context()
        try:
            context.load_verify_locations(self.ca_file)
        except (OSError, ssl.SSLError) as error:
            why = (
                error.strerror if isinstance(error, FileNotFoundError | PermissionError) else "holds no certificates"
            )
            raise ConfigurationError(f"precoro.ca_file {self.ca_file}: {why}; name a file in PEM form") from None
        return context


_in_use: ContextVar[Route] = ContextVar("_in_use")


def route_in_use() -> Route:
    """Returns the route of the company that the present task works for."""
    return _in_use.get(Route())


@asynccontextmanager
async def use_route(route: Route) -> AsyncIterator[None]:
    """Sets the route for what is opened, and for tasks that are started, until the context ends."""
    before = route_in_use()
    _in_use.set(route)
    try:
        yield
    finally:
        _in_use.set(before)


@lru_cache(maxsize=64)  # asked for every call
def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
