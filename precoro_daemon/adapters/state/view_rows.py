"""rows of views: those of records as read in Python, all others as the engine shows them"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Protocol

from precoro_daemon.adapters.state.record_columns import COLLECTION, RECORD_HEAD, RECORD_TAIL
from precoro_daemon.adapters.state.session import Row
from precoro_daemon.adapters.state.view_columns import Column, Kind
from precoro_daemon.adapters.state.view_values import getter, moment, source_of
from precoro_daemon.adapters.state.views import described_views, record_views
from precoro_daemon.exports.ports.tables import Cells, Table, TableColumn
from precoro_daemon.mirror.rules.collections import DOCUMENTS

_OF_PAYMENTS = ("payments", "expense_payments")
_NUMBER_OR_TEXT = ("idn", "document_idn")
_NOT_EXPORTED = "data_dictionary"


class Rows(Protocol):
    """What an engine gives row by row, from one moment."""

    def named(self, statement: str, values: Mapping[str, Any]) -> Iterable[Row]: ...

    def written(self, text: str) -> Iterable[Row]: ...


@cache
def tables() -> Mapping[str, Table]:
    """What can be exported: every view but the one that describes the others."""
    return {
        view: Table(
            view, tuple(TableColumn(one.name, _kind(one), one.meaning) for one in columns), records_of(view)[0]
        )
        for view, columns in described_views().items()
        if view != _NOT_EXPORTED
    }


def _kind(column: Column) -> str:
    return Kind.TEXT.value if column.name in _NUMBER_OR_TEXT else column.kind.value


@cache
def records_of(view: str) -> tuple[tuple[str, ...], str]:
    """The collections whose records a view shows, and the one kind of them that it shows, "" for all; no collection
    for a view that is not of records."""
    if view == "documents":
        return DOCUMENTS, ""
    found = {one.name: one for one in record_views()}
    return ((found[view].collection,), found[view].kind) if view in found else ((), "")


class ViewTables:
    """Implements `exports.ports.Tables` on what an engine gives."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def rows(self, table: Table) -> Iterator[Cells]:
        return read_rows(self._rows, table.name)


def read_rows(rows: Rows, view: str) -> Iterator[Cells]:
    """All rows of a view, in the order of its columns."""
    collections, _ = records_of(view)
    if not collections:
        yield from _shown(rows, view)
    read, shows = reader_of(view), table_shows(view)
    for collection in collections:
        for row in rows.named(statement_for(collection), {"collection": collection}):
            cells = read(row)
            if shows(cells):
                yield cells


def table_shows(view: str) -> Callable[[Cells], bool]:
    """Whether a row that was read for the view belongs to it."""
    kind, kind_at = records_of(view)[1], len(RECORD_HEAD)
    return lambda cells: not kind or cells[kind_at] == kind


def statement_for(by: str, *, some: bool = False) -> str:
    """What reads the records of a collection, or some of them."""
    if by in _OF_PAYMENTS:
        return f"record_rows.some_paying[{by}]" if some else f"record_rows.paying[{by}]"
    return "record_rows.some" if some else "record_rows.listed"


@cache
def reader_of(view: str) -> Callable[[Row], Cells]:
    """Makes a row of the view out of a row of `record_rows.sql`."""
    columns = described_views()[view]
    head = (*([COLLECTION] if columns[0] == COLLECTION else []), *RECORD_HEAD)
    getters = [getter(column) for column in columns[len(head) : -len(RECORD_TAIL)]]
    with_collection = len(head) > len(RECORD_HEAD)

    def read(row: Row) -> Cells:
        collection, id_, idn, status, updated, external, vanished, data, detail, fetched, changed, _, owner = row
        source = source_of(collection, status, data, detail, owner)
        cells = [id_, idn, status, updated, external, moment(vanished), *[get(source) for get in getters]]
        cells += (data, detail, moment(fetched), moment(changed))
        return [collection, *cells] if with_collection else cells

    return read


def _shown(rows: Rows, view: str) -> Iterator[Cells]:
    columns = described_views()[view]
    yes_or_no = [at for at, column in enumerate(columns) if column.kind is Kind.BOOLEAN]
    names = ", ".join(f'"{column.name}"' for column in columns)
    for row in rows.written(f'SELECT {names} FROM "{view}"'):  # noqa: S608 - both are names of ours
        cells = list(row)
        for at in yes_or_no:
            cells[at] = None if cells[at] is None else bool(cells[at])
        yield cells
