"""where attached files come from"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from precoro_daemon.files.rules.bodies import Part


class Incoming(Protocol):
    """A file on its way. It can be read for as long as its context is entered.

    start      offset of its first byte: 0, or the length of the part that is taken up
    length     bytes of the whole file as announced, None if nobody says
    framed     its end is announced, so that it cannot be cut unnoticed
    as_file    the answer calls it an attachment, not a page
    validator  what the rest can be asked for with, "" if nothing
    """

    start: int
    length: int | None
    framed: bool
    as_file: bool
    validator: str

    async def piece(self) -> bytes | memoryview:
        """The next bytes, good until the next are asked for; none after the last. Raises
        ConnectionFault or MalformedAnswer."""
        ...


class AttachmentSource(Protocol):
    """The files behind the ids, at Precoro or where it says they are."""

    def open(self, attachment: int, part: Part | None, size: int | None) -> AbstractAsyncContextManager[Incoming]:
        """Ask for a file; from the end of `part` on, if that is still the same file and has `size` bytes (None: any).

        Every call to Precoro is charged to the lane of files; one to another host is not, and never has the key.
        Raises TemporaryError, PermanentError (AddressRefused), AuthenticationError, BudgetSpent. Cancellation leaves
        nothing behind but the charge.
        """
        ...
