"""--once from the outside: exit codes, log, calls, and what the database then says."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from precoro_daemon.app.jobs import JOB_NAMES
from precoro_daemon.mirror.rules.collections import COLLECTIONS, DOCUMENTS
from precoro_daemon.sandbox import Quota, Sandbox, SandboxOptions, serve
from tests.mirror.comparing import Truth, differences, truth_of
from tests.system.program import NO_LIMITS, Program, terminate

pytestmark = pytest.mark.asyncio

SCALE = 10.0


@asynccontextmanager
async def company(directory: Path, **options: Any) -> AsyncIterator[tuple[Sandbox, Program]]:
    async with serve(SandboxOptions(**options)) as sandbox:
        yield sandbox, Program(directory, sandbox.url)


def invoices_only(**keys: Any) -> dict[str, Any]:
    return {"collections": ["invoices"], "per_page": 10} | keys


def wrong(program: Program, sandbox: Sandbox, *names: str) -> list[str]:
    names = names or tuple(COLLECTIONS)
    truths = {name: truth_of(sandbox, name) for name in names}
    truths = {name: truth if name in DOCUMENTS else Truth(truth.rows) for name, truth in truths.items()}
    return differences(program.state, truths)


def pages(sandbox: Sandbox) -> list[int]:
    return [int(found[1]) for call in sandbox.journal if (found := re.search(r"[?&]page=(\d+)", call.path_qs))]


async def until(happened: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not happened():  # noqa: ASYNC110 - another process makes it happen
            await anyio.sleep(0.01)


@pytest.mark.waits
async def test_a_whole_company_within_the_documented_limits(tmp_path: Path) -> None:
    async with company(tmp_path, time_scale=SCALE) as (sandbox, program):
        program.sections["limits"] = {"time_scale": SCALE}
        done = await program.once()
        assert (done.code, done.stderr) == (0, "")
        assert done.only("run_finished")
        assert sandbox.limits.refusals.total() == 0
        assert wrong(program, sandbox) == []
        assert all(program.query(f"SELECT 1 FROM {name} LIMIT 1") for name in [*COLLECTIONS, "invoice_lines"])

        sandbox.journal.clear()
        done = await program.once()
        assert (done.code, sandbox.limits.refusals.total()) == (0, 0)
        calls = [(call.path_qs, call.status) for call in sandbox.journal]
        assert len(calls) == len(COLLECTIONS), calls
        events = [line["event"] for line in done.events if line["event"] != "window_closed"]  # on a slow machine
        assert events == ["run_started", "run_finished"], "no news is no line"


async def test_a_signal_ends_it_in_time_and_the_next_run_goes_on(tmp_path: Path) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 300}, latency=0.2, limits=False) as (
        sandbox,
        program,
    ):
        program.sections |= {"limits": NO_LIMITS | {"per_second": 5}, "mirror_collections": invoices_only()}
        async with program.running("--once") as process:
            await until(lambda: len(pages(sandbox)) > 6)
            done = await terminate(process, within=60)
        assert (done.code, done.stderr) == (130, "")
        assert done.only("run_finished")[0]["stopped"] == "signal"
        [left] = program.query("SELECT next_page FROM scans")
        assert left["next_page"] > 5, "calls in flight were finished and kept"

        sandbox.journal.clear()
        program.sections["limits"] = NO_LIMITS
        done = await program.once()
        assert done.code == 0
        assert min(pages(sandbox)) == left["next_page"] - 1
        assert wrong(program, sandbox, "invoices") == []


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    async with company(tmp_path, limits=False) as (sandbox, program):
        sandbox.faults.add("hang", times=None)
        async with program.running("--once") as process:
            await until(lambda: sandbox.journal.total > 0)
            process.terminate()
            await anyio.sleep(0.5)
            assert process.returncode is None
            done = await terminate(process, within=25)
        assert (done.code, done.stderr) == (130, "")


async def test_a_time_limit_is_kept_even_when_a_call_hangs(tmp_path: Path) -> None:
    async with company(tmp_path, limits=False, size="empty", counts={"invoices": 95}) as (sandbox, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": invoices_only()}
        sandbox.faults.add("hang", path=r"page=4\b", times=1)
        started = time.monotonic()
        done = await program.once("--for", "3s")
        assert time.monotonic() - started < 50, "the call that hangs would take a minute"
        assert (done.code, done.stderr) == (6, "")
        assert done.only("run_finished")[0]["stopped"] == "time"

        sandbox.journal.clear()
        assert (await program.once("--for", "1m")).code == 0
        assert min(pages(sandbox)) == 3
        assert wrong(program, sandbox, "invoices") == []


async def test_one_job_alone(tmp_path: Path) -> None:
    async with company(tmp_path, limits=False, size="empty", counts={"invoices": 25}) as (sandbox, program):
        program.sections |= {"limits": NO_LIMITS, "mirror_collections": invoices_only()}
        assert (await program.once("--only", "mirror_collections")).code == 0
        assert {"/invoices"} == {call.path_qs.partition("?")[0] for call in sandbox.journal}
        sandbox.journal.clear()
        assert (await program.once("--only", "fetch_details")).code == 0
        assert all(call.path_qs.startswith("/invoices/") for call in sandbox.journal)
        assert wrong(program, sandbox, "invoices") == []
        sandbox.journal.clear()
        assert (await program.once("--only", "take_census")).code == 0
        assert pages(sandbox) == [1, 2, 3]


async def test_an_unknown_job_is_wrong_usage(tmp_path: Path) -> None:
    done = await Program(tmp_path, "http://127.0.0.1:1").once("--only", "wash_dishes")
    assert done.code == 2
    assert ", ".join(JOB_NAMES) in done.stderr
    assert not (tmp_path / "state.db").exists()


async def test_a_spent_day_says_what_is_left_and_the_next_run_goes_on(tmp_path: Path) -> None:
    quota = Quota(**NO_LIMITS | {"per_day": 9})
    async with company(tmp_path, size="empty", counts={"invoices": 195}, quota=quota) as (sandbox, program):
        program.sections |= {"limits": NO_LIMITS | {"per_day": 9}, "mirror_collections": invoices_only()}
        done = await program.once()
        assert (done.code, done.stderr) == (6, "")
        assert "the next call may go at" in done.only("budget_spent")[0]["reason"]
        assert done.only("run_finished")[0]["resume_at"]
        assert pages(sandbox) == list(range(1, 10))

        again = await program.once()
        assert (again.code, sandbox.journal.total) == (6, 9)
        assert "when the day opens" in (await program.run("status")).stdout

        sandbox.tune(limits=False)
        sandbox.journal.clear()
        program.sections["limits"] = NO_LIMITS
        assert (await program.once()).code == 0
        assert min(pages(sandbox)) == 9
        assert sandbox.limits.refusals.total() == 0
        assert wrong(program, sandbox, "invoices") == []


async def test_a_second_instance_names_the_first(tmp_path: Path) -> None:
    async with company(tmp_path, limits=False) as (sandbox, program):
        sandbox.faults.add("hang", times=None)
        async with program.running("--once") as process:
            await until(lambda: sandbox.journal.total > 0)
            second = await program.once(within=60)
            assert second.code == 7
            assert f"process {process.pid}" in second.stderr
            assert "Traceback" not in second.stderr
            assert (await program.run("status")).code == 0


async def test_a_wrong_key_is_tried_three_times_and_then_left_alone(tmp_path: Path) -> None:
    async with company(tmp_path) as (sandbox, program):
        program.token = "revoked-key"
        calls = []
        for _ in range(5):
            done = await program.once()
            assert done.code == 5
            assert "Traceback" not in done.stderr
            assert "token" in done.stderr
            calls.append(sandbox.journal.total)
        assert calls[0] == 1
        assert calls[-1] == 3

        program.token = sandbox.token
        program.sections["mirror_collections"] = {"collections": ["taxes"]}
        assert (await program.once()).code == 0, "another key is tried at once"


async def test_a_server_that_is_down_is_told_soon_and_plainly(tmp_path: Path, unused_tcp_port: int) -> None:
    program = Program(tmp_path, f"http://127.0.0.1:{unused_tcp_port}")
    done = await program.once(within=60)
    assert done.code in (1, 3)
    assert "Traceback" not in done.stdout + done.stderr
    assert "127.0.0.1" in done.stdout + done.stderr
