"""The service told to stop at a random moment, then once more to see that nothing was harmed."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import anyio

from precoro_daemon.sandbox import SandboxOptions, serve
from tests.jobs.comparing import differences, truth_of
from tests.system.program import NO_LIMITS, Program, finish

COLLECTIONS = ("invoices", "suppliers")


async def stop_at_random(directory: Path, seed: int, *, times: int, twice: float = 0.2) -> list[float]:
    """Seconds that each end took. `twice`: share of ends that get a second signal at once.

    The mirror must be whole after every end, and equal to the truth after a quiet run in the end.
    """
    random = Random(seed)
    took: list[float] = []
    options = SandboxOptions(
        size="empty", counts={"invoices": 400, "suppliers": 30}, limits=False, seed=seed, latency=0.02, busy=600
    )
    async with serve(options) as sandbox:
        program = Program(directory, sandbox.url)
        program.sections = {
            "limits": NO_LIMITS,
            "mirror_collections": {"collections": list(COLLECTIONS), "per_page": 20, "every": "1s"},
            "fetch_attachments": {"directory": str(directory / "files")},
        }
        for number in range(times):
            async with program.running("run") as process:
                await anyio.sleep(random.uniform(0.3, 1.6))
                began = anyio.current_time()
                process.send_signal(signal.SIGTERM)
                if random.random() < twice:
                    await anyio.sleep(random.uniform(0, 0.05))
                    if process.returncode is None:
                        process.send_signal(signal.SIGTERM)
                done = await finish(process, within=25)
                took.append(anyio.current_time() - began)
            # Before Python has set up its handlers the system ends it, which is an end like any other.
            assert done.code in {0, -signal.SIGTERM}, (seed, number, done)
            # Told to stop before its loop has begun, Python in development mode tells of the loop it did not close.
            assert "Traceback" not in done.stderr, (seed, number, done.stderr)
            if program.state.exists():
                await anyio.to_thread.run_sync(_whole, program.state)
        sandbox.tune(busy=0)
        for _ in range(2):
            done = await program.once()
        assert done.code in {0, 3}, (seed, done)
        truths = {name: truth_of(sandbox, name) for name in COLLECTIONS}
        found = await anyio.to_thread.run_sync(lambda: differences(program.state, truths, counted=False))
        assert [line for line in found if "detail" not in line] == [], (seed, found[:5])
    return took


def _whole(state: Path) -> None:
    with closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
