"""list and detail answers as pages and documents, in every shape that was observed"""

from __future__ import annotations

import json
import re
from codecs import utf_8_decode
from dataclasses import dataclass
from typing import Any

import msgspec

from precoro_daemon.errors import BadRecord, MalformedAnswer
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.collections import Collection
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.documents import Record, Rejected, read_record, reject
from precoro_daemon.values.json_reading import plain_number, whole_characters, whole_number


class _Pagination(msgspec.Struct):
    total: Any = None
    count: Any = None
    per_page: Any = None
    current_page: Any = None
    total_pages: Any = None
    has_next_page: Any = None


class _List(msgspec.Struct):
    data: list[msgspec.Raw] | dict[str, msgspec.Raw] | None = None
    meta: msgspec.Raw = msgspec.Raw(b"")


class _Meta(msgspec.Struct):
    pagination: msgspec.Raw = msgspec.Raw(b"")


class _Document(msgspec.Struct):
    id: Any = None
    idn: Any = None
    data: msgspec.Raw = msgspec.Raw(b"")


_decode_list = msgspec.json.Decoder(_List).decode
_decode_meta = msgspec.json.Decoder(_Meta).decode
_decode_pagination = msgspec.json.Decoder(_Pagination).decode
_decode_document = msgspec.json.Decoder(_Document).decode

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]', re.DOTALL)

_DECODED_BYTES = 2**15
"""Bytes decoded at once. Decoding a whole page allocates a megabyte, which takes the system five times as long as the
decoding itself.
"""

_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The requested page.

    number  None if the last page was requested by name
    """

    collection: Collection
    number: int | None
    per_page: int


def read_page(body: bytes, request: PageRequest, server_time: float | None) -> Page:
    """Reads a list answer.

    Raises MalformedAnswer if the body is no list answer: a cut or foreign body must never end a scan.
    """
    try:
        _refuse_damaged(body)  # msgspec skips over strings; what was damaged in one may be damaged elsewhere too
        answer = _split(body)
        pagination = _pagination(bytes(answer.meta))
        page = _page(_rows(answer, request.collection), pagination, request, server_time)
    except _UNREADABLE as error:
        raise MalformedAnswer(f"{request.collection.path}: the answer is no list of records: {error}") from error
    return page


def _refuse_damaged(body: bytes) -> None:
    """Raises UnicodeDecodeError if the body is not UTF-8."""
    view, at = memoryview(body), 0
    while at < len(view):
        piece = view[at : at + _DECODED_BYTES]
        at += utf_8_decode(piece, "strict", at + len(piece) == len(view))[1]


def _split(body: bytes) -> _List:
    """Returns the rows as they were sent. A row that msgspec refuses must not affect its siblings.

    Half surrogate pairs, which JSON may contain, are replaced. If a row is nested too deeply,
    the rows are found without parsing them.
    """
    try:
        return _decode_list(body)
    except _UNREADABLE:
        body = whole_characters(body)
    try:
        return _decode_list(body)
    except _UNREADABLE:
        return _split_text(body.decode())


def _split_text(text: str) -> _List:
    parts, end = _parts(text, _BLANK.match(text, 0).end())  # type: ignore[union-attr]
    if text[end:].strip():
        raise ValueError("more follows the end of the answer")
    members = dict(parts)
    data, meta = members.get("data", ""), members.get("meta", "")
    if not text.lstrip().startswith("{") or not data.startswith(("[", "{")):
        raise ValueError("the answer has no rows")
    rows = [msgspec.Raw(row.encode()) for _, row in _parts(data, 0)[0]]
    return _List(data=rows, meta=msgspec.Raw(meta.encode()))


def _parts(text: str, at: int) -> tuple[list[tuple[str, str]], int]:
    """Returns the elements of the array, or the members of the object, that begins at `at`, as key and JSON, and its
    end.
    """
    close = {"[": "]", "{": "}"}.get(text[at : at + 1])
    if close is None:
        raise ValueError("neither an array nor an object")
    parts: list[tuple[str, str]] = []
    at = _past(text, at, text[at])
    while text[at : at + 1] != close:
        key, at = "", _past(text, at, ",") if parts else at
        if close == "}":
            if text[at : at + 1] != '"':
                raise ValueError(f"a name expected at character {at}")
            key, at = _DECODER.raw_decode(text, at)
            at = _past(text, _BLANK.match(text, at).end(), ":")  # type: ignore[union-attr]
        end = _end(text, at)
        parts.append((key, text[at:end]))
        at = _BLANK.match(text, end).end()  # type: ignore[union-attr]
    return parts, at + 1


def _past(text: str, at: int, mark: str) -> int:
    """Returns the position after this mark."""
    if text[at : at + 1] != mark:
        raise ValueError(f"{mark!r} expected at character {at}")
    return _BLANK.match(text, at + 1).end()  # type: ignore[union-attr]


def _end(text: str, at: int) -> int:
    """Returns the end of the value that begins at `at`, however deeply it is nested."""
    try:
        return _DECODER.raw_decode(text, at)[1]
    except RecursionError:
        depth = 0
        for token in _JSON_TOKEN.finditer(text, at):
            depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
            if depth <= 0:
                return token.end()
        raise ValueError("a value does not end") from None


def _page(rows: list[msgspec.Raw], pagination: _Pagination, request: PageRequest, server_time: float | None) -> Page:
    path = request.collection.path
    number = whole_number(pagination.current_page)
    if request.number is not None and number not in (None, request.number):
        raise MalformedAnswer(f"{path}: requested page {request.number}, got page {number}")
    _refuse_cut(rows, pagination, request)
    total = whole_number(pagination.total)
    total_pages = _total_pages(pagination, total, request.per_page)
    has_next = _flag(pagination.has_next_page)
    if has_next is False and (request.number or 0) < (total_pages or 0) and request.number is not None:
        raise MalformedAnswer(f"{path}: page {request.number} says it is the last, and that there are {total_pages}")
    if total is None and total_pages is None and has_next is None:
        _refuse_bare(rows, request)
    records, rejected = _read_rows(rows)
    return Page(
        number=request.number or number or 1,
        records=records,
        rejected=rejected,
        total=total,
        total_pages=total_pages,
        has_next=has_next,
        server_time=server_time,
    )


def _refuse_cut(rows: list[msgspec.Raw], pagination: _Pagination, request: PageRequest) -> None:
    """Refuses a page that states more rows than it has: it was cut. A count above the page size counts something
    else.
    """
    count, per_page = whole_number(pagination.count), whole_number(pagination.per_page)
    if count is not None and len(rows) < count <= (per_page or request.per_page):
        raise MalformedAnswer(f"{request.collection.path}: the page holds {len(rows)} rows, though it counts {count}")


def _refuse_bare(rows: list[msgspec.Raw], request: PageRequest) -> None:
    """Accepts an unpaged answer only from small lists that are known to be unpaged.

    Elsewhere, a page without pagination proves nothing if it is empty, or so full that another may follow.
    """
    collection = request.collection
    if (request.number or 1) > 1 or (not collection.small and not 0 < len(rows) < request.per_page):
        raise MalformedAnswer(
            f"{collection.path}: the answer says neither how many records nor how many pages there are"
        )


def _rows(answer: _List, collection: Collection) -> list[msgspec.Raw]:
    if answer.data is None:
        raise MalformedAnswer(f"{collection.path}: the answer has no data")
    return list(answer.data.values()) if isinstance(answer.data, dict) else answer.data


def _pagination(meta: bytes) -> _Pagination:
    """Returns the pagination, empty if the answer has none; `[]` and null count as none."""
    pagination = bytes(_decode_meta(meta).pagination) if meta.startswith(b"{") else b""
    return _decode_pagination(pagination) if pagination.startswith(b"{") else _Pagination()


def _flag(value: Any) -> bool | None:
    """Returns a boolean given as true, 1, "1" or "true"; None for anything else."""
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _total_pages(pagination: _Pagination, total: int | None, per_page: int) -> int | None:
    pages = whole_number(pagination.total_pages)
    per_page = whole_number(pagination.per_page) or per_page
    if pages is None and total is not None:
        return -(-total // per_page)
    return pages


def _read_rows(rows: list[msgspec.Raw]) -> tuple[list[Record], list[Rejected]]:
    records: list[Record] = []
    rejected: list[Rejected] = []
    for raw in rows:
        view = memoryview(raw)
        try:
            records.append(read_record(view))
        except BadRecord as error:
            rejected.append(reject(view, str(error)))
    return records, rejected


def read_detail(body: bytes, *, collection: Collection, key: int | str) -> Detail:
    """Reads a detail answer, bare or wrapped in {"data": {...}}. Raises MalformedAnswer if it is not that
    document.
    """
    try:
        body, document = _document(body)
        text = str(body, "utf-8").strip()
        inner = bytes(document.data)
        if document.id is None and document.idn is None and inner.startswith(b"{"):
            text, document = inner.decode(), _decode_document(inner)
    except _UNREADABLE as error:
        raise MalformedAnswer(f"{collection.path}/{key}: the answer is no document: {error}") from error
    found = plain_number(document.idn) if collection.key == "idn" else whole_number(document.id)
    if found is None or str(found) != str(key):
        raise MalformedAnswer(f"{collection.path}/{key}: the answer is another document ({collection.key} {found})")
    return Detail(id=whole_number(document.id), raw=text)


def _document(body: bytes) -> tuple[bytes, _Document]:
    """Returns the answer with surrogates replaced, and what was read from it."""
    try:
        return body, _decode_document(body)
    except _UNREADABLE:
        body = whole_characters(body)
        return body, _decode_document(body)
