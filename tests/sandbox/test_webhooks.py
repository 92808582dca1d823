"""The sandbox's webhooks: who is told of what, how often, when; and that nobody who is told badly matters."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import anyio
import pytest
from aiohttp import web

from precoro_daemon.sandbox import Sandbox
from precoro_daemon.sandbox.rows import Row
from tests.sandbox.driving import company, send

pytestmark = pytest.mark.asyncio

Heard = list[dict[str, Any]]


@asynccontextmanager
async def ear(status: int = 204) -> AsyncIterator[tuple[str, Heard]]:
    """An address, and the bodies that come to it."""
    heard: Heard = []

    async def hear(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response(status=status)

    app = web.Application()
    app.router.add_post("/hook", hear)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook", heard
    finally:
        await runner.cleanup()


async def add(http: aiohttp.ClientSession, status: int = 201, **wish: Any) -> Any:
    async with http.post("/_sandbox/webhooks", json=wish) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def until(true: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not true():  # noqa: ASYNC110 - it comes over a socket
            await anyio.sleep(0.01)


def first(sandbox: Sandbox, collection: str, **facts: Any) -> Row:
    return next(
        row for row in sandbox.company[collection] if all(getattr(row, name) == is_ for name, is_ in facts.items())
    )


def types(heard: Heard) -> Sequence[tuple[int, int, int]]:
    return [(one["type"], one["action"], one["id"]) for one in heard]


async def test_what_is_created_and_changed_is_announced_and_what_has_no_type_is_not() -> None:
    async with ear() as (url, heard), company(size="small") as (sandbox, http):
        await add(http, url=url)
        made = sandbox.company.create("suppliers", name="New")
        order = first(sandbox, "purchaseorders")
        sandbox.company.edit(order, note="x")
        sandbox.company.edit(first(sandbox, "items"), note="x")
        sandbox.company.edit(first(sandbox, "itemcustomfields"), note="x")
        await until(lambda: len(heard) >= 3)
        assert types(heard)[:2] == [(7, 0, made.id), (2, 1, order.id)]
        assert [one["type"] for one in heard] == [7, 2, 11]
        assert heard[1] == {"id": order.id, "type": 2, "action": 1, "idn": order.idn}
        assert heard[0]["idn"] is None


async def test_a_payment_is_an_update_of_its_invoice() -> None:
    async with ear() as (url, heard), company(size="small") as (sandbox, http):
        invoice = first(sandbox, "invoices", status=2, logic=0)
        await add(http, url=url)
        wish = {"invoice[id]": invoice.id, "sumPaid": invoice.total / 100, "payDate": "2026-03-02", "logicType": 0}
        await send(http, "POST", "/payments", wish, 201)
        await until(lambda: (3, 1, invoice.id) in types(heard))
        assert {one["type"] for one in heard} <= {2, 3}


async def test_busy_users_are_told_of() -> None:
    async with ear() as (url, heard), company(size="small", busy=6000) as (_, http):
        await add(http, url=url)
        await until(lambda: len(heard) > 20)
        assert {one["action"] for one in heard} == {0, 1}


async def test_some_are_lost_some_repeated_some_late() -> None:
    async with ear() as (url, heard), ear() as (late_url, late), company(size="small") as (sandbox, http):
        await add(http, url=url, lose=0.3, repeat=0.5)
        await add(http, url=late_url, delay=0.5)
        row = first(sandbox, "invoices")
        began = time.monotonic()
        for number in range(200):
            sandbox.company.edit(row, note=str(number))
        await until(lambda: len(heard) > 140)
        assert late == [] or time.monotonic() - began >= 0.5
        await until(lambda: len(late) >= 200)
        assert 0.5 <= time.monotonic() - began < 50, "side by side: one after the other would be a hundred seconds"
        assert 160 < len(heard) < 260
        assert len(late) >= 200


async def test_whoever_does_not_take_it_is_told_no_second_time() -> None:
    async with ear(status=500) as (url, heard), company(size="small") as (sandbox, http):
        await add(http, url=url)
        await add(http, url="http://127.0.0.1:9/nobody")
        sandbox.company.edit(first(sandbox, "suppliers"), note="x")
        await until(lambda: sandbox.company.webhooks.failed == 2)
        await anyio.sleep(0.1)
        assert len(heard) == 1


async def test_five_addresses_at_most_and_all_are_forgotten_on_demand() -> None:
    async with company(size="empty") as (_, http):
        for number in range(5):
            await add(http, url=f"http://127.0.0.1:9/{number}")
        assert "up to 5" in (await add(http, 400, url="http://127.0.0.1:9/six"))["error"]
        await add(http, 400, url="ftp://127.0.0.1/")
        await add(http, 400, nonsense=1)
        async with http.delete("/_sandbox/webhooks") as answer:
            assert (await answer.json())["webhooks"] == []
