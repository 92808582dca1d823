"""Processes and the cores they run on: the server on one, whoever is measured on the other.

The process that measures imports nothing large: Linux counts its memory in a child's peak until the child's own
program starts (fs/exec.c, exec_mmap).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryFile
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

# An installed program is compiled once. Where this is switched off, each run would measure the compiler.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
_CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, CLIENT_CORE = _CORES[0], _CORES[-1]


@dataclass(frozen=True)
class Run:
    """A process that has ended: real seconds it took, the largest memory it had, what it printed, and its seconds of
    CPU."""

    seconds: float
    peak_mb: float
    output: str
    cpu: float

    @property
    def told(self) -> Any:
        """The JSON object on its last line."""
        return json.loads(self.output.splitlines()[-1])


class CpuTimes:
    """Seconds of CPU time of runs, by contender, beside the real ones that `in_turn` takes."""

    def __init__(self) -> None:
        self._found: dict[str, list[float]] = {}

    def noted(self, name: str, done: Run) -> float:
        """The real seconds of the run."""
        self._found.setdefault(name, []).append(done.cpu)
        return done.seconds

    def medians(self) -> Mapping[str, float]:
        return medians(self._found)


class RunFailed(RuntimeError):
    """A measured process ended badly; the text is the end of what it printed."""


def python(*arguments: str) -> Sequence[str]:
    return (sys.executable, *arguments)


def run(command: Sequence[str], env: Mapping[str, str] | None = None, accept: Sequence[int] = (0,)) -> Run:
    """Run to the end on the client's core."""
    os.sync()  # what an earlier run wrote must not be written out during this one
    with TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode not in accept:
        raise RunFailed(f"{' '.join(command)[:200]} ended with {process.returncode}:\n{text[-2000:]}")
    return Run(took, usage.ru_maxrss / 1024, text, usage.ru_utime + usage.ru_stime)


def in_turn(rounds: int, contenders: Mapping[str, Callable[[], float]]) -> Mapping[str, Sequence[float]]:
    """What each contender measures, sorted; their order is turned about from round to round."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            found[name].append(contenders[name]())
            print(f"  {name}: {found[name][-1]:.3f}", flush=True)
    return {name: sorted(values) for name, values in found.items()}


def medians(found: Mapping[str, Sequence[float]]) -> Mapping[str, float]:
    return {name: median(values) for name, values in found.items()}
