"""A whole list into the durable mirror, beside what others take for the same list; also with a slow server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from subprocess import run as run_quietly

from tests.bench.figures import Line, faster, no_slower, seconds
from tests.bench.processes import ROOT, CpuTimes, Run, in_turn, medians, python, run
from tests.bench.serving import Server, serving
from tests.bench.subject import LIFTED, mirror, mirror_inside, write_config

INVOICES = 100_000
_LATENCY = 0.05
_ROUNDS = 3

_REFERENCES = Path(__file__).with_name("references")
_ENVIRONMENTS = ROOT / ".venv-bench"


def company(invoices: int, latency: float = 0.0) -> Mapping[str, object]:
    """A sandbox with that many invoices of 2 KB, all drawn before it opens, and no limits."""
    counts = {"invoices": invoices, "payments": 0}
    return {
        "size": "medium",
        "counts": counts,
        "record_bytes": 2048,
        "warm": True,
        "limits": False,
        "latency": latency,
    }


def invoices_only(folder: Path, server: Server, more: Mapping[str, Mapping[str, object]] | None = None) -> Path:
    only = {"limits": LIFTED, "mirror_collections": {"collections": ["invoices"]}}
    return write_config(folder, server, {**only, **(more or {})})


def mirror_invoices(folder: Path, server: Server) -> Run:
    return mirror(invoices_only(folder, server), server, "--only", "mirror_collections")


def full(folder: Path) -> Iterator[Line]:
    """100,000 invoices at latency 0."""
    folders = (folder / f"state{number}" for number in count())
    cpu = CpuTimes()
    with serving(**company(INVOICES)) as server:
        reference = partial(_reference, server)
        found = medians(
            in_turn(
                _ROUNDS,
                {
                    "whole process": lambda: cpu.noted("ours", mirror_invoices(next(folders), server)),
                    "without start": lambda: mirror_inside(invoices_only(next(folders), server), server),
                    "bare loop": lambda: reference("bare.py").seconds,
                    "bare loop into SQLite": lambda: cpu.noted("bare", reference("bare.py", str(next(folders)))),
                    "bare loop into SQLite, without start": lambda: _told(reference("bare.py", str(next(folders)))),
                    "precoro-sdk": lambda: reference("sdk.py").seconds,
                },
            )
        )
        others = {package: _elsewhere(package, script, server, folder) for package, script in _OTHERS.items()}
    ours = found["whole process"]
    bare, into_sqlite, sdk = found["bare loop"], found["bare loop into SQLite"], found["precoro-sdk"]
    spent = cpu.medians()
    yield no_slower("mirror 100,000 × 2 KB", ours, "bare loop into SQLite", into_sqlite, 0.8)
    yield no_slower("  CPU time", spent["ours"], "bare loop into SQLite", spent["bare"], 0.8)
    yield no_slower(
        "  the same without start",
        found["without start"],
        "bare loop into SQLite, so too",
        found["bare loop into SQLite, without start"],
    )
    yield faster("  times faster", ours, "precoro-sdk, discarding", sdk, 2.0)
    for floor, least in (("bare loop into SQLite", into_sqlite), ("bare loop, discarding", bare)):
        yield Line(f"  the floor: {floor}", seconds(least), "precoro-sdk, discarding", seconds(sdk), sdk / least)
    yield _beside("  times faster", ours, "dlt, into files", others["dlt"], 8.0)
    yield _beside("  times faster", ours, "Airbyte's CDK, into a file", others["airbyte-cdk"])
    yield Line("  to look at", seconds(ours), "bare loop, discarding", seconds(bare), ours / bare)


def slow(folder: Path) -> Iterator[Line]:
    """The same with a server that takes 50 ms for every answer."""
    folders = (folder / f"state{number}" for number in count())
    with serving(**company(INVOICES, _LATENCY)) as server:
        found = medians(
            in_turn(
                _ROUNDS,
                {
                    "whole process": lambda: mirror_invoices(next(folders), server).seconds,
                    "bare loop": lambda: _reference(server, "bare.py").seconds,
                },
            )
        )
    yield no_slower("mirror at 50 ms", found["whole process"], "bare loop, 10 in flight", found["bare loop"], 1.3)


def unchanged(folder: Path) -> Iterator[Line]:
    """The same list once more, when it is in the mirror as it is: a census."""
    cpu = CpuTimes()
    with serving(**company(INVOICES)) as server:
        often = {"take_census": {"every": 1}}
        config = invoices_only(folder / "state", server, often)
        mirror(config, server, "--only", "mirror_collections")
        server.ask("/journal", "DELETE")
        found = medians(
            in_turn(
                _ROUNDS,
                {
                    "whole process": lambda: cpu.noted("ours", mirror(config, server, "--only", "take_census")),
                    "bare loop": lambda: cpu.noted("bare", _reference(server, "bare.py")),
                },
            )
        )
        _check_that_both_read_it_all(server)
    ours, bare, spent = found["whole process"], found["bare loop"], cpu.medians()
    yield no_slower("100,000 unchanged rows once more", ours, "bare loop, discarding", bare, 1.3)
    yield no_slower("  CPU time", spent["ours"], "bare loop, discarding", spent["bare"], 1.3)


def _check_that_both_read_it_all(server: Server) -> None:
    """Nobody may be fast by leaving something out."""
    entries = server.ask("/journal?last=100000")["entries"]
    pages = sum(entry["path_qs"].startswith("/invoices?") for entry in entries)
    least = 2 * _ROUNDS * INVOICES // 200
    assert pages >= least, f"{pages} pages were read, not {least}"


_OTHERS = {"dlt": "dlt_source.py", "airbyte-cdk": "airbyte_source.py"}


def _reference(server: Server, script: str, *arguments: str) -> Run:
    return run(python(str(_REFERENCES / script), server.url, *arguments), server.credentials)


def _told(done: Run) -> float:
    return float(done.told["seconds"])


def _elsewhere(package: str, script: str, server: Server, folder: Path) -> float | None:
    """Seconds of a client that has an environment of its own; None if that cannot be made here."""
    home = _ENVIRONMENTS / package
    if not (home / "bin" / "pip").exists():
        run_quietly(python("-m", "venv", str(home)), check=True)
    install = (str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", package)
    if run_quietly(install, check=False, capture_output=True).returncode:
        return None
    command = (str(home / "bin" / "python"), str(_REFERENCES / script), server.url, str(folder / package))
    return run(command, {**server.credentials, "RUNTIME__DLTHUB_TELEMETRY": "false"}).seconds


def _beside(figure: str, ours: float, against: str, theirs: float | None, factor: float | None = None) -> Line:
    if theirs is None:
        return Line(figure, seconds(ours), against, "cannot be installed here")
    if factor is None:
        return Line(figure, seconds(ours), against, seconds(theirs), theirs / ours)
    return faster(figure, ours, against, theirs, factor)
