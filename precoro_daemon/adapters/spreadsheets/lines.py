"""the rows of a file in any format, and why a file has none"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple, TypeAlias

Cell: TypeAlias = str | Decimal | date | bool | None
"""Text is stripped; a spreadsheet's numbers and dates keep their types."""


class UnreadableFile(Exception):
    """Why a file cannot be read, or not beyond some place in it."""


class Line(NamedTuple):
    """A row with at least one cell.

    place  the number of its last line in the file
    row    the number that a spreadsheet shows
    """

    place: int
    row: int
    cells: Sequence[Cell]


def shown(cell: Cell) -> str:
    """Returns a cell as text, "" if it is empty."""
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
