"""New payments of a ledger read, matched and planned, beside plain sqlite3 that inserts the same rows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from tests.bench.figures import Aim, Line, seconds
from tests.bench.processes import Run, in_turn, medians, python, run

PAYMENTS = 10_000
_ROUNDS = 3
_MOST_MB = 120
_MOST_S = 3.0


def compare(folder: Path) -> Iterator[Line]:
    """CPU seconds: what the disk takes is the same for both."""
    filled = folder / "filled"
    filled.mkdir()
    _inside("fill", filled)
    done: list[tuple[Path, Run]] = []
    places = (folder / str(number) for number in count())

    def plan() -> float:
        where = Path(shutil.copytree(filled, next(places)))
        done.append((where, _inside("plan", where)))
        return _seconds(done[-1][1])

    def insert() -> float:
        for left in done[-1][0].glob("empty.db*"):
            left.unlink()
        return _seconds(_inside("insert", done[-1][0]))

    plan()  # whose rows are inserted, whatever the order of the rounds
    found = medians(in_turn(_ROUNDS, {"read, match and plan": plan, "plain insert": insert}))
    took, plain = found["read, match and plan"], found["plain insert"]
    title = f"{PAYMENTS:,} payments of a ledger planned, CPU"
    yield Line(title, seconds(took), "sqlite3, the same rows inserted", seconds(plain), took / plain)
    yield Line("  CPU", f"{took:.1f} s", "allowed", f"{_MOST_S:g} s", took / _MOST_S, Aim(1.0))
    peak = max(one.peak_mb for _, one in done)
    yield Line("  peak RSS", f"{peak:.0f} MB", "allowed", f"{_MOST_MB} MB", peak / _MOST_MB, Aim(1.0))


def _inside(what: str, where: Path) -> Run:
    return run(python("-m", "tests.bench.ledger_payments", what, str(where), str(PAYMENTS)))


def _seconds(done: Run) -> float:
    took: float = done.told["seconds"]
    return took
