"""Workers whose clocks are wrong by minutes, each the other way: the limits hold across their hand-overs."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from precoro_daemon.sandbox.options import Quota
from tests.adapters.state.postgresql.fleets import Tables, fleet_database
from tests.clocks import compiler, wrong_clock
from tests.system.companies import Companies, companies

pytestmark = pytest.mark.asyncio

LIMITS = {"per_second": 0, "per_minute": 20, "per_hour": 400, "same_get_per_minute": 1, "same_get_per_hour": 30}
MINUTES_WRONG = (10, -10, 10)


@pytest.fixture
def tables(postgres: str) -> Iterator[Tables]:
    with fleet_database(postgres, "fleet_of_wrong_clocks") as found:
        yield found


@contextmanager
def running(fleet: Companies, minutes: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**fleet.environ(), **wrong_clock(fleet.directory, 60 * minutes)}
    command = [sys.executable, "-m", "precoro_daemon", "fleet", "run", "--companies", str(fleet.files)]
    with (fleet.directory / f"log{minutes}").open("wb") as log:
        process = subprocess.Popen(command, cwd=fleet.directory, env=environment, stdout=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(compiler() is None, reason="no C compiler on this machine")
async def test_no_limit_is_passed_where_workers_have_wrong_clocks(
    tmp_path: Path, postgres: str, tables: Tables
) -> None:
    given = {"limits": True, "quota": Quota(**LIMITS), "counts": {"invoices": 60, "suppliers": 9}}
    async with companies(tmp_path, "acme", **given) as (fleet, sandboxes):
        fleet.leased = True
        fleet.share(
            state={"url": f"postgresql://postgres@{postgres.replace('/', '%2F')}/{tables.name}"},
            limits=LIMITS,
            mirror_collections={"collections": ["invoices"], "every": "1h"},
        )
        fleet.write("acme")
        sandbox = sandboxes["acme"]
        for minutes in MINUTES_WRONG:
            with running(fleet, minutes) as process:
                await until_limited(fleet.directory / f"log{minutes}")
                assert sandbox.journal.total == LIMITS["per_minute"], "the first one makes them, the others wait"
                process.send_signal(signal.SIGTERM)
                assert await anyio.to_thread.run_sync(process.wait) == 0
    assert sandbox.limits.refusals == {}


async def until_limited(log: Path) -> None:
    """Until a worker says that it waits for a limit to open."""
    with anyio.fail_after(40):
        while b'"event":"window_closed","window":"minute"' not in await anyio.Path(log).read_bytes():  # noqa: ASYNC110
            await anyio.sleep(0.2)
