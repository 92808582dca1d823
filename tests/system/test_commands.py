"""check, status, estimate and sandbox as a user starts and reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from tests.system.program import NO_LIMITS, Program, terminate
from tests.system.test_once import company, invoices_only

pytestmark = pytest.mark.asyncio


async def test_check_makes_one_call_and_no_state(tmp_path: Path) -> None:
    async with company(tmp_path) as (sandbox, program):
        program.fresh = True
        done = await program.run("check")
        assert (done.code, done.stderr) == (0, "")
        assert "accepts the key" in done.stdout
        assert sandbox.journal.total == 1
        assert not program.state.exists()


async def test_check_tells_a_wrong_key_from_a_server_that_is_not_there(tmp_path: Path, unused_tcp_port: int) -> None:
    async with company(tmp_path) as (sandbox, program):
        program.token = "wrong-key"
        done = await program.run("check")
        assert done.code == 5
        assert "token, e-mail or region" in done.stderr
        assert sandbox.journal.total == 1
    done = await Program(tmp_path, f"http://127.0.0.1:{unused_tcp_port}").run("check")
    assert done.code == 1
    assert "Traceback" not in done.stderr


async def test_status_before_anything_was_mirrored(tmp_path: Path) -> None:
    done = await Program(tmp_path, "http://127.0.0.1:1").run("status")
    assert done.code == 4
    assert "There is no state in" in done.stderr


async def test_status_tells_freshness_what_failed_and_the_quota(tmp_path: Path) -> None:
    quota = {"per_day": 500}
    async with company(tmp_path, size="empty", counts={"invoices": 30}, limits=False) as (sandbox, program):
        program.sections |= {"limits": NO_LIMITS | quota, "mirror_collections": invoices_only()}
        sandbox.faults.add("bad_record", path="page=1")
        bad = sorted(row.idn for row in sandbox.company["invoices"])[-4]
        sandbox.faults.add("422", path=f"^/invoices/{bad}$", times=None)
        assert (await program.once()).code == 3
        table = (await program.run("status")).stdout
        assert "invoices" in table
        told = json.loads((await program.run("status", "--json")).stdout)
        assert told["collections"]["invoices"]["records"] == 29
        assert told["collections"]["invoices"]["due"] == 1
        assert {item["stage"] for item in told["quarantined"]} == {"record", "detail"}
        assert [item["raw"] for item in told["quarantined"] if item["stage"] == "record"] == ["null"]
        assert told["quota"] == {"day": 500 - sandbox.journal.total}


async def test_estimate_tells_the_price_for_a_call_or_two_a_list(tmp_path: Path) -> None:
    async with company(tmp_path, limits=False) as (sandbox, program):
        program.sections["limits"] = {"time_scale": 40}
        done = await program.run("estimate")
        assert (done.code, done.stderr) == (0, "")
        spent = sandbox.journal.total
        assert spent <= 2 * len(COLLECTIONS)
        found = re.search(r"([\d,]+) calls in all", done.stdout)
        assert found
        promised = int(found[1].replace(",", ""))

        sandbox.journal.clear()
        assert (await program.once()).code == 0
        # Rows of a split invoice can share an idn, and then their one detail.
        assert promised - 5 <= sandbox.journal.total <= promised


async def test_the_sandbox_command_serves_what_it_says(tmp_path: Path) -> None:
    program = Program(tmp_path, "http://127.0.0.1:1", fresh=True)
    async with program.running("sandbox", "--port", "0") as process:
        assert process.stdout is not None
        said = (await process.stdout.receive()).decode()
        while "email" not in said:
            said += (await process.stdout.receive()).decode()
        [url] = re.findall(r"http://\S+", said)
        [token] = re.findall(r"X-AUTH-TOKEN +(\S+)", said)
        [email] = re.findall(r"email +(\S+)", said)
        rehearsal = Program(tmp_path, url, token, email, sections={"mirror_collections": {"collections": ["taxes"]}})
        assert (await rehearsal.once()).code == 0
        assert (await terminate(process, within=30)).code == 0


async def test_saying_nothing_is_wrong_usage(tmp_path: Path) -> None:
    program = Program(tmp_path, "http://127.0.0.1:1")
    assert (await program.run()).code == 2
    assert (await program.run("--only", "take_census", "status")).code == 2
    assert (await program.once("--for", "soon")).code == 2
