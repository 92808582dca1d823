"""reads amounts, days, currencies and names, or says why they are unreadable"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from precoro_daemon.values.money import CURRENCY_CODE
from precoro_daemon.values.text_patterns import PatternError, find_one
from precoro_daemon.values.written_amounts import (
    BENT_NUMBER,
    INVISIBLE,
    AmountError,
    WrittenAmount,
    currencies_of,
    read_written,
)

_ISO_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.ASCII)
_EPOCH_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/", re.ASCII)
_MOST_DIGITS = 38
"""The digits that the widest decimal column of the usual databases holds."""
_LONGEST_TEXT = 500
_ODD_SPACE = re.compile(r"[^\S\r\n\t ]")
_WHOLE_AS_FLOAT = re.compile(r"\d+\.0", re.ASCII)
NO_REFERENCE = "(no reference)"
"""The invoice of a bank statement's payment that names nothing. No invoice has this number."""


class CellError(ValueError):
    """The reason why a value is unreadable. It begins with what the value should be."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How the ledger writes values.

    decimal_mark  "." or ","
    grouping      the separator of thousands, "" for none
    day_format    in the notation of strptime, "" for ISO (2026-01-31)
    negate        whether payments have negative amounts, as in a bank's export
    """

    decimal_mark: str = "."
    grouping: str = ""
    day_format: str = ""
    negate: bool = False


ISO = Writing()


@dataclass(frozen=True, slots=True)
class Period:
    """The days that a file covers."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def read_amount(value: Any, writing: Writing = ISO) -> Decimal:
    """Reads an amount that must have no currency beside it, because its callers compare none. Raises CellError."""
    amount, beside = read_money(value, writing)
    if beside:
        raise CellError(f"amount: {_shown(value)} has a currency beside it, and only an amount belongs there")
    return amount


def read_money(value: Any, writing: Writing = ISO) -> WrittenAmount:
    """Reads an amount, and the currency beside it if it is a text with one. Raises CellError."""
    beside = ""
    match value:
        case bool() | None:
            raise CellError(f"amount: {_shown(value)} is no amount")
        case float():
            raise CellError(
                f"amount: {value!r} comes as a binary float, which is not exact; have it come as text or as a decimal"
                " number, for example CAST(amount AS TEXT) or printf('%.2f', amount)"
            )
        case int() | Decimal():
            amount = Decimal(value)
        case str():
            try:
                amount, beside = read_written(value, writing.decimal_mark, writing.grouping)
            except AmountError as error:
                raise CellError(f"amount: {_shown(value)} {error}") from None
        case _:
            raise CellError(f"amount: {_shown(value)} is no amount")
    if not _is_money(amount):
        raise CellError(f"amount: {_shown(value)} is no amount of money")
    return WrittenAmount(-amount if writing.negate else amount, beside)


def _is_money(amount: Decimal) -> bool:
    digits = len(amount.as_tuple().digits)
    return amount.is_finite() and abs(amount.adjusted()) < _MOST_DIGITS and digits <= _MOST_DIGITS


def read_day(value: Any, writing: Writing = ISO) -> date:
    match value:
        case datetime():
            return value.date()
        case date():
            return value
        case str():
            return _day_in(value.strip(), writing)
    raise CellError(f"paid_on: {_shown(value)} is no date, such as 2026-01-31")


@lru_cache(maxsize=1024)
def _day_in(text: str, writing: Writing) -> date:
    try:
        if writing.day_format:
            return datetime.strptime(_full_width(text, writing), writing.day_format).date()  # noqa: DTZ007 - no zone
        if moment := moment_since_1970(text):
            return moment.date()
        if match := _ISO_DAY.fullmatch(text):
            return date.fromisoformat(match[1])
    except (ValueError, OverflowError, OSError):
        pass  # no such day: reported below, like a text that is no day
    raise CellError(f"paid_on: {_shown(text)} is no date, such as {_example(writing)}")


def moment_since_1970(text: str) -> datetime | None:
    """Reads a time in milliseconds since 1970, as ASP.NET and Xero write it. Returns None for any other text."""
    if not (match := _EPOCH_DATE.fullmatch(text)):
        return None
    with suppress(ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(int(match[1]) // 1000, UTC)
    return None


def _full_width(text: str, writing: Writing) -> str:
    """Restores the zero that a spreadsheet drops before a day of digits: 101 would be read as 1 October."""
    example = _example(writing)
    if not example.isdecimal():
        return text
    if not text.isdecimal():
        raise ValueError
    return text.zfill(len(example))


def has_year(day_format: str) -> bool:
    return not day_format or "%y" in day_format.lower()


def read_day_within(value: Any, writing: Writing, period: Period | None) -> date:
    """Reads a day that is written without its year. The file's period determines the year. Raises CellError."""
    if not isinstance(value, str):
        return read_day(value, writing)
    if period is None:
        raise CellError(
            f"paid_on: {_shown(value)} has no year, and neither the file's name nor the lines above its header tell"
            " one year"
        )
    days: list[date] = []
    for year in range(period.first.year, period.last.year + 1):
        with suppress(CellError):
            dated = replace(writing, day_format=f"{writing.day_format} %Y")
            days.append(_day_in(f"{_full_width_part(value.strip(), writing)} {year}", dated))
    found = [day for day in days if period.first <= day <= period.last]
    if len(found) != 1:
        raise CellError(f"paid_on: {_shown(value)} is no day of {period}, such as {_example(writing)}")
    return found[0]


def _full_width_part(text: str, writing: Writing) -> str:
    try:
        return _full_width(text, writing)
    except ValueError:
        return ""


def _example(writing: Writing) -> str:
    return date(2026, 1, 31).strftime(writing.day_format or "%Y-%m-%d")


def settle_currency(own: str, assumed: str, beside: str) -> str:
    """Returns a row's currency: its own, else the one beside the amount, else the assumed. Raises CellError."""
    if not beside:
        return own or assumed
    meant = currencies_of(beside)
    if own:
        if own not in meant:
            raise CellError(f"currency: the row says {own}, but {beside} stands beside the amount")
        return own
    if len(meant) == 1 or assumed in meant:
        return assumed if assumed in meant else next(iter(meant))
    raise CellError(
        f"currency: {beside} may be {', '.join(list(meant)[:4])} …; name a column of it, or set `currency`"
    )


def read_currency(value: Any) -> str:
    """Returns the code of ISO 4217 in capitals, or "" if the ledger names none. Raises CellError."""
    text = "" if value is None or value is False else str(value).strip().upper()
    if text and not CURRENCY_CODE.fullmatch(text):
        raise CellError(f"currency: {_shown(value)} is no currency code of three letters, such as EUR")
    return text


def read_reference(value: Any) -> str | None:
    """Returns a row's text for its invoice, without the defects of spreadsheets and web pages. Raises CellError."""
    name = optional_name("invoice", value)
    if name is None:
        return None
    text = name if name.isascii() and name.isprintable() else _ODD_SPACE.sub(" ", name.translate(INVISIBLE)).strip()
    if "+" in text and BENT_NUMBER.fullmatch(text):
        raise CellError(
            f"invoice: {_shown(text)} was bent by a spreadsheet, so its digits are lost; have the column come as text"
        )
    return text.removesuffix(".0") if text.endswith(".0") and _WHOLE_AS_FLOAT.fullmatch(text) else text or None


def number_in(reference: str | None, pattern: re.Pattern[str] | None) -> str:
    """Returns the invoice's number within a longer text, or the whole text if it contains none. Raises CellError."""
    if pattern is None:
        if reference is None:
            raise CellError("invoice: it is empty")
        return reference
    if reference is None:
        return NO_REFERENCE
    try:
        return find_one(pattern, reference) or reference
    except PatternError as error:
        raise CellError(f"invoice: {_shown(reference)} {error}") from None


def read_name(field: str, value: Any) -> str:
    """Reads the ledger's name of something: text or a whole number. Raises CellError."""
    name = optional_name(field, value)
    if name is None:
        raise CellError(f"{field}: it is empty")
    return name


def optional_name(field: str, value: Any) -> str | None:
    match value:
        # Odoo writes false for an empty field.
        case None | False | "":
            return None
        case str():
            text = value.strip()
        case int() | Decimal() if not isinstance(value, bool) and _is_short_integer(value):
            text = f"{int(value)}"
        case date():
            text = value.isoformat()
        case _:
            text = _other_name(field, value)
    if len(text) > _LONGEST_TEXT:
        raise CellError(f"{field}: {_shown(text)} is longer than {_LONGEST_TEXT} characters")
    return text or None


def _is_short_integer(value: int | Decimal) -> bool:
    """Checks whether a number is a whole one of fewer than 500 digits: more digits would fill the memory."""
    number = Decimal(value)
    return number.is_finite() and number.adjusted() < _LONGEST_TEXT and number == number.to_integral_value()


def _other_name(field: str, value: Any) -> str:
    if type(value).__name__ == "UUID":
        return str(value)
    raise CellError(f"{field}: {_shown(value)} is neither text nor a whole number")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
