"""the rows of an Excel file, with numbers and dates as Excel shows them"""

from __future__ import annotations

import io
import math
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from precoro_daemon.adapters.spreadsheets.lines import Cell, Line, UnreadableFile, shown

IS_EXCEL = b"PK\x03\x04"
_LARGEST_UNPACKED = 2**29
_ONLY_ZEROS = re.compile(r"0{2,}")

warnings.filterwarnings("ignore", module=r"openpyxl\.")


_NOT_READ = (
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    EOFError,
    LookupError,
    AttributeError,
    TypeError,
    ValueError,
    OSError,
)
"""Of a file that is damaged, locked by a password or packed in an unusual way."""


class ExcelSheet(NamedTuple):
    name: str
    lines: Iterator[Line]


def read_sheets(content: bytes) -> Iterator[ExcelSheet]:
    """Yields the visible sheets. Raises UnreadableFile, also between two lines."""
    import openpyxl

    with _explained():
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size > _LARGEST_UNPACKED:
            raise UnreadableFile(f"is larger than {_LARGEST_UNPACKED >> 20} MiB when it is unpacked")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for sheet in sheets:
        yield ExcelSheet(sheet.title, _lines(sheet))


def _lines(sheet: Any) -> Iterator[Line]:
    # What the file says of its own size may be wrong, and rows would be missing.
    sheet.reset_dimensions()
    rows = iter(sheet.iter_rows())
    for number in range(1, 2**20 + 1):
        with _explained():
            cells = next(rows, None)
        if cells is None:
            return
        values = [_cell(cell) for cell in cells]
        if any(map(shown, values)):
            yield Line(number, number, values)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except _NOT_READ as error:
        raise UnreadableFile(f"is no Excel file that can be read: {error}") from None
    except SyntaxError as error:  # what XML parsers raise
        raise UnreadableFile(f"is no Excel file that can be read: {error.msg}") from None


def _cell(cell: Any) -> Cell:
    """Returns a cell's value. A number has the fifteen digits that Excel shows at most; further binary digits are
    noise.
    """
    value = cell.value
    match value:
        case bool() | None:
            return value
        case int():
            zeros = _ONLY_ZEROS.fullmatch(str(cell.number_format))
            return str(value).zfill(len(zeros[0])) if zeros else Decimal(value)
        case float():
            return Decimal(format(Decimal(f"{value:.15g}"), "f")) if math.isfinite(value) else str(value)
        case datetime() if not (value.hour or value.minute or value.second):
            return value.date()
        case date():
            return value
    return str(value).strip()
