"""The Precoro port over HTTP, against the sandbox."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import get_args

import pytest

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.http.credentials import Credentials
from precoro_daemon.adapters.http.dependencies import GateDependencies
from precoro_daemon.adapters.http.origin import Timeouts
from precoro_daemon.adapters.http.retrying import Retrying
from precoro_daemon.adapters.http.session import HttpSession
from precoro_daemon.adapters.http.throttled import Throttled
from precoro_daemon.adapters.precoro.client import PrecoroClient
from precoro_daemon.errors import MalformedAnswer, NotFound, ServerFault, Unreachable
from precoro_daemon.mirror.ports.precoro import ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.quota.limits import Lane, Limits
from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox.options import Meta, Order
from precoro_daemon.status.progress import Silent
from tests.adapters.http.stand_ins import MemoryBook

INVOICES = COLLECTIONS["invoices"]
_HURRY = 1_000.0
"""How many times faster than real the pauses before a retry pass."""

LIFTED = Limits(0, 0, 0, 0, same_get_per_minute=0, same_get_per_hour=0)


@asynccontextmanager
async def client_of(origin: str, token: str, email: str, per_page: int = 10) -> AsyncIterator[PrecoroClient]:
    ours = Credentials(origin, token, email)
    around = GateDependencies(MemoryBook(), RealClock(_HURRY), Silent())
    async with HttpSession(ours, Timeouts()) as session, Throttled(session, ours, LIFTED, around) as throttled:
        yield PrecoroClient(Retrying(throttled), per_page)


@asynccontextmanager
async def company(meta: Meta = "both", order: Order = "created_desc") -> AsyncIterator[tuple[Sandbox, PrecoroClient]]:
    options = SandboxOptions(limits=False, meta=meta, order=order, counts={"invoices": 45, "taxes": 0})
    async with serve(options) as sandbox, client_of(sandbox.url, sandbox.token, sandbox.email) as client:
        yield sandbox, client


async def read(
    client: PrecoroClient, name: str = "invoices", start: int = 1, chosen: Filter | None = None
) -> list[Page]:
    async with client.scan(ListRequest(COLLECTIONS[name], chosen or Filter()), Lane.LISTS, start) as batches:
        return [page async for batch in batches for page in batch]


def ids(pages: list[Page]) -> list[int]:
    return [record.id for page in pages for record in page.records]


@pytest.mark.asyncio
@pytest.mark.parametrize("order", get_args(Order))
@pytest.mark.parametrize("meta", get_args(Meta))
async def test_a_list_is_read_whole_whatever_its_order_and_meta(meta: Meta, order: Order) -> None:
    async with company(meta, order) as (sandbox, client):
        pages = await read(client)
        assert sorted(ids(pages)) == sorted(row.id for row in sandbox.company["invoices"])
        assert [page.number for page in pages] == [1, 2, 3, 4, 5]
        assert {page.total for page in pages} == {45}
        assert pages[0].server_time is not None
        assert ids(await read(client, start=3)) == ids(pages)[20:]


@pytest.mark.asyncio
async def test_a_list_without_meta_and_an_empty_one() -> None:
    async with company() as (sandbox, client):
        assert len(ids(await read(client, "legal_entities"))) == len(sandbox.company["legalentities"])
        assert ids(await read(client, "taxes")) == []


@pytest.mark.asyncio
async def test_a_filter_bounds_the_list() -> None:
    chosen = Filter(status=frozenset({2, 5}))
    async with company() as (_, client):
        everything = await read(client)
        kept = [record.id for page in everything for record in page.records if chosen.keeps(record)]
        assert 0 < len(kept) < 45
        assert ids(await read(client, chosen=chosen)) == kept


@pytest.mark.asyncio
@pytest.mark.parametrize(("meta", "calls"), [("both", 1), ("totals", 1), ("has_next", 2)])
async def test_a_list_is_measured_by_small_pages(meta: Meta, calls: int) -> None:
    async with company(meta) as (sandbox, client):
        assert await client.measure(ListRequest(INVOICES), Lane.LISTS) == 45
        asked = sandbox.journal.last(9)
        assert len(asked) == calls
        assert all("per_page=10" in str(one) for one in asked)


@pytest.mark.asyncio
async def test_a_document_is_asked_for_by_its_idn() -> None:
    async with company() as (_, client):
        listed = (await read(client))[0].records[0]
        assert listed.idn is not None
        assert listed.idn != listed.id
        detail = await client.detail(INVOICES, listed.idn, Lane.DETAILS)
        assert detail.id == listed.id
        assert "items" in json.loads(detail.raw)
        with pytest.raises(NotFound):
            await client.detail(INVOICES, listed.id, Lane.DETAILS)


@pytest.mark.asyncio
async def test_a_supplier_is_asked_for_by_its_id() -> None:
    async with company() as (_, client):
        listed = (await read(client, "suppliers"))[0].records[0]
        assert (await client.detail(COLLECTIONS["suppliers"], listed.id, Lane.DETAILS)).id == listed.id


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "kind", ["half_json", "invalid_json", "200_json_error", "empty_body", "truncated", "empty_page"]
)
async def test_a_page_that_comes_spoilt_is_asked_for_again(kind: str) -> None:
    async with company() as (sandbox, client):
        sandbox.faults.add(kind, path="page=3")
        assert len(set(ids(await read(client)))) == 45
        assert sandbox.faults.rules[0].spent


@pytest.mark.asyncio
@pytest.mark.parametrize(("kind", "failure"), [("half_json", MalformedAnswer), ("500", ServerFault)])
async def test_a_page_that_stays_spoilt_fails_the_walk_after_those_before_it(
    kind: str, failure: type[Exception]
) -> None:
    async with company() as (sandbox, client):
        sandbox.faults.add(kind, path="page=3", times=None)
        given_out: list[Page] = []

        async def take_all() -> None:
            async with client.scan(ListRequest(INVOICES), Lane.LISTS, 1) as batches:
                async for batch in batches:
                    given_out.extend(batch)

        with pytest.raises(failure):
            await take_all()
        assert [page.number for page in given_out] == [1, 2]


@pytest.mark.asyncio
async def test_a_host_that_was_never_reached_is_told_apart() -> None:
    async with client_of("http://127.0.0.1:1", "key", "a@example.org") as client:
        with pytest.raises(Unreachable, match="Check the network and base_url or region"):
            await client.detail(INVOICES, 1, Lane.DETAILS)
