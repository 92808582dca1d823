"""tables as CSV and as JSON lines"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import IO, Any

import orjson

from precoro_daemon.exports.ports.tables import RowBatch, Table
from precoro_daemon.values.spreadsheet_cells import FIRST_OF_A_FORMULA, harmless

_YES_OR_NO = {True: "true", False: "false", None: ""}
"""Booleans as programs read them."""

_QUOTED_SIGNS = '",\r\n'
"""Characters that need quotes (RFC 4180)."""


_PLAIN_KINDS = ("date", "timestamp")
"""Kinds whose cells this program writes itself: none needs quotes or looks like a formula."""


def write_csv(file: IO[bytes], table: Table, batches: Iterable[RowBatch]) -> int:
    """Writes the table and returns the number of rows.

    JSON columns are left out: spreadsheets cannot use them, and limit the length of a cell.
    """
    kinds = [column.kind for column in table.columns]
    file.write(f"{','.join(column.name for column in table.columns if column.kind != 'json')}\n".encode())
    count = 0
    for batch in batches:
        texts = [_texts(kind, cells) for kind, cells in zip(kinds, batch, strict=True) if kind != "json"]
        lines = list(map(",".join, zip(*texts, strict=True)))
        file.write("\n".join([*lines, ""]).encode("utf-8", "replace"))
        count += len(lines)
    return count


def _texts(kind: str, cells: Sequence[Any]) -> Sequence[str]:
    """Returns a column's CSV texts. Whether any cell needs escaping is checked once for the whole column."""
    if kind == "boolean":
        return [_YES_OR_NO[cell] for cell in cells]
    if cells and cells[0] is None and cells.count(None) == len(cells):
        return [""] * len(cells)
    if kind == "integer":
        return ["" if cell is None else str(cell) for cell in cells] if None in cells else list(map(str, cells))
    if kind in _PLAIN_KINDS:
        return ["" if cell is None else cell for cell in cells] if None in cells else cells
    texts = cells
    try:
        together = "".join(cells)
    except TypeError:
        texts = ["" if cell is None else cell if type(cell) is str else str(cell) for cell in cells]
        together = "".join(texts)
    if _has_one_of(FIRST_OF_A_FORMULA, together):
        texts = [text if text[:1] not in FIRST_OF_A_FORMULA else harmless(text) for text in texts]
    if _has_one_of(_QUOTED_SIGNS, together):
        return [_quoted(text) if _has_one_of(_QUOTED_SIGNS, text) else text for text in texts]
    return texts


def _has_one_of(signs: Iterable[str], text: str) -> bool:
    for sign in signs:  # noqa: SIM110 - a generator would take three times as long
        if sign in text:
            return True
    return False


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def write_jsonl(file: IO[bytes], table: Table, batches: Iterable[RowBatch]) -> int:
    """Writes the table and returns the number of rows.

    Amounts are text, because JSON readers round numbers. JSON columns are embedded unchanged.
    """
    names = [column.name for column in table.columns]
    count = 0
    for batch in batches:
        columns = [
            list(map(_fragment, cells)) if column.kind == "json" else cells
            for column, cells in zip(table.columns, batch, strict=True)
        ]
        lines = [
            orjson.dumps(dict(zip(names, cells, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            for cells in zip(*columns, strict=True)
        ]
        file.write(b"".join(lines))
        count += len(lines)
    return count


def json_of(table: Table, cells: Sequence[Any]) -> dict[str, Any]:
    """Returns a row as an object for orjson, equal to its JSON line."""
    return {
        column.name: _fragment(cell) if column.kind == "json" else cell
        for column, cell in zip(table.columns, cells, strict=True)
    }


def _fragment(raw: bytes | None) -> orjson.Fragment | None:
    """Returns JSON to embed in a line. JSON has line breaks only between values, so they can be replaced by
    spaces.
    """
    if raw is None:
        return None
    return orjson.Fragment(raw.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in raw or b"\r" in raw else raw)
