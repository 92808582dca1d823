"""What a call for a detail costs: charge, request, save and log, at the pace of a key and with limits lifted; and how
often the disk is waited for meanwhile."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path

from tests.bench.figures import Aim, Line
from tests.bench.processes import in_turn, medians, python, run
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
    if shutil.which("strace"):
        yield _fsyncs(_found(folder / "traced", _SCALE, paced, rounds=1, measure=_traced))


def _found(
    folder: Path,
    scale: float,
    limits: Mapping[str, float],
    rounds: int = _ROUNDS,
    measure: Callable[[Path, Server], float] | None = None,
) -> float:
    """What a detail more makes of what is measured, CPU time unless it is something else."""
    folders = (folder / str(number) for number in count())
    kept = {"collections": ["invoices"]}

    def measured(number: int) -> float:
        with serving(
            size="medium", counts={"invoices": number, "payments": 0}, warm=True, limits=False, time_scale=scale
        ) as server:
            sections = {"limits": limits, "mirror_collections": kept, "fetch_details": kept}
            config = write_config(next(folders), server, sections)
            mirror_inside(config, server)
            return (measure or _cpu)(config, server)

    found = medians(in_turn(rounds, {"few": lambda: measured(_FEW), "many": lambda: measured(_MANY)}))
    return (found["many"] - found["few"]) / (_MANY - _FEW)


def _cpu(config: Path, server: Server) -> float:
    return float(run_inside(config, server, "fetch_details")["cpu"])


def _traced(config: Path, server: Server) -> float:
    """How often the process asks the system to bring something to the disk, and waits for it."""
    trace = config.with_name("trace")
    strace = ("strace", "-f", "-q", "-e", "trace=fsync,fdatasync", "-o", str(trace))
    run((*strace, *python("-m", "tests.bench.subject_inside", str(config), "fetch_details")), server.credentials)
    return len(re.findall(r"\bf(?:data)?sync\(", trace.read_text()))


def _line(figure: str, found: float) -> Line:
    ms = found * 1000
    return Line(figure, f"{ms:.2f} ms", "what it may take", f"{_AIM_MS:g} ms", ms / _AIM_MS, Aim(1.0))


def _fsyncs(found: float) -> Line:
    return Line("  fsyncs of a detail call", f"{found:.2f}", "what it may take", "1", found, Aim(1.05))
