"""Faults on demand: every kind does what it says, and strikes when its rule says."""

from __future__ import annotations

from typing import Any

import aiohttp
import anyio
import pytest

from precoro_daemon.sandbox.fault_kinds import KINDS, reshape
from tests.sandbox.driving import company, get, send

PATH = "/invoices?per_page=20"

FIXED = {
    "401": (401, "json"), "403": (403, "html"), "404": (404, "json"), "408": (408, "html"), "422": (422, "json"),
    "429": (429, "json"), "500": (500, "json"), "502_html": (502, "html"), "503": (503, "json"),
    "504_html": (504, "html"), "200_html": (200, "html"), "200_json_error": (200, "json"),
    "invalid_json": (200, "json"), "empty_body": (200, "json"), "redirect": (302, ""),
}  # fmt: skip
BROKEN = {
    "reset": aiohttp.ClientOSError,
    "closed": aiohttp.ServerDisconnectedError,
    "reset_midway": aiohttp.ClientError,
    "truncated": aiohttp.ClientPayloadError,
    "chunked_cut": aiohttp.ClientPayloadError,
}
ELSEWHERE = {
    "half_json", "cut_without_length", "slow", "drip", "hang", "endless", "gzip_bomb", "empty_page", "wrong_totals",
    "bad_record", "commit_then_cut", "commit_then_500", "commit_then_html", "late_commit", "reshaped",
}  # fmt: skip


def test_every_kind_is_tested() -> None:
    assert set(KINDS) == set(FIXED) | set(BROKEN) | ELSEWHERE


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", FIXED)
async def test_fixed_answers(kind: str) -> None:
    async with company() as (sandbox, http):
        sandbox.faults.add(kind, path="^/invoices")
        async with http.get(PATH, allow_redirects=False) as answer:
            await answer.read()
            assert answer.status == FIXED[kind][0]
            assert FIXED[kind][1] in answer.content_type
        await get(http, PATH)
        assert [entry.fault for entry in sandbox.journal] == [kind, None]


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", BROKEN)
async def test_broken_connections(kind: str) -> None:
    async with company() as (sandbox, http):
        # aiohttp sends a GET once more when a kept connection ends without an answer.
        sandbox.faults.add(kind, times=None)
        with pytest.raises(BROKEN[kind]):
            async with http.get(PATH) as answer:
                await answer.read()
        sandbox.faults.clear()
        await get(http, PATH)


@pytest.mark.asyncio
async def test_bodies_that_stop_or_crawl() -> None:
    async with company() as (sandbox, http):
        async with http.get(PATH) as honest:
            whole = await honest.read()
        for kind in ("half_json", "cut_without_length"):
            sandbox.faults.add(kind)
            async with http.get(PATH) as answer:
                assert whole.startswith(await answer.read())
                assert answer.status == 200
        for kind in ("slow", "drip"):
            sandbox.faults.add(kind, seconds=0.2)
            began = anyio.current_time()
            async with http.get(PATH) as answer:
                assert await answer.read() == whole
            assert anyio.current_time() - began >= 0.19
        sandbox.faults.add("hang")
        with pytest.raises(TimeoutError):
            await http.get(PATH, timeout=aiohttp.ClientTimeout(total=0.2))
        sandbox.faults.add("endless")
        async with http.get(PATH) as answer:
            assert len(await answer.content.readexactly(2_000_000)) == 2_000_000
            answer.close()


@pytest.mark.asyncio
async def test_a_gzip_bomb_is_small_on_the_wire() -> None:
    async with company() as (sandbox, http):
        sandbox.faults.add("gzip_bomb")
        async with http.get(PATH) as answer:
            assert int(answer.headers["Content-Length"]) < 2_000_000
            assert len(await answer.content.read(1_000_000)) > 0
            answer.close()


@pytest.mark.asyncio
async def test_pages_that_lie() -> None:
    async with company() as (sandbox, http):
        honest = await get(http, PATH)
        sandbox.faults.add("empty_page")
        assert await get(http, PATH) == honest | {"data": []}
        sandbox.faults.add("wrong_totals", off=-3)
        lie = (await get(http, PATH))["meta"]["pagination"]
        assert lie == honest["meta"]["pagination"] | {"total": lie["total"]}
        assert lie["total"] == honest["meta"]["pagination"]["total"] - 3
        first: dict[str, Any] = honest["data"][0]
        without = {key: value for key, value in first.items() if key != "id"}
        for record, spoilt in {
            "null": [None],
            "string": ["not a record"],
            "no_id": [without],
            "id_null": [first | {"id": None}],
            "id_object": [first | {"id": {"value": first["id"]}}],
            "duplicate": [first, first],
        }.items():
            sandbox.faults.add("bad_record", record=record)
            assert (await get(http, PATH))["data"] == spoilt + honest["data"][1:]


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["commit_then_cut", "commit_then_500", "commit_then_html", "late_commit"])
async def test_writes_that_happen_without_an_answer(kind: str) -> None:
    async with company() as (sandbox, http):
        invoice = sandbox.company.create("invoices", total=1_000, status=2)
        sandbox.faults.add(kind, path="^/payments", method="POST", seconds=0.2)
        wish = {"invoice[id]": invoice.id, "sumPaid": "5.00", "payDate": "2026-03-01"}
        if kind in ("commit_then_500", "commit_then_html"):
            async with http.post("/payments", data=wish) as answer:
                assert answer.status == (500 if kind == "commit_then_500" else 200)
        else:
            with pytest.raises(aiohttp.ClientError):
                await http.post("/payments", data=wish)
        assert invoice.paid == (0 if kind == "late_commit" else 500)
        await anyio.sleep(0.4)
        assert invoice.paid == 500
        assert len([entry for entry in sandbox.journal if entry.method == "POST"]) == 1


@pytest.mark.asyncio
async def test_a_reset_write_does_not_happen() -> None:
    async with company() as (sandbox, http):
        invoice = sandbox.company.create("invoices", total=1_000, status=2)
        sandbox.faults.add("reset", method="POST")
        with pytest.raises(aiohttp.ClientError):
            await http.post("/payments", data={"invoice[id]": invoice.id, "sumPaid": "5", "payDate": "2026-03-01"})
        assert invoice.paid == 0


@pytest.mark.asyncio
async def test_rules() -> None:
    async with company() as (sandbox, http):
        sandbox.faults.add("500", path=r"page=2\b", skip=1, times=2)
        sandbox.faults.add("503", path="^/taxes", nth=3, times=None)
        sandbox.faults.add("404", path="^/units", probability=0.5, times=None)
        statuses: dict[str, list[int]] = {"/invoices?page=2": [], "/invoices?page=1": [], "/taxes": [], "/units": []}
        for _ in range(6):
            for path, seen in statuses.items():
                async with http.get(path) as answer:
                    seen.append(answer.status)
        assert statuses["/invoices?page=2"] == [200, 500, 500, 200, 200, 200]
        assert statuses["/invoices?page=1"] == [200] * 6
        assert statuses["/taxes"] == [200, 200, 503, 200, 200, 503]
        assert set(statuses["/units"]) == {200, 404}
        unknown: list[Any] = [{"kind": "no such"}, {"kind": "500", "colour": 1}, {"kind": "429", "limit": "week"}]
        for wrong in [*unknown, {"kind": "500", "path": "("}, {"kind": "500", "record": "odd"}, [5], None]:
            async with http.post("/_sandbox/faults", json=wrong) as answer:
                assert answer.status == 400, wrong
        async with http.post("/_sandbox/faults", json=[{"kind": "500"}, {"kind": "slow", "seconds": 0.1}]) as answer:
            assert answer.status == 201
        assert len(await get(http, "/_sandbox/faults")) == 5
        async with http.delete("/_sandbox/faults"):
            assert sandbox.faults.rules == []


@pytest.mark.asyncio
async def test_latency_is_real_time_and_settings_change_while_running() -> None:
    async with company(latency=0.2, time_scale=60) as (sandbox, http):
        began = anyio.current_time()
        await get(http, "/taxes")
        assert 0.19 <= anyio.current_time() - began < 11, "real seconds, not simulated ones"
        async with http.post(
            "/_sandbox/options", json={"latency": 0, "order": "updated_asc", "limits": True}
        ) as answer:
            assert (await answer.json())["order"] == "updated_asc"
        assert sandbox.tuning.limits is True
        for wrong in ({"order": "random"}, {"latency": "1"}, {"latency": -1}, {"limits": 1}, {"seed": 1}, [], None):
            async with http.post("/_sandbox/options", json=wrong) as answer:
                assert answer.status == 400, wrong
        await send(http, "POST", "/_sandbox/nothing", {}, 404)


@pytest.mark.parametrize(
    ("field", "how", "row", "wanted"),
    [
        ("sum", "missing", {"id": 1, "sum": 2}, {"id": 1}),
        ("sum", "object", {"sum": 2}, {"sum": {"value": 2}}),
        ("sum", "text", {"sum": 2}, {"sum": "see there"}),
        ("sum", "null", {"id": 1}, {"id": 1}),
        ("vat", "added", {"id": 1}, {"id": 1, "vat": "added"}),
        ("payments.id", "missing", {"payments": {"data": [{"id": 1}, 5]}}, {"payments": {"data": [{}, 5]}}),
        ("supplier.id", "null", {"supplier": {"id": 1}}, {"supplier": {"id": None}}),
        ("supplier.id", "null", {"supplier": ""}, {"supplier": ""}),
    ],
)
def test_a_field_is_given_another_shape(field: str, how: str, row: dict[str, object], wanted: object) -> None:
    reshape(row, field, how)
    assert row == wanted
