"""Weeks of the real service in minutes: its quota used up day after day while users go on changing documents, which
webhooks may announce, and the ledger pay."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import anyio
from anyio.abc import Process

from precoro_daemon.sandbox import SandboxOptions, serve
from precoro_daemon.sandbox import ledger as sandbox_ledger
from precoro_daemon.sandbox.clock import stamp
from precoro_daemon.sandbox.options import Quota
from precoro_daemon.sandbox.rows import Row
from precoro_daemon.sandbox.server import Sandbox
from tests.system.program import Program

DAY = 86_400.0

_FIRST_CHANGE = "SELECT min(at) AS at FROM changes WHERE collection = 'invoices' AND id = ? AND kind = ? AND at >= ?"

_SECRET = "a-secret-of-very-many-letters"


@dataclass(frozen=True)
class Plan:
    """days: simulated; scale: how many times faster than real; quota: calls a day; invoices: to be back-filled;
    edits: invoices that users change in a day; every: seconds from one lap of the lists to the next
    payments: invoices that the ledger pay in a day; announced: by webhooks, to a port
    """

    days: float
    scale: float = 3600.0
    quota: int = 3000
    invoices: int = 50_000
    edits: int = 100
    every: int = 1200
    collections: Sequence[str] = ()
    payments: int = 0
    announced: bool = False
    seed: int = 0


@dataclass
class Sample:
    """What the process holds at one moment: megabytes, descriptors, threads, megabytes of the write-ahead log."""

    rss: float
    descriptors: int
    threads: int
    wal: float


@dataclass
class Course:
    """Ages in laps: how long after a change the mirror had the row, and the detail; how long after it stood in the
    books Precoro had a payment. `refused` by what."""

    rows: list[float] = field(default_factory=list)
    details: list[float] = field(default_factory=list)
    paid: list[float] = field(default_factory=list)
    unpaid: int = 0
    twice: int = 0
    waiting: int = 0
    samples: list[Sample] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    detailed: int = 0
    log_lines: int = 0
    events: dict[str, int] = field(default_factory=dict)
    code: int = -1
    seconds: float = 0.0

    def told(self) -> str:
        first, last = self.samples[min(3, len(self.samples) - 1)], self.samples[-1]
        highest = max(one.wal for one in self.samples)
        lines = (
            f"laps until a changed row is here: {_ages_told(self.rows)}",
            f"laps until its detail is here: {_ages_told(self.details)}; {self.waiting} still to come",
            f"laps until the ledger's payment is made: {_ages_told(self.paid)}; {self.unpaid} to come",
            f"paid twice: {self.twice}",
            f"calls {self.calls:,}, refused {self.refused}; details {self.detailed:,}; log lines {self.log_lines:,}",
            f"memory {first.rss:.0f} to {last.rss:.0f} MB, descriptors {first.descriptors} to {last.descriptors}",
            f"threads {first.threads} to {last.threads}, write-ahead log at most {highest:.1f} MB",
        )
        return "\n".join(lines)


def _ages_told(values: Sequence[float]) -> str:
    if len(values) < 2:
        return "too few"
    cuts = quantiles(values, n=20)
    return f"p50 {cuts[9]:.2f}, p95 {cuts[18]:.2f}, worst {max(values):.2f} of {len(values)}"


async def live(directory: Path, plan: Plan) -> Course:
    options = SandboxOptions(
        size="empty",
        counts={"suppliers": 20, "invoices": plan.invoices},
        time_scale=plan.scale,
        quota=Quota(per_day=plan.quota),
        seed=plan.seed,
    )
    async with serve(options) as sandbox:
        program = Program(directory, sandbox.url, sections=_sections(directory, plan))
        if plan.announced:
            with socket.create_server(("127.0.0.1", 0)) as free:
                address = f"127.0.0.1:{free.getsockname()[1]}"
            program.sections["apply_deliveries"] = {"listen": address}
            program.environment["PRECORO_DAEMON__APPLY_DELIVERIES__SECRET"] = _SECRET
            sandbox.company.webhooks.add(url=f"http://{address}/{_SECRET}")
        if plan.payments:
            await anyio.to_thread.run_sync(sandbox_ledger.found, directory / "books.db")
            await program.found()
            armed = await program.run("payments", "arm")
            assert armed.code == 0, armed
        log = directory / "log"
        with log.open("wb") as lines, (directory / "errors").open("wb") as errors:
            program.write()
            process = await anyio.open_process(
                program.command("run"), cwd=directory, env=program.environ(), stdout=lines, stderr=errors
            )
            try:
                course = await _Life(sandbox, program, process, plan).watch()
            finally:
                if process.returncode is None:
                    process.kill()
        await anyio.to_thread.run_sync(_read_log, course, log)
    return course


def _sections(directory: Path, plan: Plan) -> dict[str, dict[str, Any]]:
    lists: dict[str, Any] = {"every": f"{plan.every}s"}
    if plan.collections:
        lists["collections"] = list(plan.collections)
    sections = {
        "limits": {"time_scale": plan.scale, "per_day": plan.quota},
        "mirror_collections": lists,
        "daemon": {"stuck_after": f"{round(60 * plan.scale)}s"},  # a minute for us
    }
    return sections | (payment_sections(directory) if plan.payments else {})


def payment_sections(directory: Path, every: str = "15m") -> dict[str, dict[str, Any]]:
    """Both directions, with the ledger in `books.db`."""
    url = f"sqlite:///{directory / 'books.db'}"
    statements = {
        "read": sandbox_ledger.READ,
        "start": "0",
        "insert": sandbox_ledger.INSERT,
        "find": sandbox_ledger.FIND,
    }
    return {
        "ledger": {"kind": "sql", "name": "books"},
        "ledger.sql": {"url": url} | statements,
        "payments": {"kill_switch": str(directory / "stop"), "max_amount": 0, "max_per_day": 0},
        "mark_invoices_paid": {"enabled": True, "match_by": "idn", "every": every},
        "export_payments": {"enabled": True, "every": every},
    }


@dataclass
class _Life:
    """Users, the ledger and the program, day after day."""

    sandbox: Sandbox
    program: Program
    process: Process
    plan: Plan
    course: Course = field(default_factory=Course)
    edited: list[tuple[int, float]] = field(default_factory=list)
    paid: list[tuple[Row, float]] = field(default_factory=list)

    async def watch(self) -> Course:
        plan, course, clock = self.plan, self.course, self.sandbox.clock
        random = Random(plan.seed)
        began = clock.now()
        rows = list(self.sandbox.company["invoices"])
        payable = list(sandbox_ledger.payable(self.sandbox.company)) if plan.payments else []
        random.shuffle(payable)
        pause = DAY / plan.edits
        while clock.now() < began + plan.days * DAY:
            await anyio.sleep(clock.real_seconds(pause))
            assert self.process.returncode is None, "it ended by itself"
            if not self.program.state.exists():
                continue
            self._edit(random.choice(rows))
            if payable and random.random() < plan.payments / plan.edits:
                await self._pay(payable.pop())
            if len(self.edited) % max(1, plan.edits // 8) == 0:
                course.samples.append(await anyio.to_thread.run_sync(_sample, self.process.pid, self.program.state))
        course.calls, course.refused = self.sandbox.journal.total, dict(self.sandbox.limits.refusals)
        end = clock.now()
        started = anyio.current_time()
        self.process.terminate()
        with anyio.fail_after(60):
            course.code = await self.process.wait()
        course.seconds = anyio.current_time() - started
        await anyio.to_thread.run_sync(self._ages, end)
        return course

    def _edit(self, row: Row) -> None:
        now = self.sandbox.clock.now()
        self.sandbox.company.edit(row, note=f"changed at {now}")
        self.edited.append((row.id, now))

    async def _pay(self, row: Row) -> None:
        now = self.sandbox.clock.now()
        ledger, day = self.program.directory / "books.db", stamp(now)[:10]
        await anyio.to_thread.run_sync(sandbox_ledger.record, ledger, row, row.total - row.paid, day)
        self.paid.append((row, now))

    def _ages(self, end: float) -> None:
        """Only what came when the first listing was over, and three laps before the end."""
        course, plan, query = self.course, self.plan, self.program.query
        listed = query("SELECT whole_at FROM cursors WHERE collection = 'invoices'")[0][0]
        course.detailed = query("SELECT count(*) FROM details")[0][0]
        first, last = (end if listed is None else listed + plan.every), end - 3 * plan.every
        for id_, at in self.edited:
            if not first < at < last:
                continue
            for kind, ages in (("updated", course.rows), ("detailed", course.details)):
                found = query(_FIRST_CHANGE, id_, kind, at - 1)[0]["at"]
                if found is not None:
                    ages.append(max(0.0, found - at) / plan.every)
                elif kind == "detailed":
                    course.waiting += 1
        for row, at in self.paid:
            made = [one for one in row.made("payments") if one.external_id is not None]  # others were there before
            course.twice += len(made) > 1
            if made and at > first:
                course.paid.append((made[0].created - at) / plan.every)
            elif first < at < last:
                course.unpaid += 1


def _sample(pid: int, state: Path) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    found = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if ":" in line and line.split()[1:]}
    wal = state.with_name(f"{state.name}-wal")
    size = wal.stat().st_size / 1e6 if wal.exists() else 0.0
    return Sample(
        int(found["VmRSS"]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())), int(found["Threads"]), size
    )


def _read_log(course: Course, log: Path) -> None:
    for line in log.read_text("utf-8").splitlines():
        event = json.loads(line)["event"]
        course.log_lines += 1
        course.events[event] = course.events.get(event, 0) + 1
