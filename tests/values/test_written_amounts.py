"""Amounts as written: read exactly, or refused with what is odd; never another amount."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.values.written_amounts import AmountError, currencies_of, read_written

NBSP, NARROW, FIGURE, MINUS = "\u00a0", "\u202f", "\u2007", "\u2212"


@pytest.mark.parametrize(
    "text",
    [f"{MINUS}1{NBSP}851,34", "-1 851,34", f"-1{NARROW}851,34", f"-1{FIGURE}851,34", "-1 851,34 €", "-EUR 1 851,34",
     "(1 851,34)", "- 1 851,34", "1 851,34 DR", "1 851,34 Dr.", "1 851,34-", f"1 851,34{NBSP}{MINUS}", "€ (1 851,34)",
     "\u20131 851,34", "\u200b-1 851,34\ufeff", "1 851,34- EUR", "EUR -1851,34"],
)  # fmt: skip
def test_ways_to_write_that_it_left(text: str):
    assert read_written(text, ",", " ").amount == Decimal("-1851.34")


@pytest.mark.parametrize(
    ("text", "mark", "grouping", "amount"),
    [("1’234’567.50", ".", "'", "1234567.50"), ("1'234.50", ".", "’", "1234.50"),
     ("1,23,45,678.9", ".", ",", "12345678.9"),
     ("1,234,567", ".", ",", "1234567"), ("1.234,5 CR", ",", ".", "1234.5"), ("+12", ".", "", "12"),
     ("Rs.1,234", ".", ",", "1234"),
     ("$.5", ".", "", "0.5"), ("US$ 7", ".", "", "7"), ("7 zł", ",", "", "7"), ("12 kr.", ",", "", "12")],
)  # fmt: skip
def test_other_ways(text: str, mark: str, grouping: str, amount: str):
    assert read_written(text, mark, grouping).amount == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "mark", "grouping", "why"),
    [
        ("12·50", ".", "", "has '·' (MIDDLE DOT, U+00B7), which is no part of an amount such as 1234.50"),
        ("1٢", ".", "", "has '٢' (ARABIC-INDIC DIGIT TWO, U+0662), which is no part of an amount such as 1234.50"),
        ("12\u00ad3", ".", "", "has '\\xad' (SOFT HYPHEN, U+00AD), which is no part"),
        ("\u202e12", ".", "", "has '\\u202e' (RIGHT-TO-LEFT OVERRIDE, U+202E), which"),
        ("x", ",", ".", "is no plain number, such as 1.234,50"),
        ("12.50", ",", "", "has a point, but the decimal mark is ','"),
        ("1 234", ".", "", "has a space between its digits; set `grouping`"),
        ("1,23,45", ".", ",", "has ',' where it does not stand between thousands"),
        ("1.23.456", ",", ".", "has '.' where it does not stand between thousands"),
        ("(12", ".", "", "has a bracket without its other one"),
        ("-(12)", ".", "", "has more than one sign"),
        ("--1", ".", "", "has more than one sign"),
        ("-1 CR", ".", "", "has more than one sign"),
        ("$1 EUR", ".", "", "has more than one sign or currency"),
        ("1.85E+03", ".", "", "was bent by a spreadsheet"),
        ("12,-", ",", "", "is no plain number"),
        ("VAT 12", ".", "", "is no plain number"),
        ("12or13", ".", "", "is no plain number"),
        ("12-13", ".", "", "is no plain number"),
        ("", ".", "", "is no plain number"),
    ],
)
def test_what_is_refused_says_what_is_odd(text: str, mark: str, grouping: str, why: str):
    with pytest.raises(AmountError) as refused:
        read_written(text, mark, grouping)
    assert why in str(refused.value)


def test_what_stands_beside_an_amount():
    assert read_written("12 €", ".", "").currency == "€"
    assert list(currencies_of("€")) == ["EUR"]
    assert list(currencies_of("CHF")) == ["CHF"]
    assert {"USD", "CAD", "AUD"} < set(currencies_of("$"))


MARKS = st.sampled_from([(".", ""), (".", ","), (",", "."), (",", " "), (".", "'"), (",", "")])


@given(st.text(st.sampled_from("0123456789.,-+() \u00a0\u2212'’€$EURDCd\u200b")), MARKS)
def test_whatever_is_written_it_is_the_digits_that_stand_there_or_refused(text: str, marks: tuple[str, str]):
    """No digit is lost or added, none moves to the other side of the decimal mark."""
    try:
        amount = read_written(text, *marks).amount
    except AmountError:
        return
    whole, _, cents = text.partition(marks[0])
    digits = ["".join(filter(str.isdigit, part)) for part in (whole, cents)]
    assert abs(amount) == Decimal(f"{digits[0] or '0'}.{digits[1] or '0'}")


@given(
    st.decimals(places=2, min_value=-(10**12), max_value=10**12),
    MARKS,
    st.sampled_from(["-{}", "({})", "{}-", "{} DR", "− {} €"]),
)
def test_every_way_says_the_same(amount: Decimal, marks: tuple[str, str], way: str):
    text = f"{abs(amount):,.2f}".translate(str.maketrans({",": marks[1], ".": marks[0]}))
    written = text if amount >= 0 else way.format(text)
    assert read_written(written, *marks).amount == amount
