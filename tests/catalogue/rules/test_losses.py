"""What a write took away, or would take away: named, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from precoro_daemon.catalogue.rules.losses import absent, lost, says_more, unsayable


def raw(**fields: Any) -> str:
    return json.dumps({"id": 5, "name": "N", "sku": "S", "supplier": {"id": "7"}} | fields)


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


def test_a_price_that_we_cannot_reckon_with_is_missed_when_it_is_gone() -> None:
    before = '{"id": 5, "name": "N", "price": 33.333333333333336}'
    assert lost(before, '{"id": 5, "name": "N", "price": null}', ["name"], {}) == ["price"]
