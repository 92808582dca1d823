"""What of an answer's shape is news: new, missing and retyped fields, unknown statuses; and what never is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import msgspec
import pytest

from precoro_daemon.mirror.rules.shapes import (
    Found,
    Place,
    Shape,
    ShapeChange,
    mended,
    see,
    see_values,
    values_of,
    with_change,
)
from precoro_daemon.sandbox import SandboxOptions, schema
from precoro_daemon.sandbox.clock import SimulatedClock
from precoro_daemon.sandbox.company import Company

DAY = 86_400.0
ROW = {
    "id": 7, "idn": "17", "sum": "12.50", "status": 2, "updateDate": "2026-01-31T08:00:00", "note": "12",
    "supplier": {"id": 3, "name": "Müller"}, "payments": {"data": [{"id": 1, "sumPaid": 3}]}, "taxes": [],
}  # fmt: skip


def learned(*documents: dict[str, Any], times: int = 60) -> Shape:
    shape = Shape(0.0)
    for number in range(times):
        assert see(shape, documents[number % len(documents)], 1.0).changes == []
    return shape


def news(shape: Shape, document: dict[str, Any], times: int = 1, vital: Sequence[str] = ()) -> list[tuple[str, str]]:
    found = [see(shape, document, 2.0, vital) for _ in range(times)]
    return [(path, what) for one in found for path, what, _ in one.changes]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in ROW.items() if key != name}


@pytest.mark.parametrize(
    ("other", "change"),
    [
        ({"vat": 1}, [("vat", "new")]),
        ({"taxes": [{"id": 1}]}, []),
        ({"budget": {"id": 1, "name": "x"}}, [("budget", "new")]),
        ({"supplier": {"id": 3, "name": "M", "vat": "DE1"}}, [("supplier.vat", "new")]),
        ({"payments": [{"id": 1, "sumPaid": 3, "fee": 1}]}, [("payments[].fee", "new")]),
        ({"sum": {"amount": "12.50"}}, [("sum", "type")]),
        ({"sum": "12.50 EUR"}, [("sum", "type")]),
        ({"sum": "12,50"}, [("sum", "type")]),
        ({"status": "approved"}, [("status", "type")]),
        ({"status": True}, [("status", "type")]),
        ({"updateDate": "31.01.2026"}, [("updateDate", "type")]),
        ({"supplier": 3}, [("supplier", "type")]),
        ({"payments": 1}, [("payments", "type")]),
        ({"payments": {"count": 1}}, [("payments", "type")]),
        ({"payments": [{"id": 1, "sumPaid": []}]}, []),
        ({"payments": [{"id": 1, "sumPaid": True}]}, [("payments[].sumPaid", "type")]),
    ],
)  # fmt: skip
def test_what_is_told(other: dict[str, Any], change: list[tuple[str, str]]) -> None:
    assert sorted(news(learned(ROW), ROW | other)) == sorted(change)


@pytest.mark.parametrize(
    "other",
    [
        {"sum": 12.5}, {"id": "7"}, {"idn": 17}, {"idn": "PO-7"}, {"sum": ""}, {"supplier": []}, {"supplier": None},
        {"supplier": ""}, {"payments": []}, {"payments": [{"id": "1", "sumPaid": "3"}]}, {"note": "not a number"},
        {"payments": {"1": {"id": 1, "sumPaid": 3}}}, {"taxes": {}}, {"updateDate": "2026-01-31"}, {"note": None},
    ],
)  # fmt: skip
def test_what_the_api_always_did_is_no_news(other: dict[str, Any]) -> None:
    assert news(learned(ROW), ROW | other) == []


def test_what_a_user_chose_for_a_custom_field_has_any_type() -> None:
    values = ["text", 1, True, {"id": 1, "name": "x"}, ["a"], {"left": 1}]
    held = [ROW | {"dataDocumentCustomFields": {"data": [{"id": 1, "value": one}]}} for one in values]
    shape = learned(held[0])
    assert [news(shape, one) for one in held] == [[]] * len(held)


def test_what_other_programs_call_a_record_is_of_any_plain_type() -> None:
    """Else our first payment, whose id is a UUID, would be news where somebody's ids begin with a day."""
    said = ["2026-01-31-7", "17", "1.5", 17, "PAY-7", "5a1cf6f8-7d1d-5e0b-9f5e-1f3f1f0f3b55"]
    held = [ROW | {"payments": [{"id": 1, "sumPaid": 3, "externalId": one}]} for one in said]
    for first in held:
        shape = learned(first)
        assert [news(shape, one) for one in held] == [[]] * len(held)
        other = ROW | {"payments": [{"id": 1, "sumPaid": 3, "externalId": {"id": 1}}]}
        assert ("payments[].externalId", "type") in news(shape, other)


def test_a_field_is_missing_after_five_documents_or_one_where_money_depends_on_it() -> None:
    shape = learned(ROW)
    assert news(shape, without("note"), 4) == []
    assert news(shape, without("note"), 3) == [("note", "missing")]
    assert see(shape, ROW, 3.0).mended == ["note"]
    assert news(shape, without("sum"), 3, vital={"sum"}) == [("sum", "missing")]
    assert see(shape, ROW, 3.0, {"sum"}).mended == ["sum"]
    for _ in range(3):
        assert news(shape, without("sum"), vital={"sum"}) == [("sum", "missing")]
        assert see(shape, ROW, 3.0, {"sum"}).mended == ["sum"]
    for other in (without("note"), ROW) * 2:
        see(shape, other, 3.0)
    assert news(shape, without("note"), 9) == []  # it is one that comes and goes


def test_a_part_is_missing_only_where_the_whole_is_there() -> None:
    shape = learned(ROW)
    assert news(shape, ROW | {"supplier": None}, 9) == []
    assert news(shape, ROW | {"supplier": {"name": "M"}}, 9) == [("supplier.id", "missing")]


def test_an_odd_type_stands_until_a_document_has_it_as_before() -> None:
    shape = learned(ROW)
    odd = ROW | {"status": "approved"}
    assert news(shape, odd, 3) == [("status", "type")]
    assert see(shape, ROW | {"status": None}, 3.0).mended == []
    assert see(shape, ROW, 3.0).mended == ["status"]
    assert news(shape, odd) == [("status", "type")]


def test_a_shape_is_learned_before_anything_is_told() -> None:
    shape = Shape(0.0)
    assert news(shape, {"id": 1, "a": 1}) == []
    assert news(shape, {"id": 1, "b": "x"}) == []
    assert [one[:2] for one in see(shape, {"id": 1, "c": 1}, 8 * DAY).changes] == [("c", "new")]
    assert news(learned(ROW, without("note")), without("note"), 9) == []


def test_keys_that_are_data_have_an_end() -> None:
    shape = learned(ROW)
    found = [see(shape, {**ROW, f"key {number} {'x' * 200}": 1}, 2.0) for number in range(3_000)]
    assert sum(len(one.changes) for one in found) < 500
    assert len(shape.fields) == 500
    assert max(map(len, shape.fields)) == 80
    deep: dict[str, Any] = {}
    for _ in range(900):
        deep = {"a": deep, "b": [deep]}
    see(shape, ROW | {"deep": deep}, 2.0)


def test_an_unknown_status_is_told_once() -> None:
    shape, named = Shape(0.0), {0, 1, 2}
    assert see_values(shape, "status", [2, 17, 1], named).changes == [("status", "value", "17")]
    assert see_values(shape, "status", [17, 2], named) == Found()
    see_values(shape, "status", range(10_000), named)
    assert see_values(shape, "status", [-1], named) == Found()
    document = {"status": {"id": "3"}, "logicType": None, "payments": [{"status": 5}, {"status": "8"}, 9]}
    found = [list(values_of(document, path)) for path in ("status", "logicType", "payments[].status", "sum", "a[].b")]
    assert found == [[3], [], [5, 8], [], []]


def test_a_change_is_kept_once_and_ends() -> None:
    change = ShapeChange("invoices", False, "sum", "missing", "", 5.0)
    kept = with_change([], change)
    assert kept == [change]
    assert with_change(kept, ShapeChange("invoices", False, "sum", "missing", "", 6.0)) is None
    ended = mended(kept, Place("invoices"), "sum", 9.0)
    assert [(one.until, one.breaks) for one in ended] == [(9.0, False)]
    assert mended(kept, Place("invoices", detail=True), "sum", 9.0) == kept
    assert with_change(ended, change) == kept
    assert not ShapeChange("invoices", False, "x", "new", "text", 1.0).breaks
    many = [ShapeChange("a", False, str(number), "new", "", 1.0) for number in range(300)]
    assert len(with_change(many, change) or ()) == 200


@pytest.mark.parametrize("seed", [1, 2])
def test_a_company_with_every_loose_shape_is_no_news(seed: int) -> None:
    """In whatever order its records come."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    counts = {"invoices": 500, "expenses": 200, "purchaseorders": 300, "suppliers": 100, "items": 100}
    company = Company(SandboxOptions(size="small", counts=counts, seed=seed, start=start), SimulatedClock(1, start))
    for path, shelf in company.shelves.items():
        for drawn in (company.entries, *([company.details] if schema.COLLECTIONS[path].detail else ())):
            rows, shape = list(shelf), Shape(0.0)
            Random(seed).shuffle(rows)
            for row in rows[:150]:
                assert see(shape, msgspec.json.decode(drawn.raw(row)), 1.0).changes == [], path
