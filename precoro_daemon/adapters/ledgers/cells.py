"""how amounts, days, currencies and names are read, or why they cannot be"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from precoro_daemon.values.money import CURRENCY_CODE, ungrouped

_PLAIN_AMOUNT = re.compile(r"[+-]?\d+(?:\.\d+)?|[+-]?\.\d+", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?", re.ASCII)
EPOCH_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/", re.ASCII)
_MOST_DIGITS = 38
"""What the widest decimal column of the usual databases holds."""
_LONGEST_TEXT = 500


class CellError(ValueError):
    """Why a value cannot be read; begins with what it should have been."""


@dataclass(frozen=True, slots=True)
class Writing:
    """How the ledger writes things.

    decimal_mark  "." or ","
    grouping      what stands between thousands, "" for nothing
    day_format    as strptime takes it, "" for ISO (2026-01-31)
    negate        whether a payment has a negative amount there, as in a bank's export
    """

    decimal_mark: str = "."
    grouping: str = ""
    day_format: str = ""
    negate: bool = False


ISO = Writing()


def read_amount(value: Any, writing: Writing = ISO) -> Decimal:
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
            amount = _amount_in(value, writing)
        case _:
            raise CellError(f"amount: {_shown(value)} is no amount")
    if not _is_money(amount):
        raise CellError(f"amount: {_shown(value)} is no amount of money")
    return -amount if writing.negate else amount


def _is_money(amount: Decimal) -> bool:
    digits = len(amount.as_tuple().digits)
    return amount.is_finite() and abs(amount.adjusted()) < _MOST_DIGITS and digits <= _MOST_DIGITS


def _amount_in(text: str, writing: Writing) -> Decimal:
    number = text.strip()
    sign = "-" if number.endswith("-") else ""  # banks and SAP write 12.50- for what left the account
    number = number.removesuffix("-")
    if writing.grouping:
        together = ungrouped(number, writing.grouping, writing.decimal_mark)
        if together is None:
            raise CellError(
                f"amount: {_shown(text)} has {writing.grouping!r} where it does not stand between thousands"
            )
        number = together
    if writing.decimal_mark != ".":
        if "." in number:
            raise CellError(f"amount: {_shown(text)} has a point, but the decimal mark is {writing.decimal_mark!r}")
        number = number.replace(writing.decimal_mark, ".")
    if not _PLAIN_AMOUNT.fullmatch(sign + number):
        raise CellError(f"amount: {_shown(text)} is no plain number, such as 1234.50")
    return Decimal(sign + number)


def read_day(value: Any, writing: Writing = ISO) -> date:
    match value:
        case datetime():
            return value.date()
        case date():
            return value
        case str():
            return _day_in(value.strip(), writing)
    raise CellError(f"paid_on: {_shown(value)} is no date, such as 2026-01-31")


def _day_in(text: str, writing: Writing) -> date:
    try:
        if writing.day_format:
            return datetime.strptime(text, writing.day_format).date()  # noqa: DTZ007 - a day has no time zone
        if match := EPOCH_DATE.fullmatch(text):  # milliseconds since 1970, as ASP.NET and Xero write them
            return datetime.fromtimestamp(int(match[1]) // 1000, UTC).date()
        if match := _ISO_DAY.fullmatch(text):
            return date.fromisoformat(match[1])
    except (ValueError, OverflowError, OSError):
        pass  # no such day: said below, as what looks like no day at all
    raise CellError(f"paid_on: {_shown(text)} is no date, such as {_example(writing)}")


def _example(writing: Writing) -> str:
    return date(2026, 1, 31).strftime(writing.day_format or "%Y-%m-%d")


def read_currency(value: Any) -> str:
    """ISO 4217 in capitals; "" where the ledger does not say."""
    text = "" if value is None or value is False else str(value).strip().upper()
    if text and not CURRENCY_CODE.fullmatch(text):
        raise CellError(f"currency: {_shown(value)} is no currency code of three letters, such as EUR")
    return text


def read_name(field: str, value: Any) -> str:
    """A name the ledger gives to something: text or a whole number."""
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
        case int() | Decimal() if not isinstance(value, bool) and value == int(value):
            text = f"{int(value)}"
        case date():
            text = value.isoformat()
        case _:
            text = _other_name(field, value)
    if len(text) > _LONGEST_TEXT:
        raise CellError(f"{field}: {_shown(text)} is longer than {_LONGEST_TEXT} characters")
    return text or None


def _other_name(field: str, value: Any) -> str:
    if type(value).__name__ == "UUID":
        return str(value)
    raise CellError(f"{field}: {_shown(value)} is neither text nor a whole number")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
