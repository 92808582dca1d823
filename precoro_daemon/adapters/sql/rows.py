"""rows of the store ↔ the domain's values"""

from __future__ import annotations

import sqlite3

from precoro_daemon.domain.cursors import Cursor, Pass
from precoro_daemon.domain.documents import Record
from precoro_daemon.ports import Aside

Cell = str | int | float | bytes | None


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


def to_record(row: sqlite3.Row) -> Record:
    columns = ("id", "idn", "status", "updated_at", "external_id", "version", "raw")
    return Record(**{name: row[name] for name in columns}, wanted=bool(row["wanted"]))


def to_pass(row: sqlite3.Row) -> Pass:
    return Pass(**{**row, "drifted": bool(row["drifted"])})


def to_cursor(row: sqlite3.Row) -> Cursor:
    return Cursor(**row)


def to_aside(row: sqlite3.Row) -> Aside:
    return Aside(**row)
