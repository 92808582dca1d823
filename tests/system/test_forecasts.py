"""What log, status, page, metrics, check and estimate say of a first fill is one forecast."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import anyio
import pytest

from precoro_daemon.sandbox import SandboxOptions, serve
from tests.system.program import Program, finish

pytestmark = pytest.mark.asyncio

DAY = 86_400.0
SCALE = 200.0
"""A day takes seven minutes: what is there of its calls is spent at once, and then nothing moves."""

_BACKFILLED = "SELECT count(*) FROM calls WHERE lane = 5"


async def test_everything_that_tells_of_a_first_fill_tells_the_same(tmp_path: Path) -> None:
    options = SandboxOptions(size="empty", counts={"suppliers": 5, "invoices": 150}, limits=False)
    async with serve(options) as sandbox:
        program = Program(tmp_path, sandbox.url)
        program.sections = {
            "limits": {"time_scale": SCALE, "per_day": 60},
            "mirror_collections": {"collections": ["invoices", "suppliers", "taxes"]},
            "watch": {"listen": f"unix:{tmp_path}/watch.sock"},
        }
        await program.found()
        async with program.running("run") as process:
            with anyio.fail_after(60):
                while not await _spent(program):  # noqa: ASYNC110 - another process does it
                    await anyio.sleep(0.1)
            told = json.loads((await program.run("status", "--json")).stdout)
            shown = (await program.run("status")).stdout
            page, metrics = [await _asked(f"{tmp_path}/watch.sock", path) for path in ("/", "/metrics")]
            process.terminate()
            done = await finish(process)
        checked = (await program.run("check")).stdout
    [planned], [started] = done.only("quota_planned"), done.only("fill_started")
    assert (planned["due"], planned["days"]) == (None, None), "before the lists are read nobody knows"
    plan = told["plan"]
    assert (plan["first_fill"], plan["backfill"], plan["lists"]) == (True, started["per_day"], started["lists"])
    assert plan["seconds_left"] + (told["now"] - _first_call(program)) == pytest.approx(
        started["days"] * DAY, rel=0.1
    )
    words = f"First fill: {plan['due']} documents to go, at {plan['backfill']} calls a day; done in "
    left_of = {1: ("",), 2: ("_at_least", "_at_most")}
    for text in (" ".join(shown.split()), page):
        [moments] = re.findall(re.escape(words) + r"[^(]+\(([^)]+)\)", text)
        ends = [datetime.fromisoformat(f"{each}+00:00") for each in re.findall(r"(\S+ \S+) UTC", moments)]
        for end, which in zip(ends, left_of[len(ends)], strict=True):
            assert end.timestamp() - told["now"] == pytest.approx(plan[f"seconds_left{which}"], abs=900)
    [left] = re.findall(r"^precoro_daemon_backfill_remaining_seconds (\S+)", metrics, re.MULTILINE)
    assert float(left) == pytest.approx(plan["seconds_left"], abs=3600), (
        "the time between two commands, 200 times as long"
    )
    assert f"{plan['lists']} at most until the first fill is done" in checked


async def _spent(program: Program) -> bool:
    """No further call of the day is for older documents."""
    before = program.query(_BACKFILLED)[0][0]
    await anyio.sleep(1)
    return bool(0 < before == program.query(_BACKFILLED)[0][0])


def _first_call(program: Program) -> float:
    return float(program.query("SELECT min(at) AS at FROM calls")[0]["at"])


async def _asked(path: str, target: str) -> str:
    async with await anyio.connect_unix(path) as stream:
        await stream.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return b"".join([part async for part in stream]).decode()
