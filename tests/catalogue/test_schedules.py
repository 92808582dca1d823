"""Schedules of faults, crashes and late arrivals over items: none twice, no field lost, nothing stuck.

They are played in processes of their own, one a core: virtual time needs no waiting, only work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORES = max(2, len(os.sched_getaffinity(0)))


def test_random_schedules() -> None:
    each = 250 // CORES
    command = [sys.executable, "-m", "tests.catalogue.schedules", "--count", str(each), "--seed"]
    processes = [
        subprocess.Popen(
            [*command, str(share * each)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for share in range(CORES)
    ]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for process in processes:
        output, errors = process.communicate()
        assert output, errors[-3000:]
        told = json.loads(output.splitlines()[-1])
        counts.update(told["counts"])
        wrong += told["wrong"]
    assert wrong == []
    assert counts["done"] > 1_000
    assert counts["conflict"] > 10
