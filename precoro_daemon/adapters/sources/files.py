"""wanted items in files: CSV, Excel, and JSON Lines"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread

from precoro_daemon.adapters.spreadsheets.excel import IS_EXCEL, read_sheets
from precoro_daemon.adapters.spreadsheets.lines import Cell, Line, UnreadableFile, shown
from precoro_daemon.adapters.spreadsheets.text import decoded, read_lines
from precoro_daemon.catalogue.rules.sheets import Row, Sheet
from precoro_daemon.errors import WantedRefused
from precoro_daemon.values.spreadsheet_cells import harmless, restored

_LARGEST_FILE = 256 * 2**20
_UNSAFE_SIGNS = str.maketrans("/\\\0:", "____")


@dataclass(frozen=True, slots=True)
class Format:
    """The kind, and for CSV how it is written."""

    kind: Literal["csv", "jsonl"] = "csv"
    encoding: str = "utf-8-sig"
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class FileSource:
    """Implements `WantedSource`. {supplier} in `path` becomes the user's name for the supplier."""

    path: Path
    form: Format

    def path_for(self, supplier: str) -> Path:
        """Returns the file's path. A supplier's name can never lead to another directory."""
        return Path(str(self.path).replace("{supplier}", supplier.translate(_UNSAFE_SIGNS)))

    async def read(self, supplier: str) -> Sheet:
        return await anyio.to_thread.run_sync(partial(read_file, self.path_for(supplier), self.form))


def read_file(path: Path, form: Format) -> Sheet:
    """Reads the file. Blocking. Raises WantedRefused if it is not a file of this format."""
    content = _content(path)
    try:
        if form.kind == "csv" and content.startswith(IS_EXCEL):
            return _sheet(path, *_excel(content))
        text = decoded(content, form.encoding)
        if form.kind == "csv":
            return _sheet(path, "", [_restored(line) for line in read_lines(text, form.delimiter)])
    except UnreadableFile as error:
        raise WantedRefused(f"{path}: {error}") from None
    return _jsonl(path, text)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise WantedRefused(f"{path} is larger than {_LARGEST_FILE >> 20} MiB")
        return path.read_bytes()
    except OSError as error:
        raise WantedRefused(f"{path} cannot be read: {error.strerror}; see `path` in [manage_items]") from None


def _restored(line: Line) -> Line:
    return line._replace(cells=[restored(cell) if isinstance(cell, str) else cell for cell in line.cells])


def _excel(content: bytes) -> tuple[str, list[Line]]:
    """Returns the only visible sheet with rows. Several are refused, because it is unclear which is meant."""
    filled = [(sheet.name, lines) for sheet in read_sheets(content) if (lines := list(sheet.lines))]
    if len(filled) > 1:
        names = ", ".join(name for name, _ in filled)
        raise UnreadableFile(f"has rows in several sheets ({names}); hide all but the one that is meant")
    return filled[0] if filled else ("", [])


def _sheet(path: Path, sheet: str, lines: Sequence[Line]) -> Sheet:
    """Returns the rows, numbered as in a spreadsheet. Empty cells after the last title are ignored."""
    if not lines:
        raise WantedRefused(f"{path} is empty; taken at its word, every item would be gone")
    columns = [shown(cell).strip() for cell in lines[0].cells]
    while columns and not columns[-1]:
        columns.pop()
    rows = [Row(line.row, _without_surplus(line.cells, len(columns), is_excel=bool(sheet))) for line in lines[1:]]
    return Sheet(str(path), columns, rows)


def _without_surplus(cells: Sequence[Cell], count: int, *, is_excel: bool) -> Sequence[Cell]:
    """Returns the cells of a row. Excel omits empty cells at its end; in a CSV file a short row is incomplete."""
    if is_excel:
        cells = [*cells, *([None] * (count - len(cells)))]
    return cells if any(map(shown, cells[count:])) else cells[:count]


def _jsonl(path: Path, text: str) -> Sheet:
    """Reads one object a line. A missing key is an empty cell."""
    found = list(_objects(path, text))
    columns = list(dict.fromkeys(name for _, one in found for name in one))
    rows = [Row(number, [one.get(name) for name in columns]) for number, one in found]
    return Sheet(str(path), columns, rows)


def _objects(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            one = json.loads(line, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            raise WantedRefused(f"{path}, line {number}: is no JSON: {error}") from None
        if not isinstance(one, dict):
            raise WantedRefused(f"{path}, line {number}: is no JSON object")
        yield number, one


def write_file(path: Path, form: Format, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Writes a file that `read_file` can read. Blocking. Raises FileExistsError instead of overwriting."""
    # A byte order mark is for spreadsheets; programs that read JSON stumble over it.
    encoding = "utf-8" if form.kind == "jsonl" and form.encoding == "utf-8-sig" else form.encoding
    with open(path, "x", encoding=encoding, newline="", opener=_for_owner) as file:
        if form.kind == "csv":
            writer = csv.writer(file, delimiter=form.delimiter, lineterminator="\n")
            for cells in (columns, *rows):
                writer.writerow(harmless(cell) if isinstance(cell, str) else cell for cell in cells)
        else:
            for cells in rows:
                file.write(json.dumps(dict(zip(columns, cells, strict=True)), ensure_ascii=False) + "\n")


def _for_owner(path: str, flags: int) -> int:
    """Opens a file for its owner alone: it holds prices."""
    return os.open(path, flags, 0o600)
