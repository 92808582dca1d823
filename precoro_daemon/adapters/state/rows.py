"""rows of the mirror's tables ↔ values of the mirror"""

from __future__ import annotations

from typing import Any

from precoro_daemon.adapters.state.session import Row
from precoro_daemon.mirror.ports.mirror import Quarantined
from precoro_daemon.mirror.rules.cursors import Cursor, Scan
from precoro_daemon.mirror.rules.custom_fields import Option
from precoro_daemon.mirror.rules.documents import Record
from precoro_daemon.mirror.rules.quarantine import Stage

Cell = str | int | float | bytes | None


def cells(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by their names. (`asdict` copies each deeply, which takes longer than SQL does.)"""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def record_cells(record: Record, at: float) -> tuple[Cell, ...]:
    """In the order in which create_record and update_record take them."""
    return (
        record.idn,
        record.status,
        record.updated_at,
        record.external_id,
        record.version,
        record.wanted,
        at,
        record.raw,
    )


def to_record(row: Row) -> Record:
    columns = ("id", "idn", "status", "updated_at", "external_id", "version", "raw")
    return Record(**{name: row[name] for name in columns}, wanted=bool(row["wanted"]))


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
