"""exact amounts"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

ROUNDING_CENT = Decimal("0.01")
"""Precoro refuses an amount that misses the remainder by this much or less; the remainder itself is then meant."""

_AMOUNT = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,12})?")
"""As many digits as a Decimal adds and subtracts without rounding."""

CURRENCY_CODE = re.compile(r"[A-Z]{3}")
"""The form of ISO 4217."""

USUAL_DIGITS = 2
OTHER_DIGITS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
    0,
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
"""ISO 4217: the currencies that do not have hundredths."""


def read_amount(value: Any) -> Decimal | None:
    """An amount as a number or as text, every digit kept; None if it is none.

    A binary float is refused, not rounded: who hands one over has lost digits already.
    """
    if isinstance(value, str):
        text = value.strip()
    elif isinstance(value, bool) or value is None or isinstance(value, float):
        return None
    else:
        text = format(value, "f") if isinstance(value, Decimal) and value.is_finite() else str(value).strip()
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def can_be_kept(amount: Decimal) -> bool:
    """Whether it has no more digits than are added without rounding. Zeros at the end, as of a wide column, say
    nothing."""
    return _AMOUNT.fullmatch(plain(amount)) is not None


def ungrouped(text: str, grouping: str, decimal_mark: str) -> str | None:
    """A number without the signs between its thousands; None if one stands anywhere else.

    There it is a decimal mark, as somebody else writes it, and the amount would become a hundred times as much.
    """
    whole, mark, decimals = text.partition(decimal_mark)
    first, *others = whole.strip().lstrip("+-").split(grouping)
    if grouping in decimals or (others and not _are_thousands(first, others, grouping)):
        return None
    return f"{whole.replace(grouping, '')}{mark}{decimals}"


def _are_thousands(first: str, others: Sequence[str], grouping: str) -> bool:
    """In threes; or with commas as in India, where above a thousand it is twos: 1,23,456."""
    *lakhs, last = others
    in_twos = grouping == "," and bool(lakhs) and len(first) <= 2 and all(len(one) == 2 for one in lakhs)
    in_threes = len(first) <= 3 and all(len(one) == 3 for one in lakhs)
    return bool(first) and len(last) == 3 and (in_threes or in_twos)


def is_whole(amount: Decimal, currency: str) -> bool:
    """Whether it can be paid in coins of the currency. Zeros at the end do not count."""
    decimals = format(amount, "f").partition(".")[2].rstrip("0")
    return len(decimals) <= OTHER_DIGITS.get(currency, USUAL_DIGITS)


def snap(amount: Decimal, remainder: Decimal) -> Decimal:
    """The remainder, if the amount misses it by a rounding cent; else the amount as it is."""
    return remainder if abs(amount - remainder) <= ROUNDING_CENT else amount


def sums(amounts: Iterable[tuple[str, Decimal]]) -> str:
    """The total of each currency: "506.87 EUR, 50.90 USD"."""
    totals: dict[str, Decimal] = {}
    for currency, amount in amounts:
        totals[currency] = totals.get(currency, Decimal(0)) + amount
    return ", ".join(f"{plain(total)} {currency}" for currency, total in sorted(totals.items()))


def plain(amount: Decimal) -> str:
    """As people and forms write it: no exponent, hundredths at least, no zeros behind them."""
    text = format(amount, "f")
    if text[-1 - USUAL_DIGITS : -USUAL_DIGITS] == ".":  # as nearly all are
        return text
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(USUAL_DIGITS, '0')}"
