"""Lists of the sandbox: pages, orders, meta styles, filters, and the loose shapes in them."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.schema import COLLECTIONS, DOCUMENTS
from tests.sandbox.driving import company, get, inner, scan

ORDERS: dict[str, tuple[Callable[[Row], Any], bool]] = {
    "created_desc": (lambda row: row.id, True),
    "created_asc": (lambda row: row.id, False),
    "updated_desc": (lambda row: (row.updated, row.id), True),
    "updated_asc": (lambda row: (row.updated, row.id), False),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("meta", ["both", "totals", "has_next"])
async def test_pages_in_every_order_and_meta(order: str, meta: str) -> None:
    key, falling = ORDERS[order]
    async with company(order=order, meta=meta) as (sandbox, http):
        for path in ("invoices", "items", "payments"):
            expected = [row.id for row in sorted(sandbox.company[path], key=key, reverse=falling)]
            assert [row["id"] for row in await scan(http, f"/{path}")] == expected
            part = [row.id for row in sorted(sandbox.company[path], key=key, reverse=falling) if row.status == 2]
            found = await scan(http, f"/{path}?status[]=2&modifiedSince=2000-01-01T00:00:00", 10)
            assert [row["id"] for row in found] == part
        pagination = (await get(http, "/invoices"))["meta"]["pagination"]
        assert ("total" in pagination) is ("total_pages" in pagination) is (meta != "has_next")
        assert ("has_next_page" in pagination) is (meta != "totals")
        assert (pagination["count"], pagination["per_page"], pagination["current_page"]) == (10, 10, 1)


@pytest.mark.asyncio
async def test_page_numbers() -> None:
    async with company() as (sandbox, http):
        total = len(sandbox.company["invoices"])
        last = await get(http, "/invoices?page=last&per_page=20")
        assert last["meta"]["pagination"]["current_page"] == 2
        assert last["meta"]["pagination"]["has_next_page"] is False
        assert set(last["meta"]["pagination"]["links"]) == {"previous"}
        assert len(last["data"]) == total - 20
        beyond = await get(http, "/invoices?page=99&per_page=20")
        assert beyond["data"] == []
        assert beyond["meta"]["pagination"]["total"] == total
        for wrong in ("per_page=30", "per_page=0", "per_page=x", "page=0", "page=-1", "page=x"):
            body = await get(http, f"/invoices?{wrong}", 400)
            assert wrong.split("=")[0] in body["errors"]["errors"]
        await get(http, "/nothing", 404)
        assert "meta" not in await get(http, "/legalentities?per_page=10")
        assert list(COLLECTIONS) == list(sandbox.company.counts())


@pytest.mark.asyncio
async def test_filters() -> None:
    async with company(size="medium") as (sandbox, http):
        left, right = 1_735_689_600, 1_751_327_999  # 01.01.2025 to the last second of 30.06.2025
        dates = "[left_date]=01.01.2025&{0}[right_date]=30.06.2025"
        cases: dict[str, Callable[[Row], bool]] = {
            "purchaseorders?status[]=2&status[]=4": lambda row: row.status in (2, 4),
            "purchaseorders?status=2": lambda row: row.status == 2,
            "purchaseorders?modifiedSince=2025-06-30T23:59:59": lambda row: row.updated >= right,
            "purchaseorders?approvalDate" + dates.format("approvalDate"): lambda row: left <= row.approved <= right,
            "invoices?createDate" + dates.format("createDate"): lambda row: left <= row.created <= right,
            "invoices?approvalLeftDate=2025-01-01T00:00:00&approvalRightDate=2025-06-30T23:59:59": (
                lambda row: left <= row.approved <= right
            ),
            "invoices?logicType[]=1&logicType[]=5": lambda row: row.logic in (1, 5),
            "invoices?attachedFile=1": lambda row: row.files > 0,
            "invoices?sent_to_external=0": lambda row: row.external_id is None,
            "suppliers?enable=1": lambda row: row.enable,
            "receipts?someday=maybe": lambda row: True,
        }
        for path, wanted in cases.items():
            collection = path.split("?")[0]
            expected = {row.id for row in sandbox.company[collection] if wanted(row)}
            found = [row["id"] for row in await scan(http, f"/{path}", 200)]
            assert sorted(found) == sorted(expected), path
            assert expected, path
        item = next(row for row in sandbox.company["items"] if row.supplier)
        assert item.supplier is not None
        rows = await scan(http, f"/items?supplier[]={item.supplier.id}")
        assert {row["id"] for row in rows} == {
            row.id for row in sandbox.company["items"] if row.supplier is item.supplier
        }
        named = next(row for row in sandbox.company["invoices"] if row.external_id)
        for query in (f"id={named.id}", f"external_id[]={named.external_id}&external_id[]=none"):
            assert [row["id"] for row in await scan(http, f"/invoices?{query}")] == [named.id]
        for wrong in ("modifiedSince=yesterday", "status[]=x", "approvalDate[left_date]=2025"):
            await get(http, f"/invoices?{wrong}", 400)


@pytest.mark.asyncio
async def test_truth_is_what_the_api_answers() -> None:
    async with company() as (sandbox, http):
        for path, offered in COLLECTIONS.items():
            truth = await get(http, f"/_sandbox/truth/{path}")
            assert await scan(http, f"/{path}", 200) == truth["list"]
            assert bool(truth["details"]) is offered.detail
            for key, detail in truth["details"].items():
                assert await get(http, f"/{path}/{key}") == detail
            assert sandbox.company.read_truth(path) == truth
        await get(http, "/_sandbox/truth/nothing", 404)


@pytest.mark.asyncio
async def test_documents_are_addressed_by_idn_and_the_others_by_id() -> None:
    async with company() as (sandbox, http):
        for path, offered in COLLECTIONS.items():
            row = next(iter(sandbox.company[path]))
            if not offered.detail:
                await get(http, f"/{path}/{row.idn or row.id}", 405 if offered.external else 404)
            elif offered.key == "idn":
                await get(http, f"/{path}/{row.id}", 404)
        ids = [row.id for shelf in sandbox.company.shelves.values() for row in shelf]
        idns = {row.idn for shelf in sandbox.company.shelves.values() for row in shelf}
        assert len(ids) == len(set(ids))
        assert not idns & set(ids)


@pytest.mark.asyncio
async def test_splits_share_an_idn_that_answers_with_the_parent() -> None:
    async with company(size="medium") as (sandbox, http):
        children = [row for row in sandbox.company["invoices"] if row.split_of]
        shared = [row for row in children if row.split_of and row.idn == row.split_of.idn]
        assert 0 < len(shared) < len(children)
        listed = {row["id"]: row for row in await scan(http, "/invoices", 200)}
        for row in children[:20]:
            assert row.split_of is not None
            assert str(listed[row.id]["parentData"]["idn"]) == str(row.split_of.idn)
            answer = await get(http, f"/invoices/{row.idn}")
            assert answer["id"] == (row.split_of.id if row in shared else row.id)


FEWER = {"invoices": 800}
"""Enough for every shape."""


def kinds(values: list[Any]) -> set[str]:
    return {"empty" if value == [] else type(value).__name__ for value in values}


@pytest.mark.asyncio
async def test_every_loose_shape_occurs() -> None:
    async with company(size="medium", counts=FEWER) as (sandbox, _):
        invoices = sandbox.company.read_truth("invoices")
        listed, details = invoices["list"], list(invoices["details"].values())
        assert kinds([row["idn"] for row in listed]) == {"int", "str"}
        assert kinds([row["sumPaid"] for row in listed]) >= {"str", "float"}
        assert kinds([row["supplier"]["id"] for row in listed]) == {"int", "str"}
        assert kinds([row.get("parentData") for row in listed]) == {"NoneType", "empty", "str", "dict"}
        assert kinds([row["dataDocumentCustomFields"] for row in listed]) == {"empty", "dict"}
        assert kinds([row["attachments"] for row in details]) == {"empty", "dict"}
        assert kinds([row["items"].get("data") for row in details]) == {"list", "dict", "NoneType"}
        assert {row["createDate"][19:] for row in listed} == {"", "+00:00", "+02:00"}
        assert {row["logicType"] for row in listed} == {0, 1, 2, 5}
        assert len({frozenset(row) for row in listed}) > 2, "fields appear and vanish"
        assert 8 in {row["integrationStatus"] for row in listed}
        assert all("items" not in row for row in listed)
        assert {17, 2, 11} <= {row["status"] for row in sandbox.company.read_truth("purchaseorders")["list"]}
        names = "".join(row["name"] for row in sandbox.company.read_truth("suppliers")["list"])
        assert any(ord(letter) > 0x3000 for letter in names)


@pytest.mark.asyncio
async def test_plain_shapes_without_traps() -> None:
    async with company(size="medium", counts=FEWER, traps=False) as (sandbox, _):
        invoices = sandbox.company.read_truth("invoices")
        assert kinds([row["idn"] for row in invoices["list"]]) == {"int"}
        assert kinds([row["items"]["data"] for row in invoices["details"].values()]) == {"list"}
        assert kinds([row["attachments"] for row in invoices["details"].values()]) == {"dict"}
        assert {row["createDate"][19:] for row in invoices["list"]} == {"+00:00"}


@pytest.mark.asyncio
async def test_amounts_are_exact_and_add_up() -> None:
    async with company(size="medium", counts=FEWER) as (sandbox, _):
        for path in ("invoices", "expenses"):
            truth = json.loads(sandbox.company.truth(path), parse_float=Decimal, parse_int=Decimal)
            for detail in truth["details"].values():
                lines = sum(Decimal(line["sum"]) for line in inner(detail["items"]))
                assert lines == Decimal(detail["netSum"])
                for line in inner(detail["items"]):
                    assert Decimal(line["price"]) * Decimal(line["quantity"]) == Decimal(line["sum"])
                taxes = sum(Decimal(tax["taxAmount"]) for tax in inner(detail["taxes"]))
                assert lines + taxes == Decimal(detail["sum"])
                standing = [Decimal(each["sumPaid"]) for each in inner(detail["payments"]) if each["status"] != 8]
                paid, total, status = sum(standing), Decimal(detail["sum"]), detail["status"]
                assert paid == Decimal(detail["sumPaid"])
                assert (status == 5) is (paid == total)
                assert (status == 4) is (0 < paid < total)


@pytest.mark.asyncio
async def test_files() -> None:
    async with company(size="medium") as (sandbox, http):
        seen: set[str] = set()
        for path in DOCUMENTS:
            for row in [row for row in sandbox.company[path] if row.files and not row.split_of][:12]:
                for each in inner((await get(http, f"/{path}/{row.idn}"))["attachments"]):
                    async with http.get(f"/attachments/{each['id']}") as answer:
                        assert answer.status == 200
                        address = None if int(each["id"]) % 2 == 0 else (await answer.json())["file"]
                        content = await answer.read()
                        disposition = answer.headers.get("Content-Disposition", "")
                    if address:
                        async with http.get(address, headers={"X-AUTH-TOKEN": "", "email": ""}) as download:
                            content = await download.read()
                            disposition = download.headers["Content-Disposition"]
                    assert len(content) == int(each["size"])
                    assert "filename*=UTF-8''" in disposition
                    seen.add(content[:4].decode("latin-1"))
        assert {"%PDF", "\x89PNG", "PK\x03\x04"} <= seen
        await get(http, "/attachments/1", 404)
