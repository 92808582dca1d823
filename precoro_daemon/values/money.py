"""exact amounts"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

ROUNDING_CENT = Decimal("0.01")
"""Precoro refuses an amount that differs from the remainder by this much or less; the remainder is then meant."""

_AMOUNT = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,12})?")
"""As many digits as a Decimal adds and subtracts without rounding."""

_LONGEST_AMOUNT = 40
"""Digits before or behind the point: more than any amount has."""

CURRENCY_CODE = re.compile(r"[A-Z]{3}")
"""The form of ISO 4217."""

USUAL_DIGITS = 2
OTHER_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
"""ISO 4217: the currencies whose minor unit is not a hundredth, with their number of decimals."""


def read_amount(value: Any) -> Decimal | None:
    """Returns the amount of a number or a text with every digit, None if it is no amount.

    A binary float is refused instead of rounded: it has already lost digits.
    """
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, bool) or value is None or isinstance(value, float):
        return None
    else:
        text = format(value, "f") if isinstance(value, Decimal) and _is_short(value) else str(value).strip()
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def _is_short(value: Decimal) -> bool:
    """1e999999999 written out would fill the memory."""
    return value.is_finite() and abs(value.adjusted()) < _LONGEST_AMOUNT


def can_be_kept(amount: Decimal) -> bool:
    """Returns whether it can be added without rounding. Trailing zeros, as from a wide column, do not count."""
    return _AMOUNT.fullmatch(plain(amount)) is not None


def ungrouped(text: str, grouping: str, decimal_mark: str) -> str | None:
    """Returns a number without its thousands separators, None if one is misplaced.

    A misplaced one is another writer's decimal mark; dropping it would multiply the amount by a hundred.
    """
    whole, mark, decimals = text.partition(decimal_mark)
    first, *others = whole.strip().lstrip("+-").split(grouping)
    if grouping in decimals or (others and not _are_thousands(first, others, grouping)):
        return None
    return f"{whole.replace(grouping, '')}{mark}{decimals}"


def _are_thousands(first: str, others: Sequence[str], grouping: str) -> bool:
    """Returns whether the groups are thousands: of three digits, or with commas, as in India, of two above a thousand
    (1,23,456).
    """
    *lakhs, last = others
    in_twos = grouping == "," and bool(lakhs) and len(first) <= 2 and all(len(one) == 2 for one in lakhs)
    in_threes = len(first) <= 3 and all(len(one) == 3 for one in lakhs)
    return bool(first) and len(last) == 3 and (in_threes or in_twos)


def is_whole(amount: Decimal, currency: str) -> bool:
    """Returns whether it can be paid in the currency's smallest unit. Trailing zeros do not count."""
    decimals = format(amount, "f").partition(".")[2].rstrip("0")
    return len(decimals) <= OTHER_DIGITS.get(currency, USUAL_DIGITS)


def snap(amount: Decimal, remainder: Decimal) -> Decimal:
    """Returns the remainder if the amount differs from it by at most a rounding cent, else the amount."""
    return remainder if abs(amount - remainder) <= ROUNDING_CENT else amount


def sums(amounts: Iterable[tuple[str, Decimal]]) -> str:
    """Returns the total of each currency: "506.87 EUR, 50.90 USD"."""
    totals: dict[str, Decimal] = {}
    for currency, amount in amounts:
        totals[currency] = totals.get(currency, Decimal(0)) + amount
    return ", ".join(f"{plain(total)} {currency}" for currency, total in sorted(totals.items()))


def plain(amount: Decimal) -> str:
    """Returns the amount as people and forms write it: without exponent, with at least two decimals and no zeros
    after them.
    """
    text = format(amount, "f")
    if text[-1 - USUAL_DIGITS : -USUAL_DIGITS] == ".":  # as nearly all are
        return text
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(USUAL_DIGITS, '0')}"
