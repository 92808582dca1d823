"""what is missing, safe names, when a resume is sound"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from precoro_daemon.mirror.rules.change_log import Change
from precoro_daemon.mirror.rules.documents import utc_text, whole_number

LONGEST_NAME = 100
"""Bytes of the part of a file's name that its owner chose."""

BEGINNING = 1024
"""Bytes at the beginning of a file by which its kind is told."""

_LONGEST_ENDING = 16
_SLOWEST = 1024
"""Bytes a second below which a download is given up once its patience is used up."""

_DISPROVED = 20
"""Sizes that contradict what came, with none that agrees, before they are taken for something else than bytes."""

_SETTLED = 60.0
"""Seconds after which a time of last modification tells two versions apart (RFC 9110, 8.8.2.2)."""

_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as its document names it.

    size         bytes, None if the document does not give a whole number
    kind         ending without the dot, in small letters, "" if neither the document nor the name tells
    uploaded_at  UTC, "YYYY-MM-DDTHH:MM:SS"; its own text if it is no date we can read
    """

    id: int
    name: str
    size: int | None
    kind: str
    uploaded_at: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of a file that is safely on disk, and what tells whether the rest still belongs to it."""

    length: int
    validator: str


@dataclass(frozen=True, slots=True)
class Received:
    """A whole body as it came.

    beginning   its first bytes, at most BEGINNING
    framed      its end was announced (a length, or chunks), so that it cannot have been cut unnoticed
    as_file     the answer called it an attachment, not a page
    """

    length: int
    beginning: bytes
    framed: bool
    as_file: bool = False


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The files that the detail of one record names; `at`: when that detail was asked for."""

    collection: str
    record_id: int
    files: Sequence[Attachment]
    at: float


class _Holder(msgspec.Struct):
    attachments: msgspec.Raw = msgspec.Raw(b"null")


_decode_holder = msgspec.json.Decoder(_Holder).decode


def files_named(changes: Sequence[Change]) -> Sequence[NamedFiles]:
    """What changes of the mirror say of files: only details name them. Of a record that changed several times the
    last change counts; all show the same."""
    details = {(one.collection, one.id): one for one in changes if one.kind == "detailed" and one.data is not None}
    return [
        NamedFiles(collection, id_, read_attachments((one.data or b"").decode()), one.at or 0.0)
        for (collection, id_), one in details.items()
    ]


def read_attachments(raw: str) -> list[Attachment]:
    """The files a detail names, each id once. A list may come bare, wrapped in `data`, or as a dict keyed by id."""
    try:
        value = msgspec.json.decode(_decode_holder(raw).attachments)
    except msgspec.MsgspecError:
        value = _with_half_pairs(raw)
    except RecursionError:
        return []
    if isinstance(value, dict):
        value = value.get("data", value)
    rows = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    read = [_read(row) for row in rows if isinstance(row, dict)]
    return list({one.id: one for one in read if one is not None}.values())


def _with_half_pairs(raw: str) -> Any:
    """The same by a parser that takes half a surrogate pair, which JSON can hold; slower."""
    try:
        detail = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return detail.get("attachments") if isinstance(detail, dict) else None


def _read(row: Mapping[str, Any]) -> Attachment | None:
    number = whole_number(row.get("id"))
    if number is None or number < 0:
        return None
    name = row["name"].encode("utf-8", "replace").decode() if isinstance(row.get("name"), str) else ""
    said = row.get("formatType")
    kind = said.strip().lstrip(".").lower() if isinstance(said, str) else ""
    size = whole_number(row.get("size"))
    return Attachment(
        id=number,
        name=name,
        size=size if size is not None and size >= 0 else None,
        kind=kind if kind.isalnum() else _ending(name).lstrip(".").lower(),
        uploaded_at=utc_text(row.get("uploadDate")),
    )


def sizes_are_bytes(confirmed: int, contradicted: int) -> bool:
    """Whether the sizes that documents give can be held against what comes.

    confirmed     files whose size was what came; contradicted: files that came whole by their own framing, with
                  another size
    """
    return confirmed > 0 or contradicted < _DISPROVED


_PAGE = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<\?xml[^>]*>\s*<(!doctype html|html))", re.IGNORECASE)
_OBJECT = re.compile(rb'\s*[\[{]\s*("|\{|\}|\])')
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OBJECTS = frozenset({"json", "geojson"})
_TEXTS = frozenset({"html", "htm", "xhtml", "mht", "json", "geojson", "xml", "svg", "txt", "csv", "md", "eml"})
_MAGIC = (
    b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*",
    b"BM", b"RIFF", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf", b"%!PS", b"\0\0\0",
)  # fmt: skip
_BINARIES = frozenset(
    {"pdf", "xlsx", "docx", "pptx", "odt", "ods", "png", "jpg", "jpeg", "gif", "tif", "tiff", "webp", "heic", "zip"}
)


def flaw(kind: str, size: int | None, received: Received) -> str | None:
    """Why a body cannot be the file, None if it can. `size`: what it must have, None if nobody knows.

    With the right number of bytes anything is taken, also a page that somebody really attached. Without, an error
    page must not pass for a file.
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
    if _PAGE.match(start) or (_OBJECT.match(start) and kind not in _OBJECTS):
        return "a page or a message came instead of the file"
    if kind in _BINARIES and not (start.startswith(_MAGIC) or b"%PDF" in start):
        return f"what came is no {kind} file, nor of any kind that we know"
    return None


def too_slow(received: int, seconds: float, patience: float) -> bool:
    """A body that trickles: after `patience` seconds it must have come at a kilobyte a second on the whole."""
    return received < (seconds - patience) * _SLOWEST


def validator(headers: Mapping[str, str]) -> str:
    """What a later request can ask for the rest with (RFC 9110, If-Range); "" if nothing tells two versions apart.

    `headers` have small letters for names.
    """
    tag = headers.get("etag", "")
    if tag.startswith('"') and tag.endswith('"') and len(tag) > 2:
        return tag
    modified, now = _unix(headers.get("last-modified")), _unix(headers.get("date"))
    settled = modified is not None and now is not None and now - modified >= _SETTLED
    return headers["last-modified"] if settled else ""


def continues(part: Part, status: int, headers: Mapping[str, str], size: int | None) -> bool:
    """Whether an answer is the rest of exactly that part: from its end on, to the end, of the same version."""
    found = _RANGE.fullmatch(headers.get("content-range", "").strip())
    if status != 206 or found is None:
        return False
    first, last, total = map(int, found.groups())
    whole = first == part.length and last == total - 1 and size in (None, total)
    return whole and validator(headers) == part.validator


def place(collection: str, key: int | str | None, record_id: int, attachment: tuple[int, str]) -> str:
    """Where a file is kept below the root: <collection>/<idn>/<attachment id>__<safe name>.

    The id alone makes it the only one of its name; the rest is for people. A document without idn is named by its id.
    """
    number, name = attachment
    folder = f"id-{record_id}" if key is None else str(key) if isinstance(key, int) else safe_name(key)
    return f"{collection}/{folder}/{number}__{safe_name(name)}"


def safe_name(name: str) -> str:
    """A user's name for a file as any file system takes it: letters, digits, a few signs; at most LONGEST_NAME bytes.

    The ending survives a cut. Nothing in it can lead to another directory, hide the file, or turn the text around.
    """
    name = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    name = "".join(letter if _harmless(letter) else "_" for letter in name)
    name = unicodedata.normalize("NFC", name).strip(" .")
    ending = _ending(name)
    if len(ending.encode()) > _LONGEST_ENDING:
        ending = ""
    stem = name.removesuffix(ending)
    stem = stem.encode()[: LONGEST_NAME - len(ending.encode())].decode("utf-8", "ignore").rstrip(" .")
    return f"{stem}{ending}" if stem.strip("_") else f"file{ending}"


def _harmless(letter: str) -> bool:
    return letter in " .-_()+,&@#" or unicodedata.category(letter)[0] in "LN" or unicodedata.category(letter) == "Mn"


def _ending(name: str) -> str:
    """ ".pdf" of "a.b.pdf"; "" where there is none."""
    stem, dot, ending = name.rpartition(".")
    return f".{ending}" if dot and stem and ending.isalnum() else ""


def _unix(date: str | None) -> float | None:
    try:
        moment: datetime = parsedate_to_datetime(date or "")
        return moment.timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
