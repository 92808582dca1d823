"""the source of attached files"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from precoro_daemon.files.rules.bodies import Part


class Incoming(Protocol):
    """A file on its way. It is readable while its context is open.

    start      offset of its first byte: 0, or the length of the resumed part
    length     bytes of the whole file as announced, None if unknown
    framed     whether its end is announced, so that a cut is noticed
    as_file    whether the answer calls it an attachment, not a page
    validator  the value for requesting the rest, "" if there is none
    """

    start: int
    length: int | None
    framed: bool
    as_file: bool
    validator: str

    async def piece(self) -> bytes | memoryview:
        """Returns the next bytes, valid until the next call; b"" after the last. Raises ConnectionFault or
        MalformedAnswer.
        """
        ...


class AttachmentSource(Protocol):
    """The files behind the ids, at Precoro or where it says they are."""

    def open(self, attachment: int, part: Part | None, size: int | None) -> AbstractAsyncContextManager[Incoming]:
        """Requests a file, or only the rest after `part` if it is still the same file and has `size` bytes (None:
        any).

        Every call to Precoro is charged to the lane of files; a request to another host is not, and never has the
        key. Raises TemporaryError, PermanentError (AddressRefused), AuthenticationError, BudgetSpent. Cancellation
        leaves nothing behind but the charge.
        """
        ...
