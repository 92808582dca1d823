"""one origin over aiohttp: no redirects, no cookies, one request on the wire, bounded answers"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from precoro_daemon.adapters.http.exchange import Answer, OnSent
from precoro_daemon.errors import ConnectionFault, MalformedAnswer, TemporaryError
from precoro_daemon.telemetry import excerpt

_MOST_CONNECTIONS = 40
_READ_BUFFER = 2**20
_KEEPALIVE = 30.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for the whole call, for a new connection, between two pieces of an answer."""

    total: float = 60.0
    connect: float = 15.0
    read: float = 60.0


@dataclass(frozen=True, slots=True)
class Manners:
    """How one origin is talked to.

    url           scheme, host and port
    largest_body  bytes of an answer, after decompression
    keep_alive    whether connections are used again
    """

    url: str
    timeouts: Timeouts
    largest_body: int
    keep_alive: bool = True


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request as it leaves.

    target     path and query, percent-encoded
    may_leave  asked when a new connection stands; False: too late, nothing is written
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    may_leave: Callable[[], bool] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # Appended to the origin, anything else could change the host that gets the key ("@elsewhere", ".elsewhere").
        if not self.target.startswith("/"):
            raise ValueError(f"a path starts with a slash: {self.target!r}")

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


class Origin:
    """The one place that ever gets the secrets of its requests. `secrets` are what no error may show."""

    def __init__(self, manners: Manners, headers: Mapping[str, str], secrets: Callable[[], Sequence[str]]) -> None:
        self._manners = manners
        self._headers = headers
        self._secrets = secrets
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        timeouts = self._manners.timeouts
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(timeouts.total, timeouts.connect, sock_read=timeouts.read),
                read_bufsize=_READ_BUFFER,
                middlewares=(self._once,),
                trace_configs=[_tell_when_sent()],
            )
        )
        return self

    def _connector(self) -> aiohttp.TCPConnector:
        if self._manners.keep_alive:
            return aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, keepalive_timeout=_KEEPALIVE)
        return aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, force_close=True)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(self, outgoing: Outgoing, on_sent: OnSent) -> Answer:
        """Raises ConnectionFault or MalformedAnswer where no complete answer comes; `on_sent` tells whether the
        request was then already on its way."""
        fault: TemporaryError
        try:
            return await self._exchange(outgoing, on_sent)
        except (ConnectionFault, MalformedAnswer) as error:
            fault = error
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError) as error:
            fault = ConnectionFault(f"{outgoing}: {self._reason(error)}")
        except (aiohttp.ClientError, HttpProcessingError) as error:
            fault = MalformedAnswer(f"{outgoing}: not an HTTP answer we can read: {self._reason(error)}")
        # Raised out here, without aiohttp's error behind it, which carries the request's headers and so the key.
        raise fault

    async def _exchange(self, outgoing: Outgoing, on_sent: OnSent) -> Answer:
        async with self._session.request(
            outgoing.method,
            URL(self._manners.url + outgoing.target, encoded=True),
            data=outgoing.body,
            headers=outgoing.headers,
            allow_redirects=False,
            trace_request_ctx=_Leaving(outgoing, on_sent),
        ) as response:
            body = await self._read(outgoing, response)
            return Answer(response.status, response.headers, body, _unix(response.headers.get("Date", "")))

    async def _read(self, outgoing: Outgoing, response: aiohttp.ClientResponse) -> bytes:
        """The body, counted after decompression, which aiohttp does piece by piece."""
        pieces: list[bytes] = []
        room = self._manners.largest_body
        while piece := await response.content.readany():
            room -= len(piece)
            if room < 0:
                largest = self._manners.largest_body >> 20
                raise MalformedAnswer(f"{outgoing}: the answer is larger than {largest} MiB")
            pieces.append(piece)
        return b"".join(pieces)

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
        return excerpt(str(error), self._secrets()) or type(error).__name__


@dataclass(frozen=True, slots=True)
class _Leaving:
    """What is asked and told on the way out of one request."""

    outgoing: Outgoing
    tell: OnSent

    def check(self) -> None:
        if self.outgoing.may_leave is not None and not self.outgoing.may_leave():
            raise ConnectionFault(f"{self.outgoing}: it took too long to connect; nothing was sent")


def _tell_when_sent() -> aiohttp.TraceConfig:
    async def tell(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestHeadersSentParams
    ) -> None:
        await context.trace_request_ctx.tell()

    async def check(
        _: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceConnectionCreateEndParams
    ) -> None:
        context.trace_request_ctx.check()

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(check)
    trace.on_request_headers_sent.append(tell)
    return trace


def _unix(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
