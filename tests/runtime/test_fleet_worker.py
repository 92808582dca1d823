"""Workers of a fleet in virtual time: leases end, databases vanish, and people move companies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import anyio
import pytest
from structlog.testing import capture_logs

from precoro_daemon.errors import BadRecord, Deposed, StoreUnavailable
from precoro_daemon.runtime.fleet_worker import FleetWorker, Tenancy
from tests.runtime.hours import in_virtual_time
from tests.runtime.memory_fleet import MemoryFleet, MemoryLeases, Row

LEASE = 15.0


@dataclass
class Machine:
    """A worker, and what it serves at present. `linger`: seconds that a company needs to end"""

    worker: FleetWorker
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    serving: dict[str, Tenancy] = field(default_factory=dict)
    served_from: dict[str, float] = field(default_factory=dict)
    linger: float = 0.0
    failing: set[str] = field(default_factory=set)

    async def serve(self, tenancy: Tenancy) -> None:
        company = tenancy.holding.company
        self.serving[company] = tenancy
        self.served_from[company] = anyio.current_time()
        try:
            if company in self.failing:
                raise BadRecord("this company cannot be served")
            await tenancy.ending.wait()
            await anyio.sleep(self.linger)
        finally:
            del self.serving[company]

    async def run(self) -> None:
        with self.scope:
            await self.worker.run()

    def may_call(self, company: str) -> bool:
        try:
            self.serving[company].refuse_if_lost()
        except (Deposed, StoreUnavailable):
            return False
        return True


def fleet_of(count: int) -> MemoryFleet:
    return MemoryFleet(LEASE, {f"c{number:03}": Row() for number in range(count)})


@asynccontextmanager
async def machines(fleet: MemoryFleet, *names: str, after: float = 30) -> AsyncIterator[list[Machine]]:
    async with anyio.create_task_group() as tasks:
        made = []
        for name in names:
            machine = Machine(None)  # type: ignore[arg-type]
            machine.worker = FleetWorker(
                MemoryLeases(fleet, name), name, LEASE, partial(fleet.files_of, name), machine.serve
            )
            made.append(machine)
            tasks.start_soon(machine.run)
        await anyio.sleep(after)
        yield made
        tasks.cancel_scope.cancel()


async def die(fleet: MemoryFleet, machine: Machine, name: str) -> None:
    """As by `kill -9`: the tables keep what they had of it."""
    held = {company: row.holder for company, row in fleet.companies.items() if row.holder.startswith(f"{name}/")}
    until = dict(fleet.alive_until)
    machine.scope.cancel()
    await anyio.sleep(0.02)
    for company, holder in held.items():
        fleet.companies[company].holder = holder
    fleet.alive_until |= {worker: end for worker, end in until.items() if worker.startswith(f"{name}/")}


@in_virtual_time
async def test_companies_of_a_dead_worker_are_served_again_within_a_lease_and_five_seconds():
    fleet = fleet_of(500)
    async with machines(fleet, "a", "b", "c", "d") as (a, *others):
        assert [len(machine.serving) for machine in (a, *others)] == [125] * 4
        orphans = list(a.serving)
        died_at = anyio.current_time()
        await die(fleet, a, "a")
        assert not any(set(orphans) & set(machine.serving) for machine in others)
        await anyio.sleep(LEASE + 5)
        served = {company: at for machine in others for company, at in machine.served_from.items()}
        assert max(served[company] for company in orphans) - died_at <= LEASE + 5
        assert sorted(len(machine.serving) for machine in others) == [166, 167, 167]


@in_virtual_time
async def test_a_worker_that_lost_its_database_calls_nobody_at_once_and_serves_again_when_it_is_back():
    fleet = fleet_of(4)
    async with machines(fleet, "a") as (a,):
        assert all(map(a.may_call, fleet.companies))
        fleet.gone = True
        await anyio.sleep(1)
        assert len(a.serving) == 4
        assert not any(map(a.may_call, fleet.companies))
        fleet.gone = False
        await anyio.sleep(3)
        assert all(map(a.may_call, fleet.companies))
        assert {row.epoch for row in fleet.companies.values()} == {1}


@in_virtual_time
async def test_companies_end_with_their_lease_and_begin_again_under_another_id_and_epoch():
    fleet = fleet_of(4)
    async with machines(fleet, "a") as (a,):
        (former,) = fleet.alive()
        fleet.gone = True
        await anyio.sleep(LEASE - 6)
        assert len(a.serving) == 4
        await anyio.sleep(6)
        assert a.serving == {}
        with capture_logs() as logs:
            await anyio.sleep(3600)
        assert len(logs) <= 1, "an hour without a database fills no log"
        fleet.gone = False
        await anyio.sleep(5)
        assert len(a.serving) == 4
        assert fleet.alive() != [former]
        assert {row.epoch for row in fleet.companies.values()} == {2}


@in_virtual_time
async def test_a_database_that_keeps_silent_lengthens_no_tenure():
    fleet = fleet_of(4)
    async with machines(fleet, "a", "b", after=31) as (a, b):  # no renewal is under way
        served = [*a.serving.values(), *b.serving.values()]
        ends = max(machine.worker.standing.ends_at for machine in (a, b))
        fleet.silent = True
        await anyio.sleep_until(ends - LEASE / 3 + 0.1)
        for tenancy in served:
            with pytest.raises((StoreUnavailable, Deposed)):
                tenancy.refuse_if_lost()
        await anyio.sleep_until(ends + 0.1)
        assert (a.serving, b.serving) == ({}, {})


@in_virtual_time
async def test_a_company_that_another_worker_holds_stops_at_once_and_the_others_go_on():
    fleet = fleet_of(4)
    async with machines(fleet, "a") as (a,):
        a.linger = 600
        tenancy = a.serving["c001"]
        fleet.companies["c001"] = Row("somebody/1", 7)
        fleet.alive_until["somebody/1"] = anyio.current_time() + 1000
        await anyio.sleep(LEASE / 3 + 3)
        assert sorted(a.serving) == ["c000", "c002", "c003"]
        with pytest.raises(Deposed, match="c001"):
            tenancy.refuse_if_lost()


@in_virtual_time
async def test_a_drained_worker_ends_each_company_in_its_own_time_and_the_others_take_it():
    fleet = fleet_of(6)
    async with machines(fleet, "a", "b") as (a, b):
        a.linger = 10
        fleet.draining.add("a")
        await anyio.sleep(9)
        assert (len(a.serving), len(b.serving)) == (3, 3)
        await anyio.sleep(8)
        assert (len(a.serving), len(b.serving)) == (0, 6)


@in_virtual_time
async def test_a_worker_that_is_asked_to_stop_hands_everything_back_and_is_gone():
    fleet = fleet_of(6)
    async with machines(fleet, "a", "b") as (a, b):
        a.worker.stop()
        await anyio.sleep(5)
        assert (len(a.serving), len(b.serving)) == (0, 6)
        assert len(fleet.alive()) == 1


@in_virtual_time
async def test_a_company_that_was_moved_is_served_by_that_worker_and_stays():
    fleet = fleet_of(6)
    async with machines(fleet, "a", "b") as (a, b):
        moved = next(iter(a.serving))
        fleet.companies[moved].moved_to = "b"
        await anyio.sleep(60)
        assert moved in b.serving
        assert (len(a.serving), len(b.serving)) == (3, 3)


@in_virtual_time
async def test_a_company_that_cannot_be_served_disturbs_no_other():
    fleet = fleet_of(4)
    async with machines(fleet, "a") as (a,):
        a.failing.add("c002")
        epochs = {name: row.epoch for name, row in fleet.companies.items()}
        a.serving["c002"].ending.set()
        await anyio.sleep(60)
        assert sorted(a.serving) == ["c000", "c001", "c003"]
        assert {name for name, row in fleet.companies.items() if row.epoch != epochs[name]} == {"c002"}
        assert fleet.companies["c002"].epoch - epochs["c002"] <= 60


@in_virtual_time
async def test_a_third_worker_gets_its_share_gently():
    fleet = fleet_of(90)
    async with machines(fleet, "a", "b") as (a, b), machines(fleet, "c", after=6) as (c,):
        assert 0 < len(c.serving) < 30
        await anyio.sleep(120)
        assert [len(machine.serving) for machine in (a, b, c)] == [30, 30, 30]


@in_virtual_time
async def test_companies_that_no_other_worker_has_a_file_for_stay_with_the_one_that_has():
    """As while a new file is on its way to the others, or where two directories share a database."""
    fleet = fleet_of(6)
    fleet.only_here["a"] = frozenset({"c000", "c001", "c002", "c003"})
    async with machines(fleet, "a", "b", after=0) as (a, b):
        await anyio.sleep(300)
        assert fleet.only_here["a"] <= set(a.serving)
        assert len(a.serving) + len(b.serving) == 6
        assert {fleet.companies[name].epoch for name in fleet.only_here["a"]} == {1}
