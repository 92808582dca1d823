"""Every way we could think of in which a file can come wrong, each from eight places of it on."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

SIXTEENTHS = (0, 1, 8, 15, 16)
"""From where on it comes wrong: mostly near its ends, where what is wrong is most like what is right."""
CONTENT = b"%PDF-1.7\n" + random.Random(7).randbytes(5_000)
MAX_BYTES = 100_000
"""More than the content, less than what bombs and endless bodies hold."""

Ending = Literal["close", "reset", "hang"]
PAGE = b"<!DOCTYPE html><html><title>Sign in</title>Please sign in again</html>"
MESSAGE = json.dumps({"code": 500, "message": "Something went wrong"}).encode()


@dataclass(frozen=True)
class Said:
    """What is sent after a request, and how the connection then ends. `drip`: a byte at a time."""

    data: bytes
    ending: Ending = "close"
    drip: bool = False
    endless: bytes = b""


def head(*lines: str, status: str = "200 OK") -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *lines, "", "")).encode()


def measured(body: bytes, *lines: str, length: int | None = None, status: str = "200 OK") -> bytes:
    return head(f"Content-Length: {len(body) if length is None else length}", *lines, status=status) + body


def chunked(body: bytes, *lines: str, end: bool = True) -> bytes:
    parts = [body[start : start + 700] for start in range(0, len(body), 700)]
    text = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return head("Transfer-Encoding: chunked", *lines) + text + (b"0\r\n\r\n" if end else b"")


PDF = "Content-Type: application/pdf"
ATTACHED = 'Content-Disposition: attachment; filename="a.pdf"'
HTML = "Content-Type: text/html; charset=utf-8"
JSON = "Content-Type: application/json"
FULL = len(CONTENT)

Kind = Callable[[int], Said]

BROKEN: Mapping[str, Kind] = {
    # Seen by the framing or the look of it, whether the document says a size or not. `k` bytes of the content come.
    "length_cut": lambda k: Said(measured(CONTENT[:k], PDF, length=FULL + 1)),
    "length_reset": lambda k: Said(measured(CONTENT[:k], PDF, length=FULL + 1), "reset"),
    "length_stall": lambda k: Said(measured(CONTENT[:k], PDF, length=FULL + 1), "hang"),
    "length_letters": lambda k: Said(head("Content-Length: many", PDF) + CONTENT[:k]),
    "length_negative": lambda k: Said(head("Content-Length: -5", PDF) + CONTENT[:k]),
    "length_twice": lambda k: Said(head(f"Content-Length: {k}", f"Content-Length: {FULL}", PDF) + CONTENT),
    "length_huge": lambda k: Said(head("Content-Length: 99999999999999999999", PDF) + CONTENT[:k]),
    "chunks_cut": lambda k: Said(chunked(CONTENT[:k], PDF, end=False)),
    "chunks_cut_within": lambda k: Said(
        head("Transfer-Encoding: chunked", PDF) + b"%x\r\n" % (FULL + 9) + CONTENT[:k]
    ),
    "chunks_reset": lambda k: Said(chunked(CONTENT[:k], PDF, end=False), "reset"),
    "chunks_stall": lambda k: Said(chunked(CONTENT[:k], PDF, end=False), "hang"),
    "chunks_nonsense": lambda k: Said(chunked(CONTENT[:k], PDF, end=False) + b"zzz\r\nnonsense\r\n0\r\n\r\n"),
    "chunks_end_cut": lambda k: Said(chunked(CONTENT[:k], PDF, end=False) + b"0\r\n"),
    "headers_cut": lambda k: Said(measured(CONTENT, PDF, ATTACHED)[: 20 + k // 100]),
    "status_nonsense": lambda k: Said(b"HTTP/1.1 fine\r\n\r\n" + CONTENT[:k]),
    "no_http": lambda k: Said(CONTENT[:k] + b"\r\n\r\n"),
    "nothing": lambda k: Said(b"", "reset" if k % 2 else "close"),
    "silence": lambda k: Said(b"", "hang"),
    "drip": lambda k: Said(measured(CONTENT, PDF), "hang", drip=True),
    "page": lambda k: Said(measured(PAGE + b"x" * k, HTML)),
    "page_chunked": lambda k: Said(chunked(PAGE + b"x" * k, HTML)),
    "page_as_pdf": lambda k: Said(measured(b"\n \n" + PAGE + b"x" * k, PDF, ATTACHED)),
    "page_as_bytes": lambda k: Said(
        measured(b"\xef\xbb\xbf" + PAGE + b"x" * k, "Content-Type: application/octet-stream")
    ),
    "message": lambda k: Said(measured(MESSAGE + b" " * k, JSON)),
    "message_as_pdf": lambda k: Said(measured(MESSAGE + b" " * k, PDF, ATTACHED)),
    "text_as_pdf": lambda k: Said(measured(b"Service unavailable" + b"." * k, PDF)),
    "empty": lambda k: Said(measured(b"", PDF)),
    "empty_chunked": lambda k: Said(chunked(b"", PDF, ATTACHED)),
    "empty_closed": lambda k: Said(head(PDF)),
    "no_content": lambda k: Said(head(status="204 No Content")),
    "failure_with_body": lambda k: Said(measured(CONTENT, PDF, status="500 Internal Server Error")),
    "gone_with_body": lambda k: Said(measured(CONTENT, PDF, status="410 Gone")),
    "piece_unasked": lambda k: Said(
        measured(CONTENT[k:], PDF, f"Content-Range: bytes {k}-{FULL - 1}/{FULL}", status="206 Partial Content")
    ),
    "elsewhere_inside": lambda k: Said(head("Location: https://10.0.0.1/a", "Content-Length: 0", status="302 Found")),
    "elsewhere_nowhere": lambda k: Said(head("Content-Length: 0", status="302 Found")),
    "address_inside": lambda k: Said(measured(b'{"id": 1, "file": "https://[::1]/a"}', JSON)),
    "address_of_no_host": lambda k: Said(measured(b'{"id": 1, "file": "file:///etc/passwd"}', JSON)),
    "address_is_no_text": lambda k: Said(measured(b'{"id": 1, "file": {"url": 7}}', JSON)),
    "gzip_cut": lambda k: Said(chunked(gzip.compress(CONTENT)[: k or 1], PDF, "Content-Encoding: gzip", end=False)),
    "gzip_nonsense": lambda k: Said(measured(b"\x1f\x8b" + CONTENT[: k + 9], PDF, "Content-Encoding: gzip")),
    "gzip_bomb": lambda k: Said(measured(BOMB, PDF, "Content-Encoding: gzip")),
    "deflate_bomb": lambda k: Said(measured(zlib.compress(bytes(5_000_000)), PDF, "Content-Encoding: deflate")),
    "endless": lambda k: Said(head("Content-Length: 999999999", PDF) + CONTENT, endless=b"x" * 10_000),
    "endless_chunked": lambda k: Said(
        head("Transfer-Encoding: chunked", PDF), endless=b"a\r\nxxxxxxxxxx\r\n" * 1_000
    ),
    "endless_closed": lambda k: Said(head(PDF) + CONTENT, endless=b"x" * 10_000),
}

LYING: Mapping[str, Kind] = {
    # Framed as if it were all: only the size that the document says can tell. With k = all, it is.
    "length_lies": lambda k: Said(measured(CONTENT[:k], PDF)),
    "length_short": lambda k: Said(measured(CONTENT, PDF, length=k)),
    "chunks_lie": lambda k: Said(chunked(CONTENT[:k], PDF)),
    "closed": lambda k: Said(head(PDF) + CONTENT[:k]),
    "gzip_lies": lambda k: Said(measured(gzip.compress(CONTENT[:k]), PDF, "Content-Encoding: gzip")),
    "more_behind": lambda k: Said(measured(CONTENT + b"x" * (FULL - k), PDF)),
    "page_behind": lambda k: Said(chunked(CONTENT[:k] + PAGE * (k < FULL), PDF)),
}

BOMB = gzip.compress(bytes(5_000_000))


def offset(sixteenth: int) -> int:
    return FULL * sixteenth // 16
