"""kill -9 at random moments, again and again; then one clean run must make the mirror the truth."""

from __future__ import annotations

from pathlib import Path
from random import Random

import anyio

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve, users
from precoro_daemon.sandbox.options import Meta, Order
from tests.mirror.comparing import Truth, differences, truth_of
from tests.system.program import NO_LIMITS, Program

NAMES = ("invoices", "purchase_orders", "suppliers", "taxes")
COUNTS = {"invoices": 70, "purchaseorders": 30, "suppliers": 12, "taxes": 5}
WORK = users.Load(create=3, edit=8, delete=1, collections=("invoices", "purchaseorders"))
START_UP = 0.1
"""Seconds until the first call leaves: killing before that proves little."""


async def kill_and_recover(directory: Path, seed: int, *, kills: int, order: Order, meta: Meta) -> None:
    """Raises AssertionError if anything is lost, doubled or wrong. The same seed kills after the same times."""
    random = Random(seed)
    options = SandboxOptions(
        size="empty", counts=COUNTS, seed=seed, limits=False, latency=0.01, order=order, meta=meta
    )
    async with serve(options) as sandbox:
        program = Program(directory, sandbox.url)
        program.sections |= {
            "limits": NO_LIMITS,
            "mirror_collections": {"collections": list(NAMES), "per_page": 10},
            "take_census": {"max_vanished": 1.0},
        }
        for _ in range(kills):
            await _kill(program, START_UP + random.random() * 1.5)
            users.work(sandbox.company, random, WORK)
        done = await program.once()
        # 3: a document was deleted before its detail was fetched; only the census tells what became of it.
        assert done.code in (0, 3), done
        assert done.stderr == ""
        for job in ("take_census", "fetch_details"):
            done = await program.once("--only", job)
            assert (done.code, done.stderr) == (0, ""), done
        found = differences(program.state, _truths(sandbox))
        assert found == [], found[:5]
        assert program.query("PRAGMA integrity_check")[0][0] == "ok"


async def _kill(program: Program, after: float) -> None:
    async with program.running("--once"):
        await anyio.sleep(after)


def _truths(sandbox: Sandbox) -> dict[str, Truth]:
    return {name: truth_of(sandbox, name, details=name in NAMES[:2]) for name in NAMES}
