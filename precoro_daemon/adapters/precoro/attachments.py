"""attached files from Precoro: their bytes, or the address that has them"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import msgspec
from yarl import URL

from precoro_daemon.adapters.http.downloads import Downloads, read_address
from precoro_daemon.adapters.http.exchange import Body, Exchange, Request
from precoro_daemon.adapters.http.faults import beginning, plain_headers
from precoro_daemon.adapters.http.guarded import origin_of
from precoro_daemon.adapters.precoro.file_addresses import FileAddresses
from precoro_daemon.errors import MalformedAnswer, PermanentError, ServerFault
from precoro_daemon.files.ports.source import Incoming
from precoro_daemon.files.rules.bodies import Part, continues, validator
from precoro_daemon.quota.limits import Lane
from precoro_daemon.values.json_reading import whole_number

_Headers = tuple[tuple[str, str], ...]

_METADATA = 2**16
"""The largest JSON answer in bytes that may describe a file instead of being one."""


class _Described(msgspec.Struct):
    file: str


_decode_described = msgspec.json.Decoder(_Described).decode


class PrecoroAttachments:
    """Implements `ports.AttachmentSource`.

    A request to an address at Precoro's own origin has the key and is charged, because it may be a call of the
    API. Such
    an address is predicted for the next file if possible (`file_addresses`). Requests to other origins have no key
    and are
    not charged.
    """

    def __init__(self, exchange: Exchange, downloads: Downloads, origin: str) -> None:
        self._exchange = exchange
        self._downloads = downloads
        self._origin = URL(origin)
        self._addresses = FileAddresses()

    @asynccontextmanager
    async def open(self, attachment: int, part: Part | None, size: int | None) -> AsyncIterator[Incoming]:
        ranges = _range(part)
        async with AsyncExitStack() as stack:
            body, read = await self._open_guessed(attachment, ranges, stack), b""
            if body is None:
                body, read = await self._open_asked(attachment, ranges, stack)
            yield _File(body, read, part, size)

    async def _open_guessed(self, attachment: int, ranges: _Headers, stack: AsyncExitStack) -> Body | None:
        """Opens the file at its predicted address; None if there is no prediction, or the answer is not marked as a
        file.
        """
        if (address := self._addresses.guess(attachment)) is None:
            return None
        async with AsyncExitStack() as attempt:
            with suppress(PermanentError, MalformedAnswer, ServerFault):
                body = await attempt.enter_async_context(self._follow(address, ranges))
                if _is_attachment(plain_headers(body.head.headers)):
                    await stack.enter_async_context(attempt.pop_all())
                    return body
        self._addresses.wrong()
        return None

    async def _open_asked(self, attachment: int, ranges: _Headers, stack: AsyncExitStack) -> tuple[Body, bytes]:
        """Opens the file through the API, following the address that it returns if it does, with the bytes already
        read.
        """
        request = Request("GET", f"/attachments/{attachment}", headers=ranges, lane=Lane.FILES)
        body = await stack.enter_async_context(self._exchange.open(request))
        read, address = await self._inspect(body, request)
        if address is None:
            self._addresses.learn(attachment, None)
            return body, read
        body = await stack.enter_async_context(self._follow(address, ranges))
        known = self._is_own(address) and _is_attachment(plain_headers(body.head.headers))
        self._addresses.learn(attachment, address if known else None)
        return body, b""

    async def _inspect(self, body: Body, request: Request) -> tuple[bytes, URL | None]:
        """Returns the bytes read so far, and the address that the body or a redirect gives instead of the file."""
        here = self._origin.join(URL(request.target, encoded=True))
        if body.head.status // 100 == 3:
            return b"", read_address(body.head.header("location"), here)
        headers = plain_headers(body.head.headers)
        if "json" not in headers.get("content-type", "") or _is_attachment(headers):
            return b"", None
        read, whole = await beginning(body, _METADATA)
        try:
            described = _decode_described(read) if whole else None
        except (msgspec.MsgspecError, RecursionError):
            described = None
        return read, None if described is None else read_address(described.file, here)

    @asynccontextmanager
    async def _follow(self, address: URL, ranges: _Headers) -> AsyncIterator[Body]:
        if self._is_own(address):
            request = Request("GET", address.path, encoded=address.raw_path_qs, headers=ranges, lane=Lane.FILES)
            async with self._exchange.open(request) as body:
                if body.head.status // 100 == 3:
                    raise MalformedAnswer(f"{request}: one redirect after another")
                yield body
        else:
            async with self._downloads.open(address, dict(ranges)) as body:
                yield body

    def _is_own(self, address: URL) -> bool:
        return origin_of(address) == origin_of(self._origin)


def _range(part: Part | None) -> _Headers:
    """Returns the headers for a range. Compression is refused: it changes the length, and ranges would not fit."""
    plain = (("Accept", "*/*"), ("Accept-Encoding", "identity"))
    if part is None:
        return plain
    return (*plain, ("Range", f"bytes={part.length}-"), ("If-Range", part.validator))


def _is_attachment(headers: Mapping[str, str]) -> bool:
    return headers.get("content-disposition", "").lower().startswith("attachment")


def _meets(length: int | None, start: int, size: int | None) -> bool:
    return length is not None and size is not None and start + length == size


class _File:
    """Implements `ports.Incoming`.

    read  the part of the body that was already read
    """

    def __init__(self, body: Body, read: bytes, part: Part | None, size: int | None) -> None:
        headers = plain_headers(body.head.headers)
        taken_up = part is not None and continues(part, body.head.status, headers, size)
        if body.head.status == 206 and not taken_up:
            raise MalformedAnswer("a piece of the file came that was not requested")
        self._body = body
        self._read = read
        self.start = part.length if part is not None and taken_up else 0
        self.framed = body.framed
        self.as_file = _is_attachment(headers)
        length = whole_number(headers.get("content-length"))
        # Stores give a .gz as if it were packed on its way: then what comes is as long as the document says.
        packed = body.coding not in ("", "identity") and not (_meets(length, self.start, size) and body.keep_packed())
        length = None if packed else length
        self.length = None if length is None else self.start + length
        self.validator = "" if packed else validator(headers)

    async def piece(self) -> bytes | memoryview:
        read, self._read = self._read, b""
        return read or await self._body.piece()
