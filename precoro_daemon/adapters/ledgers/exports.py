"""one file of payments, read whole: its rows, and the place and the fault of each bad one"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from precoro_daemon.adapters.ledgers.camt053 import read_camt
from precoro_daemon.adapters.ledgers.headers import NoTable, find_table
from precoro_daemon.adapters.ledgers.mt940 import IS_MT940, read_mt940
from precoro_daemon.adapters.ledgers.row_kinds import RowKinds
from precoro_daemon.adapters.ledgers.rows import RowReader
from precoro_daemon.adapters.ledgers.statements import read_booked
from precoro_daemon.adapters.ledgers.table_rows import RowOf, TableRows
from precoro_daemon.adapters.spreadsheets.excel import IS_EXCEL, read_sheets
from precoro_daemon.adapters.spreadsheets.lines import Line, UnreadableFile
from precoro_daemon.adapters.spreadsheets.text import decoded, read_lines
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, Undone, UnreadableRow
from precoro_daemon.values.names import tidy

LARGEST_FILE = 64 * 2**20
FileKind: TypeAlias = Literal["auto", "csv", "xlsx", "camt053", "mt940"]


@dataclass(frozen=True, slots=True)
class Format:
    """The format of files.

    columns  the column of each field; without `key`, a row is identified by its content
    """

    columns: Mapping[str, str]
    encoding: str
    delimiter: str
    kinds: RowKinds = field(default_factory=RowKinds)
    kind: FileKind = "auto"

    @property
    def titles(self) -> list[str]:
        return [tidy(column) for column in (*self.columns.values(), *self.kinds.columns)]


@dataclass
class Export:
    """The rows of a file.

    passed_over  the number of rows that are no payments: totals, texts around the table, rows that `skip` names
    """

    payments: list[LedgerPayment] = field(default_factory=list)
    unreadable: list[UnreadableRow] = field(default_factory=list)
    undone: list[Undone] = field(default_factory=list)
    passed_over: int = 0


def read_export(name: str, content: bytes, form: Format, reader: RowReader) -> Export:
    export = Export()
    try:
        _Taken(name, export, reader).take(_rows(name, content, form, reader))
    except UnreadableFile as error:
        export.unreadable.append(UnreadableRow(name, f"{name}: {error}", ""))
    return export


def _rows(name: str, content: bytes, form: Format, reader: RowReader) -> Iterator[RowOf]:
    if len(content) > LARGEST_FILE:
        raise UnreadableFile(f"is larger than {LARGEST_FILE >> 20} MiB")
    kind = _kind_of(content, form) if form.kind == "auto" else form.kind
    match kind:
        case "xlsx":
            return _sheet_rows(name, content, form, reader)
        case "camt053":
            return read_booked(name, read_camt(content), reader)
        case "mt940":
            return read_booked(name, read_mt940(decoded(content, form.encoding)), reader)
    if not form.columns:
        raise UnreadableFile("is neither camt.053 nor MT940, and no columns are named for others")
    return _table_rows(name, read_lines(decoded(content, form.encoding), form.delimiter), form, reader)


def _kind_of(content: bytes, form: Format) -> FileKind:
    """Determines the kind of a file by its content: names are unreliable."""
    if content.startswith(IS_EXCEL):
        return "xlsx"
    if content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<Document")):
        return "camt053"
    if content[:2000].find(b":20:") >= 0 and IS_MT940.search(decoded(content, form.encoding)):
        return "mt940"
    return "csv"


def _table_rows(
    name: str, lines: Iterator[Line], form: Format, reader: RowReader, sheet: str = ""
) -> Iterator[RowOf]:
    table = find_table(name, lines, form.titles)
    for row in TableRows(name, table, form.columns, form.kinds, reader).read():
        yield replace(row, place=f"{sheet}!{row.place}") if sheet else row


def _sheet_rows(name: str, content: bytes, form: Format, reader: RowReader) -> Iterator[RowOf]:
    """Yields the rows of every sheet that has the columns: each month may have its own sheet."""
    lacking: list[UnreadableFile] = []
    found = 0
    for sheet in read_sheets(content):
        rows = _table_rows(name, sheet.lines, form, reader, sheet.name)
        try:
            first = next(rows, None)
        except NoTable as error:
            lacking.append(error)
            continue
        found += 1
        yield from ([] if first is None else [first])
        yield from rows
    if not found:
        raise lacking[0] if lacking else UnreadableFile("has no sheet that is shown")


class _Taken:
    """Takes in the rows of one file. Reports a second row with the same key, unless both rows say the same."""

    def __init__(self, name: str, export: Export, reader: RowReader) -> None:
        self._name = name
        self._export = export
        self._reader = reader
        self._seen: dict[str, RowOf] = {}

    def take(self, rows: Iterable[RowOf]) -> None:
        by_content: set[str] = set()
        for row in rows:
            if row.kind == "unreadable":
                self._export.unreadable.append(self._refuse(row, row.reason))
            elif row.kind == "skip" and not row.keyed:
                # It may have the content of a payment, like an invoice that was paid on its own day.
                self._export.passed_over += 1
                by_content.add(row.key)
            elif why := self._twice(row):
                self._export.unreadable.append(self._refuse(row, why))
            elif row.key not in self._seen:
                self._seen[row.key] = row
                self._keep(row)
        self._export.undone += [Undone(key, alone=True) for key in sorted(by_content - self._seen.keys() - {""})]

    def _keep(self, row: RowOf) -> None:
        if row.payment:
            self._export.payments.append(row.payment)
        else:
            self._export.passed_over += row.kind == "skip"
            self._export.undone.append(Undone(row.key, alone=True))

    def _twice(self, row: RowOf) -> str:
        """Returns what is wrong with a second row of the same key, or "": a program may write a row twice."""
        before = self._seen.get(row.key)
        if before is None:
            return ""
        if row.payment != before.payment:
            return f"has the key {row.key} of line {before.place}, but says something else"
        if not row.keyed and row.payment:
            advice = "if both are payments, name a column that tells them apart as key"
            return f"is the same as line {before.place}; {advice}"
        return ""

    def _refuse(self, row: RowOf, reason: str) -> UnreadableRow:
        """Refuses a row, under its own key if that is readable, so that the payment that the ledger had under this
        key before is not sent.
        """
        where = f"{self._name}:{row.place}"
        key = row.key if row.keyed else ""
        return self._reader.refuse(
            key or where, f"{where}: {reason}" if key else f"line {row.place}: {reason}", row.raw
        )
