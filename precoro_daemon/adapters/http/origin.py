"""one origin over aiohttp: no redirects, no cookies, one request on the wire, bounded answers"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Self

import aiohttp
import anyio.to_thread
from aiohttp.connector import Connection
from yarl import URL

from precoro_daemon.adapters.http.exchange import Answer, Body, OnSent
from precoro_daemon.adapters.http.faults import FAULTS, READ_BUFFER, ComingBody, Faults, unix
from precoro_daemon.adapters.http.route import route_in_use
from precoro_daemon.errors import ConnectionFault, MalformedAnswer

_MOST_CONNECTIONS = 40
_KEEPALIVE = 55.0
"""Seconds that a connection is kept: load balancers close it after a minute, and should not be the first to."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: for the whole call, for a new connection, between two pieces of an answer."""

    total: float = 60.0
    connect: float = 15.0
    read: float = 60.0


@dataclass(frozen=True, slots=True)
class OriginOptions:
    """How to call one origin.

    url           scheme, host and port
    largest_body  bytes of an answer, after decompression
    keep_alive    whether connections are reused
    """

    url: str
    timeouts: Timeouts
    largest_body: int
    keep_alive: bool = True


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request as it leaves.

    target     path and query, percent-encoded
    may_leave  called when a new connection is established; if it returns False it is too late, and nothing is written
    shown_as   its name in errors, if its target must not be shown
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    may_leave: Callable[[], bool] | None = field(default=None, repr=False)
    shown_as: str = ""

    def __post_init__(self) -> None:
        # Appended to the origin, anything else could change the host that gets the key ("@elsewhere", ".elsewhere").
        if not self.target.startswith("/"):
            raise ValueError(f"a path starts with a slash: {self.target!r}")

    def __str__(self) -> str:
        return self.shown_as or f"{self.method} {self.target}"


class Origin:
    """The only place that ever gets the secrets of its requests. `secrets` are what no error may show."""

    def __init__(
        self, options: OriginOptions, headers: Mapping[str, str], secrets: Callable[[], Sequence[str]]
    ) -> None:
        self._options = options
        self._url = URL(options.url)
        self._headers = headers
        self._faults = Faults(secrets)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        route = route_in_use()
        trust = await anyio.to_thread.run_sync(route.trust) if route.ca_file else True
        self._proxy = cache(route.proxy_for)  # to look through the environment takes longer than to send a request
        self._session = await self._stack.enter_async_context(
            aiohttp.ClientSession(
                connector=self._connector(trust),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                read_bufsize=READ_BUFFER,
                middlewares=(self._faults.once,),
                request_class=_Punctual,
            )
        )
        return self

    def _connector(self, trust: ssl.SSLContext | bool) -> aiohttp.TCPConnector:
        if self._options.keep_alive:
            return aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, keepalive_timeout=_KEEPALIVE, ssl=trust)
        return aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, force_close=True, ssl=trust)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def send(self, outgoing: Outgoing, on_sent: OnSent) -> Answer:
        """Sends a request. Raises ConnectionFault or MalformedAnswer if no complete answer arrives; `on_sent` shows
        whether the request was then already on its way.
        """
        try:
            return await self._exchange(outgoing, on_sent)
        except (ConnectionFault, MalformedAnswer, *FAULTS) as error:
            fault = self._faults.of(outgoing, error)
        # Raised out here, without aiohttp's error behind it, which carries the request's headers and so the key.
        raise fault

    @asynccontextmanager
    async def open(self, outgoing: Outgoing, on_sent: OnSent) -> AsyncIterator[Body]:
        """Does the same for an answer of any size, which may take any time as long as it keeps arriving."""
        async with AsyncExitStack() as stack:
            try:
                response = await stack.enter_async_context(self._request(outgoing, on_sent, endless=True))
            except (ConnectionFault, MalformedAnswer, *FAULTS) as error:
                fault = self._faults.of(outgoing, error)
            else:
                yield ComingBody(response, outgoing, self._faults, self._options.timeouts.read)
                return
            raise fault

    def _request(
        self, outgoing: Outgoing, on_sent: OnSent, *, endless: bool = False
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        _leaving.set((outgoing, on_sent))
        timeouts = self._options.timeouts
        total = None if endless else timeouts.total
        return self._session.request(
            outgoing.method,
            URL(self._options.url + outgoing.target, encoded=True),
            proxy=self._proxy(self._url),
            data=outgoing.body,
            headers=outgoing.headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total, timeouts.connect, sock_read=timeouts.read),
            auto_decompress=not endless,  # a file may be meant to stay packed
        )

    async def _exchange(self, outgoing: Outgoing, on_sent: OnSent) -> Answer:
        async with self._request(outgoing, on_sent) as response:
            body = await self._read(outgoing, response)
            return Answer(response.status, response.headers, body, unix(response.headers.get("Date", "")))

    async def _read(self, outgoing: Outgoing, response: aiohttp.ClientResponse) -> bytes:
        """Returns the body, counted after decompression, which aiohttp does piece by piece."""
        pieces: list[bytes] = []
        room = self._options.largest_body
        while piece := await response.content.readany():
            room -= len(piece)
            if room < 0:
                largest = self._options.largest_body >> 20
                raise MalformedAnswer(f"{outgoing}: the answer is larger than {largest} MiB")
            pieces.append(piece)
        return b"".join(pieces)


_leaving: ContextVar[tuple[Outgoing, OnSent]] = ContextVar("_leaving")
"""The present task's request, and whom to notify when it is sent."""


class _Punctual(aiohttp.ClientRequest):
    """Checks whether a request may still leave when its connection is established, and reports when it has left.

    Traces cannot do that. An error in the trace of the connection's end leaves the connection open for good
    (aiohttp/connector.py, `connect`). The trace of the headers is called before they are written: a process that is
    suspended just then would count the next call's interval from too early a time.
    """

    async def send(self, conn: Connection) -> aiohttp.ClientResponse:
        outgoing, on_sent = _leaving.get()
        if outgoing.may_leave is not None and not outgoing.may_leave():
            raise ConnectionFault(f"{outgoing}: it took too long to connect; nothing was sent")
        try:
            response = await super().send(conn)
            if outgoing.body:
                # Before Python 3.12 aiohttp writes a body, and the headers with it, in the next step of the loop.
                await asyncio.sleep(0)
            return response
        finally:
            # Whatever ended it: some of it may be on its way.
            await on_sent()
