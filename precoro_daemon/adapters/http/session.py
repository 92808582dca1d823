"""one exchange over aiohttp: one origin, one request on the wire, bounded answers"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace, TracebackType
from typing import Self
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from precoro_daemon import __version__
from precoro_daemon.adapters.http.exchange import Answer, Body, Credentials, OnSent, Request
from precoro_daemon.adapters.http.manners import FAULTS, READ_BUFFER, ComingBody, Manners, Timeouts, unix
from precoro_daemon.errors import ConnectionFault, DoubtfulError, MalformedAnswer

MOST_CONNECTIONS = 40
LARGEST_BODY = 64 * 2**20
"""Bytes after decompression; a page of 200 documents has about one."""

_KEEPALIVE = 30.0


class HttpSession:
    """Implements `Wire` for one origin, which alone ever sees the key: no redirects, no cookies, no other host."""

    def __init__(self, credentials: Credentials, timeouts: Timeouts) -> None:
        self._credentials = credentials
        self._timeouts = timeouts
        self._manners = Manners(credentials.secrets)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=_KEEPALIVE),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers(),
                read_bufsize=READ_BUFFER,
                middlewares=(self._manners.once,),
                trace_configs=[_tell_when_sent()],
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _headers(self) -> dict[str, str]:
        # Precoro refuses a library's default User-Agent with 403 before it looks at the key.
        return {
            "User-Agent": f"precoro-daemon/{__version__}",
            "Accept": "application/json",
            "X-AUTH-TOKEN": self._credentials.token,
            "email": self._credentials.email,
        }

    async def send(self, request: Request, on_sent: OnSent) -> Answer:
        sending = _Sending(on_sent)
        try:
            async with self._request(request, sending, self._timeouts.total) as response:
                body = await _read(request, response)
                return Answer(response.status, response.headers, body, unix(response.headers.get("Date", "")))
        except (ConnectionFault, MalformedAnswer, *FAULTS) as error:
            fault = self._manners.fault(request, error)
        # Raised out here, without aiohttp's error behind it, which carries the request's headers and so the key.
        if sending.done and not request.repeatable:
            raise DoubtfulError(f"{fault}; it may have been carried out")
        raise fault

    @asynccontextmanager
    async def open(self, request: Request, on_sent: OnSent) -> AsyncIterator[Body]:
        async with AsyncExitStack() as stack:
            try:
                waited = self._request(request, _Sending(on_sent), None)
                response = await stack.enter_async_context(waited)
            except (ConnectionFault, *FAULTS) as error:
                fault = self._manners.fault(request, error)
            else:
                yield ComingBody(response, request, self._manners)
                return
            raise fault

    def _request(
        self, request: Request, sending: _Sending, total: float | None
    ) -> aiohttp.client._RequestContextManager:
        form = {"Content-Type": "application/x-www-form-urlencoded"} if request.form else {}
        return self._session.request(
            request.method,
            URL(self._credentials.origin + request.target, encoded=True),
            data=urlencode(request.form).encode() if request.form else None,
            headers=form | dict(request.headers),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total, self._timeouts.connect, sock_read=self._timeouts.read),
            trace_request_ctx=sending,
        )


class _Sending:
    """Whether the request of one call has been written."""

    def __init__(self, on_sent: OnSent) -> None:
        self._on_sent = on_sent
        self.done = False

    async def tell(self) -> None:
        self.done = True
        await self._on_sent()


def _tell_when_sent() -> aiohttp.TraceConfig:
    async def tell(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        await context.trace_request_ctx.tell()

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(tell)
    return trace


async def _read(request: Request, response: aiohttp.ClientResponse) -> bytes:
    """The body, counted after decompression, which aiohttp does piece by piece."""
    pieces: list[bytes] = []
    room = LARGEST_BODY
    while piece := await response.content.readany():
        room -= len(piece)
        if room < 0:
            raise MalformedAnswer(f"{request}: the answer is larger than {LARGEST_BODY >> 20} MiB")
        pieces.append(piece)
    return b"".join(pieces)
