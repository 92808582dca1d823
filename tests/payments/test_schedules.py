"""Thousands of schedules of faults, crashes and late arrivals: never twice, never silently lost, nothing stuck.

They are played in processes of their own, one a core: virtual time needs no waiting, only work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CORES = max(2, len(os.sched_getaffinity(0)))


def played(*parts: Sequence[str], module: str = "schedules") -> tuple[Counter[str], list[str]]:
    """All parts side by side; counts of what came of them, and what was wrong."""
    command = [sys.executable, "-m", f"tests.payments.{module}"]
    processes = [
        subprocess.Popen([*command, *part], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for part in parts
    ]
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for process in processes:
        output, errors = process.communicate()
        assert output, errors[-3000:]
        told: dict[str, Any] = json.loads(output.splitlines()[-1])
        counts.update(told["counts"])
        wrong += told["wrong"]
    return counts, wrong


def test_pairs_of_outcomes_with_a_crash_at_every_step() -> None:
    """An eighth of all pairs; the sweep plays every one."""
    parts = 8 * CORES
    counts, wrong = played(*[("--kind", "pairs", "--share", f"{share}/{parts}") for share in range(CORES)])
    assert wrong == []
    assert counts["schedules"] > 400


def test_random_schedules() -> None:
    """The sweep plays as many as it has time for."""
    each = 450 // CORES
    counts, wrong = played(*[("--count", str(each), "--seed", str(share * each)) for share in range(CORES)])
    assert wrong == []
    assert counts["confirmed"] > 75


def test_books_that_change_their_mind_while_payments_are_sent() -> None:
    each = 80 // CORES
    counts, wrong = played(
        *[("--count", str(each), "--seed", str(share * each)) for share in range(CORES)], module="changes"
    )
    assert wrong == []
    assert counts["sent"] > 60
    assert counts["decided"] > 60


def test_a_person_who_decides_while_calls_are_under_way() -> None:
    each = 250 // CORES
    parts = [("--kind", "person", "--count", str(each), "--seed", str(share * each)) for share in range(CORES)]
    counts, wrong = played(*parts)
    assert wrong == []
    assert counts["decided"] > 45


def test_both_directions_at_once_have_no_echo() -> None:
    each = 60 // CORES
    counts, wrong = played(
        *[("--count", str(each), "--seed", str(share * each)) for share in range(CORES)], module="both_ways"
    )
    assert wrong == []
    assert counts["to_precoro confirmed"] > 20
    assert counts["to_ledger confirmed"] > 20


def test_at_few_faults_hardly_anything_is_left_to_a_person() -> None:
    """0.2 % of the calls fail: no full payment is left, and of 10,000 partial ones at most 50 may be."""
    full, wrong = played(("--kind", "full", "--count", "250"), ("--kind", "full", "--count", "250", "--seed", "250"))
    assert wrong == []
    assert full["review"] == 0
    partial, wrong = played(*[("--kind", "partial", "--count", "250", "--seed", str(seed)) for seed in (0, 250)])
    assert wrong == []
    assert partial["review"] <= 3
