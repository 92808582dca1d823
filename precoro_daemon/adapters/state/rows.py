"""rows of the mirror's tables ↔ values of the mirror"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from precoro_daemon.adapters.state.session import Row
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.cursors import Cursor, Scan
from precoro_daemon.mirror.rules.custom_fields import Option
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.mirror.rules.quarantine import Stage

Cell = str | int | float | bytes | memoryview | None
"""A memoryview holds the UTF-8 of a text that is stored unchanged; its statement says `@utf8`."""


def cells(value: Any) -> dict[str, Any]:
    """Returns a value's fields by name. (`asdict` copies each deeply, which takes longer than SQL does.)"""
    return {name: getattr(value, name) for name in type(value).__match_args__}


def rows_to_update(records: Iterable[Record], collection: str, at: float) -> list[tuple[Cell, ...]]:
    """Returns rows in the column order of update_record."""
    return [
        (r.idn, r.status, r.updated_at, r.external_id, r.version, r.wanted, at, r.utf8, collection, r.id)
        for r in records
    ]


def rows_to_create(records: Iterable[Record], collection: str, at: float) -> list[tuple[Cell, ...]]:
    """Returns the same with the time each was first seen, for create_record."""
    return [(*cells, at) for cells in rows_to_update(records, collection, at)]


def to_record(row: Row) -> Record:
    columns = ("id", "idn", "status", "updated_at", "external_id", "version")
    return Record(
        **{name: row[name] for name in columns}, utf8=memoryview(row["raw"].encode()), wanted=bool(row["wanted"])
    )


def to_scan(row: Row) -> Scan:
    return Scan(**{**row, "drifted": bool(row["drifted"])})


def to_cursor(row: Row) -> Cursor:
    return Cursor(**row)


def to_quarantined(row: Row) -> Quarantined:
    return Quarantined(**{**row, "stage": Stage(row["stage"])})


def to_option(row: Row) -> Option:
    columns = ("id", "name", "code", "external_id", "parent_id", "path")
    enabled = None if row["enabled"] is None else bool(row["enabled"])
    return Option(**{name: row[name] for name in columns}, enabled=enabled)
