"""The state on PostgreSQL beside the state in a file: commits of pages and of charges, both durable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from tests.adapters.state.postgresql.clusters import cluster_in
from tests.bench.figures import Aim, Line
from tests.bench.processes import python, run

_PAGES = 100
_ROUNDS = 3
_PAGE_MS, _CHARGE_MS = 60.0, 5.0


def commits(folder: Path) -> Iterator[Line]:
    """100 pages of 200 rows of 2 KB, new and then a tenth of them changed; 300 charges. In turns."""
    folder.chmod(0o711)
    found: dict[str, list[dict[str, Any]]] = {"postgresql": [], "sqlite": []}
    with cluster_in(folder / "server", fsync="on") as server:
        for number in range(_ROUNDS):
            server.rows(f"CREATE DATABASE round{number}")
            found["postgresql"].append(_measured(server.url(f"round{number}")))
            found["sqlite"].append(_measured(str(folder / f"{number}.db")))
    ours, theirs = (
        {name: median(one[name] for one in rounds) for name in rounds[0]}
        for rounds in (found["postgresql"], found["sqlite"])
    )
    for name, what, aim in (("new", "all new", _PAGE_MS), ("changed", "a tenth changed", _PAGE_MS)):
        yield Line(
            f"a page of 200 rows on PostgreSQL, {what}, p50", f"{ours[name]:.1f} ms", "allowed; SQLite",
            f"{aim:.0f} ms; {theirs[name]:.1f} ms", ours[name] / aim, Aim(1.0),
        )  # fmt: skip
    yield Line(
        "  one charge, p50", f"{ours['charge']:.2f} ms", "allowed; SQLite",
        f"{_CHARGE_MS:.0f} ms; {theirs['charge']:.2f} ms", ours["charge"] / _CHARGE_MS, Aim(1.0),
    )  # fmt: skip
    yield Line(
        "  CPU of the client a page", f"{ours['cpu']:.1f} ms", "SQLite", f"{theirs['cpu']:.1f} ms",
        ours["cpu"] / theirs["cpu"], Aim(1.0),
    )  # fmt: skip


def _measured(url: str) -> Any:
    return run(python("-m", "tests.bench.state_process", url, str(_PAGES))).told
