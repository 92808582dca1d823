"""A fleet of four workers on a machine: how soon a killed worker's companies are another's, and what each one weighs.

`COMPANIES=100 make bench ONLY=fleet` for fewer than 500. Each company scans one list a minute.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psycopg

from tests.adapters.state.postgresql.clusters import Cluster, cluster_in, short_directory
from tests.bench.figures import Aim, Line
from tests.bench.processes import ROOT, python

_WORKERS = 4
_KILLS = 3
_WITHIN_S = 20.0
_NO_LIMITS = "".join(
    f"{name} = 0\n"
    for name in ("per_second", "per_minute", "per_hour", "per_day", "same_get_per_minute", "same_get_per_hour")
)
_HELD = """SELECT c.name, c.epoch, w.name FROM precoro_fleet.companies c
LEFT JOIN precoro_fleet.workers w ON w.id = c.holder AND w.alive_until > clock_timestamp()"""


@dataclass
class _Fleet:
    """processes: by the name of the worker, which writes a log of that name"""

    folder: Path
    database: Cluster
    companies: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    started: int = 0

    def start(self) -> None:
        self.started += 1
        name = f"w{self.started}"
        place = self.folder / name
        place.mkdir()
        command = python("-m", "precoro_daemon", "fleet", "run", "--companies", str(self.folder / "companies"))
        environment = os.environ | {"PRECORO_DAEMON__FLEET__WORKER": name, "PYTHONPATH": str(ROOT)}
        with (place / "log").open("wb") as log:
            self.processes[name] = subprocess.Popen(command, cwd=place, env=environment, stdout=log, stderr=log)

    def held(self) -> Mapping[str, tuple[int, str | None]]:
        with suppress(psycopg.Error):  # the first worker makes the tables
            return {company: (epoch, worker) for company, epoch, worker in self.database.rows(_HELD)}
        return {}

    def served(self) -> int:
        """How often a company was opened and had its jobs built, by all workers so far."""
        logs = self.folder.glob("w*/log")
        return sum(path.read_bytes().count(b'"event":"company_started"') for path in logs)

    def until(self, what: str, done: Callable[[], bool], within: float) -> float:
        began = time.monotonic()
        while not done():
            if time.monotonic() - began > within:
                raise TimeoutError(f"{what}: {self.served()} of {self.companies} companies were served")
            time.sleep(0.2)
        return time.monotonic() - began

    def spread(self) -> bool:
        """Every worker has its share."""
        holders = [worker for _, worker in self.held().values()]
        counts = [holders.count(name) for name in self.processes]
        return sum(counts) == self.companies and max(counts) - min(counts) <= 1

    def kill(self) -> tuple[float, float]:
        """Seconds until all companies of a worker are another's, and until they are served there."""
        victim = next(iter(self.processes))
        former = {company: epoch for company, (epoch, worker) in self.held().items() if worker == victim}
        before = self.served()
        self.processes.pop(victim).kill()

        def taken() -> bool:
            held = self.held()
            return all(held[company][0] > epoch for company, epoch in former.items())

        took = self.until("taken over", taken, 300)
        return took, took + self.until("served again", lambda: self.served() >= before + len(former), 600)


def hand_over(folder: Path) -> Iterator[Line]:
    companies = int(os.environ.get("COMPANIES", "500"))
    with ExitStack() as stack:
        urls = stack.enter_context(_sandboxes(companies))
        place = stack.enter_context(short_directory())
        database = stack.enter_context(cluster_in(place / "server", max_connections="100"))
        _write(folder, urls, database.url())
        fleet = _Fleet(folder, database, companies)
        stack.callback(_end, fleet)
        for _ in range(_WORKERS):
            fleet.start()
        first = fleet.until("first start", lambda: fleet.served() >= companies and fleet.spread(), 3600)
        memory = [_memory(process.pid) for process in fleet.processes.values()]
        took: list[tuple[float, float]] = []
        for _ in range(_KILLS):
            took.append(fleet.kill())
            fleet.start()
            fleet.until("spread anew", fleet.spread, 600)
    share = 100 + 3 * companies / _WORKERS
    taken, served = max(one for one, _ in took), max(one for _, one in took)
    yield Line(f"first start, {companies} companies, {_WORKERS} workers", f"{first:.0f} s", "", "")
    yield Line(
        "  a killed worker's companies taken over, at worst of 3", f"{taken:.1f} s", "allowed", f"{_WITHIN_S:.0f} s",
        taken / _WITHIN_S, Aim(1.0),
    )  # fmt: skip
    yield Line("  served again, at worst", f"{served:.1f} s", "", "")
    yield Line(
        "  memory of a worker, median", f"{median(memory):.0f} MB", "allowed", f"{share:.0f} MB",
        median(memory) / share, Aim(1.0),
    )  # fmt: skip


def _write(folder: Path, urls: Mapping[str, str], state: str) -> None:
    files = folder / "companies"
    files.mkdir(parents=True)
    (files / "defaults.toml").write_text(
        f'[state]\nurl = "{state}"\n[limits]\n{_NO_LIMITS}[mirror_collections]\ncollections = ["invoices"]\n'
        'every = "1m"\n[fetch_details]\ncollections = []\n'
    )
    for name, url in urls.items():
        token = folder / f"{name}.token"
        token.touch(mode=0o600)
        token.write_text(f"key-{name}\n")
        (files / f"{name}.toml").write_text(
            f'[precoro]\nbase_url = "{url}"\nemail = "{name}@sandbox.example"\ntoken_file = "{token}"\n'
            f'[state]\ncompany = "{name}"\n'
        )


@contextmanager
def _sandboxes(companies: int) -> Iterator[Mapping[str, str]]:
    command = python("-m", "tests.bench.companies_process", str(companies))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def _end(fleet: _Fleet) -> None:
    for process in fleet.processes.values():
        process.send_signal(signal.SIGTERM)
    for process in fleet.processes.values():
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()


def _memory(pid: int) -> float:
    """MB of RSS."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
