"""reads rows of a source as wanted items, or returns every mistake: row, column, value, reason"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from precoro_daemon.catalogue.rules.cells import CellError, CellReader
from precoro_daemon.catalogue.rules.item_fields import CUSTOM, ITEM_FIELDS
from precoro_daemon.catalogue.rules.items import UNWRITABLE_TYPES, CustomField, Value
from precoro_daemon.catalogue.rules.plan import Mistake, Wanted, tidy_name
from precoro_daemon.catalogue.rules.sheets import Known, Reading, Row, Sheet

_SHOWN_CHARS = 60
_MOST_MISTAKES = 1_000


def read_wanted(sheet: Sheet, reading: Reading, known: Known) -> tuple[list[Wanted], list[Mistake]]:
    """Returns all items and all mistakes, so that the mistakes can be corrected at once."""
    columns = _Columns(sheet, reading, known)
    if columns.mistakes:
        return [], columns.mistakes
    cells = CellReader(reading, known)
    wanted: list[Wanted] = []
    mistakes: list[Mistake] = []
    for row in sheet.rows:
        if len(row.cells) != len(sheet.columns):
            reason = f"has {len(row.cells)} cells, but there are {len(sheet.columns)} columns"
            mistakes.append(Mistake(row.number, "", "", reason))
        elif columns.is_ours(row):
            wanted.append(Wanted(row.number, dict(columns.read(row, cells, mistakes))))
    mistakes += _without_name(wanted, columns)
    mistakes += _twice(wanted, columns)
    if not wanted and not mistakes:
        # It would mean that nothing is wanted any more.
        mistakes.append(Mistake(0, "", "", "there is no row for this supplier, so there is nothing to compare with"))
    return wanted, sorted(mistakes)[:_MOST_MISTAKES]


class _Columns:
    """The column of each field."""

    def __init__(self, sheet: Sheet, reading: Reading, known: Known) -> None:
        self.mistakes: list[Mistake] = []
        self._fields: dict[str, list[CustomField]] = {}
        for one in known.fields.values():
            self._fields.setdefault(one.name, []).append(one)
        self._supplier = {name.casefold() for name in reading.supplier}
        self._supplier_at: int | None = None
        self._columns_at: list[tuple[str, str, int]] = []
        self.titles: dict[str, str] = {}
        chosen = reading.columns or {column: column for column in sheet.columns}
        for name, column in chosen.items():
            if sheet.columns.count(column) == 1:
                self._place(name, column, sheet.columns.index(column))
            else:
                what = "stands more than once" if column in sheet.columns else "is missing"
                self._complain(column, f"{what}; there are {', '.join(sheet.columns) or 'none'}")
        if not self.mistakes and not {"externalId", "sku"} & self.titles.keys():
            self._complain("sku", "is missing, and so is externalId: nothing names the item of a row")

    def _complain(self, column: str, reason: str) -> None:
        self.mistakes.append(Mistake(0, column, "", reason))

    def _place(self, name: str, column: str, place: int) -> None:
        if name == "supplier":
            self._supplier_at = place
        elif name in ITEM_FIELDS:
            self._columns_at.append((name, column, place))
            self.titles[name] = column
        elif (label := name.removeprefix(CUSTOM)) != name:
            self._place_custom(label, column, place)
        else:
            close = get_close_matches(name, ITEM_FIELDS, n=1, cutoff=0.6)
            guess = f" (did you mean {close[0]}?)" if close else ""
            self._complain(
                column, f"is no field of an item{guess}; there are {', '.join(ITEM_FIELDS)} and custom.<name>"
            )

    def _place_custom(self, label: str, column: str, place: int) -> None:
        called = self._fields.get(label, [])
        found = called[0] if called else None
        if len(called) > 1:
            ids = ", ".join(str(one.id) for one in called)
            self._complain(column, f'is the name of {len(called)} custom fields of items ("{label}": {ids})')
        elif found is None:
            there = ", ".join(sorted(self._fields)) or "none"
            self._complain(column, f'Precoro has no custom field of items called "{label}"; it has {there}')
        elif found.type in UNWRITABLE_TYPES:
            self._complain(column, f"custom fields that hold a {found.type} cannot be kept from here")
        else:
            name = f"{CUSTOM}{found.id}"
            self._columns_at.append((name, column, place))
            self.titles[name] = column

    def is_ours(self, row: Row) -> bool:
        return (
            self._supplier_at is None or str(row.cells[self._supplier_at] or "").strip().casefold() in self._supplier
        )

    def read(self, row: Row, cells: CellReader, mistakes: list[Mistake]) -> Iterator[tuple[str, Value]]:
        for name, column, place in self._columns_at:
            cell = row.cells[place]
            try:
                yield from cells.read(name, cell)
            except CellError as error:
                mistakes.append(Mistake(row.number, column, _shown(cell), str(error)))


def _without_name(wanted: Sequence[Wanted], columns: _Columns) -> Iterator[Mistake]:
    named = [name for name in ("sku", "externalId") if name in columns.titles]
    for one in wanted:
        if not one.name:
            reason = "is empty" + (", and so is externalId" if len(named) > 1 else "")
            yield Mistake(one.row, columns.titles[named[0]], "", reason)


def _twice(wanted: Sequence[Wanted], columns: _Columns) -> Iterator[Mistake]:
    for name in ("externalId", "sku"):
        seen: dict[Value, int] = {}
        for one in wanted:
            value = tidy_name(one.values.get(name))
            if value is not None and (first := seen.setdefault(value, one.row)) != one.row:
                yield Mistake(one.row, columns.titles[name], str(value), f"stands in row {first} already")


def _shown(cell: Any) -> str:
    text = str(cell)
    return text if len(text) <= _SHOWN_CHARS else f"{text[: _SHOWN_CHARS - 1]}…"
