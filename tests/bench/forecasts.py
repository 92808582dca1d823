"""A first fill by the service, day after day in faster time: what was said of it, beside what it took."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import anyio

from precoro_daemon.sandbox import SandboxOptions, serve
from precoro_daemon.sandbox.options import Quota
from tests.bench.figures import Aim, Line
from tests.bench.processes import CLIENT_CORE, SERVER_CORE
from tests.system.program import Program, finish

_DAY = 86_400.0
_SCALE = 800.0
_PER_DAY = 300
_INVOICES = 580
_NEAR = Aim(1.1)


def first_fill(folder: Path) -> Iterator[Line]:
    """About four minutes, in which two days pass."""
    os.sched_setaffinity(0, {SERVER_CORE, CLIENT_CORE})  # the system decides who runs where
    try:
        took, said = anyio.run(partial(_filled, folder))
    finally:
        os.sched_setaffinity(0, {CLIENT_CORE})
    for who, days in said.items():
        factor = max(took, days) / min(took, days)
        yield Line(f"a first fill, as {who} said", f"{days:.2f} days", "it took", f"{took:.2f}", factor, _NEAR)


async def _filled(folder: Path) -> tuple[float, Mapping[str, float]]:
    """Days that it took, and that it should take by each who tells."""
    options = SandboxOptions(
        size="empty",
        counts={"suppliers": 5, "invoices": _INVOICES},
        time_scale=_SCALE,
        quota=Quota(per_day=_PER_DAY),
    )
    async with serve(options) as sandbox:
        program = Program(folder, sandbox.url, environment={"PYTHONDEVMODE": ""})
        program.sections = {
            "limits": {"time_scale": _SCALE, "per_day": _PER_DAY},
            "mirror_collections": {"collections": ["invoices", "suppliers", "taxes"]},
            "daemon": {"stuck_after": f"{round(60 * _SCALE)}s"},  # a minute for us
        }
        estimate = json.loads((await program.run("estimate", "--json")).stdout)
        async with program.running("run") as process:
            await _until(program, 300)
            status = json.loads((await program.run("status", "--json")).stdout)
            await _until(program, _INVOICES)
            process.terminate()
            done = await finish(process)
    [(first, last)] = program.query("SELECT min(fetched_at), max(fetched_at) FROM details")
    return (last - first) / _DAY, {
        "estimate": estimate["service"]["seconds"] / _DAY,
        "the log": done.only("fill_started")[0]["days"],
        "status on the second day": (status["now"] + status["plan"]["seconds_left"] - first) / _DAY,
    }


async def _until(program: Program, documents: int) -> None:
    """So many have their detail. (Several rows can have one number, and then share it.)"""
    missing = "SELECT count(*) FROM records WHERE collection = 'invoices' AND detail_version IS DISTINCT FROM version"
    listed = "SELECT count(*) FROM records WHERE collection = 'invoices'"
    with anyio.fail_after(900):
        while program.query(listed)[0][0] - program.query(missing)[0][0] < documents:  # noqa: ASYNC110 - another process
            await anyio.sleep(0.5)
