"""records, versions, tolerant reading of loose JSON"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from precoro_daemon.errors import BadRecord

_MAX_ID = 2**63 - 1
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
_DIGITS = re.compile(r"-?[0-9]{1,19}")
"""No more than 64 bits hold: from 4,300 on, int() raises another error than for letters."""


@dataclass(slots=True)
class Record:
    """One row of a collection as a list gave it.

    id           Precoro's global integer
    idn          the per-company number; usually an int, text if it is not a plain number, None if there is none
    status       Precoro's number, unknown numbers as they are, None if there is none
    updated_at   `updateDate` in UTC, "YYYY-MM-DDTHH:MM:SS"; its own text if it is no date we can read
    external_id  `externalId` as text, None if empty
    version      16 bytes that differ whenever any byte of `raw` differs
    raw          the record's JSON exactly as it came, every digit kept; but whole characters, as `whole_characters`
                 says, where there are halves
    wanted       the user's filter keeps it: it gets a detail and shows in the views
    """

    id: int
    idn: int | str | None
    status: int | None
    updated_at: str | None
    external_id: str | None
    version: bytes
    raw: str
    wanted: bool = True


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row of a list that is no record: quarantined under `key` with the reason, and its JSON as it came."""

    key: str
    reason: str
    raw: str


class _Loose(msgspec.Struct, rename="camel"):
    """The few fields that are read on the hot path, each of whatever type it comes in."""

    id: Any = None
    idn: Any = None
    status: Any = None
    update_date: Any = None
    external_id: msgspec.Raw = msgspec.Raw(b"null")


_decode_loose = msgspec.json.Decoder(_Loose).decode
_decode_any = msgspec.json.decode


def read_record(raw: bytes | memoryview) -> Record:
    """Read one list row. Raises BadRecord if it is not an object or has no usable id, UnicodeDecodeError if it is
    no text at all: what was damaged on its way may be damaged elsewhere too.
    """
    text = str(raw, "utf-8")  # msgspec skips over strings without looking at their bytes
    try:
        loose = _decode_loose(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadRecord(f"not a readable object: {error}") from error
    number = whole_number(loose.id)
    if number is None:
        raise BadRecord(f"its id is {_shown(loose.id)}, not a whole number")
    return Record(
        id=number,
        idn=plain_number(loose.idn),
        status=whole_number(loose.status["id"])
        if isinstance(loose.status, dict) and "id" in loose.status
        else whole_number(loose.status),
        updated_at=utc_text(loose.update_date),
        external_id=external_text(bytes(loose.external_id)),
        version=blake2b(raw, digest_size=16).digest(),
        raw=text,
    )


def whole_characters(raw: bytes) -> bytes:
    """Half a surrogate pair, which JSON can hold and no database can give back, as the sign for what is unknown."""
    return _ESCAPE.sub(lambda found: b"\\ufffd" if found[1] else found[0], raw)


def reject(raw: bytes | memoryview, reason: str) -> Rejected:
    """What to keep of a row that read_record refused. The key is made of its bytes, so a repeat is one row."""
    key = blake2b(raw, digest_size=8).hexdigest()
    return Rejected(key=key, reason=reason, raw=str(raw, "utf-8", "replace"))


def whole_number(value: Any) -> int | None:
    """An id or a status: an int, or a string of digits. Anything else is None; so is what 64 bits do not hold."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    return value if isinstance(value, int) and -_MAX_ID <= value <= _MAX_ID else None


def plain_number(value: Any) -> int | str | None:
    """An idn: an int where it is one ("17" too), other text as it is ("PO-7", "007"), else None."""
    number = whole_number(value)
    if number is not None and (not isinstance(value, str) or str(number) == value):
        return number
    return value if isinstance(value, str) and value else None


def external_text(raw: bytes) -> str | None:
    """An externalId as text: strings decoded, numbers with the digits they were sent with, empty as None."""
    if raw in (b"null", b'""', b"[]", b"{}", b"false"):
        return None
    return str(_decode_any(raw)) if raw.startswith(b'"') else raw.decode()


def utc_text(value: Any) -> str | None:
    """A Precoro date in UTC without offset; one without offset is taken as UTC. Unreadable text stays as it is."""
    if not isinstance(value, str) or not value:
        return None
    if len(value) == 19 and value[10] == "T":
        return value
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return value
    return moment.isoformat(timespec="seconds")


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)[:80]
