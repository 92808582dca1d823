"""Companies that are moved and drained between two workers on a real PostgreSQL: soon, gently, and no other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from precoro_daemon.adapters.state.postgresql.fleet_commands import PostgresFleet
from precoro_daemon.adapters.state.postgresql.leases import PostgresLeases
from precoro_daemon.runtime.fleet_worker import FleetWorker, Tenancy
from tests.adapters.state.postgresql.fleets import LEASE, Tables, fleet_database

COMPANIES = ("acme", "bolt", "cord", "dale")
UNDER_WAY_S = 2.0
"""A call or a commit that a company finishes before it is handed over."""


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "moves") as tables:
        tables.enrol(*COMPANIES)
        yield tables


@dataclass
class Machine:
    """A worker in this process. `cut`: companies that did not end in their own time"""

    serving: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)

    async def serve(self, tenancy: Tenancy) -> None:
        company = tenancy.holding.company
        self.serving.add(company)
        self.cut.add(company)
        try:
            await tenancy.ending.wait()
            await anyio.sleep(UNDER_WAY_S)
            self.cut.discard(company)
        finally:
            self.serving.discard(company)

    async def until(self, *companies: str, within: float) -> None:
        with anyio.fail_after(within):
            while self.serving != set(companies):  # noqa: ASYNC110 - the workers speak through the database
                await anyio.sleep(0.05)


@asynccontextmanager
async def machines(tables: Tables, *names: str) -> AsyncIterator[list[Machine]]:
    async with anyio.create_task_group() as tasks:
        made = []
        for name in names:
            machine = Machine()
            leases = PostgresLeases(tables.conninfo, LEASE, name)
            worker = FleetWorker(leases, name, LEASE, lambda: COMPANIES, machine.serve)
            tasks.start_soon(worker.run)
            made.append(machine)
        yield made
        tasks.cancel_scope.cancel()


@pytest.mark.asyncio
async def test_a_company_is_moved_and_a_worker_drained_within_the_lease_and_nothing_is_cut_off(tables: Tables):
    async with machines(tables, "a", "b") as (a, b), PostgresFleet(tables.conninfo, LEASE) as fleet:
        with anyio.fail_after(30):
            while len(a.serving) != 2 or len(b.serving) != 2:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.05)
        (moved, stays), theirs = sorted(a.serving), sorted(b.serving)
        epochs = dict(tables.rows("SELECT name, epoch FROM precoro_fleet.companies"))

        assert await fleet.move(moved, "b")
        await anyio.sleep(UNDER_WAY_S / 2)
        assert moved in a.serving, "what is under way ends first"
        assert moved not in b.serving
        with anyio.fail_after(LEASE):
            while moved not in b.serving:  # noqa: ASYNC110 - as above
                await anyio.sleep(0.05)
        await anyio.sleep(3 * UNDER_WAY_S)
        assert (len(a.serving), len(b.serving)) == (2, 2), "the spread is even again"
        assert moved in b.serving, "it stays where a person put it"
        changed = {
            name for name, epoch in tables.rows("SELECT name, epoch FROM precoro_fleet.companies")
            if epoch != epochs[name]
        }  # fmt: skip
        assert stays not in changed
        assert len(changed) == 2, f"{theirs} of b gave one back"

        assert await fleet.drain("b") == 1
        await b.until(within=LEASE)
        await a.until(*COMPANIES, within=LEASE)
        assert a.cut | b.cut == a.serving, "nobody was cancelled"
