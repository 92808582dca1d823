"""Single values of the books: read exactly, or refused with what was read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.adapters.ledgers.cells import (
    CellError,
    Writing,
    optional_name,
    read_amount,
    read_currency,
    read_day,
    read_name,
)

GERMAN = Writing(decimal_mark=",", grouping=".", day_format="%d.%m.%Y")


EXACT = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**15), max_value=10**15)


@given(EXACT)
def test_every_digit_is_kept(amount: Decimal):
    assert read_amount(f"{amount:f}").as_tuple() == amount.as_tuple()
    assert read_amount(amount) is amount
    assert read_amount(f"{amount:,f}".translate(str.maketrans(",.", ".,")), GERMAN).as_tuple() == amount.as_tuple()
    assert read_amount(f"{amount:f}", Writing(negate=True)) == -amount


@pytest.mark.parametrize(("text", "amount"), [(" 12.50 ", "12.50"), ("12.50-", "-12.50"), (7, "7"), ("+.5", "0.5")])
def test_ways_to_write_an_amount(text: object, amount: str):
    assert read_amount(text) == Decimal(amount)


@pytest.mark.parametrize(
    "value",
    [12.5, True, None, "", "12,50", "1e5", "NaN", Decimal("NaN"), Decimal("Infinity"), Decimal("1e99"), "0x1",
     "1 000", "$12.50", b"12", "١٢", "1" * 50, "--1", [], Decimal("1." + "1" * 40)],
)  # fmt: skip
def test_what_is_no_amount(value: object):
    with pytest.raises(CellError, match=r"^amount: "):
        read_amount(value)


def test_a_float_is_refused_with_the_remedy():
    with pytest.raises(CellError, match=r"0\.1 comes as a binary float.*CAST\(amount AS TEXT\)"):
        read_amount(0.1)


def test_a_point_where_a_comma_is_meant():
    with pytest.raises(CellError, match="has a point, but the decimal mark is ','"):
        read_amount("12.50", Writing(decimal_mark=","))


@pytest.mark.parametrize(
    "value",
    ["2026-01-31", "2026-01-31T23:59:59", "2026-01-31 08:00:00+02:00", date(2026, 1, 31),
     "/Date(1769817600000+0000)/", datetime(2026, 1, 31, 23, tzinfo=UTC), "/Date(1769817600000)/"],
)  # fmt: skip
def test_ways_to_write_a_day(value: object):
    assert read_day(value) == date(2026, 1, 31)


def test_a_day_in_the_configured_form():
    assert read_day("31.01.2026", GERMAN) == date(2026, 1, 31)
    with pytest.raises(CellError, match=r"'2026-01-31' is no date, such as 31\.01\.2026"):
        read_day("2026-01-31", GERMAN)


@pytest.mark.parametrize("value", ["2026-02-30", "31.01.2026", "", None, 20260131, "/Date(99999999999999999)/", True])
def test_what_is_no_day(value: object):
    with pytest.raises(CellError, match=r"^paid_on: "):
        read_day(value)


def test_currencies():
    assert [read_currency(value) for value in ("eur", " USD ", None, "", False)] == ["EUR", "USD", "", "", ""]
    for wrong in ("EURO", "€", "12", "E R"):
        with pytest.raises(CellError, match=r"^currency: "):
            read_currency(wrong)


def test_names():
    values = ["a ", 7, Decimal(7), UUID(int=1), date(2026, 1, 31)]
    assert [read_name("key", value) for value in values] == ["a", "7", "7", f"{UUID(int=1)}", "2026-01-31"]
    assert optional_name("supplier", False) is None
    huge = [10**501, Decimal("1e501"), Decimal("1e999999999")]
    for wrong in (
        None,
        "",
        " ",
        7.5,
        True,
        [],
        Decimal("7.5"),
        "x" * 501,
        Decimal("NaN"),
        Decimal("-Infinity"),
        *huge,
    ):
        with pytest.raises(CellError, match=r"^key: "):
            read_name("key", wrong)


@pytest.mark.parametrize(
    ("text", "mark", "grouping"),
    [
        ("12.50", ",", "."),
        ("1.5", ",", "."),
        ("1.234.5", ",", "."),
        ("12,50", ".", ","),
        ("1,23.45", ".", ","),
        (".5", ",", "."),
    ],
)
def test_a_sign_that_does_not_stand_between_thousands_is_no_grouping(text: str, mark: str, grouping: str) -> None:
    with pytest.raises(CellError, match="does not stand between thousands"):
        read_amount(text, Writing(decimal_mark=mark, grouping=grouping))


@pytest.mark.parametrize(
    ("text", "mark", "grouping", "amount"),
    [
        ("1.234,50", ",", ".", "1234.50"),
        ("-1.234.567,5", ",", ".", "-1234567.5"),
        ("1 234.50-", ".", " ", "-1234.50"),
    ],
)
def test_signs_between_thousands_are_left_out(text: str, mark: str, grouping: str, amount: str) -> None:
    assert read_amount(text, Writing(decimal_mark=mark, grouping=grouping)) == Decimal(amount)
