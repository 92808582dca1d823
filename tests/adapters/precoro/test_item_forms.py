"""The forms that write items, which take nothing away."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from precoro_daemon.adapters.precoro.item_forms import creation_form, replacement_form
from precoro_daemon.catalogue.ports.gateway import ItemReplacement, NewItem
from precoro_daemon.catalogue.rules.items import CustomField


def raw(**fields: Any) -> str:
    return json.dumps({"id": 5, "name": "N", "sku": "S", "supplier": {"id": "7"}} | fields)


def test_the_form_has_all_that_was_there() -> None:
    values = [
        {"id": 1, "value": "red", "itemCustomField": {"id": 8}},
        {"id": 2, "value": [{"id": 31}, {"id": 32}], "itemCustomField": {"id": 9}},
    ]
    before = raw(
        price="12.50", description=" a\r\nb ", category={"id": 4}, freeOfCharge=False, hiddenInCatalog=True,
        externalId="E", unit="kg", link="https://x", dataItemCustomFields={"data": values},
    )  # fmt: skip
    wanted = {"price": Decimal(3), "unit": None, "custom.8": ("blue",), "custom.10": ("new",)}
    form = replacement_form(ItemReplacement(5, before, wanted, {}, ["link"]))
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
    assert creation_form(NewItem(7, wanted)) == (
        ("supplier[id]", "7"), ("sku", "S"), ("name", "N"), ("price", "0.10"), ("freeOfCharge", "false"),
    )  # fmt: skip


def test_digits_and_texts_that_nobody_asked_for_go_back_as_they_came() -> None:
    item = (
        '{"id": 5, "name": "N", "supplier": 7, "price": 33.333333333333336, "dataProductCustomFields": {"data": ['
        '{"itemCustomField": {"id": 9}, "value": "2026-01-31T10:30:00"},'
        '{"itemCustomField": {"id": 8}, "value": "  two\\r\\nlines "}]}}'
    )
    fields = {9: CustomField(9, "Day", "date"), 8: CustomField(8, "Note", "text")}
    form = dict(replacement_form(ItemReplacement(5, item, {"name": "New"}, fields)))
    assert form["price"] == "33.333333333333336"
    assert {"2026-01-31T10:30:00", "  two\r\nlines "} <= set(form.values())
