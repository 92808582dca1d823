"""The company: the same by seed, of the size asked for, alive when users work, open to tests."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import anyio
import pytest

from precoro_daemon.sandbox import SandboxOptions, serve
from precoro_daemon.sandbox.schema import COLLECTIONS, DOCUMENTS
from precoro_daemon.sandbox.server import Sandbox
from tests.sandbox.driving import START, company, get, key, scan


def truth(sandbox: Sandbox) -> dict[str, bytes]:
    return {path: sandbox.company.truth(path) for path in COLLECTIONS}


def built(**options: Any) -> Sandbox:
    return Sandbox(SandboxOptions(**{"start": START} | options))


def test_the_same_seed_makes_the_same_company() -> None:
    assert truth(built(seed=7)) == truth(built(seed=7))
    assert truth(built(seed=7)) != truth(built(seed=8))


def test_sizes() -> None:
    small, medium = built().company.counts(), built(size="medium").company.counts()
    assert 100 <= sum(small[path] for path in DOCUMENTS) <= 140
    assert 9_000 <= sum(medium.values()) <= 14_000
    assert all(small.values())
    assert built(size="empty").company.counts() == dict.fromkeys(COLLECTIONS, 0)
    wide = built(size="empty", counts={"invoices": 500, "payments": 10}, record_bytes=2_048, warm=True)
    assert wide.company.counts()["invoices"] == 500
    assert wide.company.counts()["payments"] <= 10
    assert all(
        len(raw) >= 2_048 and json.loads(raw) for raw in map(wide.company.entries.raw, wide.company["invoices"])
    )
    assert all(row.raw for row in wide.company["invoices"])
    wide.company.truth("invoices")


def test_ids_rise_with_creation_and_nothing_is_from_the_future() -> None:
    known = built(size="medium")
    for path in COLLECTIONS:
        rows = sorted(known.company[path], key=lambda row: row.id)
        assert [row.created for row in rows] == sorted(row.created for row in rows), path
        assert all(row.created <= row.updated <= START.timestamp() for row in rows), path


@pytest.mark.asyncio
async def test_a_large_company_has_its_size() -> None:
    async with serve(SandboxOptions(size="large")) as sandbox:
        assert 130_000 <= sum(sandbox.company.counts().values()) <= 180_000


@pytest.mark.asyncio
async def test_users_keep_working_at_the_rate_asked_for() -> None:
    async with company(busy=120, time_scale=60, seed=3) as (sandbox, http):
        began = sandbox.clock.now()
        await anyio.sleep(1.0)
        sandbox.tune(busy=0)
        minutes = (sandbox.clock.now() - began) / 60
        await anyio.sleep(0.3)
        changes = sandbox.changes
        assert 90 * minutes <= changes <= 130 * minutes, "120 in a simulated minute, which lasts a second"
        await anyio.sleep(0.3)
        assert sandbox.changes == changes
        await consistent(sandbox, http)


async def consistent(sandbox: Sandbox, http: aiohttp.ClientSession) -> None:
    for path in COLLECTIONS:
        listed = [row["id"] for row in await scan(http, f"/{path}", 100)]
        assert sorted(listed) == sorted(row.id for row in sandbox.company[path])
        assert len(listed) == len(set(listed))
        since = [row["id"] for row in await scan(http, f"/{path}?modifiedSince=2026-03-02T09:30:00", 100)]
        fresh = [row.id for row in sandbox.company[path] if row.updated >= START.timestamp()]
        assert sorted(since) == sorted(fresh) or path == "legalentities"
    for invoice in sandbox.company["invoices"]:
        standing = sum(row.total for row in invoice.made("payments") if row.status != 8)
        assert invoice.paid == standing


@pytest.mark.asyncio
async def test_rows_shift_between_pages_while_users_work() -> None:
    async with company() as (sandbox, http):
        before = await get(http, "/invoices?per_page=10&page=1")
        sandbox.company.create("invoices", total=5)
        after = await get(http, "/invoices?per_page=10&page=2")
        assert after["data"][0]["id"] == before["data"][-1]["id"]
        assert after["meta"]["pagination"]["total"] == before["meta"]["pagination"]["total"] + 1


@pytest.mark.asyncio
async def test_deleting_takes_along_what_cannot_stay() -> None:
    async with company(size="medium") as (sandbox, http):
        known = sandbox.company
        paid = next(row for row in known["invoices"] if row.made("payments"))
        split = next(row.split_of for row in known["invoices"] if row.split_of)
        assert split is not None
        gone = {paid.id, split.id} | {row.id for owner in (paid, split) for row in owner.linked or ()}
        known.delete(paid)
        if split is not paid:
            known.delete(split)
        left = {row.id for path in ("invoices", "payments") for row in known[path]}
        assert not left & gone
        await get(http, f"/invoices/{paid.idn}", 404)


@pytest.mark.asyncio
async def test_control_from_another_process() -> None:
    async with company() as (sandbox, http), aiohttp.ClientSession(sandbox.url) as keyless:
        wish = {"create": 2, "edit": 3, "delete": 1, "collection": "purchaseorders", "seed": 9}
        async with keyless.post("/_sandbox/mutate", json=wish) as answer:
            done = await answer.json()
        assert sorted(change["what"] for change in done) == ["create"] * 2 + ["delete"] + ["edit"] * 3
        assert {change["collection"] for change in done} == {"purchaseorders"}
        async with keyless.post("/_sandbox/warm", json={"collection": "invoices"}) as answer:
            assert (await answer.json())["bytes"] > 10_000
        await get(http, "/taxes?x=1")
        journal = await get(keyless, "/_sandbox/journal?last=5")
        assert (journal["total"], journal["statuses"]) == (1, {"200": 1})
        entry = journal["entries"][0]
        assert (entry["method"], entry["path_qs"], entry["who"]) == (
            "GET",
            "/taxes?x=1",
            key(sandbox)["User-Agent"],
        )
        state = await get(keyless, "/_sandbox")
        assert state["rows"] == sandbox.company.counts()
        async with keyless.delete("/_sandbox/journal"):
            assert len(sandbox.journal) == 0
        listed = await get(keyless, "/_sandbox/truth/purchaseorders?details=0")
        assert listed["details"] == {}
        async with keyless.get("/") as page:
            text = await page.text()
            assert page.content_type == "text/html"
            assert "http://" not in text.replace("http://www.w3.org", "").replace(sandbox.url, "")


@pytest.mark.asyncio
async def test_an_error_in_the_block_arrives_as_it_is() -> None:
    with pytest.raises(KeyError):
        async with company():
            raise KeyError("mine")


@pytest.mark.asyncio
async def test_the_page_shows_the_state_at_its_first_paint_and_is_not_broken_by_what_was_asked() -> None:
    async with serve(SandboxOptions()) as sandbox, aiohttp.ClientSession() as session:
        await (await session.get(f"{sandbox.url}/invoices?name=</script><b>")).read()
        page = await (await session.get(sandbox.url)).text()
    first = page.split("const glance = ")[1].split(";\n")[0]
    glance = json.loads(first)
    assert glance["state"]["rows"] == sandbox.company.counts()
    assert "script" in glance["journal"]["entries"][-1]["path_qs"]
    assert page.count("</script>") == 1
