"""A fleet of real workers on a real PostgreSQL: killed, stopped, drained; each payment is made once."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from precoro_daemon.app.company_files import read_companies
from tests.adapters.state.postgresql.fleets import LEASE, Tables, fleet_database
from tests.payments.scene import payments
from tests.system.companies import companies
from tests.system.fleet_world import SCALE, World
from tests.system.program import finish

pytestmark = pytest.mark.asyncio

NAMES = ("acme", "bolt", "coal")


def plain(page: str) -> str:
    """Without its links."""
    return re.sub("</?a[^>]*>", "", page)


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet_of_workers") as found:
        yield found


async def test_a_company_of_another_state_is_refused_by_name(tmp_path: Path, postgres: str, tables: Tables) -> None:
    async with companies(tmp_path, "acme", "bolt") as (fleet, sandboxes):
        await anyio.to_thread.run_sync(World(fleet, sandboxes, tables, postgres).found)
        fleet.leased = False
        path = fleet.write("bolt", mark_invoices_paid={"enabled": False})
        files = await anyio.to_thread.run_sync(read_companies, fleet.files, {})
    assert (files.leased, set(files.companies)) == (True, {"acme"})
    assert files.refused["bolt"].startswith(f"{path}: state.url: sqlite:")
    assert "is not the database of the fleet" in files.refused["bolt"]


async def _companies_shown(world: World, worker: str) -> object:
    answer = await world.fleet.asked("/healthz", f"{worker}/watch")
    return json.loads(answer.partition("\r\n\r\n")[2])["companies"]


@pytest.mark.waits
async def test_companies_go_on_whatever_befalls_their_workers(tmp_path: Path, postgres: str, tables: Tables) -> None:
    async with companies(tmp_path, *NAMES, time_scale=SCALE) as (fleet, sandboxes):
        world = World(fleet, sandboxes, tables, postgres)
        world.found()
        async with fleet.running("one") as one, fleet.running("two") as two:
            await world.until_served_by("one", "two")
            await world.until_founded()
            for name in NAMES:
                said = await world.payments_typed(name, "arm")
                assert said.startswith("armed: payments are sent from the next lap on"), "its worker executed it"
            owed = [row for name in NAMES for row in await world.owe(name, 2)]
            await world.until_paid(owed)

            held = world.holders()
            for worker, invoice in (("one", 1_000_001), ("two", 1_000_002)):
                assert await world.told(worker, "acme", invoice) == "204", f"served by {held['acme']}"
                await world.until_applied("acme", invoice)
                with anyio.fail_after(60):  # each worker reads the fleet's tables every few seconds
                    while await _companies_shown(world, worker) != held:  # noqa: ASYNC110 - another process knows
                        await anyio.sleep(0.2)
                page = await fleet.asked("/", f"{worker}/watch")
                assert all(f'<th scope="row">{name}</th><td>{held[name]}</td>' in plain(page) for name in NAMES), page

            lost = world.of("two")
            owed += [row for name in NAMES for row in await world.owe(name, 3)]
            two.kill()
            assert await world.until_served_by("one") < LEASE + 15, lost
            await world.until_paid(owed)

            async with fleet.running("three") as three:
                await world.until_served_by("one", "three")
                one.send_signal(signal.SIGSTOP)
                owed += [row for name in NAMES for row in await world.owe(name, 3)]
                await world.until_served_by("three")
                await world.until_paid(owed)
                one.send_signal(signal.SIGCONT)
                await world.until_served_by("one", "three")

                [moved, *_] = world.of("one")
                assert "moves to three" in await world.fleet_typed("move", moved, "three")
                with anyio.fail_after(60):
                    while moved not in world.of("three"):  # noqa: ASYNC110
                        await anyio.sleep(0.2)
                said = await world.payments_typed("coal", "disarm")
                assert said.startswith("Payments are disarmed"), "its worker did"
                held = await world.owe("coal", 1)
                assert "hands back" in await world.fleet_typed("drain", "three")
                await world.until_served_by("one")
                shown = json.loads(await world.fleet_typed("status", "--json"))
                assert {each["company"]: each["worker"] for each in shown["holders"]} == dict.fromkeys(NAMES, "one")
                assert [(each["name"], each["draining"]) for each in shown["workers"]] == [
                    ("one", False),
                    ("three", True),
                ]
                three.terminate()
                await finish(three)
            one.terminate()
            done = await finish(one)
        assert (done.code, done.stderr) == (0, "")
        assert done.only("lease_expired"), "it knew by itself that it had slept for too long"

        said = await world.payments_typed("acme", "disarm")
        assert said.startswith("Payments are disarmed"), "nobody serves it: done by the one who wants it"
        assert "belongs to a fleet, as the company bolt" in await world.alone("bolt", "--once", code=7)
        assert "has bolt no more" in await world.fleet_typed("forget", "bolt")
        assert (await world.payments_typed("bolt", "disarm")).startswith("Payments are disarmed"), (
            "by who holds its lock now"
        )
        assert [payments(row) for row in owed] == [[10_000]] * len(owed)
        assert [payments(row) for row in held] == [[]]
