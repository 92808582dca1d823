"""What custom fields cost: calls, and CPU time beside that of bringing the documents themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.bench.figures import Aim, Line, seconds
from tests.bench.serving import Server, serving
from tests.bench.subject import LIFTED, run_inside, write_config

_DOCUMENTS = 10_000
_FIELDS = {"documentcustomfields": 28, "itemcustomfields": 12}
_ROUNDS = 3
_RESOLVE = "resolve_custom_fields"


def resolving(folder: Path) -> Iterator[Line]:
    """Every document with its detail, then the fields of all of them; one process, one job after the other."""
    counts = {"invoices": _DOCUMENTS, "payments": 0, "items": 300, "users": 60, **_FIELDS}
    with serving(size="empty", counts=counts, record_bytes=2048, warm=True, limits=False) as server:
        runs = [_cpu(folder / str(number), server, "fetch_details") for number in range(_ROUNDS)]
        journal = server.ask(f"/journal?last={_ROUNDS * 2 * _DOCUMENTS}")["entries"]
        lists = [_cpu(folder / f"lists{number}", server) for number in range(_ROUNDS)]
    calls, kinds = sum("customfields/" in entry["path_qs"] for entry in journal) / _ROUNDS, sum(_FIELDS.values())
    yield Line(
        "definition calls, 10,000 documents", f"{calls:g}", "fields in use", f"{kinds}", calls / kinds, Aim(1.0)
    )
    yield _share("CPU time of resolving them", "the pass, lists and details", runs, Aim(0.05))
    yield _share("  to look at, without details", "lists alone", lists)


def _cpu(folder: Path, server: Server, *details: str) -> tuple[float, float]:
    """Seconds of CPU time of resolving and of what came before it. What every run costs, though nothing is to do
    (above all looking the database over), is counted once, as it is where one run does all."""
    config = write_config(folder, server, {"limits": LIFTED, "mirror_collections": {"collections": ["invoices"]}})
    before = ("mirror_collections", *details)
    found = run_inside(config, server, *before, _RESOLVE)
    idle = run_inside(config, server, _RESOLVE)[_RESOLVE]["cpu"]
    cost = found[_RESOLVE]["cpu"] - idle, sum(found[job]["cpu"] for job in before) - idle * (len(before) - 1)
    print(f"  resolving {cost[0]:.3f}, {' and '.join(before)} {cost[1]:.3f}", flush=True)
    return cost


def _share(figure: str, against: str, runs: Sequence[tuple[float, float]], aim: Aim | None = None) -> Line:
    ours, theirs = (median(column) for column in zip(*runs, strict=True))
    return Line(figure, seconds(ours), against, seconds(theirs), median(cost / rest for cost, rest in runs), aim)
