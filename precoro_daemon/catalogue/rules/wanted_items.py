"""rows of a source as wanted items, or every mistake in them: row, column, value, reason"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from precoro_daemon.catalogue.rules.items import CUSTOM, FIELDS, CustomField, Item, Value, shortest
from precoro_daemon.catalogue.rules.plan import Mistake, Wanted
from precoro_daemon.values.money import plain, read_amount, ungrouped

_LONGEST = 65_535
_UNWRITABLE = ("Cc", "Cs")
_LINES = dict.fromkeys(map(ord, "\n\t"))
_SHOWN = 60
_CURRENCY = re.compile(r"[A-Z]{3}")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CANNOT_BE_WRITTEN = ("file", "user")
_MOST_MISTAKES = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the source: its number there, and its cells in the order of the columns."""

    number: int
    cells: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a source holds: named as people know it, read whole."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Writing:
    """How the source writes prices: what stands before the cents, and between thousands ("" for nothing)."""

    decimal_mark: str = "."
    grouping: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What Precoro is known to have; where no name is known, any is taken. `categories`: their ids by name."""

    currencies: Collection[str] = ()
    units: Collection[str] = ()
    categories: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[int, CustomField] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows are read. `columns`: which column holds which field; empty: each column has the name of its field.

    supplier  what the supplier may be called in a column of that name; rows of others are passed over
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    writing: Writing = field(default_factory=Writing)
    currency: str = ""
    supplier: Collection[str] = ()


class _CellError(ValueError):
    """Why a value cannot be used."""


def read_wanted(sheet: Sheet, reading: Reading, known: Known) -> tuple[list[Wanted], list[Mistake]]:
    """All rows and all mistakes, so that they can be mended at once."""
    columns = _Columns(sheet, reading, known)
    if columns.mistakes:
        return [], columns.mistakes
    cells = _Cells(reading, known)
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
    """Where each field stands."""

    def __init__(self, sheet: Sheet, reading: Reading, known: Known) -> None:
        self.mistakes: list[Mistake] = []
        self._fields: dict[str, list[CustomField]] = {}
        for one in known.fields.values():
            self._fields.setdefault(one.name, []).append(one)
        self._supplier = {name.casefold() for name in reading.supplier}
        self._supplier_at: int | None = None
        self._places: list[tuple[str, str, int]] = []
        self.titles: dict[str, str] = {}
        chosen = reading.columns or {column: column for column in sheet.columns}
        for name, column in chosen.items():
            if sheet.columns.count(column) == 1:
                self._place(name, column, sheet.columns.index(column))
            else:
                what = "stands more than once" if column in sheet.columns else "is missing"
                self._complain(column, f"{what}; there are {', '.join(sheet.columns) or 'none'}")
        if not self.mistakes and not {"externalId", "sku"} & self.titles.keys():
            self._complain("sku", "is missing, and so is externalId: nothing tells which item a row is about")

    def _complain(self, column: str, reason: str) -> None:
        self.mistakes.append(Mistake(0, column, "", reason))

    def _place(self, name: str, column: str, place: int) -> None:
        if name == "supplier":
            self._supplier_at = place
        elif name in FIELDS:
            self._places.append((name, column, place))
            self.titles[name] = column
        elif (label := name.removeprefix(CUSTOM)) != name:
            self._place_custom(label, column, place)
        else:
            close = get_close_matches(name, FIELDS, n=1, cutoff=0.6)
            guess = f" (did you mean {close[0]}?)" if close else ""
            self._complain(column, f"is no field of an item{guess}; there are {', '.join(FIELDS)} and custom.<name>")

    def _place_custom(self, label: str, column: str, place: int) -> None:
        called = self._fields.get(label, [])
        found = called[0] if called else None
        if len(called) > 1:
            ids = ", ".join(str(one.id) for one in called)
            self._complain(column, f'is the name of {len(called)} custom fields of items ("{label}": {ids})')
        elif found is None:
            there = ", ".join(sorted(self._fields)) or "none"
            self._complain(column, f'Precoro has no custom field of items called "{label}"; it has {there}')
        elif found.type in _CANNOT_BE_WRITTEN:
            self._complain(column, f"custom fields that hold a {found.type} cannot be kept from here")
        else:
            name = f"{CUSTOM}{found.id}"
            self._places.append((name, column, place))
            self.titles[name] = column

    def is_ours(self, row: Row) -> bool:
        return (
            self._supplier_at is None or str(row.cells[self._supplier_at] or "").strip().casefold() in self._supplier
        )

    def read(self, row: Row, cells: _Cells, mistakes: list[Mistake]) -> Iterator[tuple[str, Value]]:
        for name, column, place in self._places:
            cell = row.cells[place]
            try:
                yield from cells.read(name, cell)
            except _CellError as error:
                mistakes.append(Mistake(row.number, column, _shown(cell), str(error)))


class _Cells:
    """How the cells of each field are read. An empty one means that there is nothing, where nothing can be."""

    def __init__(self, reading: Reading, known: Known) -> None:
        self._reading = reading
        self._known = known
        self._categories = {name.casefold(): ident for name, ident in known.categories.items()}
        self._units = {unit.casefold(): unit for unit in known.units}
        self._readers: Mapping[str, Callable[[Any], Value]] = {
            "price": self._price,
            "currency": self._currency,
            "unit": self._unit,
            "category": self._category,
            "freeOfCharge": _truth,
            "hiddenInCatalog": _truth,
        }

    def read(self, name: str, cell: Any) -> Iterator[tuple[str, Value]]:
        if isinstance(cell, float):
            raise _CellError(
                "comes as a binary float, which is not exact; have it come as text or as a decimal number"
            )
        if isinstance(cell, list | dict):
            raise _CellError("is no single value")
        text = _text(cell)
        if text:
            reader = self._readers.get(name)
            yield name, reader(cell) if reader else self._custom(name, text) if name.startswith(CUSTOM) else text
        elif name == "name":
            raise _CellError("is empty")
        elif name == "currency" and self._reading.currency:
            yield name, self._reading.currency
        elif name in ("description", "unit", "category", "price") or name.startswith(CUSTOM):
            yield name, None

    def _price(self, cell: Any) -> Value:
        writing, text = self._reading.writing, _text(cell)
        if isinstance(cell, str):
            if writing.grouping:
                together = ungrouped(text, writing.grouping, writing.decimal_mark)
                if together is None:
                    raise _CellError(f"has {writing.grouping!r} where it does not stand between thousands")
                text = together
            if writing.decimal_mark != "." and "." in text:
                raise _CellError(f"has a point, but the decimal mark is {writing.decimal_mark!r}")
            text = text.replace(writing.decimal_mark, ".")
        amount = None if isinstance(cell, bool) else read_amount(text)
        if amount is None:
            hint = "; set decimal_mark if prices are written so" if "," in text else ""
            raise _CellError(f"is no price, such as 1234{writing.decimal_mark}50{hint}")
        if amount < 0:
            raise _CellError("is less than nothing")
        return amount or None

    def _currency(self, cell: Any) -> Value:
        text = _text(cell).upper()
        if not _CURRENCY.fullmatch(text):
            raise _CellError("is no currency code of three letters, such as EUR")
        if self._known.currencies and text not in self._known.currencies:
            raise _CellError(f"is no currency of this company; it uses {', '.join(sorted(self._known.currencies))}")
        return text

    def _unit(self, cell: Any) -> Value:
        text = _text(cell)
        if not self._units:
            return text
        if (unit := self._units.get(text.casefold())) is None:
            raise _CellError(f"is no unit at Precoro{_offer(text, self._known.units)}")
        return unit

    def _category(self, cell: Any) -> Value:
        text = _text(cell)
        ident = int(text) if text.isdecimal() and len(text) < 19 else self._categories.get(text.casefold())
        if ident not in self._categories.values():
            offer = _offer(text, self._known.categories)
            raise _CellError(f"is no category that any item at Precoro is in{offer}")
        return str(ident)

    def _custom(self, name: str, text: str) -> Value:
        field_ = self._known.fields[int(name.removeprefix(CUSTOM))]
        if field_.type == "options":
            return tuple(sorted(_option(field_, part.strip()) for part in text.split(";") if part.strip()))
        return (_plain_custom(field_, text),)


def _plain_custom(known: CustomField, text: str) -> str:
    match known.type:
        case "option":
            return _option(known, text)
        case "number":
            amount = read_amount(text)
            if amount is None:
                raise _CellError("is no number, such as 12.5")
            return shortest(amount)
        case "date":
            return _day(text)
        case "boolean":
            return "true" if _truth(text) else "false"
    return text


def _option(known: CustomField, text: str) -> str:
    """By its path or name, its code, its external id or Precoro's own."""
    options = known.options.values()
    for naming in ("path", "name", "code", "external_id", "id"):
        found = [option for option in options if (getattr(option, naming) or "").casefold() == text.casefold()]
        if len(found) == 1:
            return found[0].id
        if found:
            paths = ", ".join(option.path for option in found)
            raise _CellError(f'is the name of several options of "{known.name}"; write one of {paths}')
    raise _CellError(f'is no option of "{known.name}"{_offer(text, [option.path for option in options])}')


def _truth(cell: Any) -> bool:
    found = _TRUTHS.get(_text(cell).lower())
    if found is None:
        raise _CellError("is neither true nor false")
    return found


def _day(text: str) -> str:
    try:
        return datetime.fromisoformat(text).date().isoformat()
    except ValueError:
        raise _CellError("is no date, such as 2026-01-31") from None


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case Decimal():
            return shortest(cell) if cell.is_finite() else str(cell)
        case datetime() | date():
            return cell.isoformat()
    text = str(cell).replace("\r\n", "\n").strip()
    if len(text) > _LONGEST:
        raise _CellError(f"is longer than {_LONGEST:,} characters")
    if not text.isprintable() and any(unicodedata.category(sign) in _UNWRITABLE for sign in text.translate(_LINES)):
        raise _CellError("has control characters in it")
    return text


def _offer(text: str, names: Iterable[str]) -> str:
    """What was perhaps meant, or what there is."""
    known = sorted(set(names))
    if close := get_close_matches(text, known, n=1, cutoff=0.6):
        return f" (did you mean {close[0]}?)"
    return f"; there are {', '.join(known[:12])}{', …' if len(known) > 12 else ''}" if known else "; there are none"


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
            value = one.values.get(name)
            if value is not None and (first := seen.setdefault(value, one.row)) != one.row:
                yield Mistake(one.row, columns.titles[name], str(value), f"stands in row {first} already")


def _shown(cell: Any) -> str:
    text = str(cell)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def item_columns(items: Sequence[Item], reading: Reading, fields: Mapping[int, CustomField]) -> Mapping[str, str]:
    """Which fields a file of these items has, each with the title of its column."""
    if reading.columns:
        return reading.columns
    used = {name for item in items for name in item.values if name.startswith(CUSTOM)}
    known = (fields.get(int(name.removeprefix(CUSTOM))) for name in used)
    customs = sorted({f"{CUSTOM}{one.name}" for one in known if one and one.type not in _CANNOT_BE_WRITTEN})
    return {name: name for name in (*FIELDS, *customs)}


def item_cells(
    item: Item, names: Sequence[str], reading: Reading, fields: Mapping[int, CustomField], supplier: str
) -> Sequence[str]:
    """An item as a row that reads back as the same item."""
    by_name = {f"{CUSTOM}{one.name}": one for one in fields.values()}
    return [supplier if name == "supplier" else _cell(item, name, reading.writing, by_name) for name in names]


def _cell(item: Item, name: str, writing: Writing, by_name: Mapping[str, CustomField]) -> str:
    known = by_name.get(name)
    value = item.values.get(f"{CUSTOM}{known.id}" if known else name)
    if isinstance(value, Decimal):
        return plain(value).replace(".", writing.decimal_mark)
    if isinstance(value, tuple):
        return shown_custom(value, known)
    return ("true" if value else "false") if isinstance(value, bool) else str(value or "")


def shown_custom(value: Sequence[str], known: CustomField | None) -> str:
    """Options by what people call them, as long as one name is one option's."""
    names = {option.id: option.path or option.name for option in known.options.values()} if known else {}
    sole = Counter(names.values())
    return "; ".join(names[one] if sole[names.get(one, "")] == 1 else one for one in value)
