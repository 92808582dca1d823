"""What a call for a detail costs: charge, request, save and log, at the pace of a key and with limits lifted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

from tests.bench.figures import Aim, Line
from tests.bench.processes import in_turn, medians
from tests.bench.serving import Server, serving
from tests.bench.subject import LIFTED, mirror_inside, run_inside, write_config

_ROUNDS = 3
_FEW, _MANY = 50, 350
_SCALE = 10
"""Ten calls a second: the pace is kept, and four hundred of them take less than a minute."""

_AIM_MS = 2.0


def cost(folder: Path) -> Iterator[Line]:
    """CPU time of many less that of few, by their number: what a run takes to begin counts for nothing."""
    yield _line("CPU time of a detail call, limits lifted", _found(folder / "lifted", 1.0, LIFTED))
    paced = {"time_scale": _SCALE, "per_hour": 0, "per_day": 0}
    yield _line(f"  at a call a second, {_SCALE} times faster", _found(folder / "paced", _SCALE, paced, rounds=1))


def _found(folder: Path, scale: float, limits: Mapping[str, float], rounds: int = _ROUNDS) -> float:
    folders = (folder / str(number) for number in count())

    def cpu(number: int) -> float:
        with serving(
            size="medium", counts={"invoices": number, "payments": 0}, warm=True, limits=False, time_scale=scale
        ) as server:
            return _of_details(next(folders), server, limits)

    found = medians(in_turn(rounds, {"few": lambda: cpu(_FEW), "many": lambda: cpu(_MANY)}))
    return (found["many"] - found["few"]) / (_MANY - _FEW)


def _of_details(folder: Path, server: Server, limits: Mapping[str, float]) -> float:
    kept = {"collections": ["invoices"]}
    config = write_config(folder, server, {"limits": limits, "mirror_collections": kept, "fetch_details": kept})
    mirror_inside(config, server)
    return float(run_inside(config, server, "fetch_details")["cpu"])


def _line(figure: str, found: float) -> Line:
    ms = found * 1000
    return Line(figure, f"{ms:.2f} ms", "what it may take", f"{_AIM_MS:g} ms", ms / _AIM_MS, Aim(1.0))
