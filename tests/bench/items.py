"""Wanted items against a supplier's: a plan beside loading both sides, its memory, and ten times as many."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench.figures import Aim, Line, no_slower
from tests.bench.processes import Run, in_turn, medians, python, run

ITEMS = 20_000
_TIMES = 10
_ROUNDS = 3
_MOST_MB = 150
_MOST = 2.0


def plan(folder: Path) -> Iterator[Line]:
    few, many = folder / "few", folder / "many"
    for where, count in ((few, ITEMS), (many, ITEMS * _TIMES)):
        where.mkdir()
        _inside("fill", where, count)
    peaks: list[float] = []
    found = medians(
        in_turn(
            _ROUNDS,
            {
                "load both sides": lambda: _seconds(_inside("load", few, ITEMS)),
                "plan": partial(_measured, few, ITEMS, peaks),
                "plan of ten times as many": lambda: _seconds(_inside("plan", many, ITEMS * _TIMES)),
            },
        )
    )
    loaded = found["load both sides"]
    yield no_slower(f"plan, {ITEMS:,} wanted, {ITEMS:,} there", found["plan"], "loading both sides", loaded, _MOST)
    peak = max(peaks)
    yield Line("  peak RSS", f"{peak:.0f} MB", "allowed", f"{_MOST_MB} MB", peak / _MOST_MB, Aim(1.0))
    each = found["plan of ten times as many"] / _TIMES
    yield no_slower(f"  {ITEMS * _TIMES:,}, for each {ITEMS:,}", each, f"{ITEMS:,}", found["plan"], 1.5)


def _measured(where: Path, count: int, peaks: list[float]) -> float:
    done = _inside("plan", where, count)
    peaks.append(done.peak_mb)
    return _seconds(done)


def _inside(what: str, where: Path, count: int) -> Run:
    return run(python("-m", "tests.bench.catalogues", what, str(where), str(count)))


def _seconds(done: Run) -> float:
    seconds: float = done.told["seconds"]
    return seconds
