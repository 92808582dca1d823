"""Custom fields: of every type, with options in options, and values that fit them and stay as they are."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from precoro_daemon.sandbox.custom_fields import options
from precoro_daemon.sandbox.server import Sandbox
from tests.sandbox.driving import company, get, inner, send

KINDS = {"text", "number", "date", "select", "multiselect", "user", "file"}
HOLDERS = {
    "invoices": ("dataDocumentCustomFields", "documentCustomField", "documentcustomfields"),
    "items": ("dataProductCustomFields", "itemCustomField", "itemcustomfields"),
    "suppliers": ("dataSupplierCustomFields", "supplierCustomField", "suppliercustomfields"),
}


def definitions(sandbox: Sandbox, place: str) -> dict[int, Any]:
    return {row["id"]: row for row in sandbox.company.read_truth(place)["details"].values()}


def values(sandbox: Sandbox, collection: str) -> dict[str, list[Any]]:
    """By the type of their field."""
    place, name, defined = HOLDERS[collection]
    known = definitions(sandbox, defined)
    found = defaultdict(list)
    for detail in sandbox.company.read_truth(collection)["details"].values():
        for each in inner(detail[place]):
            found[known[int(each[name]["id"])]["typeString"]].append(each["value"])
    return found


@pytest.mark.asyncio
async def test_fields_have_every_type_and_their_values_fit() -> None:
    async with company(size="medium") as (sandbox, _):
        found = values(sandbox, "invoices")
        assert found.keys() == KINDS
        assert {type(value) for value in found["select"]} == {str, int, dict}
        assert {type(value) for value in found["multiselect"]} == {list, dict}
        assert {type(value) for value in found["number"]} == {str, float}
        assert {len(value) for value in found["date"]} == {10, 25}
        assert all("email" in value for value in found["user"] if value)
        assert all("size" in value for value in found["file"])
        assert values(sandbox, "items").keys() == {"select", "text", "date", "multiselect"}
        assert values(sandbox, "suppliers").keys() == {"select", "date", "number", "text"}


@pytest.mark.asyncio
async def test_options_lie_within_options_of_their_field() -> None:
    async with company(size="medium") as (sandbox, _):
        spellings = set()
        for place in ("documentcustomfields", "itemcustomfields", "suppliercustomfields"):
            for field in definitions(sandbox, place).values():
                listed = inner(field["options"])
                assert bool(listed) == (field["typeString"] in ("select", "multiselect"))
                ids = {str(each["id"]) for each in listed}
                parents = [str(parent["id"] if isinstance(parent := each["parent"], dict) else parent)
                           if "parent" in each else each["parentId"] for each in listed]  # fmt: skip
                assert set(parents) <= ids | {"None"}
                spellings |= {"parentId" if "parentId" in each else type(each["parent"]).__name__ for each in listed}
        assert spellings == {"parentId", "dict", "NoneType"}


@pytest.mark.asyncio
async def test_a_user_renames_an_option_and_no_document_changes() -> None:
    async with company() as (sandbox, http):
        selects = [row for row in sandbox.company["documentcustomfields"] if options(row)]
        field = selects[0]
        before = inner((await get(http, f"/documentcustomfields/{field.id}"))["options"])
        documents = sandbox.company.truth("invoices")
        wish = {"edit": 6, "collection": "documentcustomfields", "seed": 2}
        async with http.post("/_sandbox/mutate", json=wish) as answer:
            assert {each["id"] for each in await answer.json()} >= {field.id}
        after = inner((await get(http, f"/documentcustomfields/{field.id}"))["options"])
        assert [each["id"] for each in after] == [each["id"] for each in before]
        assert [each["name"] for each in after] != [each["name"] for each in before]
        assert sandbox.company.truth("invoices") == documents


@pytest.mark.asyncio
async def test_an_option_added_by_a_write_stands_with_the_others() -> None:
    async with company() as (sandbox, http):
        field = sandbox.company["documentcustomfields"].everything()[0][0]
        path = f"/documentcustomfields/{field}"
        before = inner((await get(http, path))["options"])
        added = await send(http, "POST", f"{path}/options", {"name": "New", "code": "n"}, 201)
        assert inner((await get(http, path))["options"]) == [*before, added]
