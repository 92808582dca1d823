"""one file of payments, read whole: its rows, and for each bad one where it stands and why"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import blake2b
from itertools import zip_longest
from typing import Any

from precoro_daemon.adapters.ledgers.rows import PAYMENT_COLUMNS, RowReader
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, UnreadableRow
from precoro_daemon.values.templates import plain

LARGEST_FILE = 64 * 2**20
_MADE_OF = ("invoice", "amount", "currency", "paid_on", "supplier")


@dataclass(frozen=True, slots=True)
class Format:
    """columns  which field stands in which column; without `key` a row is known by what it says"""

    columns: Mapping[str, str]
    encoding: str
    delimiter: str


@dataclass
class Export:
    payments: list[LedgerPayment] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)


class _Unusable(Exception):
    """Why nothing of a file can be read."""


def read_export(name: str, content: bytes, form: Format, reader: RowReader) -> Export:
    export = Export()
    try:
        lines = _lines(content, form)
        header = next(lines, (1, []))[1]
        _check_header(header, form)
        _Rows(name, header, form, reader).read(lines, export)
    except _Unusable as error:
        export.unreadable.append(UnreadableRow(name, f"{name}: {error}", ""))
    return export


def _lines(content: bytes, form: Format) -> Iterator[tuple[int, Sequence[str]]]:
    """Number of its last line in the file, and the cells, of each row that has any."""
    if len(content) > LARGEST_FILE:
        raise _Unusable(f"is larger than {LARGEST_FILE >> 20} MiB")
    text = io.StringIO(_decoded(content, form.encoding), newline="")
    rows = csv.reader(text, delimiter=form.delimiter, strict=True)
    try:
        for row in rows:
            if any(cell.strip() for cell in row):
                yield rows.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise _Unusable(f"line {rows.line_num} is no CSV: {error}; nothing after it was read") from None


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        shown = content[error.start : error.start + 1].hex()
        raise _Unusable(f"line {line} is not {encoding} (byte {shown}); nothing of the file was read") from None


def _check_header(header: Sequence[str], form: Format) -> None:
    missing = [column for column in form.columns.values() if column not in header]
    if missing:
        raise _Unusable(f"has no column {', '.join(missing)}; it has {', '.join(header) or 'none'}")
    twice = [column for column in form.columns.values() if header.count(column) > 1]
    if twice:
        raise _Unusable(f"has the column {', '.join(twice)} more than once")


class _Rows:
    """The rows of one file."""

    def __init__(self, name: str, header: Sequence[str], form: Format, reader: RowReader) -> None:
        self._name = name
        self._header = header
        self._columns = form.columns
        self._reader = reader
        self._keyed = "key" in form.columns
        self._seen: dict[str, tuple[int, LedgerPayment]] = {}

    def read(self, lines: Iterator[tuple[int, Sequence[str]]], export: Export) -> None:
        for line, cells in lines:
            read = self._read_row(line, cells)
            if isinstance(read, UnreadableRow):
                export.unreadable.append(read)
            elif read.key not in self._seen:
                self._seen[read.key] = line, read
                export.payments.append(read)
            elif why := _twice(read, *self._seen[read.key], keyed=self._keyed):
                export.unreadable.append(self._refuse(line, why, cells, key=read.key if self._keyed else ""))

    def _read_row(self, line: int, cells: Sequence[str]) -> LedgerPayment | UnreadableRow:
        if len(cells) != len(self._header):
            reason = f"has {len(cells)} cells, but the header has {len(self._header)}"
            return self._refuse(line, reason, cells, key=self._key_in(cells))
        row = dict(zip(self._header, cells, strict=True))
        values: dict[str, Any] = {name: row[self._columns[name]] for name in PAYMENT_COLUMNS if name in self._columns}
        if not self._keyed:
            values["key"] = f"{self._name}:{line}"
        read = self._reader.read(values, "")
        if isinstance(read, UnreadableRow):
            return self._refuse(line, read.reason, cells, key=read.key if self._keyed else "")
        return read if self._keyed else _named_by_what_it_says(read)

    def _key_in(self, cells: Sequence[str]) -> str:
        """Where it would stand if the cells after it are too many or too few. A wrong guess only holds a payment."""
        at = self._header.index(self._columns["key"]) if self._keyed else len(cells)
        return cells[at].strip() if at < len(cells) else ""

    def _refuse(self, line: int, reason: str, cells: Sequence[str], *, key: str = "") -> UnreadableRow:
        """By its own key where that can be read: what the ledger had under it before is not to be sent."""
        row = dict(zip_longest(self._header, cells[: len(self._header)])) | {"more": cells[len(self._header) :]}
        where = f"{self._name}:{line}"
        return self._reader.refuse(key or where, f"{where}: {reason}" if key else f"line {line}: {reason}", row)


def _named_by_what_it_says(payment: LedgerPayment) -> LedgerPayment:
    """Amounts and days as read: the same row in another format is the same payment."""
    said = "\x1f".join(_normal(getattr(payment, name)) for name in _MADE_OF)
    key = blake2b(said.encode(), digest_size=12).hexdigest()
    return replace(payment, key=key)


def _normal(value: Any) -> str:
    text = plain(value)
    # Decimal.normalize would round to the digits of the context.
    return text.rstrip("0").rstrip(".") if isinstance(value, Decimal) and "." in text else text


def _twice(read: LedgerPayment, line: int, before: LedgerPayment, *, keyed: bool) -> str:
    """What is wrong with a second row of one name, "" for nothing: a program may write a row twice."""
    if read != before:
        return f"has the key {read.key} of line {line}, but says something else"
    if not keyed:
        return f"is the same as line {line}; if both are payments, name a column that tells them apart as key"
    return ""
