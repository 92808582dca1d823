"""compressed bodies: decompressed in small pieces, or kept as they arrived"""

from __future__ import annotations

import zlib

from precoro_daemon.errors import ConnectionFault, MalformedAnswer

_PIECE = 2**20
"""The most bytes that one step decompresses, so that a bomb is harmless."""

_CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""The codings of RFC 9110, 8.4.1 that servers use although the client requested none."""


class Unpacker:
    """Decompresses one body. Put in what arrived, and take out until nothing more comes."""

    def __init__(self, coding: str, call: object) -> None:
        if (window := _CODINGS.get(coding)) is None:
            raise MalformedAnswer(f"{call}: it came packed in a way that was not asked for: {coding[:40]!r}")
        self._call = call
        self._window = window
        self._engine = zlib.decompressobj(window)
        self._waiting = b""

    def put(self, packed: bytes | memoryview) -> None:
        self._waiting += packed

    def take(self) -> bytes:
        """Returns the next bytes, b"" if more input is needed first. Raises MalformedAnswer."""
        piece = b""
        while self._waiting and not piece:
            if self._engine.eof:
                self._engine = zlib.decompressobj(self._window)  # one file may be packed in several members
            try:
                piece = self._engine.decompress(self._waiting, _PIECE)
            except zlib.error as error:
                raise MalformedAnswer(f"{self._call}: it cannot be unpacked: {error}") from None
            self._waiting = self._engine.unconsumed_tail or self._engine.unused_data
        return piece

    def end(self) -> None:
        """Ends the input. Raises ConnectionFault if something is missing."""
        if not self._engine.eof:
            raise ConnectionFault(f"{self._call}: the packed body ends before its end")
