"""What a worker sees of its fleet: who serves what, and who goes by other settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from structlog.testing import capture_logs

from precoro_daemon.adapters.state.postgresql.leases import PostgresLeases
from precoro_daemon.app.fleet_view import FleetView, fingerprint
from precoro_daemon.settings import Settings
from tests.adapters.state.postgresql.fleets import LEASE, Tables, fleet_database

KEY = "a-token-of-twenty-four-characters"


def settings(**sections: Any) -> Settings:
    precoro = {"region": "international", "email": "a@example.com", "token": KEY}
    return Settings(**{"precoro": precoro | sections.pop("precoro", {}), **sections})


def test_a_fingerprint_tells_of_what_a_company_is_served_by_and_of_nothing_else() -> None:
    plain = fingerprint(settings())
    for same in (
        {"precoro": {"token": KEY[::-1]}},
        {"precoro": {"token_file": Path("/elsewhere/token")}},
        {"fleet": {"worker": "two"}},
        {"log": {"level": "debug"}},
        {"limits": {"per_day": 3000}},  # the default
        {"apply_deliveries": {"listen": "127.0.0.1:1", "secret": "s" * 24}},
    ):
        assert fingerprint(settings(**same)) == plain, same
    for other in (
        {"precoro": {"region": "us"}},
        {"limits": {"per_day": 2999}},
        {"mirror_collections": {"collections": ["invoices"]}},
    ):
        assert fingerprint(settings(**other)) != plain, other


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet_view") as tables:
        tables.enrol("acme", "bolt")
        yield tables


@asynccontextmanager
async def worker(tables: Tables, name: str, **companies: Settings) -> AsyncIterator[tuple[PostgresLeases, FleetView]]:
    leases = PostgresLeases(tables.conninfo, LEASE, name)
    await leases.join()
    view = FleetView(tables.conninfo, LEASE, lambda: leases.worker)
    view.adopt(companies)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(view.run)
            yield leases, view
            tasks.cancel_scope.cancel()
    finally:
        await leases.close()


@pytest.mark.asyncio
async def test_other_settings_for_one_company_are_told_on_both_sides(tables: Tables) -> None:
    mine, yours = settings(), settings(limits={"per_day": 100})
    with capture_logs() as lines:
        async with worker(tables, "one", acme=mine, bolt=mine) as (leases, one):
            await leases.take(["acme"], 1)
            async with worker(tables, "two", acme=yours, bolt=mine) as (_, two):
                with anyio.fail_after(30):
                    while not (one.differing and two.differing):  # noqa: ASYNC110 - each looks for itself
                        await anyio.sleep(0.1)
                for view in (one, two):
                    said = "its settings differ between the workers one and two: give all the same files, and reload"
                    assert view.contradiction("acme") == said
                    assert view.contradiction("bolt") == ""
                    assert view.holders == {"acme": "one", "bolt": None}
    told = [line for line in lines if line["event"] == "settings_differed"]
    assert [(line["company"], line["workers"]) for line in told] == [("acme", ["one", "two"])] * 2
