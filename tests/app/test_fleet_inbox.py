"""Webhooks that reach any worker of a fleet, brought to who serves the company, on a real PostgreSQL."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import aiohttp
import anyio
import pytest

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.listener.webhooks import Entrance, Reception
from precoro_daemon.app.fleet_inbox import FleetInbox
from precoro_daemon.errors import StoreUnavailable
from precoro_daemon.mirror.ports.deliveries import Delivery
from precoro_daemon.settings import Fleet, Settings, State
from precoro_daemon.values.addresses import Address, read_address
from tests.adapters.state.postgresql.fleets import Tables, fleet_database
from tests.app.test_fleet_view import settings

SECRET = "0123456789abcdef0123456789abcdef"


@dataclass
class Served:
    """What the state of a company has, as who serves it sees it. `gone`: of so many times it is not to be reached"""

    noted: list[Delivery] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    gone: int = 0
    heard: anyio.Event = field(default_factory=anyio.Event)

    async def note(self, batch: Sequence[Delivery], *, at: float) -> Sequence[Delivery]:
        self.noted += batch
        self.heard.set()
        return []

    async def announced(self, type_: int) -> None:
        if self.gone:
            self.gone -= 1
            raise StoreUnavailable("not now")
        self.unknown.append(type_)

    @property
    def reception(self) -> Reception:
        return Reception((SECRET,), self, RealClock(), lambda: None, unknown=self.announced)


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet_inbox") as tables:
        tables.enrol("acme")
        yield tables


def company(tables: Tables) -> Settings:
    return settings(
        state={"url": _url(tables), "schema_name": "of_acme"},
        apply_deliveries={"listen": "127.0.0.1:1", "secret": SECRET},
    )


def _url(tables: Tables) -> str:
    return f"postgresql://postgres@{tables.directory.replace('/', '%2F')}/{tables.name}"


class Worker(NamedTuple):
    entrance: Entrance
    inbox: FleetInbox


@pytest.fixture
def workers(tables: Tables) -> Sequence[Worker]:
    """Made outside of the loop, as the driver is loaded with the first."""
    entrances = [Entrance(Counter()) for _ in range(2)]
    state = State(url=_url(tables))
    return [Worker(one, FleetInbox(Fleet(), state, one, lambda _: Counter())) for one in entrances]


@asynccontextmanager
async def running(worker: Worker, tables: Tables) -> AsyncIterator[Address]:
    """It takes webhooks of acme, which it does not serve."""
    entrance, inbox = worker
    async with entrance.open(read_address("127.0.0.1:0")) as address, anyio.create_task_group() as tasks:
        tasks.start_soon(inbox.run)
        inbox.admit({"acme": company(tables)}, tasks)
        yield address
        tasks.cancel_scope.cancel()


async def told(address: Address, type_: int, id_: int) -> int:
    """Until the worker admits acme, it knows nobody of that secret."""
    body = json.dumps({"type": type_, "id": id_})
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.post(f"http://{address}/{SECRET}", data=body) as answer:
                if answer.status != 404:
                    return answer.status
            await anyio.sleep(0.05)


@pytest.mark.asyncio
async def test_a_type_that_nobody_knows_reaches_who_serves_the_company(
    tables: Tables, workers: Sequence[Worker]
) -> None:
    """Once from each worker that was told of it, and as soon as its state can be written."""
    served = Served(gone=1)
    here, there = workers
    async with running(here, tables), running(there, tables) as elsewhere:
        assert await told(elsewhere, 2**62, 7) == 202
        assert await told(elsewhere, 2**62, 8) == 202
        assert await told(elsewhere, 3, 9) == 204
        async with here.inbox.bringing("acme", served.reception):
            with anyio.fail_after(60):
                await served.heard.wait()
    assert served.unknown == [2**62]
    assert served.noted == [Delivery(3, 9)]
    assert tables.rows("SELECT count(*) FROM precoro_fleet.deliveries") == [(0,)]
