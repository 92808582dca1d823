"""A worker's lease on a real PostgreSQL, while its loop is busy, stuck, or cannot reach the database."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Self

import anyio
import pytest
from structlog.testing import capture_logs

from precoro_daemon.adapters.state.postgresql.leases import PostgresLeases
from precoro_daemon.errors import StoreUnavailable
from tests.adapters.state.postgresql.clusters import Cluster, cluster_in, short_directory
from tests.adapters.state.postgresql.fleets import Tables, fleet_database

pytestmark = pytest.mark.asyncio

LEASE = 3.0
HELD = """SELECT count(*) FROM precoro_fleet.companies c JOIN precoro_fleet.workers w ON w.id = c.holder
WHERE w.name = 'a' AND w.alive_until > clock_timestamp()"""


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "renewal") as tables:
        tables.enrol("acme")
        yield tables


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Of the test's own: it is stopped, and waits for standbys that there are none of."""
    with short_directory() as directory, cluster_in(directory / "primary") as found:
        yield found


@asynccontextmanager
async def keeping(tables: Tables) -> AsyncIterator[PostgresLeases]:
    """A worker that holds a company, and keeps its lease."""
    leases = PostgresLeases(tables.conninfo, LEASE, "a")
    await leases.join()
    assert len(await leases.take(["acme"], 1)) == 1
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(leases.keep)
        await anyio.sleep(0.1)
        yield leases
        tasks.cancel_scope.cancel()
    await leases.close()


def stand_still(seconds: float) -> None:
    """The loop does nothing else meanwhile."""
    time.sleep(seconds)


class Watch:
    """Looks at the fleet's tables from a thread. `lost_after`: seconds until the worker had lost its lease"""

    def __init__(self, tables: Tables) -> None:
        self.began = time.monotonic()
        self.lost_after: float | None = None
        self._tables = tables
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            if self.lost_after is None and self._tables.rows(HELD) != [(1,)]:
                self.lost_after = time.monotonic() - self.began


@pytest.mark.waits
async def test_a_loop_that_is_busy_for_longer_than_a_lease_keeps_its_companies_and_may_call_at_once(tables: Tables):
    async with keeping(tables) as leases:
        with Watch(tables) as watch:
            stand_still(1.6 * LEASE)
            standing = leases.standing
        assert watch.lost_after is None
        assert standing.lets_call(time.monotonic())
        assert [one.epoch for one in await leases.holdings() or ()] == [1]


@pytest.mark.waits
async def test_a_loop_that_is_stuck_leaves_its_companies_to_others_after_two_leases_and_knows(tables: Tables):
    async with keeping(tables) as leases:
        with capture_logs() as logs, Watch(tables) as watch:
            stand_still(20)
        assert watch.lost_after is not None
        assert 2 * LEASE < watch.lost_after < 3 * LEASE + 2
        assert leases.standing.over(time.monotonic())
        assert [(one["event"], one["worker"]) for one in logs] == [("worker_stalled", leases.worker)]
        assert await leases.holdings() is None
        with anyio.fail_after(LEASE):
            await leases.keep()


@pytest.mark.waits
async def test_a_loop_that_turns_again_in_time_keeps_what_it_has(tables: Tables):
    """Two leases and a bit: it was given up on, but its lease still ran."""
    async with keeping(tables) as leases:
        stand_still(2 * LEASE + 1)
        await anyio.sleep(LEASE)
        assert leases.standing.lets_call(time.monotonic())
        assert [one.epoch for one in await leases.holdings() or ()] == [1]


@pytest.mark.waits
async def test_commits_that_wait_for_a_disk_or_a_standby_cost_no_lease(cluster: Cluster):
    tables = Tables(str(cluster.directory), "postgres")
    tables.enrol("acme")
    async with keeping(tables) as leases:
        cluster.rows("ALTER SYSTEM SET synchronous_standby_names = 'none'")
        cluster.reload()
        with anyio.move_on_after(1.0) as waiting:
            await leases.release(["acme"])
        assert waiting.cancelled_caught, "nothing else is committed"
        await anyio.sleep(2 * LEASE)
        assert leases.standing.lets_call(time.monotonic())
        # What waits is committed by now, and of no standby.
        cluster.rows("ALTER SYSTEM RESET synchronous_standby_names")
        cluster.reload()


@pytest.mark.waits
async def test_a_database_that_is_gone_ends_calls_at_once_and_the_lease_in_time_and_is_told_once(cluster: Cluster):
    tables = Tables(str(cluster.directory), "postgres")
    tables.enrol("acme")
    async with keeping(tables) as leases:
        with capture_logs() as logs:
            ends_at = leases.standing.ends_at
            await anyio.to_thread.run_sync(cluster.stop)
            assert leases.standing.ends_at <= ends_at + LEASE
            leases.doubt()
            assert not leases.standing.lets_call(time.monotonic())
            await anyio.sleep_until(leases.standing.ends_at + 0.1)
            assert leases.standing.over(time.monotonic())
            cluster.start()
            with pytest.raises(StoreUnavailable):
                await leases.holdings()
            assert await leases.holdings() is None
        assert {one["event"] for one in logs} <= {"fleet_disconnected"}
        assert len(logs) <= 1
