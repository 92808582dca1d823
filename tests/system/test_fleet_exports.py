"""Pushes of a company of a fleet: shown on any machine, sent anew by the worker that serves it, or without one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from tests.adapters.state.postgresql.fleets import Tables, fleet_database
from tests.exports.receiving import SECRET, Shop
from tests.system.companies import companies
from tests.system.fleet_world import SCALE, World
from tests.system.program import finish


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet_that_pushes") as found:
        yield found


@pytest.mark.asyncio
async def test_the_worker_that_serves_a_company_pushes_again_what_a_person_wants(
    tmp_path: Path, postgres: str, tables: Tables
) -> None:
    secret, shop = tmp_path / "secret", Shop()
    secret.write_text(SECRET)
    secret.chmod(0o600)
    async with companies(tmp_path, "acme", time_scale=SCALE) as (fleet, sandboxes), shop.open() as url:
        world = World(fleet, sandboxes, tables, postgres)
        export = {"kind": "push", "url": url, "secret_file": str(secret), "allowed_hosts": ["127.0.0.1"]}
        world.found(**{"exports.shop": export | {"collections": ["suppliers"]}})
        suppliers = len(sandboxes["acme"].company["suppliers"])
        async with fleet.running("one") as one:
            await _until_pushed(shop, suppliers)
            assert ", has everything; in its log" in await world.alone("acme", "exports", "show")
            said = await world.alone("acme", "exports", "replay", "shop", "--from", "0")
            assert said == "shop pushes everything anew that changed behind change 0\n"
            await _until_pushed(shop, 2 * suppliers)
            assert "has no such push" in await world.alone("acme", "exports", "drop", "shop", "--all", code=2)
            one.terminate()
            await finish(one)
        said = await world.alone("acme", "exports", "replay", "shop")
        assert said == "0 dead letters of shop to be pushed again\n"


async def _until_pushed(shop: Shop, count: int) -> None:
    with anyio.fail_after(90):
        while len(set(shop.came)) < count:  # noqa: ASYNC110 - another process pushes
            await anyio.sleep(0.2)
