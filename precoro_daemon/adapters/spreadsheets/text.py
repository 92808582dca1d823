"""the rows of a CSV file, as programs and spreadsheets write it"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

from precoro_daemon.adapters.spreadsheets.lines import Line, UnreadableFile

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITER_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\r?\n?", re.IGNORECASE)
_KEPT_AS_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_FAULTS = {b"PK\x03\x04": "an Excel file (.xlsx)", b"\xd0\xcf\x11\xe0": "an old Excel file (.xls); save it as .xlsx"}


def decoded(content: bytes, encoding: str) -> str:
    """Returns a file's text. A byte order mark overrides the setting. Raises UnreadableFile."""
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), encoding)
    if kind := _FAULTS.get(content[:4]):
        raise UnreadableFile(f"is {kind}, not text")
    try:
        return content.decode(marked)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start : error.start + 1].hex()
        raise UnreadableFile(f"line {line} is not {marked} (byte {byte}); nothing of the file was read") from None


def read_lines(text: str, delimiter: str) -> Iterator[Line]:
    """Yields the rows. A first line such as `sep=;` sets the delimiter and is not a row. Raises UnreadableFile."""
    before = 0
    if named := _DELIMITER_LINE.match(text):
        text, delimiter, before = text[named.end() :], named[1], 1
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, cells in enumerate(rows, start=1):
            texts = [cell.strip() for cell in cells]
            if any(texts):
                texts = [_kept(text) if text[:1] == "=" else text for text in texts]
                yield Line(rows.line_num + before, number, texts)
    except csv.Error as error:
        raise UnreadableFile(f"line {rows.line_num + before} is no CSV: {error}; nothing after it was read") from None


def _kept(text: str) -> str:
    """Returns the text of ="0016", a formula that keeps spreadsheets from changing a text."""
    kept = _KEPT_AS_TEXT.fullmatch(text)
    return kept[1].replace('""', '"').strip() if kept else text
