"""a sign of life: a GET to a monitoring address"""

from __future__ import annotations

import aiohttp
import anyio.to_thread
from yarl import URL

from precoro_daemon import __version__
from precoro_daemon.adapters.http.route import Route
from precoro_daemon.errors import NoticeUnsent

_TIMEOUT = aiohttp.ClientTimeout(total=20)


async def ping(address: str, route: Route) -> None:
    """Requests the address. Raises NoticeUnsent, ConfigurationError."""
    url = URL(address)
    trust = await anyio.to_thread.run_sync(route.trust) if route.ca_file else True
    headers = {"User-Agent": f"precoro-daemon/{__version__}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT, headers=headers) as session,
            session.get(url, proxy=route.proxy_for(url), ssl=trust) as answer,
        ):
            if not answer.ok:
                raise NoticeUnsent(f"{url.host} answered {answer.status}")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise NoticeUnsent(f"{url.host} cannot be reached: {error or type(error).__name__}") from None
