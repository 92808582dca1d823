"""aiohttp's failures as our errors, without the key; bodies that are still arriving"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import lru_cache

import aiohttp
import anyio
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Struct

from precoro_daemon.adapters.http.exchange import Answer, Body
from precoro_daemon.adapters.http.long_body import LongBody, take_over
from precoro_daemon.adapters.http.unpacking import Unpacker
from precoro_daemon.errors import ConnectionFault, MalformedAnswer, TemporaryError, TimedOut
from precoro_daemon.telemetry import excerpt

READ_BUFFER = 2**20
"""Bytes that one connection reads ahead."""

FAULTS = (aiohttp.ClientError, HttpProcessingError, TimeoutError, OSError)
"""Everything that aiohttp raises when a call fails."""

_LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError, OSError)


_PROXY_ADVICE = "; see HTTPS_PROXY, NO_PROXY and proxy in [precoro]"
_CA_ADVICE = "; if a proxy or firewall here signs for others, name its certificate as ca_file in [precoro]"
_DNS_ADVICE = ". Check DNS; if there is no other way out than a proxy, name it as HTTPS_PROXY or proxy in [precoro]"


class Faults(Struct, frozen=True):
    """`secrets` returns what no error text may contain."""

    secrets: Callable[[], Sequence[str]] = tuple

    def of(self, call: object, error: BaseException) -> TemporaryError:
        """Returns the error for a failure of aiohttp. Raise it outside of the `except`: its cause would carry
        headers.
        """
        if isinstance(error, ConnectionFault | MalformedAnswer):
            return error
        if words := self._of_the_way(error):
            return ConnectionFault(f"{call}: {words}")
        if isinstance(error, _LOST):
            kind = TimedOut if isinstance(error, TimeoutError) else ConnectionFault
            return kind(f"{call}: {self.reason(error)}")
        return MalformedAnswer(f"{call}: not an HTTP answer we can read: {self.reason(error)}")

    def _of_the_way(self, error: BaseException) -> str:
        """Returns what is wrong between us and the other side, with what to do; "" for anything else."""
        match error:
            case aiohttp.ClientHttpProxyError():
                proxy = error.request_info.real_url.with_user(None)
                return f"the proxy {proxy} answered {error.status} {error.message}".rstrip() + _PROXY_ADVICE
            case aiohttp.ClientProxyConnectionError():
                return f"the proxy {error.host}:{error.port} cannot be reached ({self._why(error)}){_PROXY_ADVICE}"
            case aiohttp.ClientConnectorCertificateError():
                return f"the certificate of {error.host} is not believed ({self.reason(error)}){_CA_ADVICE}"
            case aiohttp.ClientConnectorDNSError():
                return f"the name {error.host} cannot be resolved{_DNS_ADVICE}"
            case aiohttp.ClientConnectorError() if error.os_error.errno and not isinstance(
                error, aiohttp.ClientSSLError
            ):
                return f"cannot connect to {error.host}:{error.port}: {os.strerror(error.os_error.errno).lower()}"
            case _:
                return ""

    def _why(self, error: aiohttp.ClientConnectorError) -> str:
        """Returns the system's error text, without aiohttp's additions."""
        number = error.os_error.errno
        return os.strerror(number).lower() if number and number > 0 else self.reason(error)

    def reason(self, error: BaseException) -> str:
        """Returns the error text of aiohttp and the system; some errors have none, some quote the server."""
        return excerpt(str(error), self.secrets()) or type(error).__name__

    async def once(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Keeps aiohttp from repeating a request.

        It repeats GET, PUT and DELETE after a dropped connection (aiohttp/client.py, `retry_persistent_connection`),
        unless it does not know the error. The server may have counted the first request, and we would not count the
        second.
        """
        try:
            return await handler(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            reason = self._of_the_way(error) or self.reason(error)
        # What a file is asked for with may be a signature that opens it to anybody.
        asked = request.url.raw_path if request.headers.get("Accept") == "*/*" else request.url.raw_path_qs
        raise ConnectionFault(f"{request.method} {asked}: {reason}")


class ComingBody:
    """Implements `Body` on an open response that aiohttp does not decompress. `call` names it in errors."""

    def __init__(self, response: aiohttp.ClientResponse, call: object, faults: Faults, patience: float) -> None:
        self.patience = patience
        self._response = response
        self._call = call
        self._faults = faults
        headers = response.headers
        self.head = Answer(response.status, headers, b"", unix(headers.get("Date", "")))
        self.framed = "Content-Length" in headers or "chunked" in headers.get("Transfer-Encoding", "").lower()
        self.coding = headers.get("Content-Encoding", "").strip().lower()
        self._unpacker: Unpacker | None = None
        self._rest: LongBody | None = None
        self._begun = False

    def keep_packed(self) -> bool:
        if self._begun:
            return False
        self.coding = ""
        return True

    async def piece(self) -> bytes | memoryview:
        self._begun = True
        if self.coding in ("", "identity"):
            return await self._raw()
        unpacker = self._unpacker = self._unpacker or Unpacker(self.coding, self._call)
        while not (piece := unpacker.take()):
            if not (packed := await self._raw()):
                unpacker.end()
                return b""
            unpacker.put(packed)
        return piece

    async def _raw(self) -> bytes | memoryview:
        try:
            return await self._next()
        except FAULTS as error:
            fault = self._faults.of(self._call, error)
        raise fault

    async def _next(self) -> bytes | memoryview:
        if self._rest is None:
            if came := self._response.content.read_nowait():
                return came
            self._rest = take_over(self._response, self.patience)
        return await (self._rest.piece() if self._rest else self._response.content.readany())


async def beginning(body: Body, most: int) -> tuple[bytes, bool]:
    """Returns the body's first bytes, at least `most` if there are that many, and whether that was everything."""
    pieces: list[bytes] = []
    with anyio.move_on_after(body.patience):
        while sum(map(len, pieces)) < most:
            if not (piece := await body.piece()):
                return b"".join(pieces), True
            pieces.append(bytes(piece))
        return b"".join(pieces), False
    raise TimedOut(f"the answer trickles in: {sum(map(len, pieces)):,} bytes in {body.patience:.0f} seconds")


def plain_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Returns the headers with names in lower case; of a repeated one the last."""
    return {name.lower(): value for name, value in headers.items()}


@lru_cache(maxsize=16)
def unix(date: str) -> float | None:
    """Returns an HTTP date in Unix seconds, None if it is none. Cached: all answers of one second have the same."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
