"""Items in every shape they have been seen in, and the form that writes one without taking anything away."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from precoro_daemon.catalogue.rules.items import (
    CustomField,
    absent,
    lost,
    merged,
    read_item,
    says_more,
    unsayable,
    written,
)


def raw(**fields: Any) -> str:
    return json.dumps({"id": 5, "name": "N", "sku": "S", "supplier": {"id": "7"}} | fields)


def test_every_shape_of_a_value() -> None:
    item = read_item(
        '{"id": "5", "sku": 17, "name": " N\\r\\n2 ", "price": 0.10, "category": [], "unit": {"id": 3, "name": "kg"},'
        ' "supplier": "7", "hiddenInCatalog": "1", "freeOfCharge": null, "externalId": 90071992547409931,'
        ' "dataItemCustomFields": {"data": [{"value": 12.50, "itemCustomField": {"id": "9"}}]}}',
        {9: CustomField(9, "Weight", "number")},
    )
    assert item is not None
    assert (item.id, item.supplier) == (5, 7)
    assert item.values == {
        "externalId": "90071992547409931",
        "sku": "17",
        "name": "N\n2",
        "description": None,
        "price": Decimal("0.10"),
        "currency": None,
        "unit": "kg",
        "category": None,
        "freeOfCharge": False,
        "hiddenInCatalog": True,
        "custom.9": ("12.5",),
    }


@pytest.mark.parametrize("text", ["[]", "{}", '{"id": null}', '{"id": 5', "null"])
def test_what_is_no_item(text: str) -> None:
    assert read_item(text, {}) is None


@pytest.mark.parametrize("price", ['"0.00"', "0", "null", '""', "[]", "false"])
def test_no_price_and_a_price_of_nothing_are_the_same(price: str) -> None:
    item = read_item(f'{{"id": 1, "price": {price}}}', {})
    assert item is not None
    assert item.values["price"] is None


def test_the_form_has_all_that_was_there() -> None:
    values = [
        {"id": 1, "value": "red", "itemCustomField": {"id": 8}},
        {"id": 2, "value": [{"id": 31}, {"id": 32}], "itemCustomField": {"id": 9}},
    ]
    before = raw(
        price="12.50", description=" a\r\nb ", category={"id": 4}, freeOfCharge=False, hiddenInCatalog=True,
        externalId="E", unit="kg", link="https://x", dataItemCustomFields={"data": values},
    )  # fmt: skip
    form = merged(
        before, {"price": Decimal(3), "unit": None, "custom.8": ("blue",), "custom.10": ("new",)}, {}, ["link"]
    )
    assert form == (
        ("supplier[id]", "7"),
        ("externalId", "E"),
        ("sku", "S"),
        ("name", "N"),
        ("description", " a\r\nb "),
        ("price", "3.00"),
        ("category[id]", "4"),
        ("freeOfCharge", "false"),
        ("hiddenInCatalog", "true"),
        ("link", "https://x"),
        ("dataItemCustomFields[0][itemCustomField][id]", "8"),
        ("dataItemCustomFields[0][value]", "blue"),
        ("dataItemCustomFields[1][itemCustomField][id]", "9"),
        ("dataItemCustomFields[1][value][]", "31"),
        ("dataItemCustomFields[1][value][]", "32"),
        ("dataItemCustomFields[2][itemCustomField][id]", "10"),
        ("dataItemCustomFields[2][value]", "new"),
    )
    assert not any(name in ("id", "createDate") for name, _ in form)


def test_a_new_item_has_what_is_wanted_and_its_supplier() -> None:
    wanted = {"sku": "S", "name": "N", "price": Decimal("0.10"), "freeOfCharge": False, "unit": None}
    assert written(7, wanted) == (
        ("supplier[id]", "7"), ("sku", "S"), ("name", "N"), ("price", "0.10"), ("freeOfCharge", "false"),
    )  # fmt: skip


def test_what_a_write_took_away() -> None:
    custom = {"data": [{"id": 1, "value": "red", "itemCustomField": {"id": 8}}]}
    before = raw(
        price=1, link="x", similar=[1], unit="kg", dataProductCustomFields=custom, updateDate="a", mainInSimilar=True
    )
    others = {"link": "x", "similar": {"data": [1]}, "unit": "kg", "updateDate": "b", "mainInSimilar": True}
    again = {"data": [{"id": 9, "value": "red", "itemCustomField": {"id": "8"}}]}
    same = raw(price="1.00", dataProductCustomFields=again, **others)
    assert lost(before, same, (), {}) == []
    emptied = raw(price=2, unit=None, similar=[], dataProductCustomFields=[], mainInSimilar=False)
    assert lost(before, emptied, ("price",), {}) == ["unit", "custom.8", "link", "similar", "mainInSimilar"]
    assert lost(before, "{}", (), {}) == ["everything"]
    assert lost(before, same.replace('"7"', "8"), (), {}) == ["supplier"]


def test_what_an_answer_does_not_say_proves_nothing() -> None:
    assert absent(raw(link="x"), raw())
    assert not absent(raw(link=""), raw(more=1))
    assert says_more(raw(), raw(bundleItems={"data": [1]}))
    assert not says_more(raw(), raw(bundleItems=[], similar={"data": []}))


@pytest.mark.parametrize(
    ("has", "named"),
    [
        ('{"price": "1,234.56"}', ["price"]),
        ('{"price": 33.333333333333336}', []),  # every digit goes back
        ('{"price": "0.00", "description": "  ", "currency": null}', []),
        ('{"currency": {"id": 1, "code": "EUR"}}', ["currency"]),
        ('{"category": {"name": "Tools"}}', ["category"]),
        (
            '{"dataProductCustomFields": {"data": [{"itemCustomField": {"id": 9}, "value": {"odd": 1}}]}}',
            ["custom.9"],
        ),
        ('{"dataProductCustomFields": {"data": [{"itemCustomField": {"id": 9}, "value": "x"}]}}', []),
    ],
)
def test_what_could_not_be_sent_back_is_named(has: str, named: list[str]) -> None:
    item = json.dumps(json.loads('{"id": 5, "name": "N", "supplier": 7}') | json.loads(has))
    assert unsayable(item, {}, {}) == named
    assert unsayable(item, dict.fromkeys(named), {}) == [], "what is written anew need not be read"


def test_digits_and_texts_that_nobody_asked_for_go_back_as_they_came() -> None:
    item = (
        '{"id": 5, "name": "N", "supplier": 7, "price": 33.333333333333336, "dataProductCustomFields": {"data": ['
        '{"itemCustomField": {"id": 9}, "value": "2026-01-31T10:30:00"},'
        '{"itemCustomField": {"id": 8}, "value": "  two\\r\\nlines "}]}}'
    )
    form = dict(merged(item, {"name": "New"}, {9: CustomField(9, "Day", "date"), 8: CustomField(8, "Note", "text")}))
    assert form["price"] == "33.333333333333336"
    assert {"2026-01-31T10:30:00", "  two\r\nlines "} <= set(form.values())


def test_a_price_that_we_cannot_reckon_with_is_missed_when_it_is_gone() -> None:
    before = '{"id": 5, "name": "N", "price": 33.333333333333336}'
    assert lost(before, '{"id": 5, "name": "N", "price": null}', ["name"], {}) == ["price"]
