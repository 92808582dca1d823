"""reads the rest of a long body from its socket straight into large buffers

Theory of operation. aiohttp reads a socket in many small pieces and copies each in its parser, which costs more CPU
time than hashing a file and writing it. Once the head of an answer has stated the body's length, no parser is needed:
the transport gets another protocol, which lets the kernel (or TLS) write into a large buffer and reads no more than
the body has. With its last byte the connection's own protocol gets the transport back, and aiohttp learns that the
body ended, so that the connection is reused. A reader that stops before leaves a body without an end; aiohttp closes
such a connection.
"""

from __future__ import annotations

import asyncio

import aiohttp
import anyio

_LEAST_BYTES = 2**18
"""The size that aiohttp reads in one piece."""

_BUFFER_BYTES = 2**20

_PIECE_S = 1.0
"""Seconds after which what arrived is delivered, so that a slow body is noticed."""


_spare: list[bytearray] = []
"""Buffers that no body is using. Allocating a new one for each body takes as long as hashing its content."""


class LongBody(asyncio.BufferedProtocol):
    """A body of `length` bytes, of which `left` are still to arrive. One task at a time.

    patience  seconds between two arrivals
    """

    def __init__(self, response: aiohttp.ClientResponse, length: int, left: int, patience: float) -> None:
        assert response.connection is not None
        assert response.connection.protocol is not None
        assert response.connection.transport is not None
        self._content = response.content
        self._handler = response.connection.protocol
        self._transport = response.connection.transport
        self._length = length
        self._left = left
        self._patience = patience
        self._lost: Exception | None = None
        self._block: bytearray | None = _spare.pop() if _spare else bytearray(_BUFFER_BYTES)
        self._buffer = memoryview(self._block)
        self._handler.pause_reading()  # with which it no longer watches over arrivals
        self._transport.set_protocol(self)

    async def piece(self) -> memoryview:
        """Returns the next bytes, valid until the next call; b"" after the last. Raises what aiohttp raises if a body
        breaks off.
        """
        if self._lost is not None:
            raise self._lost
        self._filled, self._ready = 0, anyio.Event()
        self._least = min(self._left, _BUFFER_BYTES)
        if self._left:
            self._transport.resume_reading()
            try:
                await self._wait()
            finally:
                self._pause()
        elif self._block is not None:
            _spare.append(self._block)
            self._block = None
        return self._buffer[: self._filled]

    async def _wait(self) -> None:
        soon = min(_PIECE_S, self._patience)
        with anyio.move_on_after(soon):
            await self._ready.wait()
        if not self._filled and self._lost is None:
            self._least = 1
            with anyio.move_on_after(self._patience - soon):
                await self._ready.wait()
        if not self._filled:
            raise self._lost or aiohttp.SocketTimeoutError("Timeout on reading data from socket")

    def _pause(self) -> None:
        """Stops reading, unless the body has ended: the transport is then no longer ours."""
        if self._left:
            self._transport.pause_reading()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - BufferedProtocol's
        return self._buffer[self._filled : self._filled + self._left]

    def buffer_updated(self, nbytes: int) -> None:
        self._filled += nbytes
        self._left -= nbytes
        if not self._left:
            self._transport.set_protocol(self._handler)
            self._content.feed_eof()
        if self._filled == len(self._buffer):
            self._pause()
        if self._filled >= self._least:
            self._ready.set()

    def eof_received(self) -> None:
        """Lets the transport close itself."""

    def connection_lost(self, exc: Exception | None) -> None:
        came = f"{self._length - self._left:,} of {self._length:,} bytes came"
        self._lost = aiohttp.ClientPayloadError(f"{exc}; {came}" if exc else f"the connection ended when {came}")
        self._ready.set()
        self._handler.connection_lost(exc)

    def pause_writing(self) -> None:
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        self._handler.resume_writing()


def take_over(response: aiohttp.ClientResponse, patience: float) -> LongBody | None:
    """Returns the rest of a body of which everything received was read; None if it is short, or its length is
    unknown.
    """
    length = response.content_length
    if length is None or response.connection is None or "Transfer-Encoding" in response.headers:
        return None
    left = length - response.content.total_bytes
    if left < _LEAST_BYTES or response.connection.transport is None:
        return None
    return LongBody(response, length, left, patience)
