"""wanted items in files: CSV, and JSON Lines"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal

import anyio.to_thread

from precoro_daemon.catalogue.rules.sheets import Row, Sheet
from precoro_daemon.errors import WantedRefused

_LARGEST_FILE = 256 * 2**20
_UNSAFE_SIGNS = str.maketrans("/\\\0:", "____")


@dataclass(frozen=True, slots=True)
class Format:
    """kind, and for CSV how it is written."""

    kind: Literal["csv", "jsonl"] = "csv"
    encoding: str = "utf-8-sig"
    delimiter: str = ","


@dataclass(frozen=True, slots=True)
class FileSource:
    """Implements `WantedSource`. `path` may have {supplier} in it, which becomes what the user calls the supplier."""

    path: Path
    form: Format

    def path_for(self, supplier: str) -> Path:
        """A name is never a way to another directory."""
        return Path(str(self.path).replace("{supplier}", supplier.translate(_UNSAFE_SIGNS)))

    async def read(self, supplier: str) -> Sheet:
        return await anyio.to_thread.run_sync(partial(read_file, self.path_for(supplier), self.form))


def read_file(path: Path, form: Format) -> Sheet:
    """Blocking. Raises WantedRefused where it is no such file."""
    text = _text(path, form)
    return _csv(path, text, form) if form.kind == "csv" else _jsonl(path, text)


def _text(path: Path, form: Format) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise WantedRefused(f"{path} is larger than {_LARGEST_FILE >> 20} MiB")
        content = path.read_bytes()
    except OSError as error:
        raise WantedRefused(f"{path} cannot be read: {error.strerror}; see `path` in [manage_items]") from None
    try:
        return content.decode(form.encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start : error.start + 1].hex()
        raise WantedRefused(f"{path}, line {line}: is not {form.encoding} (byte {byte}); see `encoding`") from None


def _csv(path: Path, text: str, form: Format) -> Sheet:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.delimiter, strict=True)
    try:
        # Numbered as a spreadsheet does: a cell of several lines is one row, and an empty row is one too.
        lines = [Row(number, cells) for number, cells in enumerate(reader, start=1) if any(map(str.strip, cells))]
    except csv.Error as error:
        raise WantedRefused(f"{path}, line {reader.line_num}: is no CSV: {error}") from None
    if not lines:
        raise WantedRefused(f"{path} is empty; taken at its word, every item would be gone")
    return Sheet(str(path), [title.strip() for title in lines[0].cells], lines[1:])


def _jsonl(path: Path, text: str) -> Sheet:
    """One object a line. A key that a line does not have is an empty cell."""
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
    """Blocking. What `read_file` reads. An existing file is not overwritten: FileExistsError."""
    # A byte order mark is for spreadsheets; programs that read JSON stumble over it.
    encoding = "utf-8" if form.kind == "jsonl" and form.encoding == "utf-8-sig" else form.encoding
    with path.open("x", encoding=encoding, newline="") as file:
        if form.kind == "csv":
            writer = csv.writer(file, delimiter=form.delimiter, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        else:
            for cells in rows:
                file.write(json.dumps(dict(zip(columns, cells, strict=True)), ensure_ascii=False) + "\n")
