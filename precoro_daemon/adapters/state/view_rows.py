"""the rows of views: records and lines read in Python, all others by the engine"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import compress, islice
from typing import Any, Protocol

from precoro_daemon.adapters.state.custom_field_views import VALUE_VIEWS
from precoro_daemon.adapters.state.record_columns import COLLECTION, DOCUMENT_ID, RECORD_HEAD, RECORD_TAIL
from precoro_daemon.adapters.state.session import Row
from precoro_daemon.adapters.state.view_columns import Column, Columns, Kind
from precoro_daemon.adapters.state.view_lines import LineReader
from precoro_daemon.adapters.state.view_reading import RecordReader
from precoro_daemon.adapters.state.views import described_views, record_views
from precoro_daemon.exports.ports.tables import RowBatch, Table, TableColumn
from precoro_daemon.mirror.rules.collections import DOCUMENTS, WITH_FILES

_OF_PAYMENTS = ("payments", "expense_payments")
_NUMBER_OR_TEXT = ("idn", "document_idn")
_NOT_EXPORTED = "data_dictionary"
_UNLOGGED = "field_as_of"
"""Left out of followed tables: definitions are read again and again, mostly unchanged, and no value changes then."""

_ROWS_A_BATCH = 100
"""Rows of a batch: their data stays in the processor's cache; five times as many took twice the time."""


class Rows(Protocol):
    """An engine's rows, from one moment."""

    def named(self, statement: str, values: Mapping[str, Any]) -> Iterable[Row]: ...

    def written(self, text: str) -> Iterable[Row]: ...


@cache
def tables() -> Mapping[str, Table]:
    """Returns what can be exported: every view except the one that describes the others."""
    return {view: _table(view, columns) for view, columns in described_views().items() if view != _NOT_EXPORTED}


@cache
def followed_tables() -> Mapping[str, Table]:
    """Returns what exports can follow: tables whose rows are records or parts of one, without columns that change
    unlogged.
    """
    return {
        name: replace(table, columns=tuple(one for one in table.columns if one.name != _UNLOGGED))
        for name, table in tables().items()
        if table.collections
    }


def _table(view: str, columns: Columns) -> Table:
    shown = tuple(TableColumn(one.name, _kind(one), one.meaning) for one in columns)
    if view == "attachments":
        return Table(view, shown, WITH_FILES, DOCUMENT_ID.name, ("collection", "document_id", "attachment_id"))
    if view in VALUE_VIEWS:
        return Table(view, shown, VALUE_VIEWS[view].collections, VALUE_VIEWS[view].owner, ())
    if DOCUMENT_ID in columns:
        return Table(view, shown, records_of(view)[0], DOCUMENT_ID.name, ("document_id", "position"))
    return Table(view, shown, records_of(view)[0])


def _kind(column: Column) -> str:
    return Kind.TEXT.value if column.name in _NUMBER_OR_TEXT else column.kind.value


@cache
def records_of(view: str) -> tuple[tuple[str, ...], str]:
    """Returns the collections whose records, or records' lines, a view shows, and the only kind of them that it
    shows, "" for all; no collection for any other view.
    """
    if view == "documents":
        return DOCUMENTS, ""
    found = {name: one for one in record_views() for name in (one.name, one.lines) if name}
    return ((found[view].collection,), found[view].kind) if view in found else ((), "")


class ViewTables:
    """Implements `exports.ports.Tables` on an engine's rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def batches(self, table: Table) -> Iterator[RowBatch]:
        collections, _ = records_of(table.name)
        return _records(self._rows, table.name) if collections else _shown(self._rows, table.name)


def _records(rows: Rows, view: str) -> Iterator[RowBatch]:
    read = reader_of(view)
    for collection in records_of(view)[0]:
        for some in _batches(rows.named(statement_for(collection), {"collection": collection})):
            yield read(some)


def _batches(rows: Iterable[Row]) -> Iterator[Sequence[Row]]:
    remaining = iter(rows)
    while some := list(islice(remaining, _ROWS_A_BATCH)):
        yield some


def statement_for(by: str, *, some: bool = False) -> str:
    """Returns the statement that reads the records of a collection, or some of them."""
    if by in _OF_PAYMENTS:
        return f"record_rows.some_paying[{by}]" if some else f"record_rows.paying[{by}]"
    return "record_rows.some" if some else "record_rows.listed"


@cache
def reader_of(view: str) -> Callable[[Sequence[Row]], RowBatch]:
    """Returns a function that makes the rows of a view from rows of `record_rows.sql`, all of one collection, and
    skips those that do not belong to it.
    """
    columns, kind = described_views()[view], records_of(view)[1]
    if columns[0] == DOCUMENT_ID:
        return LineReader(kind).columns
    of_many = columns[0] == COLLECTION
    reader = RecordReader(columns[of_many + len(RECORD_HEAD) : -len(RECORD_TAIL)])

    def read(rows: Sequence[Row]) -> RowBatch:
        found = reader.columns(rows, with_collection=of_many)
        if not kind:
            return found
        belongs = [one == kind for one in found[len(RECORD_HEAD)]]
        return found if all(belongs) else [list(compress(cells, belongs)) for cells in found]

    return read


def _shown(rows: Rows, view: str) -> Iterator[RowBatch]:
    columns = described_views()[view]
    names = ", ".join(f'"{column.name}"' for column in columns)
    for some in _batches(rows.written(f'SELECT {names} FROM "{view}"')):  # noqa: S608 - both are names of ours
        yield _cells(columns, some)


def followed_rows(view: str, rows: Sequence[Row]) -> Iterator[Sequence[Any]]:
    """Yields rows of a view, given with all columns, in the form of the table that exports follow."""
    columns = described_views()[view]
    kept = [cells for column, cells in zip(columns, _cells(columns, rows), strict=True) if column.name != _UNLOGGED]
    return zip(*kept, strict=True)


def _cells(columns: Columns, rows: Sequence[Row]) -> RowBatch:
    return [
        list(map(_AS_CELLS.get(column.kind, _as_it_is), cells))
        for column, cells in zip(columns, zip(*rows, strict=True) if rows else [()] * len(columns), strict=True)
    ]


def _as_it_is(value: Any) -> Any:
    return value


_AS_CELLS: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.BOOLEAN: lambda value: None if value is None else bool(value),
    Kind.JSON: lambda value: None if value is None else value.encode(),
}
"""Conversions of values that engines return in another form than cells have."""
