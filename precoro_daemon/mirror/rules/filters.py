"""what the user wants to keep, and whether that includes a record"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, TypeGuard

import msgspec

from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.values.json_reading import reference, utc_text


@dataclass(frozen=True, slots=True)
class Filter:
    """What the user wants to keep of a collection. An empty filter keeps everything.

    status               Precoro's numbers; any of them
    approved_from, _to   days of the approval, both included
    modified_since       last change at or after this time; UTC if it has no offset
    supplier             ids; any of them
    attached_files_only  only documents with files
    """

    status: frozenset[int] = frozenset()
    approved_from: date | None = None
    approved_to: date | None = None
    modified_since: datetime | None = None
    supplier: frozenset[int] = frozenset()
    attached_files_only: bool = False

    @property
    def fingerprint(self) -> str:
        """Differs whenever the filter does; "" for the empty filter."""
        if self == Filter():
            return ""
        values = (getattr(self, field.name) for field in fields(self))
        shown = [repr(sorted(value) if isinstance(value, frozenset) else value) for value in values]
        return blake2b("|".join(shown).encode(), digest_size=8).hexdigest()

    def keeps(self, record: Record) -> bool:
        """Returns whether this list row is wanted. If the row cannot show it, because only the detail does, it is."""
        if self.status and record.status not in self.status:
            return False
        if self.modified_since and _is_utc(record.updated_at) and record.updated_at < _utc(self.modified_since):
            return False
        return self._keeps_fields(record.raw)

    def keeps_detail(self, raw: str) -> bool:
        """Returns the same for what only a detail shows. A detail that names no files has none."""
        return self._keeps_fields(raw) and (not self.attached_files_only or _has_files(_read(raw).attachments))

    def keeps_stored(self, record: Record, detail: str | None) -> bool:
        """Returns both together, for a stored record; the detail is None if there is none."""
        return self.keeps(record) and (detail is None or self.keeps_detail(detail))

    def _keeps_fields(self, raw: str) -> bool:
        if not (self.approved_from or self.approved_to or self.supplier or self.attached_files_only):
            return True
        loose = _read(raw)
        if self.supplier and loose.supplier is not msgspec.UNSET and reference(loose.supplier) not in self.supplier:
            return False
        if self.attached_files_only and loose.attachments is not msgspec.UNSET and not _has_files(loose.attachments):
            return False
        return loose.approval_date is msgspec.UNSET or self._keeps_approval(loose.approval_date)

    def _keeps_approval(self, value: Any) -> bool:
        if self.approved_from is None and self.approved_to is None:
            return True
        day = _day(value)
        return (
            day is not None
            and (self.approved_from is None or day >= self.approved_from)
            and (self.approved_to is None or day <= self.approved_to)
        )


class _Loose(msgspec.Struct, rename="camel"):
    approval_date: Any = msgspec.UNSET
    supplier: Any = msgspec.UNSET
    attachments: Any = msgspec.UNSET


_decode = msgspec.json.Decoder(_Loose).decode


def _read(raw: str) -> _Loose:
    return _decode(raw)


def _has_files(value: Any) -> bool:
    """Nested collections are {"data": [...]}, a bare list, or [] when empty."""
    return bool(value.get("data", value) if isinstance(value, dict) else value is not msgspec.UNSET and value)


def _day(value: Any) -> date | None:
    """Returns the day of a time in UTC, like every other time here."""
    try:
        return date.fromisoformat((utc_text(value) or "")[:10])
    except ValueError:
        return None


def _is_utc(text: str | None) -> TypeGuard[str]:
    """Returns whether the date is readable; an unreadable one says nothing."""
    return text is not None and len(text) == len("YYYY-MM-DDTHH:MM:SS") and text[10] == "T"


def _utc(moment: datetime) -> str:
    text = utc_text(moment.isoformat(timespec="seconds"))
    assert text is not None
    return text
