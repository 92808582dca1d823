"""Calls of a run when nothing has changed, and when a hundred documents have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.bench.figures import Aim, Line
from tests.bench.serving import Server, serving
from tests.bench.subject import LIFTED, mirror, write_config

_EDITS = 100
_PER_PAGE = 200
_LONGEST_JOURNAL = 100_000


def calls(folder: Path) -> Iterator[Line]:
    """Everything, details too: a first run, a quiet one, one after a hundred edits, one more quiet one."""
    with serving(size="medium", limits=False, warm=True) as server:
        config = write_config(folder / "state", server, {"limits": LIFTED})
        mirror(config, server)
        quiet = _calls_of_a_run(config, server)
        lists = len(quiet)
        yield _line("calls, nothing changed", quiet.total(), "collections", lists)
        yield _line("  most for one collection", max(quiet.values()), "one", 1)
        before = _listed(server)
        server.ask("/mutate", "POST", {"edit": _EDITS, "seed": 1})
        changed = _changed(before, _listed(server))
        details = sum(number for path, number in changed.items() if path in _WITH_DETAIL)
        pages = sum(max(1, -(-changed[path] // _PER_PAGE)) for path in before)
        found = _calls_of_a_run(config, server)
        yield _line(f"calls, {changed.total()} documents changed", found.total(), "pages + details", pages + details)


_WITH_DETAIL = (
    *("purchaseorders", "invoices", "receipts", "expenses"),
    *("purchaserequisitions", "warehouserequests", "requestforproposals"),
)
"""Paths of the collections that get details unless the configuration says otherwise."""


def _calls_of_a_run(config: Path, server: Server) -> Counter[str]:
    """By path without query; a detail under its own."""
    server.ask("/journal", "DELETE")
    mirror(config, server)
    entries = server.ask(f"/journal?last={_LONGEST_JOURNAL}")["entries"]
    return Counter(entry["path_qs"].partition("?")[0] for entry in entries)


def _listed(server: Server) -> Mapping[str, Mapping[Any, Any]]:
    """Every list entry of every collection by its id."""
    paths = server.ask("")["rows"]
    return {path: {row["id"]: row for row in server.ask(f"/truth/{path}?details=0")["list"]} for path in paths}


def _changed(before: Mapping[str, Mapping[Any, Any]], after: Mapping[str, Mapping[Any, Any]]) -> Counter[str]:
    return Counter(
        {path: sum(before[path].get(id_) != row for id_, row in rows.items()) for path, rows in after.items()}
    )


def _line(figure: str, ours: int, against: str, least: int) -> Line:
    return Line(figure, f"{ours:,}", against, f"{least:,}", ours / least, Aim(1.0))
