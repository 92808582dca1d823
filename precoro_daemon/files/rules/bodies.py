"""whether a body is the file, and whether the rest of an interrupted one still belongs to it"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

BEGINNING = 1024
"""Bytes at the start of a file that show its type."""

_SLOWEST = 1024
"""Bytes a second below which a download is given up once its patience is used up."""

_SETTLED = 60.0
"""Seconds after which a modification time distinguishes two versions (RFC 9110, 8.8.2.2)."""

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Part:
    """The start of a file that is durable on disk, and what shows whether the rest still belongs to it."""

    length: int
    validator: str


@dataclass(frozen=True, slots=True)
class Received:
    """A whole body as it arrived.

    beginning  its first bytes, at most BEGINNING
    framed     whether its end was announced (a length, or chunks), so that a cut would have been noticed
    as_file    whether the answer called it an attachment, not a page
    """

    length: int
    beginning: bytes
    framed: bool
    as_file: bool = False


_HTML_PAGE = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<\?xml[^>]*>\s*<(!doctype html|html))", re.IGNORECASE)
_OBJECT = re.compile(rb'\s*[\[{]\s*("|\{|\}|\])')
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OBJECTS = frozenset({"json", "geojson"})
_TEXTS = frozenset({"html", "htm", "xhtml", "mht", "json", "geojson", "xml", "svg", "txt", "csv", "md", "eml"})
_BINARY_MAGIC = (
    b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*",
    b"BM", b"RIFF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf", b"%!PS", b"\0\0\0",
)  # fmt: skip
_BINARIES = frozenset(
    {"pdf", "xlsx", "docx", "pptx", "odt", "ods", "png", "jpg", "jpeg", "gif", "tif", "tiff", "webp", "heic", "zip"}
)


def flaw(kind: str, size: int | None, received: Received) -> str | None:
    """Returns why a body cannot be the file, None if it can. `size`: the length that it must have, None if unknown.

    A body of the right length is accepted, even a web page, because a user may have attached one. Without a known
    length, an error page must not be taken for a file.
    """
    if size is not None:
        return None if received.length == size else f"{received.length:,} bytes came of a file of {size:,}"
    if not received.framed:
        return "it came without a length, so that it may have been cut"
    return _strange(kind, received) if received.length else "it came empty"


def _strange(kind: str, received: Received) -> str | None:
    if kind in _TEXTS and received.as_file:
        return None
    start = received.beginning.removeprefix(_BYTE_ORDER_MARK)
    if _HTML_PAGE.match(start) or (_OBJECT.match(start) and kind not in _OBJECTS):
        return "a page or a message came instead of the file"
    if kind in _BINARIES and not (start.startswith(_BINARY_MAGIC) or b"%PDF" in start):
        return f"what came is no {kind} file, nor of any kind that we know"
    return None


def too_slow(received: int, seconds: float, patience: float) -> bool:
    """Returns whether a body is too slow: after `patience` seconds it must have averaged a kilobyte a second."""
    return received < (seconds - patience) * _SLOWEST


def validator(headers: Mapping[str, str]) -> str:
    """Returns the validator for requesting the rest (RFC 9110, If-Range); "" if nothing distinguishes two versions.

    `headers` have names in lower case.
    """
    tag = headers.get("etag", "")
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
        return tag
    modified, now = _unix(headers.get("last-modified")), _unix(headers.get("date"))
    settled = modified is not None and now is not None and now - modified >= _SETTLED
    return headers["last-modified"] if settled else ""


def continues(part: Part, status: int, headers: Mapping[str, str], size: int | None) -> bool:
    """Returns whether an answer is the rest of exactly that part: from its end to the end of the file, of the same
    version.
    """
    found = _RANGE.fullmatch(headers.get("content-range", "").strip())
    if status != 206 or found is None:
        return False
    first, last, total = map(int, found.groups())
    whole = first == part.length and last == total - 1 and size in (None, total)
    return whole and validator(headers) == part.validator


def _unix(date: str | None) -> float | None:
    try:
        moment: datetime = parsedate_to_datetime(date or "")
        return moment.timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
