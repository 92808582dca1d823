"""Some documents answer 403, and the key is good: the others come, and nothing else stops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from aiohttp import web

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.errors import AuthenticationError
from precoro_daemon.runtime.job import Job
from precoro_daemon.sandbox.rows import Row
from tests.adapters.http.stand_ins import serving
from tests.files.filing import filing, kept_in, name_files
from tests.mirror.stage import NO_LIMITS, SCALE, Stage, stage
from tests.mirror.test_deliveries import at_work
from tests.mirror.test_scanning import newest

pytestmark = pytest.mark.asyncio

PDF = b"%PDF-1.7 " + b"x" * 500

PACED = 50.0
"""How many times faster than real: slow enough that a call is answered before the next but one leaves."""


def close(shown: Stage, rows: Sequence[Row]) -> None:
    for row in rows:
        shown.sandbox.faults.add("403", path=f"^/invoices/{row.idn}$", times=None)


def missing(shown: Stage) -> set[int]:
    return {row["idn"] for row in shown.query("SELECT idn FROM records WHERE detail_version IS NOT version")}


async def laps(jobs: Mapping[str, Job], clock: RealClock, *names: str) -> None:
    """One lap of each that is due; none is ended by anything."""
    for name in names:
        if await jobs[name].due(clock.now()):
            assert (await jobs[name].lap()).ended is None


@pytest.mark.waits
@pytest.mark.parametrize("per_second", [0, 20])
async def test_lists_and_the_details_of_the_others_go_on_while_a_dozen_are_forbidden(
    tmp_path: Path, per_second: int
) -> None:
    async with stage(tmp_path) as shown:
        shown.sections["limits"] = NO_LIMITS | {"time_scale": SCALE, "per_second": per_second}
        closed = newest(shown.sandbox)[:12]
        close(shown, closed)
        async with at_work(shown) as (_, jobs, clock):
            for _round in range(13):
                await laps(jobs, clock, "mirror_collections", "fetch_details", "backfill_details")
                await clock.sleep(901)
        assert missing(shown) == {row.idn for row in closed}
        asked = [shown.calls(f"/invoices/{row.idn}") for row in closed]
        assert all(1 <= len(calls) <= 12 for calls in asked), "each of them has its turn, and is let be"


async def test_a_forbidden_one_between_good_ones_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with stage(tmp_path, time_scale=PACED) as shown:
        shown.sections["limits"] = NO_LIMITS | {"time_scale": PACED, "per_second": 1}
        closed = newest(shown.sandbox)[5:45:5]
        close(shown, closed)
        async with at_work(shown) as (_, jobs, clock):
            await laps(jobs, clock, "mirror_collections", "fetch_details", "backfill_details")
        assert missing(shown) == {row.idn for row in closed}


async def test_the_one_that_the_key_was_refused_at_is_not_the_next_to_try_it_by(tmp_path: Path) -> None:
    """Before any success a single 403 refuses the key."""
    async with stage(tmp_path) as shown:
        await shown.run("mirror_collections")
        close(shown, newest(shown.sandbox)[:1])
        async with at_work(shown) as (_, jobs, clock):
            assert await jobs["backfill_details"].due(clock.now())
            assert isinstance((await jobs["backfill_details"].lap()).ended, AuthenticationError)
            await clock.sleep(901)
            await laps(jobs, clock, "backfill_details")
        assert missing(shown) == {newest(shown.sandbox)[0].idn}


async def test_a_key_that_is_revoked_while_details_are_fetched_is_noticed_by_the_lists(tmp_path: Path) -> None:
    async with stage(tmp_path, time_scale=PACED) as shown:
        shown.sections["limits"] = NO_LIMITS | {"time_scale": PACED, "per_second": 1}
        async with at_work(shown) as (_, jobs, clock):
            await laps(jobs, clock, "mirror_collections")
            shown.sandbox.faults.add("403", path="^/", times=None)
            shown.sandbox.journal.clear()
            await laps(jobs, clock, "fetch_details", "backfill_details")
            assert isinstance((await jobs["mirror_collections"].lap()).ended, AuthenticationError)
        assert len([call for call in shown.calls() if "?" in call]) == 1


async def test_of_files_that_are_forbidden_two_are_asked_for_and_nothing_stops(tmp_path: Path) -> None:
    asked: list[int] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(int(request.path.rpartition("/")[2]))
        return web.Response(body=PDF) if len(asked) == 1 else web.Response(status=403)

    async with serving(answer) as origin, filing(tmp_path, origin, in_flight=1) as shown:
        await name_files(shown.store, {number: {"size": len(PDF)} for number in range(1, 10)})
        for _lap in range(2):
            now = shown.job.clock.now()
            assert await shown.job.due(now), "its first lap looks after the manifest"
            assert (await shown.job.lap()).ended is None
            assert len(asked) == 1 + 2
            assert not await shown.job.due(now), "though six files are missing"
        assert kept_in(shown.directory) == {asked[0]: PDF}
        assert await shown.store.mirror.count_quarantined() == {("invoices", "file"): 2}
