"""Writing to the sandbox: payments and their refusals, PUT that replaces, forms, updateDate."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from precoro_daemon.sandbox import Sandbox
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.shapes import dumps, exact
from tests.sandbox.driving import company, get, inner, send

PAYABLE = {"total": 10_001, "status": 2, "logic": 0}


def wish(invoice: Row, amount: object, **more: Any) -> dict[str, Any]:
    return {"invoice[id]": invoice.id, "sumPaid": str(amount), "payDate": "2026-03-01", "logicType": "0"} | more


def said(body: Any) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = body["errors"]["errors"]
    return errors


@pytest.mark.asyncio
async def test_partial_then_full_payment() -> None:
    async with company() as (sandbox, http):
        invoice = sandbox.company.create("invoices", **PAYABLE)
        first = await send(http, "POST", "/payments", wish(invoice, "40.01", externalId="L-1"), 201)
        assert (first["externalId"], str(first["invoice"]["id"])) == ("L-1", str(invoice.id))
        detail = await get(http, f"/invoices/{invoice.idn}")
        assert (detail["status"], Decimal(str(detail["sumPaid"]))) == (4, Decimal("40.01"))
        await send(http, "POST", "/payments", wish(invoice, "60.0"), 201)
        detail = await get(http, f"/invoices/{invoice.idn}")
        assert (detail["status"], Decimal(str(detail["sumPaid"]))) == (5, Decimal("100.01"))
        assert len(inner(detail["payments"])) == 2
        refused = await send(http, "POST", "/payments", wish(invoice, "1"), 400)
        assert said(refused) == {"sumPaid": ["The Invoice is already fully paid."]}


@pytest.mark.asyncio
@pytest.mark.parametrize("amount", ["100.02", "100.00", "0", "-5", "500"])
async def test_amounts_that_do_not_fit(amount: str) -> None:
    async with company() as (sandbox, http):
        invoice = sandbox.company.create("invoices", **PAYABLE)
        refused = await send(http, "POST", "/payments", wish(invoice, amount), 400)
        assert said(refused) == {"sumPaid": ["The amount must be greater than 0 and not exceed 100.01"]}
        assert invoice.paid == 0


@pytest.mark.asyncio
async def test_what_cannot_be_paid() -> None:
    async with company() as (sandbox, http):
        invoice = sandbox.company.create("invoices", **PAYABLE)
        for changed in ({"status": 1}, {"status": 8}, {"logic": 1}, {"logic": 5}):
            other = sandbox.company.create("invoices", **PAYABLE | changed)
            assert "invoice" in said(await send(http, "POST", "/payments", wish(other, "1"), 400))
        for fields, field in (
            (wish(invoice, "abc"), "sumPaid"),
            (wish(invoice, "1.005"), "sumPaid"),
            (wish(invoice, "1", payDate="soon"), "payDate"),
            (wish(invoice, "1", logicType="2"), "logicType"),
            (wish(invoice, "1") | {"invoice[id]": str(invoice.idn)}, "invoice"),
            ({"sumPaid": "1"}, "invoice"),
        ):
            assert field in said(await send(http, "POST", "/payments", fields, 400))
        async with http.post("/payments", json={"invoice": {"id": invoice.id}, "sumPaid": 1}) as answer:
            assert answer.status == 400, "JSON is not what the API reads"
        async with http.put("/payments/1", data={}) as answer:
            assert answer.status == 405


@pytest.mark.asyncio
async def test_there_is_no_idempotency() -> None:
    async with company() as (sandbox, http):
        invoice = sandbox.company.create("invoices", **PAYABLE)
        for _ in range(2):
            await send(http, "POST", "/payments", wish(invoice, "20.00", externalId="same"), 201)
        assert invoice.paid == 4_000


@pytest.mark.asyncio
async def test_external_ids_may_be_dropped_by_post_and_set_by_patch() -> None:
    async with company(keep_external_id=False) as (sandbox, http):
        invoice = sandbox.company.create("invoices", **PAYABLE)
        payment = await send(http, "POST", "/payments", wish(invoice, "20", externalId="L"), 201)
        assert payment["externalId"] is None
        await send(http, "PATCH", f"/payments/{payment['idn']}", {"externalId": "L"})
        assert inner((await get(http, f"/invoices/{invoice.idn}"))["payments"])[0]["externalId"] == "L"
        await send(http, "PATCH", f"/payments/{payment['idn']}", {}, 400)
        await send(http, "PATCH", f"/invoices/{invoice.id}", {"externalId": "L"}, 404)


@pytest.mark.asyncio
async def test_cancel_gives_the_amount_back() -> None:
    async with company() as (sandbox, http):
        invoice = sandbox.company.create("invoices", **PAYABLE)
        payment = await send(http, "POST", "/payments", wish(invoice, exact(10_001)), 201)
        canceled = await send(http, "POST", f"/payments/{payment['idn']}/cancel", {})
        assert canceled["status"] == 8
        assert (invoice.status, invoice.paid) == (2, 0)
        await send(http, "POST", f"/payments/{payment['idn']}/cancel", {}, 400)
        listed = {row["id"]: row for row in (await get(http, "/payments?per_page=200"))["data"]}
        assert listed[payment["id"]]["status"] == 8


@pytest.mark.asyncio
async def test_put_replaces() -> None:
    async with company(traps=False) as (sandbox, http):
        item = next(row for row in sandbox.company["items"] if row.supplier)
        await send(http, "PUT", f"/items/{item.id}", {"name": "N", "sku": "S", "price": "1.10"})
        detail = await get(http, f"/items/{item.id}")
        assert (detail["name"], detail["price"], detail["supplier"], detail["unit"]) == ("N", 1.1, None, None)
        assert detail["dataProductCustomFields"] == {"data": []}
        for fields, field in (
            ({"name": "N", "sku": "S", "freeOfCharge": "True"}, "freeOfCharge"),
            ({"name": "N", "sku": "S", "id": "5"}, "id"),
            ({"sku": "S"}, "name"),
            ({"name": "N", "sku": "S", "price": "1,5"}, "price"),
            ({"name": "N", "sku": "S", "supplier[id]": "5"}, "supplier"),
        ):
            assert field in said(await send(http, "PUT", f"/items/{item.id}", fields, 400))


@pytest.mark.asyncio
async def test_an_item_keeps_only_the_custom_fields_and_links_it_is_sent() -> None:
    async with company(traps=False) as (sandbox, http):
        item = next(iter(sandbox.company["items"]))
        colour = sandbox.company.create("itemcustomfields", name="Colour", _type="text")
        weight = sandbox.company.create("itemcustomfields", name="Weight", _type="number")
        form = {"name": "N", "sku": "S", "link": "https://x"}
        for number, (field, value) in enumerate(((colour, "red"), (weight, "1.5"))):
            form[f"dataProductCustomFields[{number}][itemCustomField][id]"] = str(field.id)
            form[f"dataProductCustomFields[{number}][value]"] = value
        detail = await send(http, "PUT", f"/items/{item.id}", form)
        told = {row["itemCustomField"]["name"]: row["value"] for row in detail["dataProductCustomFields"]["data"]}
        assert (told, detail["link"]) == ({"Colour": "red", "Weight": "1.5"}, "https://x")
        for name, value in (("[0][itemCustomField][id]", "1"), ("[1][value]", "heavy")):
            refused = await send(
                http, "PUT", f"/items/{item.id}", form | {f"dataProductCustomFields{name}": value}, 400
            )
            assert "dataProductCustomFields" in said(refused)
        assert "updateDate" in said(await send(http, "PUT", f"/items/{item.id}", form | {"updateDate": "now"}, 400))
        detail = await send(http, "PUT", f"/items/{item.id}", {"name": "N", "sku": "S"})
        assert (detail["dataProductCustomFields"], detail["link"]) == ({"data": []}, None)


@pytest.mark.asyncio
async def test_refused_writes_change_nothing() -> None:
    async with company() as (sandbox, http):
        before = {path: sandbox.company.truth(path) for path in sandbox.company.shelves}
        await send(http, "POST", "/items", {"name": "no sku"}, 400)
        await send(http, "POST", "/payments", {"sumPaid": "1"}, 400)
        await send(http, "PATCH", "/taxes/1", {"externalId": "x"}, 404)
        assert {path: sandbox.company.truth(path) for path in sandbox.company.shelves} == before


def texts(sandbox: Sandbox) -> dict[tuple[str, int], tuple[bytes, bytes, int]]:
    known = sandbox.company
    return {
        (path, row.id): (dumps(known.entries.fields(row)), known.details.raw(row), row.updated)
        for path, shelf in known.shelves.items()
        for row in shelf
    }


@pytest.mark.asyncio
async def test_whatever_changes_moves_its_update_date() -> None:
    """Otherwise no client could find the change; a payment moves its invoice, a receipt its order."""
    async with company(time_scale=60, seed=5) as (sandbox, http):
        before = texts(sandbox)
        invoice = next(row for row in sandbox.company["invoices"] if row.status == 2 and row.logic in (0, 2))
        payment = await send(http, "POST", "/payments", wish(invoice, "0.10"), 201)
        await send(http, "PATCH", f"/payments/{payment['idn']}", {"externalId": "L"})
        await send(http, "POST", "/_sandbox/mutate", {}, 400)
        async with http.post("/_sandbox/mutate", json={"create": 20, "edit": 60, "delete": 10, "seed": 3}) as answer:
            assert len(await answer.json()) > 80
        after = texts(sandbox)
        changed = {key for key in before.keys() & after.keys() if before[key][:2] != after[key][:2]}
        assert len(changed) > 30
        assert all(after[key][2] > before[key][2] for key in changed)
        assert ("invoices", invoice.id) in changed
