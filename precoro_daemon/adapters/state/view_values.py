"""the values of views read out of JSON in Python, as the engines' words read them in SQL

A query over a view reads each document's JSON some hundred times; an export of everything reads it once this way. So
each column is one small function, and what repeats from row to row (days, times, amounts) is read once.
`tests/adapters/state/test_view_rows.py` holds these values against those of the views.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import msgspec

from precoro_daemon.adapters.state.view_columns import Column
from precoro_daemon.adapters.state.view_words import singular
from precoro_daemon.mirror.rules.collections import DOCUMENTS, STATUSES
from precoro_daemon.values.json_reading import nested
from precoro_daemon.values.money import OTHER_DIGITS, USUAL_DIGITS

Json = dict[str, Any]

_READABLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,254})(?:\.[0-9]+)?")
_CALENDAR_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", re.ASCII)
_CLOCK = re.compile(
    r"[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9])(?:(:[0-5][0-9])(?:\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII
)
_LARGEST_WHOLE_DIGITS = 15
_LONGEST_INTEGER = 18
_REMEMBERED = 20_000
"""Values of one sort: what repeats within some thousand rows costs little memory."""

_STATUS_NAMES = {number: name.replace("_", " ") for name, number in STATUSES.items()}
_KIND_NAMES = {name: singular(name).replace("_", " ") for name in DOCUMENTS}
_PAYABLE = frozenset({STATUSES["approved"], STATUSES["partly_paid"]})
_CANCELED = str(STATUSES["canceled"])
_NOTES = ("1", "5")
_NOTHING: Json = {}

_decode = msgspec.json.Decoder(float_hook=str).decode
_encode = msgspec.json.encode


@dataclass(slots=True)
class Source:
    """What the columns of one row are read from.

    detailed  the detail's JSON, or the record's where that is not there yet
    owner     of a payment: the JSON of the document that it pays
    digits    decimals of the row's currency
    """

    collection: str
    status: int | None
    record: Json
    detail: Json
    detailed: Json
    owner: Json
    digits: int


Getter = Callable[[Source], Any]


def source_of(collection: str, status: int | None, data: str, detail: str | None, owner: str | None) -> Source:
    record, paid = _read_object(data), _read_object(owner)
    more = _read_object(detail)
    return Source(collection, status, record, more, record if detail is None else more, paid, _digits(record, paid))


def _read_object(text: str | None) -> Json:
    """An object with its numbers as text where they have a point; {} for everything else."""
    if text is None:
        return _NOTHING
    try:
        value = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return _NOTHING
    return value if type(value) is dict else _NOTHING


def _digits(record: Json, owner: Json) -> int:
    """How many decimals the currency of a row has."""
    code = record.get("currency")
    if code is None or code == "":
        code = owner.get("currency")
    return OTHER_DIGITS.get(code, USUAL_DIGITS) if type(code) is str else USUAL_DIGITS


@lru_cache(maxsize=_REMEMBERED)
def moment(seconds: float | None) -> str | None:
    """Unix seconds as a time in UTC."""
    if seconds is None:
        return None
    whole = int(seconds * 1000 + 0.5) // 1000
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def getter(column: Column) -> Getter:
    """How a column is read."""
    how = column.how or column.kind.value
    if how in _OF_ROW:
        return _OF_ROW[how]
    if how.startswith("detail_"):
        word, find = _OF_FIELD[how.removeprefix("detail_")], _at(column.path)
        return lambda source: word(find(source.detailed))
    if how in ("minor", "hundredths"):
        return _minor_getter(column.path, fixed=how == "hundredths")
    read = _field_getter(_OF_FIELD[how], column.path)
    if not column.owner:
        return read
    owned, find_owned = _OF_FIELD[how], _at(column.owner)
    return lambda source: owned(find_owned(source.owner)) if (value := read(source)) is None else value


def _field_getter(word: Callable[[Any], Any], path: str) -> Getter:
    """Most fields of most rows are not there: nothing is asked of those."""
    step, _, below = path.partition(".")
    if not below:
        return lambda source: None if (value := source.record.get(step)) is None else word(value)

    def read(source: Source) -> Any:
        value = source.record.get(step)
        return word(value.get(below)) if type(value) is dict else None

    return read


def _minor_getter(path: str, *, fixed: bool) -> Getter:
    if fixed:
        return lambda source: minor(source.record.get(path), USUAL_DIGITS)
    return lambda source: minor(source.record.get(path), source.digits)


def _at(path: str) -> Callable[[Json], Any]:
    """What stands in a document under a path of one step or two."""
    step, _, below = path.partition(".")

    def find(document: Json) -> Any:
        value = document.get(step)
        if not below:
            return value
        return value.get(below) if type(value) is dict else None

    return find


def _text(value: Any) -> str | None:
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def _integer(value: Any) -> int | None:
    if type(value) is int:
        return value if 0 <= value < 10**_LONGEST_INTEGER else None
    if type(value) is str and value.isdigit() and value.isascii() and len(value) <= _LONGEST_INTEGER:
        return int(value)
    return None


def _boolean(value: Any) -> bool | None:
    return value if type(value) is bool else None


def _date(value: Any) -> str | None:
    return _day(value[:10]) if type(value) is str else None


@lru_cache(maxsize=_REMEMBERED)
def _day(text: str) -> str | None:
    """The same text, if it is a day of the calendar."""
    if not _CALENDAR_DAY.fullmatch(text):
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


@lru_cache(maxsize=_REMEMBERED)
def _clock(text: str) -> tuple[str, str]:
    """What stands behind the day: the time as in UTC, and the offset if there is another; ("", "") if it is none."""
    if not text:
        return "T00:00:00", ""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return "", ""
    return f"T{found[1]}{found[2] or ':00'}", "" if found[3] in (None, "Z", "+00:00") else found[3]


def _timestamp(value: Any) -> str | None:
    if type(value) is not str or (day := _day(value[:10])) is None:
        return None
    clock, offset = _clock(value[10:])
    if not clock:
        return None
    if not offset:
        return day + clock
    try:
        there = datetime.fromisoformat(f"{day}{clock}{offset}")
        return there.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    except (ValueError, OverflowError):
        return None


def _said(value: Any) -> str | None:
    """Whatever stands there, as a text."""
    if value is None or value == "":
        return None
    if type(value) is str:
        return value
    return str(int(value)) if type(value) in (bool, int) else _encode(value).decode()


def _person(value: Any) -> str | None:
    """By name: as one text, as first and last name, or by the address."""
    if type(value) is not dict:
        return None
    if name := _said(value.get("name")):
        return name
    both = f"{_said(value.get('firstname')) or ''} {_said(value.get('lastname')) or ''}".strip(" ")
    return both or _said(value.get("email"))


@lru_cache(maxsize=_REMEMBERED, typed=True)
def _amount(value: str | int, digits: int) -> int | None:
    text = str(value)
    if not _READABLE_NUMBER.fullmatch(text):
        return None
    whole, _, decimals = text.partition(".")
    if len(whole) - (whole[0] == "-") > _LARGEST_WHOLE_DIGITS or decimals[digits:].strip("0"):
        return None
    return int(whole + decimals[:digits].ljust(digits, "0"))


def minor(value: Any, digits: int) -> int | None:
    """An amount in whole minor units; None if it is finer, larger, or no amount."""
    return _amount(value, digits) if type(value) is str or type(value) is int else None


def _status_name(source: Source) -> str | None:
    return None if source.status is None else _STATUS_NAMES.get(source.status)


def _kind(source: Source) -> str | None:
    if source.collection == "invoices" and _said(source.record.get("logicType")) in _NOTES:
        return "credit note"
    return _KIND_NAMES.get(source.collection)


def _open_minor(source: Source) -> int | None:
    if source.status not in _PAYABLE:
        return None
    total, said = minor(source.record.get("sum"), source.digits), source.record.get("sumPaid")
    paid = 0 if _text(said) is None else minor(said, source.digits)
    return None if total is None or paid is None else total - paid


def _open_sum(source: Source) -> str | None:
    left = _open_minor(source)
    return None if left is None else _written(left, source.digits)


@lru_cache(maxsize=_REMEMBERED)
def _written(units: int, digits: int) -> str:
    """Minor units as people write them."""
    if not digits:
        return str(units)
    whole, decimals = divmod(abs(units), 10**digits)
    return f"{'-' if units < 0 else ''}{whole}.{decimals:0{digits}}"


def _last_paid_date(source: Source) -> str | None:
    payments = source.detail.get("payments")
    return max(_paid_days(payments), default=None) if payments else None


def _paid_days(payments: Any) -> Iterator[str]:
    for payment in nested(payments):
        if type(payment) is dict and _said(payment.get("status")) != _CANCELED and (day := payment.get("payDate")):
            yield str(day)[:10]


_OF_FIELD: dict[str, Callable[[Any], Any]] = {
    "text": _text,
    "decimal": _text,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "person": _person,
}
_OF_ROW: dict[str, Getter] = {
    "status": _status_name,
    "kind": _kind,
    "own_person": lambda source: _person(source.record),
    "open_minor": _open_minor,
    "open_sum": _open_sum,
    "last_paid_date": _last_paid_date,
}
