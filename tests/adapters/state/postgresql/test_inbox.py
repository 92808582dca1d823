"""Webhooks of a fleet on a real PostgreSQL: kept by any worker, taken by who serves the company."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio
import pytest

from precoro_daemon.adapters.state.postgresql.fleet_commands import PostgresFleet
from precoro_daemon.adapters.state.postgresql.inbox import PostgresInbox
from precoro_daemon.mirror.ports.deliveries import UNKNOWN_TYPE, Delivery, DeliveryInbox
from tests.adapters.state.postgresql.fleets import LEASE, Tables, fleet_database

pytestmark = pytest.mark.asyncio

ONE, TWO = Delivery(3, 1, 11), Delivery(2, 1)


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "inbox") as tables:
        tables.enrol("acme", "bolt")
        yield tables


@asynccontextmanager
async def inbox_of(tables: Tables) -> AsyncIterator[PostgresInbox]:
    inbox = PostgresInbox(tables.conninfo, LEASE)
    try:
        yield inbox
    finally:
        await inbox.close()


async def test_what_one_worker_keeps_another_one_takes(tables: Tables) -> None:
    async with inbox_of(tables) as here, inbox_of(tables) as there:
        port: DeliveryInbox = here.of("acme", "of_acme")
        assert await port.note([ONE, TWO], at=0.0) == []
        assert await there.waiting("acme") == {TWO: 1, ONE: 1}
        assert await there.waiting("bolt") == {}
        await there.remove("acme", {ONE: 1, TWO: 1})
        assert await here.waiting("acme") == {}


async def test_one_that_comes_again_while_it_is_taken_stays(tables: Tables) -> None:
    async with inbox_of(tables) as here, inbox_of(tables) as there:
        await here.put("acme", "of_acme", [ONE, TWO])
        read = await there.waiting("acme")
        await here.put("acme", "of_acme", [Delivery(3, 1)])
        await there.remove("acme", read)
        assert await there.waiting("acme") == {ONE: 2}, "with the idn that it had"


async def test_too_many_of_one_company_are_refused_and_others_are_not(tables: Tables) -> None:
    many = [Delivery(3, number) for number in range(10_005)]
    async with inbox_of(tables) as here:
        assert await here.put("acme", "of_acme", many) == many[10_000:]
        assert await here.put("acme", "of_acme", [many[0], many[10_001]]) == [many[10_001]], "it is known already"
        assert await here.put("bolt", "of_bolt", [ONE]) == []


async def test_nothing_is_kept_for_a_company_that_the_fleet_does_not_know_by_this_state(tables: Tables) -> None:
    async with inbox_of(tables) as here:
        assert await here.put("coal", "of_coal", [ONE]) == [ONE]
        assert await here.put("acme", "of_another", [ONE]) == [ONE], "the acme of somebody else"
        assert await here.waiting("acme") == {}


async def test_a_type_that_nobody_knows_is_kept_as_what_it_is(tables: Tables) -> None:
    async with inbox_of(tables) as here, inbox_of(tables) as there:
        port = here.of("acme", "of_acme")
        for type_ in (12, 12, 2**63 - 1):
            await port.announce(type_)
        found = await there.waiting("acme")
        assert found == {Delivery(UNKNOWN_TYPE, 12): 2, Delivery(UNKNOWN_TYPE, 2**63 - 1): 1}
        await there.remove("acme", found)
        assert await here.waiting("acme") == {}


async def test_whoever_listens_hears_of_which_company_something_came(tables: Tables) -> None:
    async with inbox_of(tables) as here, inbox_of(tables) as there:
        assert set(await there.heard(0)) == set()
        await here.put("bolt", "of_bolt", [ONE])
        with anyio.fail_after(60):
            assert set(await there.heard(60)) == {"bolt"}


async def test_a_company_that_is_forgotten_leaves_nothing(tables: Tables) -> None:
    async with inbox_of(tables) as here, PostgresFleet(tables.conninfo, LEASE) as fleet:
        await here.put("acme", "of_acme", [ONE])
        assert await fleet.forget("acme")
        await fleet.enrol({"acme": "of_acme"})
        assert await here.waiting("acme") == {}


async def test_workers_that_keep_the_same_in_another_order_wait_for_each_other_and_never_for_ever(
    tables: Tables,
) -> None:
    batch = [Delivery(type_, number) for type_ in (2, 3) for number in range(50)]
    async with inbox_of(tables) as here, inbox_of(tables) as there:

        async def keep(inbox: PostgresInbox, found: list[Delivery]) -> None:
            for _ in range(20):
                assert await inbox.put("acme", "of_acme", found) == []

        async def take() -> None:
            for _ in range(20):
                await third.remove("acme", await third.waiting("acme"))

        async with inbox_of(tables) as third, anyio.create_task_group() as tasks:
            tasks.start_soon(keep, here, batch)
            tasks.start_soon(keep, there, batch[::-1])
            tasks.start_soon(take)
