"""one exchange over aiohttp: one origin, one request on the wire, bounded answers"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from precoro_daemon import __version__
from precoro_daemon.adapters.http.exchange import Answer, Credentials, OnSent, Request
from precoro_daemon.errors import ConnectionFault, DoubtfulError, MalformedAnswer, TemporaryError
from precoro_daemon.telemetry import excerpt

MOST_CONNECTIONS = 40
LARGEST_BODY = 64 * 2**20
"""Bytes after decompression; a page of 200 documents has about one."""

_READ_BUFFER = 2**20
_KEEPALIVE = 30.0

_LATEST_START = 5.0
"""Seconds until a connection must stand over which something is sent that must not be sent twice."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for the whole call, for a new connection, between two pieces of an answer."""

    total: float = 60.0
    connect: float = 15.0
    read: float = 60.0


class HttpSession:
    """Implements `Wire` for one origin, which alone ever sees the key: no redirects, no cookies, no other host."""

    def __init__(self, credentials: Credentials, timeouts: Timeouts) -> None:
        self._credentials = credentials
        self._timeouts = timeouts
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """A POST gets a connection of its own: on one that was kept, the server may have hung up already, and then
        nobody knows what became of it."""
        kept = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=_KEEPALIVE)
        self._session = await self._open(kept, self._timeouts.connect)
        once = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, force_close=True)
        self._session_for_once = await self._open(once, min(self._timeouts.connect, _LATEST_START))
        return self

    async def _open(self, connector: aiohttp.TCPConnector, connect: float) -> aiohttp.ClientSession:
        return await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers(),
                timeout=aiohttp.ClientTimeout(self._timeouts.total, connect, sock_read=self._timeouts.read),
                read_bufsize=_READ_BUFFER,
                middlewares=(self._once,),
                trace_configs=[_tell_when_sent()],
            )
        )

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
        sending = _Sending(request, on_sent)
        fault: TemporaryError
        try:
            return await self._exchange(request, sending)
        except (ConnectionFault, MalformedAnswer) as error:
            fault = error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError) as error:
            fault = ConnectionFault(f"{request}: {self._reason(error)}")
        except (aiohttp.ClientError, HttpProcessingError) as error:
            fault = MalformedAnswer(f"{request}: not an HTTP answer we can read: {self._reason(error)}")
        # Raised out here, without aiohttp's error behind it, which carries the request's headers and so the key.
        if sending.done and not request.repeatable:
            raise DoubtfulError(f"{fault}; it may have been carried out")
        raise fault

    async def _exchange(self, request: Request, sending: _Sending) -> Answer:
        session = self._session if request.repeatable else self._session_for_once
        async with session.request(
            request.method,
            URL(self._credentials.origin + request.target, encoded=True),
            data=request.body or None,
            headers={"Content-Type": "application/x-www-form-urlencoded"} if request.form else None,
            allow_redirects=False,
            trace_request_ctx=sending,
        ) as response:
            body = await _read(request, response)
            return Answer(response.status, response.headers, body, _unix(response.headers.get("Date", "")))

    async def _once(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Keep aiohttp from sending again by itself.

        It repeats GET, PUT and DELETE after a dropped connection (aiohttp/client.py, `retry_persistent_connection`),
        unless the error is one it does not know; the server may have counted the first one, we would not count the
        second.
        """
        try:
            return await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            reason = self._reason(error)
        raise ConnectionFault(f"{request.method} {request.url.raw_path_qs}: {reason}")

    def _reason(self, error: BaseException) -> str:
        """aiohttp's and the system's words; some of them raise without any, some quote the server."""
        return excerpt(str(error), self._credentials.secrets) or type(error).__name__


class _Sending:
    """Whether the request of one call has been written."""

    def __init__(self, request: Request, on_sent: OnSent) -> None:
        self._request = request
        self._on_sent = on_sent
        self.done = False

    def connected(self) -> None:
        may_leave = self._request.may_leave
        if may_leave is not None and not may_leave():
            raise ConnectionFault(f"{self._request}: it took too long to connect; nothing was sent")

    async def tell(self) -> None:
        self.done = True
        await self._on_sent()


def _tell_when_sent() -> aiohttp.TraceConfig:
    async def tell(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        await context.trace_request_ctx.tell()

    async def connected(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionCreateEndParams
    ) -> None:
        context.trace_request_ctx.connected()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(connected)
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


def _unix(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
