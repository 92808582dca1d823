"""tables as CSV and as JSON lines"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import compress, islice
from typing import IO, Any

import orjson

from precoro_daemon.exports.ports.tables import Cells, Table
from precoro_daemon.values.spreadsheet_cells import harmless

_ROWS_A_WRITE = 500

_MAY_BE_A_FORMULA = frozenset("'=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Only texts that begin so are looked at."""


def write_csv(file: IO[bytes], table: Table, rows: Iterable[Cells]) -> int:
    """How many rows. JSON is left out: no spreadsheet does anything with it, and its cells are too small."""
    kept = [column.kind != "json" for column in table.columns]
    plain = _plain(table)
    text = io.TextIOWrapper(file, "utf-8", errors="replace", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in table.columns if column.kind != "json"])
    count = 0
    for some in _batches(rows):
        writer.writerows([_harmless(compress(plain(cells), kept)) for cells in some])
        count += len(some)
    text.flush()
    text.detach()
    return count


def write_jsonl(file: IO[bytes], table: Table, rows: Iterable[Cells]) -> int:
    """How many rows. Amounts are text, as JSON's numbers lose digits where they are read; JSON stands as it came."""
    names = [column.name for column in table.columns]
    nested = [at for at, column in enumerate(table.columns) if column.kind == "json"]
    count = 0
    for some in _batches(rows):
        file.write(b"".join(_lines(names, nested, some)))
        count += len(some)
    return count


def _lines(names: Sequence[str], nested: Sequence[int], rows: Iterable[Cells]) -> Iterator[bytes]:
    for cells in rows:
        given = list(cells)
        for at in nested:
            if given[at] is not None:
                given[at] = _fragment(given[at])
        yield orjson.dumps(dict(zip(names, given, strict=True)), option=orjson.OPT_APPEND_NEWLINE)


def _fragment(text: str) -> orjson.Fragment:
    """A line break stands between values only: inside of texts JSON has none."""
    return orjson.Fragment(text.replace("\n", " ").replace("\r", " ") if "\n" in text or "\r" in text else text)


def _batches(rows: Iterable[Cells]) -> Iterator[list[Cells]]:
    remaining = iter(rows)
    while some := list(islice(remaining, _ROWS_A_WRITE)):
        yield some


def _harmless(cells: Iterable[Any]) -> list[Any]:
    return [harmless(cell) if type(cell) is str and cell and cell[0] in _MAY_BE_A_FORMULA else cell for cell in cells]


@cache
def _plain(table: Table) -> Callable[[Cells], Cells]:
    """Yes and no as programs read them."""
    yes_or_no = [at for at, column in enumerate(table.columns) if column.kind == "boolean"]

    def plain(cells: Cells) -> Cells:
        given = list(cells)
        for at in yes_or_no:
            if given[at] is not None:
                given[at] = "true" if given[at] else "false"
        return given

    return plain if yes_or_no else lambda cells: cells
