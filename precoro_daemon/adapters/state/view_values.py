"""the values of views read out of JSON in Python, as the engines' words read them in SQL

Each kind of column is one small function here; what repeats from row to row (days, amounts) is read once.
`tests/adapters/state/test_view_rows.py` holds these values against those of the views.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import msgspec

from precoro_daemon.adapters.state.view_words import singular
from precoro_daemon.mirror.rules.collections import DOCUMENTS, STATUSES
from precoro_daemon.values.json_reading import nested
from precoro_daemon.values.money import OTHER_DIGITS, USUAL_DIGITS

PERSON_FIELDS = ("name", "firstname", "lastname", "email")

_READABLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,254})(?:\.[0-9]+)?")
_CALENDAR_DAY = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}")
_CALENDAR_TIME = re.compile(
    r"([12][0-9]{3}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)(?:(?<=:..:..)\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_TO_THE_SECOND = len("2026-01-31T08:00:00")
_IN_UTC = ("", "+00:00", "Z")
_LARGEST_WHOLE_DIGITS = 15
_LONGEST_INTEGER = 18
_REMEMBERED = 20_000
"""Values of one sort: what repeats within some thousand rows costs little memory."""

_STATUS_NAMES = {number: name.replace("_", " ") for name, number in STATUSES.items()}
_KIND_NAMES = {name: singular(name).replace("_", " ") for name in DOCUMENTS}
_PAYABLE = frozenset({STATUSES["approved"], STATUSES["partly_paid"]})
_CANCELED = str(STATUSES["canceled"])
_NOTES = ("1", "5")

_encode = msgspec.json.encode
_read_time = datetime.fromisoformat


def digits_of(currency: Any) -> int:
    """How many decimals a currency has."""
    return OTHER_DIGITS.get(currency, USUAL_DIGITS) if type(currency) is str else USUAL_DIGITS


@lru_cache(maxsize=_REMEMBERED)
def moment(seconds: float | None) -> str | None:
    """Unix seconds as a time in UTC."""
    if seconds is None:
        return None
    whole = int(seconds * 1000 + 0.5) // 1000
    return datetime.fromtimestamp(whole, UTC).isoformat()[:_TO_THE_SECOND]


def text(value: Any) -> str | None:
    if type(value) is str:
        return value or None
    return str(value) if type(value) is int else None


def integer(value: Any) -> int | None:
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


def _timestamp(value: Any) -> str | None:
    """Most are to the second, and in UTC."""
    if type(value) is not str:
        return None
    plain = value[:_TO_THE_SECOND]
    try:
        if value[_TO_THE_SECOND:] in _IN_UTC and plain[4:17:3] == "--T::" and plain[0] in "12" and _read_time(plain):
            return plain
    except ValueError:
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
    """Whatever stands there, as a text."""
    if value is None or value == "":
        return None
    if type(value) is str:
        return value
    return str(int(value)) if type(value) in (bool, int) else _encode(value).decode()


def person(value: Any) -> str | None:
    """By name: as one text, as first and last name, or by the address."""
    if type(value) is not dict:
        return None
    first, last = value.get("firstname"), value.get("lastname")
    if type(first) is str and type(last) is str and first and last and "name" not in value:
        return f"{first} {last}".strip(" ")
    if name := said(value.get("name")):
        return name
    both = f"{said(first) or ''} {said(last) or ''}".strip(" ")
    return both or said(value.get("email"))


def minors(values: Sequence[Any], digits: Sequence[int]) -> Sequence[int | None]:
    """Amounts in whole minor units; None if one is finer, larger, or no amount."""
    return [
        _amount(value, decimals) if type(value) is str or type(value) is int else None
        for value, decimals in zip(values, digits, strict=True)
    ]


@lru_cache(maxsize=_REMEMBERED, typed=True)
def _amount(value: str | int, digits: int) -> int | None:
    written_so = str(value)
    whole, _, decimals = written_so.partition(".")
    if not _READABLE_NUMBER.fullmatch(written_so):
        return None
    if len(decimals) != digits:
        if decimals[digits:].strip("0"):
            return None
        decimals = decimals[:digits].ljust(digits, "0")
    return int(whole + decimals) if len(whole) - (whole[0] == "-") <= _LARGEST_WHOLE_DIGITS else None


def status_name(status: int | None) -> str | None:
    return None if status is None else _STATUS_NAMES.get(status)


def kind_of(collection: str, logic_type: Any) -> str | None:
    if collection == "invoices" and said(logic_type) in _NOTES:
        return "credit note"
    return _KIND_NAMES.get(collection)


def is_nothing(amount: Any) -> bool:
    return text(amount) is None


def left(status: int | None, total: int | None, paid: int | None) -> int | None:
    """What is left to pay while it is to be paid."""
    return total - paid if status in _PAYABLE and total is not None and paid is not None else None


@lru_cache(maxsize=_REMEMBERED)
def written(units: int, digits: int) -> str:
    """Minor units as people write them."""
    if not digits:
        return str(units)
    whole, decimals = divmod(abs(units), 10**digits)
    return f"{'-' if units < 0 else ''}{whole}.{decimals:0{digits}}"


def last_paid_day(payments: Any) -> str | None:
    return max(_paid_days(payments), default=None) if payments else None


def _paid_days(payments: Any) -> Iterator[str]:
    for payment in nested(payments):
        if type(payment) is dict and said(payment.get("status")) != _CANCELED and (day := payment.get("payDate")):
            yield str(day)[:10]


WORDS: Mapping[str, Callable[[Any], Any]] = {
    "text": text,
    "decimal": text,
    "integer": integer,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "person": person,
}
"""How a field is read, by the word for it."""
