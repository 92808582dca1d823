"""Weeks of the real service in minutes: its quota used up day after day while users go on changing documents."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import anyio
from anyio.abc import Process

from precoro_daemon.sandbox import SandboxOptions, serve
from precoro_daemon.sandbox.options import Quota
from precoro_daemon.sandbox.server import Sandbox
from tests.system.program import Program

DAY = 86_400.0


@dataclass(frozen=True)
class Plan:
    """days: simulated; scale: how many times faster than real; quota: calls a day; invoices: to be back-filled;
    edits: invoices that users change in a day; every: seconds from one lap of the lists to the next"""

    days: float
    scale: float = 3600.0
    quota: int = 3000
    invoices: int = 50_000
    edits: int = 100
    every: int = 1200
    collections: Sequence[str] = ()
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
    """Ages in laps: how long after a change the mirror had the row, and the detail. `refused` by what."""

    rows: list[float] = field(default_factory=list)
    details: list[float] = field(default_factory=list)
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
        counts={"invoices": plan.invoices},
        time_scale=plan.scale,
        quota=Quota(per_day=plan.quota),
        seed=plan.seed,
    )
    async with serve(options) as sandbox:
        program = Program(directory, sandbox.url, sections=_sections(plan))
        log = directory / "log"
        with log.open("wb") as lines:
            program.write()
            process = await anyio.open_process(
                program.command("run"), cwd=directory, env=program.environ(), stdout=lines, stderr=lines
            )
            try:
                course = await _watch(sandbox, program, process, plan)
            finally:
                if process.returncode is None:
                    process.kill()
        _read_log(course, log)
    return course


def _sections(plan: Plan) -> dict[str, dict[str, Any]]:
    lists: dict[str, Any] = {"every": f"{plan.every}s"}
    if plan.collections:
        lists["collections"] = list(plan.collections)
    return {
        "limits": {"time_scale": plan.scale, "per_day": plan.quota},
        "mirror_collections": lists,
        "daemon": {"stuck_after": f"{round(60 * plan.scale)}s"},  # a minute for us
    }


async def _watch(sandbox: Sandbox, program: Program, process: Process, plan: Plan) -> Course:
    course = Course()
    random = Random(plan.seed)
    edited: list[tuple[int, float]] = []
    began = sandbox.clock.now()
    rows = list(sandbox.company["invoices"])
    pause = DAY / plan.edits
    while sandbox.clock.now() < began + plan.days * DAY:
        await anyio.sleep(sandbox.clock.real_seconds(pause))
        if program.state.exists() and process.returncode is None:
            row = random.choice(rows)
            sandbox.company.edit(row, note=f"changed at {sandbox.clock.now()}", total=random.randrange(1, 10**6))
            edited.append((row.id, sandbox.clock.now()))
            if len(edited) % max(1, plan.edits // 8) == 0:
                course.samples.append(await anyio.to_thread.run_sync(_sample, process.pid, program.state))
        assert process.returncode is None, "it ended by itself"
    course.calls, course.refused = sandbox.journal.total, dict(sandbox.limits.refusals)
    started = anyio.current_time()
    process.terminate()
    with anyio.fail_after(25):
        course.code = await process.wait()
    course.seconds = anyio.current_time() - started
    await anyio.to_thread.run_sync(_ages, course, program, edited, plan)
    return course


def _sample(pid: int, state: Path) -> Sample:
    status = Path(f"/proc/{pid}/status").read_text()
    found = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if ":" in line and line.split()[1:]}
    wal = state.with_name(f"{state.name}-wal")
    size = wal.stat().st_size / 1e6 if wal.exists() else 0.0
    return Sample(
        int(found["VmRSS"]) / 1024, len(list(Path(f"/proc/{pid}/fd").iterdir())), int(found["Threads"]), size
    )


def _ages(course: Course, program: Program, edited: Sequence[tuple[int, float]], plan: Plan) -> None:
    """Only changes that came when the first listing was over, and a lap before the end."""
    listed = program.query("SELECT whole_at FROM cursors WHERE collection = 'invoices'")[0][0]
    end = program.query("SELECT max(at) FROM changes")[0][0]
    course.detailed = program.query("SELECT count(*) FROM details")[0][0]
    for id_, at in edited:
        if listed is None or at < listed + plan.every or at > end - 3 * plan.every:
            continue
        for kind, ages in (("updated", course.rows), ("detailed", course.details)):
            found = program.query(
                "SELECT min(at) AS at FROM changes WHERE collection = 'invoices' AND id = ? AND kind = ? AND at >= ?",
                id_, kind, at - 1,
            )[0]["at"]  # fmt: skip
            if found is not None:
                ages.append(max(0.0, found - at) / plan.every)
            elif kind == "detailed":
                course.waiting += 1


def _read_log(course: Course, log: Path) -> None:
    for line in log.read_text("utf-8").splitlines():
        event = json.loads(line)["event"]
        course.log_lines += 1
        course.events[event] = course.events.get(event, 0) + 1
