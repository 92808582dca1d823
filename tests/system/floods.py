"""The real service while webhooks come in faster than it can take them; the ledger pay meanwhile."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import anyio
from anyio.abc import Process

from precoro_daemon.sandbox import Sandbox, SandboxOptions, serve
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox.rows import Row
from tests.system.months import payment_sections
from tests.system.program import NO_LIMITS, ROOT, Program

_SECRET = "f" * 48
_EVERY = 2
"""Seconds from one lap of the lists to the next."""

_INVOICES = 400

ENOUGH = 50
"""Webhooks that were accepted."""


@dataclass(frozen=True)
class Flooded:
    """told: offered, and the number of each answer ("" where there was none) · rest, peak: megabytes ·
    pause: the longest, in seconds, between two listings · paid, owed: payments made, and entered in the ledger ·
    later: made in the half minute after it · twice: invoices that were paid more than once"""

    seconds: float
    told: dict[str, int]
    rest: float
    peak: float
    pause: float
    paid: int
    owed: int
    later: int
    twice: int
    code: int

    def __str__(self) -> str:
        rates = {name or "closed": round(count / self.seconds) for name, count in self.told.items()}
        grown = f"{self.rest:.0f} MB at rest, {self.peak - self.rest:.1f} more at most"
        paid = f"paid {self.paid} of {self.owed}, {self.later} later"
        return f"a second: {rates}; {grown}; {self.pause:.1f} s without a listing; {paid}"


async def flood(
    directory: Path, *, seconds: float, rate: float, most: float = 0.0, cores: Sequence[int] = ()
) -> Flooded:
    """`cores`: one for the program, one for everybody else; without them the system decides. Where many others work,
    it goes on for up to `most` seconds, until enough was accepted and something paid to judge by."""
    options = SandboxOptions(size="empty", counts={"suppliers": 5, "invoices": _INVOICES}, limits=False)
    async with serve(options) as sandbox:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        program = Program(directory, sandbox.url)
        program.environment["PRECORO_DAEMON__APPLY_DELIVERIES__SECRET"] = _SECRET
        program.sections = {
            "limits": NO_LIMITS,
            "mirror_collections": {"collections": ["invoices", "suppliers", "payments"], "every": f"{_EVERY}s"},
            "apply_deliveries": {"listen": f"127.0.0.1:{port}"},
        }
        program.sections |= payment_sections(directory, every="2s")
        await anyio.to_thread.run_sync(sandbox_ledger.found, directory / "books.db")
        await program.found()
        assert (await program.run("payments", "arm")).code == 0
        log = directory / "log"
        with log.open("wb") as lines:
            program.write()
            process = await anyio.open_process(
                program.command("run"), cwd=directory, env=program.environ(), stdout=lines, stderr=lines
            )
            try:
                if cores:
                    os.sched_setaffinity(process.pid, {cores[0]})
                return await _Weather(sandbox, program, process, port, cores).pass_over(seconds, rate, most)
            finally:
                if process.returncode is None:
                    process.kill()


@dataclass
class _Weather:
    sandbox: Sandbox
    program: Program
    process: Process
    port: int
    cores: Sequence[int]

    async def pass_over(self, seconds: float, rate: float, most: float) -> Flooded:
        # The made-up yen have fractions, which a person has to look at.
        payable = [row for row in sandbox_ledger.payable(self.sandbox.company) if row.currency != "JPY"]
        before = payable.pop()
        await self._enter(before)
        await self._until_paid([before])
        rest = await self._megabytes("VmRSS")
        began = self.sandbox.clock.now()
        entered: list[Row] = []
        told: Counter[str] = Counter()
        async with anyio.create_task_group() as group:

            async def offer() -> None:
                while True:
                    told.update(await self._offer(seconds, rate))
                    passed = self.sandbox.clock.now() - began
                    if passed + seconds > most or (told["204"] > ENOUGH and _made(entered, began)):
                        break
                group.cancel_scope.cancel()

            group.start_soon(offer)
            while payable:
                await anyio.sleep(1)
                entered.append(payable.pop())
                await self._enter(entered[-1])
        ended = self.sandbox.clock.now()
        peak = await self._megabytes("VmHWM")
        made = _made(entered, began)
        listed = [one.arrived for one in self.sandbox.journal if one.path_qs.startswith("/invoices?")]
        times = [began, *(at for at in listed if began < at < ended), ended]
        await self._until_paid(entered)
        later = sum(any(one.created > ended for one in _ours(row)) for row in entered)
        self.process.send_signal(signal.SIGTERM)
        with anyio.fail_after(60):
            code = await self.process.wait()
        pause = max(later - earlier for earlier, later in pairwise(times))
        twice = sum(len(_ours(row)) > 1 for row in (before, *entered))
        return Flooded(ended - began, told, rest, peak, pause, made, len(entered), later, twice, code)

    async def _offer(self, seconds: float, rate: float) -> dict[str, int]:
        command = [
            sys.executable,
            "-m",
            "tests.adapters.listener.flooding",
            str(self.port),
            _SECRET,
            str(seconds),
            str(rate),
        ]
        pinned = ["taskset", "-c", str(self.cores[1])] if self.cores else []
        done = await anyio.run_process([*pinned, *command], cwd=ROOT, stderr=None)
        told: dict[str, int] = json.loads(done.stdout)
        return told

    async def _enter(self, row: Row) -> None:
        owed = row.total - row.paid
        ledger = self.program.directory / "books.db"
        await anyio.to_thread.run_sync(sandbox_ledger.record, ledger, row, owed, "2026-01-15")

    async def _until_paid(self, rows: Sequence[Row]) -> None:
        with anyio.move_on_after(30):
            while not all(map(_ours, rows)):  # noqa: ASYNC110 - it is another process
                await anyio.sleep(0.1)

    async def _megabytes(self, name: str) -> float:
        lines = (await anyio.Path(f"/proc/{self.process.pid}/status").read_text()).splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1]) / 1024


def _made(entered: Sequence[Row], began: float) -> int:
    return sum(any(began - 1 <= one.created for one in _ours(row)) for row in entered)


def _ours(row: Row) -> list[Row]:
    return [one for one in row.made("payments") if one.external_id is not None]
