"""compares a listing with the mirror, and plans what to write"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import msgspec

from precoro_daemon.mirror.rules.documents import Record


class Known(NamedTuple):
    """What the mirror has of a record."""

    version: bytes
    wanted: bool = True
    vanished: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a listing does to the mirror: rows to insert, to overwrite, and those that returned after vanishing."""

    created: list[Record] = field(default_factory=list)
    updated: list[Record] = field(default_factory=list)
    returned: list[Record] = field(default_factory=list)
    unchanged: int = 0


def plan(listing: Iterable[Record], known: Mapping[int, Known]) -> Plan:
    """Compares a listing with what is known about its ids. If a record is listed twice, the last row counts."""
    steps = Plan()
    unchanged = 0
    for record in {row.id: row for row in listing}.values():
        before = known.get(record.id)
        if before is None:
            steps.created.append(record)
        elif before.vanished:
            steps.returned.append(_returned(record, before))
        elif before.version != record.version:
            steps.updated.append(record)
        else:
            unchanged += 1
    return replace(steps, unchanged=unchanged)


def _returned(record: Record, before: Known) -> Record:
    """Returns the record. If a detail showed that it is not wanted, that holds for as long as its version does."""
    return msgspec.structs.replace(record, wanted=before.wanted) if before.version == record.version else record
