"""the values of views read from JSON in Python, equal to what the engines read in SQL

Each kind of column is one small function here, which reads a field of many rows at once.
`tests/adapters/state/test_view_rows.py` compares these values with those of the views.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import msgspec

from precoro_daemon.adapters.state.view_words import singular
from precoro_daemon.mirror.rules.collections import DOCUMENTS, STATUSES
from precoro_daemon.values.json_reading import nested
from precoro_daemon.values.money import OTHER_DIGITS, USUAL_DIGITS

Column = Sequence[Any]
"""The values of a field, or of a column, of some rows."""

PERSON_FIELDS = ("name", "firstname", "lastname", "email")

_READABLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,254})(?:\.[0-9]+)?")
_CALENDAR_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_CALENDAR_TIME = re.compile(
    r"([12][0-9]{3}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:(?<=:..:..)\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_TO_THE_SECOND = len("2026-01-31T08:00:00")
_IN_UTC = ("", "+00:00", "Z")
_OFFSET_LENGTH = len("+02:00")
_LARGEST_WHOLE_DIGITS = 15
_LONGEST_INTEGER = 18
_INTEGER_END = 10**_LONGEST_INTEGER
_REMEMBERED = 20_000
"""Cached values of one kind, which take little memory."""

_TEXT_OR_NOTHING = frozenset({str, type(None)})
_AMOUNT_OR_NOTHING = frozenset({str, int, type(None)})

_STATUS_NAMES: Mapping[int | None, str] = {number: name.replace("_", " ") for name, number in STATUSES.items()}
_KIND_NAMES = {name: singular(name).replace("_", " ") for name in DOCUMENTS}
_PAYABLE = frozenset({STATUSES["approved"], STATUSES["partly_paid"]})
_CANCELED = str(STATUSES["canceled"])
_NOTES = ("1", "5")

_encode = msgspec.json.encode
_read_time = datetime.fromisoformat


class _Made(dict[Any, Any]):
    """A cache of some thousand conversions, because values repeat from row to row. Equal values have equal results, 1
    and True included.
    """

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        made = self[value] = self._make(value)
        return made

    def of(self, column: Iterable[Any]) -> Column:
        given = list(column)
        try:
            return list(map(self.__getitem__, given))
        except TypeError:  # a list or an object among them
            return list(map(self._make, given))


def digits_of(currencies: Column) -> Sequence[int]:
    """Returns the number of decimals of each currency."""
    return _DIGITS.of(currencies)


def _digits(currency: Any) -> int:
    return OTHER_DIGITS.get(currency, USUAL_DIGITS) if type(currency) is str else USUAL_DIGITS


_DIGITS = _Made(_digits)


def moments(column: Sequence[float | None]) -> Column:
    """Returns Unix seconds as times in UTC."""
    return column if is_empty(column) else _MOMENTS.of(column)


def _moment(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    whole = int(seconds * 1000 + 0.5) // 1000
    return datetime.fromtimestamp(whole, UTC).isoformat()[:_TO_THE_SECOND]


_MOMENTS = _Made(_moment)


def is_empty(column: Column) -> bool:
    """Returns whether all values are missing, as in most fields of most rows."""
    return not column or (column[0] is None and column.count(None) == len(column))


def texts(column: Column) -> Column:
    if _TEXT_OR_NOTHING.issuperset(map(type, column)) and "" not in column:
        return column
    return [value if value is None or (type(value) is str and value) else _text(value) for value in column]


def _text(value: Any) -> str | None:
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def integers(column: Column) -> Column:
    if set(map(type, column)) == {int} and min(column) >= 0 and max(column) < _INTEGER_END:
        return column
    return [
        value if value is None or (type(value) is int and 0 <= value < _INTEGER_END) else _integer(value)
        for value in column
    ]


def _integer(value: Any) -> int | None:
    if type(value) is str and value.isdigit() and value.isascii() and len(value) <= _LONGEST_INTEGER:
        return int(value)
    return None


def _booleans(column: Column) -> Column:
    return [value if type(value) is bool else None for value in column]


def _dates(column: Column) -> Column:
    return _DAYS.of(column)


def _day(value: Any) -> str | None:
    """Returns the first ten characters if they are a calendar day."""
    if type(value) is not str or not _CALENDAR_DAY.match(value):
        return None
    try:
        date.fromisoformat(value[:10])
    except ValueError:
        return None
    return value[:10]


_DAYS = _Made(_day)


def _timestamps(column: Column) -> Column:
    return [_timestamp(value) if type(value) is str else None for value in column]


def _timestamp(value: str) -> str | None:
    """Returns the time. Most are to the second, in UTC or with an offset of hours and minutes."""
    zone = value[_TO_THE_SECOND:]
    try:
        if value[4:17:3] == "--T::" and value[0] in "12":
            if zone in _IN_UTC:
                plain = value[:_TO_THE_SECOND]
                return plain if _read_time(plain) else None
            if len(zone) == _OFFSET_LENGTH and zone[0] in "+-" and zone[3] == ":":
                return _read_time(value).astimezone(UTC).isoformat()[:_TO_THE_SECOND]
    except (ValueError, OverflowError):
        return None
    return _in_utc(value)


def _in_utc(text: str) -> str | None:
    found = _CALENDAR_TIME.fullmatch(text)
    if found is None:
        return None
    day, clock, offset = found.groups("")
    try:
        there = datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset}")
        return (there.astimezone(UTC) if offset else there).isoformat()[:_TO_THE_SECOND]
    except (ValueError, OverflowError):
        return None


def said(value: Any) -> str | None:
    """Returns any value as text."""
    if type(value) is str:
        return value or None
    if value is None:
        return None
    return str(int(value)) if type(value) in (bool, int) else _encode(value).decode()


def people(*columns: Column) -> Column:
    """Returns names: one text, first and last name, or the address. `columns`: as PERSON_FIELDS."""
    return columns[0] if all(map(is_empty, columns)) else _PEOPLE.of(zip(*columns, strict=True))


def _person(fields: Sequence[Any]) -> str | None:
    name, first, last, email = fields
    if shown := said(name):
        return shown
    both = f"{said(first) or ''} {said(last) or ''}".strip(" ")
    return both or said(email)


_PEOPLE = _Made(_person)


def minors(values: Column, digits: Sequence[int]) -> Sequence[int | None]:
    """Returns amounts in whole minor units; None if one is finer, too large, or no amount."""
    if is_empty(values):
        return values
    if _AMOUNT_OR_NOTHING.issuperset(map(type, values)) and digits.count(digits[0]) == len(digits):
        return _MINOR_UNITS[digits[0]].of(values)
    return [
        _MINOR_UNITS[decimals][value] if type(value) in _AMOUNT_OR_NOTHING else None
        for value, decimals in zip(values, digits, strict=True)
    ]


def _units(digits: int, value: str | int | None) -> int | None:
    text = str(value)
    if not _READABLE_NUMBER.fullmatch(text):
        return None
    whole, _, decimals = text.partition(".")
    if len(decimals) != digits:
        if decimals[digits:].strip("0"):
            return None
        decimals = decimals[:digits].ljust(digits, "0")
    return int(whole + decimals) if len(whole) - (whole[0] == "-") <= _LARGEST_WHOLE_DIGITS else None


_MINOR_UNITS = {digits: _Made(partial(_units, digits)) for digits in {USUAL_DIGITS, *OTHER_DIGITS.values()}}


def written(units: Sequence[int | None], digits: Sequence[int]) -> Column:
    """Returns minor units as people write them."""
    return _WRITTEN.of(zip(units, digits, strict=True))


def _written(amount: tuple[int | None, int]) -> str | None:
    units, digits = amount
    if not digits or units is None:
        return None if units is None else str(units)
    whole, decimals = divmod(abs(units), 10**digits)
    return f"{'-' if units < 0 else ''}{whole}.{decimals:0{digits}}"


_WRITTEN = _Made(_written)


def status_names(statuses: Sequence[int | None]) -> Column:
    return list(map(_STATUS_NAMES.get, statuses))


def kinds_of(collections: Sequence[str], logic_types: Column) -> Column:
    """Returns the kinds of documents in a word for people."""
    return _KIND_WORDS.of(zip(collections, logic_types, strict=True))


def _kind(document: tuple[str, Any]) -> str | None:
    collection, logic_type = document
    if collection == "invoices" and said(logic_type) in _NOTES:
        return "credit note"
    return _KIND_NAMES.get(collection)


_KIND_WORDS = _Made(_kind)


def left(statuses: Sequence[int | None], totals: Column, paid: Column, parts: Sequence[int | None]) -> Column:
    """Returns what is left to pay of each total that is payable, in minor units. `paid` as written, and in minor
    units: a missing value counts as zero, an unreadable one as unknown.
    """
    if not _TEXT_OR_NOTHING.issuperset(map(type, paid)) or "" in paid or None in paid:
        parts = [0 if _text(said_) is None else units for said_, units in zip(paid, parts, strict=True)]
    return [
        total - part if status in _PAYABLE and total is not None and part is not None else None
        for status, total, part in zip(statuses, totals, parts, strict=True)
    ]


def last_paid_days(payments: Column) -> Column:
    return [max(_paid_days(one), default=None) if one else None for one in payments]


def _paid_days(payments: Any) -> Iterator[str]:
    for payment in nested(payments):
        if type(payment) is dict and said(payment.get("status")) != _CANCELED and (day := payment.get("payDate")):
            yield str(day)[:10]


WORDS: Mapping[str, Callable[[Column], Column]] = {
    "text": texts,
    "decimal": texts,
    "integer": integers,
    "boolean": _booleans,
    "date": _dates,
    "timestamp": _timestamps,
}
"""How a field of all rows is read, by the name of the way."""
