"""A worker that stands still with a permit to pay in its hand, while somebody else decides what becomes of it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from anyio.abc import Process

from tests.adapters.state.postgresql.fleet_story import Proxy
from tests.adapters.state.postgresql.fleets import Tables, fleet_database
from tests.payments.scene import payments
from tests.system.companies import companies
from tests.system.fleet_world import SCALE, World
from tests.system.program import finish

pytestmark = pytest.mark.asyncio


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet_that_stands_still") as found:
        yield found


@dataclass
class Ambush:
    """Stops a worker as soon as it has sent the commit of a permit, which then is durable, unknown to the worker."""

    process: Process | None = None
    sprung: anyio.Event = field(default_factory=anyio.Event)
    permitted: bool = False

    def see(self, piece: bytes) -> None:
        if self.process is None or self.sprung.is_set():
            return
        self.permitted |= b"INSERT INTO attempts" in piece
        if self.permitted and b"COMMIT" in piece:
            self.process.send_signal(signal.SIGSTOP)
            self.sprung.set()


@asynccontextmanager
async def ambushed(postgres: str) -> AsyncIterator[tuple[str, Ambush]]:
    """An address of the server at which the ambush waits."""
    ambush = Ambush()
    proxy = Proxy(f"{postgres}/.s.PGSQL.5432", ambush.see)
    async with await asyncio.start_server(proxy.carry, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", ambush
        proxy.cut()


@pytest.mark.parametrize("lease", ["15s", "60s"])
async def test_a_worker_that_slept_on_its_permit_sends_nothing_after_payments_were_disarmed(
    tmp_path: Path, postgres: str, tables: Tables, lease: str
) -> None:
    """The command waits 15 seconds for the worker and then takes the company from it. By then the shorter lease is
    over; by the longer one the worker takes itself for the holder when it wakes up. What another person asked for
    meanwhile is withdrawn after those 15 seconds, and the worker does not find it later."""
    async with (
        companies(tmp_path, "acme", time_scale=SCALE) as (fleet, sandboxes),
        ambushed(postgres) as (at, ambush),
    ):
        world = World(fleet, sandboxes, tables, at)
        world.found(fleet={"lease": lease})
        async with fleet.running("one") as one:
            await world.until_served_by("one")
            await world.until_founded()
            assert (await world.payments_typed("acme", "arm")).startswith("armed")
            ambush.process = one
            owed = await world.owe("acme", 2)
            with anyio.fail_after(60):
                await ambush.sprung.wait()
            async with anyio.create_task_group() as people:
                people.start_soon(world.unanswered, "acme", "arm")
                said = await world.payments_typed("acme", "disarm")
            assert said.startswith("Payments are disarmed"), said
            one.send_signal(signal.SIGCONT)
            await world.until_served_by("one")
            calls = sandboxes["acme"].journal.total
            with anyio.fail_after(60):
                while sandboxes["acme"].journal.total < calls + 10:  # noqa: ASYNC110 - another process calls
                    await anyio.sleep(0.2)
            assert [payments(row) for row in owed] == [[], []]
            states = dict(
                tables.rows(f"SELECT state, count(*) FROM {world.schema_of('acme')}.intents GROUP BY state")
            )
            assert states in ({"doubt": 1, "planned": 1}, {"review": 1, "planned": 1}), "no other one was tried"
            one.terminate()
            done = await finish(one)
    assert done.code == 0
    assert done.only("lease_expired" if lease == "15s" else "company_deposed")
    assert len(done.only("payment_doubted")) == 1
