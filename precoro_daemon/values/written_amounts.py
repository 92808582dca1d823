"""amounts as people, banks and spreadsheets write them: read exactly, or refused with the reason"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from precoro_daemon.values.money import ungrouped

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"))
"""Zero-width characters that come along when text is copied from web pages and documents."""

BENT_NUMBER = re.compile(r"\d(?:[.,]\d+)?E[+-]?\d+", re.ASCII | re.IGNORECASE)
"""What a spreadsheet makes of a number that is too wide for its column: digits are lost."""

DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d"), "-")
"""Characters that people use as a minus or a hyphen."""

_APOSTROPHES = "'\u2018\u2019\u02bc\u2032\u00b4"
_PLAIN_AMOUNT = re.compile(r"\d+(?:\.\d+)?|\.\d+", re.ASCII)
_WORDS = re.compile(r"[^\W\d_]*[$€£¥₹]|[^\W\d_]+\.?|\S")
_NEGATIVE = ("-", "(", "DR")
_POSITIVE = ("+", "CR")

_CODE = re.compile(
    "AED|AFN|ALL|AMD|ANG|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BHD|BIF|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|BZD|CAD|"
    "CDF|CHF|CLP|CNY|COP|CRC|CUP|CVE|CZK|DJF|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|GMD|GNF|GTQ|"
    "GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IQD|IRR|ISK|JMD|JOD|JPY|KES|KGS|KHR|KMF|KPW|KRW|KWD|KYD|KZT|LAK|LBP|LKR|"
    "LRD|LSL|LYD|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|OMR|PAB|PEN|"
    "PGK|PHP|PKR|PLN|PYG|QAR|RON|RSD|RUB|RWF|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SVC|SYP|SZL|THB|"
    "TJS|TMT|TND|TOP|TRY|TTD|TWD|TZS|UAH|UGX|USD|UYU|UZS|VES|VND|VUV|WST|XAF|XCD|XOF|XPF|YER|ZAR|ZMW"
)
"""ISO 4217: no other word of three letters beside an amount is a currency."""

_CURRENCY_SIGNS = {
    "€": "EUR", "£": "GBP EGP FKP GIP SHP SSP SYP LBP SDG", "¥": "JPY CNY", "₹": "INR", "₽": "RUB", "₺": "TRY",
    "₴": "UAH", "₩": "KRW KPW", "₪": "ILS", "₫": "VND", "₦": "NGN", "₱": "PHP", "฿": "THB", "₡": "CRC", "₲": "PYG",
    "₵": "GHS", "₸": "KZT", "₼": "AZN", "₾": "GEL", "zł": "PLN", "Kč": "CZK", "kr": "SEK NOK DKK ISK", "Ft": "HUF",
    "lei": "RON MDL", "лв": "BGN", "Rs": "INR PKR LKR NPR MUR SCR", "Fr": "CHF", "SFr": "CHF", "R$": "BRL",
    "R": "ZAR", "RM": "MYR", "US$": "USD", "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "HK$": "HKD",
    "NZ$": "NZD",
    "S$": "SGD",
    "$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU BBD BSD BMD BND BZD FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD"
    " CVE DOP NIO CUP",
}  # fmt: skip
"""Currency signs, and the currencies that each may mean."""


class AmountError(ValueError):
    """Why a text is no amount. The message continues a sentence that begins with the text."""


class WrittenAmount(NamedTuple):
    """currency  the sign or code beside the amount, "" for none"""

    amount: Decimal
    currency: str


def read_written(text: str, decimal_mark: str, grouping: str) -> WrittenAmount:
    """Reads an amount. Its sign may precede or follow, also as brackets, DR or CR; a currency may be beside it.

    Raises AmountError.
    """
    if _usual(decimal_mark, grouping).fullmatch(text):
        return WrittenAmount(Decimal(text.replace(grouping, "").replace(decimal_mark, ".")), "")
    line = _with_plain_signs(text)
    example = f"1{grouping}234{decimal_mark}50"
    if BENT_NUMBER.fullmatch(line):
        raise AmountError("was bent by a spreadsheet, so its digits are lost; have the column come as plain numbers")
    before, number, after = _split(line, decimal_mark + grouping)
    if not number:
        raise AmountError(f"{_what_is_odd(before)} such as {example}")
    signs, currencies = _beside(before, after, example)
    if len(signs) > 1 or len(currencies) > 1:
        raise AmountError(f"has more than one sign or currency beside it; an amount is such as {example}")
    amount = _digits(number, decimal_mark, grouping, example)
    negative = any(sign in _NEGATIVE for sign in signs)
    return WrittenAmount(amount.copy_negate() if negative else amount, "".join(currencies))


@lru_cache
def _usual(decimal_mark: str, grouping: str) -> re.Pattern[str]:
    """Returns a pattern for nearly all amounts, which then need no inspection character by character."""
    group, mark = re.escape(grouping), re.escape(decimal_mark)
    return re.compile(rf"[+-]?(?:\d+|\d{{1,3}}(?:{group}\d{{3}})+)(?:{mark}\d+)?", re.ASCII)


def currencies_of(beside: str) -> Collection[str]:
    """Returns the currencies that a sign or code beside an amount may mean."""
    return (beside,) if _CODE.fullmatch(beside) else _CURRENCY_SIGNS[beside].split()


def odd_sign(text: str, usual: str = "") -> str:
    """Returns the first character of a text that is easily mistaken for another, with its name; "" if there is
    none.
    """
    for sign in text:
        if sign not in usual and not (sign.isascii() and sign.isprintable()):
            return f"{sign!r} ({unicodedata.name(sign, 'no name')}, U+{ord(sign):04X})"
    return ""


def _what_is_odd(text: str, usual: str = "") -> str:
    odd = odd_sign(text, usual)
    return f"has {odd}, which is no part of an amount" if odd else "is no plain number,"


def _with_plain_signs(text: str) -> str:
    if text.isascii():
        return text.replace("\t", " ").strip()
    line = text.translate(INVISIBLE).translate(DASHES)
    return "".join(" " if sign == "\t" or unicodedata.category(sign) == "Zs" else sign for sign in line).strip()


def _split(line: str, marks: str) -> tuple[str, str, str]:
    """Returns the text before the number, the number from its first to its last digit, and the text after it."""
    at = [place for place, sign in enumerate(line) if sign.isascii() and sign.isdigit()]
    if not at:
        return line, "", ""
    first, last = at[0], at[-1] + 1
    if first and line[first - 1] in marks.strip() and not line[: first - 1][-1:].isalpha():
        first -= 1
    return line[:first], line[first:last], line[last:]


def _beside(before: str, after: str, example: str) -> tuple[list[str], list[str]]:
    """Returns the signs and currencies beside a number."""
    signs: list[str] = []
    currencies: list[str] = []
    opened = 0
    for word in (*_words(before), *_words(after)):
        short = word.removesuffix(".")
        if word in ("-", "+", "(") or short.upper() in ("DR", "CR"):
            signs.append(word if len(word) == 1 else short.upper())
            opened += word == "("
        elif word == ")":
            opened -= 1
        elif _CODE.fullmatch(short) or short in _CURRENCY_SIGNS:
            currencies.append(short)
        else:
            raise AmountError(f"{_what_is_odd(word)} such as {example}")
    if opened or ("(" in after or ")" in before):
        raise AmountError(f"has a bracket without its other one; an amount is such as {example}")
    return signs, currencies


def _words(text: str) -> Iterator[str]:
    return (found[0] for found in _WORDS.finditer(text))


def _digits(number: str, decimal_mark: str, grouping: str, example: str) -> Decimal:
    for alike in (_APOSTROPHES, " "):
        if grouping and (grouping in alike or (alike == " " and grouping.isspace())):
            number = number.translate(dict.fromkeys(map(ord, alike), grouping))
    if odd_sign(number, decimal_mark + grouping):
        raise AmountError(f"{_what_is_odd(number, decimal_mark + grouping)} such as {example}")
    if " " in number and grouping != " ":
        raise AmountError("has a space between its digits; set `grouping` if it stands between thousands")
    if grouping:
        together = ungrouped(number, grouping, decimal_mark)
        if together is None:
            raise AmountError(f"has {grouping!r} where it does not stand between thousands")
        number = together
    if decimal_mark != ".":
        if "." in number:
            raise AmountError(f"has a point, but the decimal mark is {decimal_mark!r}")
        number = number.replace(decimal_mark, ".")
    if not _PLAIN_AMOUNT.fullmatch(number):
        raise AmountError(f"is no plain number, such as {example}")
    return Decimal(number)
