"""records and their versions, and rows that are no records"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import Struct

from precoro_daemon.errors import BadRecord
from precoro_daemon.values.json_reading import external_text, plain_number, reference, utc_text, whole_number


class Record(msgspec.Struct, gc=False):
    """One row of a collection as a list sent it. (A mirror creates millions: a dataclass takes four times as long,
    and the garbage collector inspects each.)

    id           Precoro's global integer
    idn          the per-company number; usually an int, text if it is not a plain number, None if there is none
    status       Precoro's number, unknown numbers too, None if there is none
    updated_at   `updateDate` in UTC, "YYYY-MM-DDTHH:MM:SS"; its own text if it is no readable date
    external_id  `externalId` as text, None if empty
    version      16 bytes that differ whenever any byte of `utf8` differs
    utf8         the record's JSON exactly as it was received, every digit kept, except that half surrogate pairs are
                 replaced (`whole_characters`). A memoryview keeps the answer alive that it is a part of
    wanted       whether the user's filter keeps it: it gets a detail and shows in the views
    """

    id: int
    idn: int | str | None
    status: int | None
    updated_at: str | None
    external_id: str | None
    version: bytes
    utf8: memoryview
    wanted: bool = True

    @property
    def raw(self) -> str:
        """Its JSON as text. Hardly any row needs it: unchanged ones are dropped, the others are stored."""
        return str(self.utf8, "utf-8")


class Rejected(Struct, frozen=True):
    """A list row that is no record: it is quarantined under `key` with the reason and its JSON."""

    key: str
    reason: str
    raw: str


class _Loose(msgspec.Struct, rename="camel"):
    """The few fields read on the hot path, each of whatever type it has."""

    id: Any = None
    idn: Any = None
    status: Any = None
    update_date: Any = None
    external_id: Any = None


class _ExternalId(msgspec.Struct, rename="camel"):
    external_id: msgspec.Raw = msgspec.Raw(b"null")


_decode_loose = msgspec.json.Decoder(_Loose).decode
_decode_external_id = msgspec.json.Decoder(_ExternalId).decode


def read_record(raw: bytes | memoryview) -> Record:
    """Reads one list row, which must be UTF-8. Raises BadRecord if it is not an object or has no usable id."""
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
        status=reference(loose.status),
        updated_at=utc_text(loose.update_date),
        external_id=None if loose.external_id is None else _external_id(loose.external_id, raw),
        version=blake2b(raw, digest_size=16).digest(),
        utf8=memoryview(raw),
    )


def _external_id(value: Any, raw: bytes | memoryview) -> str | None:
    """Returns the externalId as text. A number is read again, to get the digits it was sent with."""
    return value or None if isinstance(value, str) else external_text(bytes(_decode_external_id(raw).external_id))


def reject(raw: bytes | memoryview, reason: str) -> Rejected:
    """Returns what to keep of a row that read_record refused. Its key is made from its bytes, so repetitions are one
    row.
    """
    key = blake2b(raw, digest_size=8).hexdigest()
    return Rejected(key=key, reason=reason, raw=str(raw, "utf-8", "replace"))


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)[:80]
