"""The service told to stop at a random moment while it lists, fetches and pays, then once more to see that nothing
was harmed and nothing paid twice."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import anyio

from precoro_daemon.sandbox import SandboxOptions, serve
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox.rows import Row
from tests.mirror.comparing import differences, truth_of
from tests.system.months import payment_sections
from tests.system.program import NO_LIMITS, Program, finish

_INTENTS = "SELECT invoice_id, state FROM intents WHERE direction = 'to_precoro'"

COLLECTIONS = ("invoices", "suppliers", "payments")


async def stop_at_random(directory: Path, seed: int, *, times: int, twice: float = 0.2) -> list[float]:
    """Seconds that each end took. `twice`: share of ends that get a second signal at once.

    The mirror must be whole after every end, and equal to the truth after a quiet run in the end; and each payment
    that the ledger entered on the way must have been made, once.
    """
    random = Random(seed)
    took: list[float] = []
    options = SandboxOptions(
        size="empty", counts={"invoices": 200, "suppliers": 30}, limits=False, seed=seed, latency=0.02, busy=600
    )
    async with serve(options) as sandbox:
        program = Program(directory, sandbox.url)
        program.sections = {
            "limits": NO_LIMITS,
            "mirror_collections": {"collections": list(COLLECTIONS), "per_page": 20, "every": "1s"},
            "fetch_attachments": {"directory": str(directory / "files")},
        }
        program.sections |= payment_sections(directory, every="1s")
        await anyio.to_thread.run_sync(sandbox_ledger.found, directory / "books.db")
        await program.found()
        assert (await program.run("payments", "arm")).code == 0
        payable = list(sandbox_ledger.payable(sandbox.company))
        owed: list[Row] = []
        for number in range(times):
            while payable and payable[-1].total <= payable[-1].paid:  # users have paid it meanwhile
                payable.pop()
            if payable:
                owed.append(payable.pop())
                owes = owed[-1].total - owed[-1].paid
                ledger = directory / "books.db"
                await anyio.to_thread.run_sync(sandbox_ledger.record, ledger, owed[-1], owes, "2026-01-15")
            async with program.running("run") as process:
                await anyio.sleep(random.uniform(0.3, 1.6))
                began = anyio.current_time()
                process.send_signal(signal.SIGTERM)
                if random.random() < twice:
                    await anyio.sleep(random.uniform(0, 0.05))
                    if process.returncode is None:
                        process.send_signal(signal.SIGTERM)
                done = await finish(process, within=75)
                took.append(anyio.current_time() - began)
            # Before Python has set up its handlers the system ends it, which is an end like any other.
            assert done.code in {0, -signal.SIGTERM}, (seed, number, done)
            # Python in development mode may tell of a connection that was left open.
            assert "Traceback" not in done.stderr, (seed, number, done.stderr)
            if program.state.exists():
                await anyio.to_thread.run_sync(_whole, program.state)
        sandbox.tune(busy=0)
        for _ in range(3):
            done = await program.once()
        assert done.code in {0, 3}, (seed, done)
        suppliers = truth_of(sandbox, "suppliers", details=False)  # there are no details of them
        truths = {"invoices": truth_of(sandbox, "invoices"), "suppliers": suppliers}
        found = await anyio.to_thread.run_sync(lambda: differences(program.state, truths, counted=False))
        assert found == [], (seed, found[:5])
        told = await anyio.to_thread.run_sync(program.query, _INTENTS)
        states = {row["invoice_id"]: row["state"] for row in told}
        for row in owed:
            if row.id not in sandbox.company["invoices"].by_id:  # a user took it away, with its payments
                continue
            ours = [one for one in row.made("payments") if one.external_id is not None]  # users pay too
            assert len(ours) <= 1, (seed, row.idn, "it was paid twice")
            assert len(ours) == (states.get(row.id) == "confirmed"), (seed, row.idn, states.get(row.id))
        assert len(owed) >= min(times, 30), "the company has so many invoices that can be paid"
        assert sum(state == "confirmed" for state in states.values()) > len(owed) / 2, (seed, states)
        made = await anyio.to_thread.run_sync(sandbox_ledger.read, directory / "books.db")
        keys = [key for *_, key in made if key is not None]
        assert len(keys) == len(set(keys)), (seed, "the ledger has a payment of Precoro's twice")
    return took


def _whole(state: Path) -> None:
    with closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True)) as connection:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,):
            assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
