"""A million paid invoices compared with what the store knows, beside plain sqlite3 that inserts a million ids."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

from tests.bench.figures import Aim, Line, no_slower
from tests.bench.processes import Run, in_turn, medians, python, run

INVOICES = 1_000_000
_ROUNDS = 3
_MOST_MB = 150
_MOST = 2.0


def compare(folder: Path) -> Iterator[Line]:
    """The store is filled before anything is measured; "all new" begins with an empty set, "none new" with
    a full one, whatever the order of the rounds."""
    state = folder / "state.db"
    _inside("fill", state)
    _inside("new", state)
    peaks: list[float] = []
    files = (folder / f"ids{number}.db" for number in count())
    found = medians(
        in_turn(
            _ROUNDS,
            {
                "plain insert": lambda: _seconds(_inside("insert", next(files))),
                "all of them new": partial(_measured, "new", state, peaks),
                "none of them new": partial(_measured, "same", state, peaks),
            },
        )
    )
    plain = found["plain insert"]
    against = f"sqlite3, {INVOICES:,} ids inserted"
    yield no_slower(f"{INVOICES:,} paid ids, all new", found["all of them new"], against, plain, _MOST)
    yield no_slower("  none new", found["none of them new"], against, plain, _MOST)
    peak = max(peaks)
    yield Line("  peak RSS", f"{peak:.0f} MB", "allowed", f"{_MOST_MB} MB", peak / _MOST_MB, Aim(1.0))


def _measured(what: str, state: Path, peaks: list[float]) -> float:
    done = _inside(what, state)
    peaks.append(done.peak_mb)
    return _seconds(done)


def _inside(what: str, path: Path) -> Run:
    return run(python("-m", "tests.bench.paid_set", what, str(path), str(INVOICES)))


def _seconds(done: Run) -> float:
    seconds: float = done.told["seconds"]
    return seconds
