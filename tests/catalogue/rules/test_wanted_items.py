"""Rows as wanted items: every mistake named, every value exact, and what is written reads back as the same."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from precoro_daemon.catalogue.rules.item_fields import ITEM_FIELDS
from precoro_daemon.catalogue.rules.item_rows import item_cells, item_columns
from precoro_daemon.catalogue.rules.items import CustomField, Item, Value
from precoro_daemon.catalogue.rules.plan import Mistake, Wanted
from precoro_daemon.catalogue.rules.sheets import Known, Reading, Row, Sheet, Writing
from precoro_daemon.catalogue.rules.wanted_items import read_wanted
from precoro_daemon.mirror.rules.custom_fields import Option

COLOURS = {
    "1": Option("1", "Red", code="R", path="Warm / Red"),
    "2": Option("2", "Blue", path="Cold / Blue"),
    "3": Option("3", "Red", path="Cold / Red"),
}
KNOWN = Known(
    {"EUR", "USD"},
    {"pcs", "kg"},
    {"Tools": 7},
    {
        5: CustomField(5, "Colour", "option", COLOURS),
        6: CustomField(6, "Weight", "number"),
        8: CustomField(8, "Since", "date"),
        9: CustomField(9, "Colours", "options", COLOURS),
        10: CustomField(10, "Sheet", "file"),
    },
)


def read(row: dict[str, Any], **reading: Any) -> tuple[list[Wanted], list[Mistake]]:
    given = {"sku": "A-1"} | row
    sheet = Sheet("file", list(given), [Row(2, list(given.values()))])
    return read_wanted(sheet, Reading(**reading), KNOWN)


def value(name: str, cell: Any, **reading: Any) -> Any:
    [one], mistakes = read({name: cell}, **reading)
    assert mistakes == []
    return one.values.get({"custom.Colour": "custom.5", "custom.Weight": "custom.6", "custom.Since": "custom.8",
                           "custom.Colours": "custom.9"}.get(name, name), "not said")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "cell", "read_as"),
    [
        ("price", "12.50", Decimal("12.50")),
        ("price", Decimal("0.1"), Decimal("0.1")),
        ("price", 3, Decimal(3)),
        ("price", "0.00", None),
        ("price", "", None),
        ("currency", "eur", "EUR"),
        ("currency", "", "not said"),
        ("unit", "PCS", "pcs"),
        ("unit", "", None),
        ("category", "tools", "7"),
        ("category", "7", "7"),
        ("freeOfCharge", "Yes", True),
        ("hiddenInCatalog", False, False),
        ("hiddenInCatalog", "", "not said"),
        ("externalId", "", "not said"),
        ("description", " two\r\nlines ", "two\nlines"),
        ("description", "no\u00a0break\u200b", "no\u00a0break\u200b"),
        ("custom.Colour", "Warm / Red", ("1",)),
        ("custom.Colour", "r", ("1",)),
        ("custom.Colour", "3", ("3",)),
        ("custom.Colour", "", None),
        ("custom.Colours", "Blue; Warm / Red", ("1", "2")),
        ("custom.Weight", "1.50", ("1.5",)),
        ("custom.Since", "2026-01-31T10:00:00", ("2026-01-31",)),
    ],
)
def test_cells(name: str, cell: Any, read_as: Any) -> None:
    assert value(name, cell) == read_as


@pytest.mark.parametrize(
    ("name", "cell", "reason"),
    [
        ("price", "1,50", "is no price, such as 1234.50; set decimal_mark if prices are written so"),
        ("price", "-1", "is less than nothing"),
        ("price", 1.5, "comes as a binary float"),
        ("price", "1e3", "is no price"),
        ("currency", "CHF", "is no currency of this company; it uses EUR, USD"),
        ("currency", "Euro", "is no currency code"),
        ("unit", "kgs", "is no unit at Precoro (did you mean kg?)"),
        ("category", "8", "is no category that any item at Precoro is in; there are Tools"),
        ("freeOfCharge", "maybe", "is neither true nor false"),
        ("name", "", "is empty"),
        ("name", "a\x00b", "has control characters in it"),
        ("description", ["list"], "is no single value"),
        ("custom.Colour", "Red", 'is the name of several options of "Colour"; write one of Warm / Red, Cold / Red'),
        ("custom.Colour", "Green", 'is no option of "Colour"'),
        ("custom.Weight", "heavy", "is no number"),
        ("custom.Since", "31.01.2026", "is no date"),
    ],
)
def test_what_cannot_be_used(name: str, cell: Any, reason: str) -> None:
    _, [mistake] = read({name: cell})
    assert (mistake.row, mistake.column) == (2, name)
    assert reason in mistake.reason


@pytest.mark.parametrize(
    ("columns", "chosen", "reason"),
    [
        (["sku", "nmae"], {}, "did you mean name?"),
        (["sku", "sku"], {}, "stands more than once"),
        (["name"], {}, "nothing names the item of a row"),
        (["sku", "custom.Size"], {}, 'no custom field of items called "Size"; it has Colour, Colours, Sheet'),
        (["sku", "custom.Sheet"], {}, "hold a file cannot be kept from here"),
        (["Article"], {"sku": "Item no."}, "is missing; there are Article"),
    ],
)
def test_columns_that_do_not_fit(columns: list[str], chosen: dict[str, str], reason: str) -> None:
    sheet = Sheet("file", columns, [Row(2, ["x"] * len(columns))])
    wanted, mistakes = read_wanted(sheet, Reading(chosen), KNOWN)
    assert wanted == []
    assert any(reason in mistake.reason for mistake in mistakes)
    assert all(mistake.row == 0 for mistake in mistakes)


def test_rows_that_say_nothing_or_the_same() -> None:
    sheet = Sheet(
        "file", ["externalId", "sku"], [Row(2, ["", ""]), Row(3, ["X", "a"]), Row(4, ["X", "a"]), Row(5, ["X"])]
    )
    _, mistakes = read_wanted(sheet, Reading(), Known())
    assert [(one.row, one.column, one.reason) for one in mistakes] == [
        (2, "sku", "is empty, and so is externalId"),
        (4, "externalId", "stands in row 3 already"),
        (4, "sku", "stands in row 3 already"),
        (5, "", "has 1 cells, but there are 2 columns"),
    ]


def test_rows_of_other_suppliers_are_passed_over() -> None:
    sheet = Sheet("file", ["sku", "supplier"], [Row(2, ["a", "V-1"]), Row(3, ["b", "V-2"])])
    wanted, mistakes = read_wanted(sheet, Reading(supplier=("17", "v-1")), Known())
    assert ([one.sku for one in wanted], mistakes) == (["a"], [])
    wanted, mistakes = read_wanted(sheet, Reading(supplier=("V-3",)), Known())
    assert wanted == []
    assert "no row for this supplier" in mistakes[0].reason


def test_prices_as_people_write_them() -> None:
    german = {"writing": Writing(",", ".")}
    assert value("price", "1.234,50", **german) == Decimal("1234.50")
    assert value("price", Decimal("1234.5"), **german) == Decimal("1234.5")
    _, [mistake] = read({"price": "12.50"}, writing=Writing(","))
    assert "has a point, but the decimal mark is ','" in mistake.reason
    assert value("currency", "", currency="USD") == "USD"


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20).map(
    lambda text: text.strip()
)
ITEMS = st.fixed_dictionaries(
    {
        "externalId": TEXTS.map(lambda text: text or None),
        "sku": TEXTS.map(lambda text: text or "S"),
        "name": TEXTS.map(lambda text: text or "N"),
        "description": TEXTS.map(lambda text: text or None),
        "price": st.decimals(0, 10**9, places=2).map(lambda amount: amount or None),
        "currency": st.sampled_from(["EUR", "USD"]),
        "unit": st.sampled_from(["pcs", "kg", None]),
        "category": st.sampled_from(["7", None]),
        "freeOfCharge": st.booleans(),
        "hiddenInCatalog": st.booleans(),
        "custom.5": st.sampled_from([("1",), ("2",), ("3",), None]),
        "custom.6": st.sampled_from([("1.5",), None]),
        "custom.9": st.sampled_from([("1", "2"), ("2",), None]),
    }
)


@pytest.mark.parametrize(
    ("price", "writing"),
    [("12,50", Writing(".", ",")), ("1,5", Writing(".", ",")), ("12.50", Writing(",", ".")),
     ("1,2345", Writing(".", ",")),
     ("1.5,000", Writing(".", ",")), (",500", Writing(".", ","))],
)  # fmt: skip
def test_a_sign_between_thousands_stands_nowhere_else(price: str, writing: Writing) -> None:
    """Else twelve fifty would be one thousand two hundred and fifty."""
    _, [mistake] = read({"price": price}, writing=writing)
    assert "where it does not stand between thousands" in mistake.reason


@given(ITEMS, st.sampled_from([Writing(), Writing(",", "."), Writing(",")]))
def test_what_is_pulled_reads_back_as_the_same_item(values: dict[str, Value], writing: Writing) -> None:
    item = Item(1, 2, b"", values)
    reading = Reading(writing=writing)
    columns = item_columns([item], reading, KNOWN.fields)
    assert set(ITEM_FIELDS) < set(columns)
    cells = item_cells(item, list(columns), reading, KNOWN.fields, "2")
    wanted, mistakes = read_wanted(Sheet("file", list(columns.values()), [Row(2, cells)]), reading, KNOWN)
    assert mistakes == []
    assert {name: wanted[0].values.get(name) for name in values} == values
