"""tolerant reading of JSON whose values may have any type"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

_MAX_ID = 2**63 - 1
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_INTEGER = re.compile(r"-?[0-9]{1,19}")
"""At most 64 bits. From 4,300 digits on, int() raises another error than for letters."""


def read_json(raw: bytes | str) -> Any:
    """Returns the value, with fractional numbers kept as text; None if it is not JSON."""
    try:
        return json.loads(raw, parse_float=str)
    except (ValueError, RecursionError):
        return None


def nested(value: Any) -> Iterator[Any]:
    """Yields the members of a nested collection in any of its shapes: {"data": [...]}, a list, a dict keyed by id."""
    if isinstance(value, dict) and isinstance(value.get("data"), list | dict):
        value = value["data"]
    yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def whole_number(value: Any) -> int | None:
    """Returns an id or a status, given as an int or as digits; None for anything else, or beyond 64 bits."""
    if type(value) is not int:  # as nearly all of them are
        if not isinstance(value, str) or not _INTEGER.fullmatch(value):
            return None
        value = int(value)
    return value if -_MAX_ID <= value <= _MAX_ID else None


def reference(value: Any) -> int | None:
    """Returns the id of an object given as {"id": 7}, 7 or "7"."""
    return whole_number(value.get("id") if isinstance(value, dict) else value)


def plain_number(value: Any) -> int | str | None:
    """Returns an idn: an int if it is one ("17" too), other text unchanged ("PO-7", "007"), else None."""
    number = whole_number(value)
    if number is not None and (not isinstance(value, str) or str(number) == value):
        return number
    return value if isinstance(value, str) and value else None


def external_text(raw: bytes) -> str | None:
    """Returns an externalId as text: strings decoded, numbers with the digits they were sent with, None if empty."""
    if raw in (b"null", b'""', b"[]", b"{}", b"false"):
        return None
    return str(msgspec.json.decode(raw)) if raw.startswith(b'"') else raw.decode()


def utc_text(value: Any) -> str | None:
    """Returns a Precoro date in UTC without offset. One without offset is taken as UTC; unreadable text is
    unchanged.
    """
    if not isinstance(value, str) or not value:
        return None
    if len(value) == 19 and value[10] == "T":
        return value
    try:
        moment = datetime.fromisoformat(value)
        if value[19:] == "+00:00" and value[7:14:3] == "-T:":  # as most are
            return value[:19]
        if offset := moment.utcoffset():
            moment -= offset
    except (ValueError, OverflowError):
        return value
    return moment.isoformat()[:19]  # `timespec` takes longer


def whole_characters(raw: bytes) -> bytes:
    """Replaces half surrogate pairs, which JSON may contain and no database returns, by the replacement character."""
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], raw)
