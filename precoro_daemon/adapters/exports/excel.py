"""tables as sheets of an Excel file"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from precoro_daemon.exports.ports.tables import Cells, Table

_SHEET_ROWS = 2**20
_TITLE_LENGTH = 31
_EXACT_DIGITS = 15
"""Of a number in Excel; one with more is written as text."""

_EXCEL_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""What XML cannot hold."""


class ExcelBook:
    """Written row by row: a sheet that is written is no longer in memory. JSON is left out, as in CSV."""

    def __init__(self) -> None:
        import openpyxl

        self._book: Any = openpyxl.Workbook(write_only=True)

    def add(self, table: Table, rows: Iterable[Cells]) -> int:
        """How many rows. What is too long for one sheet goes on in another."""
        columns = [
            (at, _EXCEL_CELLS.get(one.kind, _as_text)) for at, one in enumerate(table.columns) if one.kind != "json"
        ]
        titles = [table.columns[at].name for at, _ in columns]
        sheet, count = None, 0
        for cells in rows:
            if count % (_SHEET_ROWS - 1) == 0:
                sheet = self._sheet(table.name, count // (_SHEET_ROWS - 1), titles)
            assert sheet is not None, "it begins with the first row"
            sheet.append(list(self._cells(sheet, cells, columns)))
            count += 1
        if sheet is None:
            self._sheet(table.name, 0, titles)
        return count

    def save(self, file: IO[bytes]) -> None:
        self._book.save(file)

    def _sheet(self, name: str, number: int, titles: list[str]) -> Any:
        more = f" {number + 1}" if number else ""
        sheet = self._book.create_sheet(f"{name[: _TITLE_LENGTH - len(more)]}{more}")
        sheet.freeze_panes = "A2"
        sheet.append(titles)
        return sheet

    def _cells(self, sheet: Any, cells: Cells, columns: list[tuple[int, Callable[[Any], Any]]]) -> Iterator[Any]:
        from openpyxl.cell import WriteOnlyCell

        for at, convert in columns:
            value = None if cells[at] is None else convert(cells[at])
            if isinstance(value, str) and value.startswith("="):
                cell = WriteOnlyCell(sheet, value)
                cell.data_type = "s"  # a text, which is no formula
                yield cell
            else:
                yield value


def _as_text(value: Any) -> Any:
    return _NOT_IN_XML.sub("\ufffd", value) if isinstance(value, str) else value


def _as_number(value: Any) -> Any:
    text = str(value)
    if _EXCEL_NUMBER.fullmatch(text) and len(text.strip("-").replace(".", "").lstrip("0")) <= _EXACT_DIGITS:
        return Decimal(text)
    return _as_text(value if isinstance(value, str) else text)


def _as_day(value: Any) -> Any:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return _as_text(value)


def _as_time(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        return _as_text(value)


_EXCEL_CELLS: dict[str, Callable[[Any], Any]] = {
    "decimal": _as_number,
    "integer": _as_number,
    "boolean": bool,
    "date": _as_day,
    "timestamp": _as_time,
}
