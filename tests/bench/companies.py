"""What a company costs in a process that serves many: memory, CPU time of a quiet lap, CPU time of an idle day; and
what many first mirrors at once cost each of them in time."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.figures import Aim, Line
from tests.bench.processes import CLIENT_CORE, ROOT, python

_COMPANIES = (1, 10, 50, 100)
_WINDOW_S = 30.0
"""Real seconds over which CPU time is counted."""

_LAP_EVERY_S = 10
"""Between two laps of all lists, where their cost is measured."""

_LAPS_A_DAY = 48
"""Of all 25 lists: 1,200 calls."""

_FIRST = {"invoices": 60, "suppliers": 20, "items": 100}
"""Rows of a company whose first mirror is measured: 82 calls."""

_MIRRORED = "SELECT count(*) FROM record_counts WHERE collection = 'invoices' AND records > 0 AND due = 0"

_LOOKED_EVERY_S = 5.0
"""Real seconds between two readings of all states, which take a hundredth of a core."""

_TICKS = os.sysconf("SC_CLK_TCK")
_NO_LIMITS = "".join(
    f"{name} = 0\n"
    for name in ("per_second", "per_minute", "per_hour", "per_day", "same_get_per_minute", "same_get_per_hour")
)


@dataclass(frozen=True)
class _Figures:
    """mirrored, idle: MB of memory after the first mirrors, and after a restart; lap: CPU milliseconds of a quiet lap
    of a company; day: CPU seconds of a company in a day without news"""

    mirrored: float
    idle: float
    lap: float
    day: float


def many(folder: Path) -> Iterator[Line]:
    wanted = [int(word) for word in os.environ.get("COMPANIES", "").split()] or _COMPANIES
    for companies in wanted:
        found = _measure(folder / str(companies), companies)
        allowed = 100 + 3 * companies
        what = f"{companies} companies" if companies > 1 else "1 company"
        yield Line(f"memory, {what} mirrored", f"{found.mirrored:.0f} MB", "", "", 0.0, None)
        yield Line(
            f"  {what} idle", f"{found.idle:.0f} MB", "allowed", f"{allowed} MB", found.idle / allowed, Aim(1.0)
        )
        yield Line("  a quiet lap, CPU", f"{found.lap:.0f} ms", "allowed", "60 ms", found.lap / 60, Aim(1.0))
        yield Line("  an idle company-day, CPU", f"{found.day:.1f} s", "allowed", "10 s", found.day / 10, Aim(1.0))


def first_mirrors(folder: Path) -> Iterator[Line]:
    """Each company at a call a second by its own limits, which the sandbox keeps too."""
    companies = int(os.environ.get("COMPANIES", "100"))
    alone, _, _ = _mirror_all(folder / "alone", 1)
    together, cpu, refused = _mirror_all(folder / "together", companies)
    yield Line(
        f"{companies} first mirrors at once",
        f"{together:.1f} s",
        "one alone",
        f"{alone:.1f} s",
        together / alone,
        Aim(1.05),
    )
    yield Line("  CPU time of a company's", f"{cpu / companies:.2f} s", "", "")
    yield Line("  refused calls", str(refused), "allowed", "0", refused, Aim(0))


def _mirror_all(folder: Path, companies: int) -> tuple[float, float, int]:
    """Seconds from the start of the process until the last detail was asked for, its seconds of CPU, and how many
    calls were refused."""
    folder.mkdir(parents=True)
    with _sandboxes(companies, limits=True, warm=True, counts=_FIRST) as servers:
        _write_companies(folder, servers)
        began = time.monotonic()
        with _fleet(folder) as process:
            while not all(_asked(folder / f"{name}.db", _MIRRORED) for name in servers):
                time.sleep(_LOOKED_EVERY_S)
            cpu = _cpu(process.pid)
        journals = [_journal(url) for url in servers.values()]
    calls = [entry for journal in journals for entry in journal["entries"]]
    asked = max(entry["real"] for entry in calls if entry["path_qs"].startswith("/invoices/"))
    return asked - began, cpu, sum(sum(journal["refusals"].values()) for journal in journals)


def _journal(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/_sandbox/journal?last=10000") as answer:
        return json.load(answer)


def _measure(folder: Path, companies: int) -> _Figures:
    folder.mkdir(parents=True)
    with _sandboxes(companies) as urls:
        _write(folder, urls, every="12h")
        with _fleet(folder) as process:
            _until_mirrored(folder, urls)
            time.sleep(5)
            mirrored = _memory(process.pid)
        with _settled(folder, companies) as process:
            before = _cpu(process.pid)
            time.sleep(_WINDOW_S)
            idling = (_cpu(process.pid) - before) / _WINDOW_S
            idle = _memory(process.pid)
        _write(folder, urls, every=f"{_LAP_EVERY_S}s")
        with _settled(folder, companies) as process:
            before, laps_before = _cpu(process.pid), _logged(folder, "scan_finished") / 25
            time.sleep(_WINDOW_S)
            used = _cpu(process.pid) - before - idling * _WINDOW_S
            laps = _logged(folder, "scan_finished") / 25 - laps_before
    lap = used / max(laps, 1)
    print(f"  {companies}: {laps:.0f} laps, idle {1e6 * idling / companies:.0f} us/s a company", flush=True)
    return _Figures(mirrored, idle, 1000 * lap, idling / companies * 86_400 + _LAPS_A_DAY * lap)


def _write(folder: Path, urls: Mapping[str, str], *, every: str) -> None:
    _write_companies(folder, urls)
    (folder / "companies" / "defaults.toml").write_text(
        f'[limits]\n{_NO_LIMITS}[mirror_collections]\nevery = "{every}"\n[log]\nlevel = "debug"\n'
    )


def _write_companies(folder: Path, urls: Mapping[str, str]) -> None:
    files = folder / "companies"
    files.mkdir(exist_ok=True)
    for name, url in urls.items():
        token = folder / f"{name}.token"
        token.touch(mode=0o600)
        token.write_text(f"key-{name}\n")
        (files / f"{name}.toml").write_text(
            f'[precoro]\nbase_url = "{url}"\nemail = "{name}@sandbox.example"\ntoken_file = "{token}"\n'
            f'[state]\nurl = "sqlite:///{folder}/{name}.db"\n'
        )


@contextmanager
def _sandboxes(companies: int, **options: Any) -> Iterator[Mapping[str, str]]:
    command = python("-m", "tests.bench.companies_process", str(companies), json.dumps(options))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


@contextmanager
def _fleet(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """On the client's core."""
    command = python("-m", "precoro_daemon", "fleet", "run", "--companies", str(folder / "companies"))
    with (folder / "log").open("ab") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        os.sched_setaffinity(process.pid, {CLIENT_CORE})
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@contextmanager
def _settled(folder: Path, companies: int) -> Iterator[subprocess.Popen[bytes]]:
    """A fleet in which all companies are served, and have had their first turns."""
    before = _logged(folder, "company_started")
    with _fleet(folder) as process:
        while _logged(folder, "company_started") < before + companies:
            time.sleep(0.5)
        time.sleep(30)
        yield process


def _until_mirrored(folder: Path, urls: Mapping[str, str]) -> None:
    while not all(_asked(folder / f"{name}.db", "SELECT count(*) FROM details") >= 30 for name in urls):
        time.sleep(1)


def _logged(folder: Path, event: str) -> int:
    """How often, by all companies so far."""
    return (folder / "log").read_bytes().count(f'"event":"{event}"'.encode())


def _asked(state: Path, sql: str) -> int:
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{state.as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute(sql).fetchone()[0])
    return 0


def _memory(pid: int) -> float:
    """MB of RSS."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def _cpu(pid: int) -> float:
    """Seconds of user and system time."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
