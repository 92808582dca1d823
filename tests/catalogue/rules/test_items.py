"""Items in every shape they have been seen in."""

from __future__ import annotations

from decimal import Decimal

import pytest

from precoro_daemon.catalogue.rules.items import CustomField, read_item


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
