"""rows of a file as they come, whatever wrote it, and why a file has none"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeAlias

Cell: TypeAlias = str | Decimal | date | bool | None
"""Texts come without the spaces around them; a spreadsheet's numbers and days as such."""


class UnreadableFile(Exception):
    """Why nothing of a file, or nothing after a place in it, can be read."""


class Line(NamedTuple):
    """A row that has any cell. `place`: of its last line in the file; `row`: as a spreadsheet counts."""

    place: int
    row: int
    cells: Sequence[Cell]


def shown(cell: Cell) -> str:
    """A cell as a text; "" for nothing."""
    match cell:
        case str():
            return cell
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return f"{cell:f}"
        case date():
            return cell.isoformat()
