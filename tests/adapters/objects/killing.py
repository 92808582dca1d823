"""Laps to a bucket that are killed at one of their requests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.adapters.objects.gate import Answer, Asked, Gate

_CHILD = Path(__file__).with_name("bucket_child.py")
_ROOT = Path(__file__).parents[3]


def killed_at_requests(gate: Gate, folder: Path, *, steps: Iterable[int], late: tuple[bool, ...]) -> int:
    """SIGKILL before (or late: after) that request of a lap, until a lap has fewer; how many laps were killed.

    After each, what bears a final name must be whole, what is recorded must be there, and the next lap must end well.
    """
    pids: dict[str, int] = {}
    points: dict[str, tuple[int, bool]] = {}
    seen: dict[str, int] = {}

    def kill_at(is_late: bool, asked: Asked) -> Answer | None:
        if not is_late:
            seen[asked.prefix] = seen.get(asked.prefix, 0) + 1
        if points.get(asked.prefix) == (seen[asked.prefix], is_late) and asked.prefix in pids:
            os.kill(pids.pop(asked.prefix), signal.SIGKILL)
        return None

    gate.before = lambda asked: kill_at(False, asked)
    gate.after = lambda asked: kill_at(True, asked)
    program = [sys.executable, str(_CHILD), gate.origin, str(folder)]
    environ = os.environ | {"PYTHONPATH": str(_ROOT)}
    child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
    assert child.stdin
    assert child.stdout
    killed = 0
    with child, child.stdin, child.stdout:
        for step in steps:
            died = 0
            for is_late in late:
                prefix = f"killed{step}{is_late}"
                points[prefix] = (step, is_late)
                print(prefix, file=child.stdin, flush=True)
                pids[prefix] = int(child.stdout.readline())
                print("go", file=child.stdin, flush=True)
                died += child.stdout.readline().strip() == "killed"
                pids.pop(prefix, None)
                assert child.stdout.readline().strip() == "good", prefix
            killed += died
            if not died:
                break
    return killed
