"""which files a detail names, and whether the sizes it gives are bytes"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from precoro_daemon.files.rules.names import ending
from precoro_daemon.mirror.rules.change_log import Change
from precoro_daemon.values.json_reading import utc_text, whole_number

_DISPROVED = 20
"""Distinct lengths that contradict their documents, with no file that agrees, after which sizes are not taken for
bytes.
"""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as its document names it.

    size         bytes, None if the document gives no integer
    kind         ending without the dot, in lower case, "" if neither the document nor the name shows it
    uploaded_at  UTC, "YYYY-MM-DDTHH:MM:SS"; the document's text if it is no readable date, None if there is none
    """

    id: int
    name: str
    size: int | None
    kind: str
    uploaded_at: str | None


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """The files that the detail of one record names.

    at  when that detail was requested
    """

    collection: str
    record_id: int
    files: Sequence[Attachment]
    at: float


class _Holder(msgspec.Struct):
    attachments: msgspec.Raw = msgspec.Raw(b"null")


_decode_holder = msgspec.json.Decoder(_Holder).decode


def files_named(changes: Sequence[Change]) -> Sequence[NamedFiles]:
    """Returns the files that changes of the mirror name; only changes of details name any. Several changes of one
    record have the same data, so only the last one is read.
    """
    details = {(one.collection, one.id): one for one in changes if one.kind == "detailed" and one.data is not None}
    return [
        NamedFiles(collection, id_, read_attachments((one.data or b"").decode()), one.at or 0.0)
        for (collection, id_), one in details.items()
    ]


def read_attachments(raw: str) -> list[Attachment]:
    """Returns the files that a detail names, each id once. A list may be bare, wrapped in `data`, or a dict keyed by
    id.
    """
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
    """Parses with a slower parser that accepts half surrogate pairs, which JSON may contain."""
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
        kind=kind if kind.isalnum() else ending(name).lstrip(".").lower(),
        uploaded_at=utc_text(row.get("uploadDate")),
    )


def sizes_are_bytes(confirmed: int, contradicted: int) -> bool:
    """Returns whether the sizes in documents can be compared with the files.

    confirmed     number of files whose length agreed
    contradicted  number of distinct other lengths of files that arrived complete by their own framing
    """
    return confirmed > 0 or contradicted < _DISPROVED
