"""tables as sheets of an Excel file"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from tempfile import gettempdir
from typing import IO, Any, Self
from zipfile import ZIP_DEFLATED, ZipFile

from precoro_daemon.errors import FolderUnusable
from precoro_daemon.exports.ports.tables import RowBatch, Table

_ROWS_A_SHEET = 2**20 - 1
"""The most rows of a sheet, without its header."""

_TITLE_LENGTH = 31
_EXACT_DIGITS = 15
"""The digits that a number keeps in Excel; a longer one is written as text."""

_EXCEL_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters that XML does not allow."""


class ExcelBook:
    """A workbook, written row by row. The library keeps written rows in a file of its own, not in memory.

    JSON columns are left out, as in CSV.
    """

    def __init__(self) -> None:
        import openpyxl

        self._book: Any = openpyxl.Workbook(write_only=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the sheets, so that the library does not try again during garbage collection and print its error,
        and removes
        its temporary files, however the block ended.
        """
        for sheet in self._book.worksheets:
            with suppress(Exception):
                sheet.close()
            with suppress(Exception):
                sheet._writer.cleanup()  # noqa: SLF001 - the library does that at the end of Python

    def add(self, table: Table, batches: Iterable[RowBatch]) -> int:
        """Adds a table and returns its number of rows. Rows that exceed a sheet continue on the next. Raises
        FolderUnusable.
        """
        rows = chain.from_iterable(_shown_rows(table, batch) for batch in batches)
        titles = [column.name for column in table.columns if column.kind != "json"]
        try:
            return self._write(table.name, titles, rows)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise FolderUnusable(
                f"{gettempdir()}, where sheets are put together, cannot be written: {reason}"
            ) from None

    def _write(self, name: str, titles: list[str], rows: Iterable[Sequence[Any]]) -> int:
        sheet, count = self._sheet(name, 0, titles), 0
        for row in rows:
            if count and count % _ROWS_A_SHEET == 0:
                sheet.close()
                sheet = self._sheet(name, count // _ROWS_A_SHEET, titles)
            sheet.append([_no_formula(sheet, value) for value in row])
            count += 1
        sheet.close()
        return count

    def save(self, file: IO[bytes]) -> None:
        from openpyxl.writer.excel import ExcelWriter

        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            ExcelWriter(self._book, archive).save()

    def _sheet(self, name: str, number: int, titles: list[str]) -> Any:
        more = f" {number + 1}" if number else ""
        sheet = self._book.create_sheet(f"{name[: _TITLE_LENGTH - len(more)]}{more}")
        sheet.freeze_panes = "A2"
        sheet.append(titles)
        return sheet


def _shown_rows(table: Table, batch: RowBatch) -> Iterator[Sequence[Any]]:
    kinds = [column.kind for column in table.columns]
    columns = [
        [None if cell is None else _EXCEL_CELLS.get(kind, _as_text)(cell) for cell in cells]
        for kind, cells in zip(kinds, batch, strict=True)
        if kind != "json"
    ]
    return zip(*columns, strict=True)


def _no_formula(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if not isinstance(value, str) or not value.startswith("="):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"  # a text
    return cell


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
