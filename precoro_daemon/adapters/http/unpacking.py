"""bodies that come compressed: unpacked in small pieces, or kept as they came"""

from __future__ import annotations

import zlib

from precoro_daemon.errors import ConnectionFault, MalformedAnswer

_PIECE = 2**20
"""Bytes that one step unpacks at most, whatever a bomb has to say."""

_CODINGS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}
"""What of RFC 9110, 8.4.1 servers use for whom asks for none."""


class Unpacker:
    """Of one body. Put in what came, and take out until nothing comes any more."""

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
        """The next bytes; b"" where more has to be put in first. Raises MalformedAnswer."""
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
        """Nothing else comes. Raises ConnectionFault if something is missing."""
        if not self._engine.eof:
            raise ConnectionFault(f"{self._call}: the packed body ends before its end")
