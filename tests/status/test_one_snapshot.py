"""Terminal, --json, page and metrics show the same snapshot."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html import unescape

import pytest
from msgspec import structs
from rich.console import Console

from precoro_daemon.adapters.listener.metrics import families
from precoro_daemon.adapters.listener.page import page
from precoro_daemon.cli import status_json, status_tables
from precoro_daemon.status.attention import matters
from precoro_daemon.status.snapshot import Snapshot
from tests.status.snapshots import quiet, troubled


def as_read(snapshot: Snapshot) -> Snapshot:
    """Without half a surrogate pair: a state holds UTF-8."""
    assert snapshot.stored is not None
    clean = [replace(one, reason=valid(one.reason), raw=valid(one.raw or "")) for one in snapshot.stored.quarantined]
    return structs.replace(snapshot, stored=structs.replace(snapshot.stored, quarantined=clean))


def valid(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


SNAPSHOTS = [pytest.param(as_read(quiet()), id="quiet"), pytest.param(as_read(troubled()), id="troubled")]


def terminal(snapshot: Snapshot) -> str:
    console = Console(record=True, file=io.StringIO(), width=200)
    console.print(status_tables.status(snapshot), crop=False)
    return console.export_text()


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def on_page(snapshot: Snapshot) -> str:
    return squeezed(unescape(re.sub(r"<[^>]*>", " ", page(snapshot))))


def metric(snapshot: Snapshot, name: str) -> dict[tuple[str, ...], float]:
    samples = [sample for family in families(snapshot) for sample in family.samples]
    return {tuple(one.labels.values()): one.value for one in samples if one.name == f"precoro_daemon_{name}"}


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_what_needs_a_person_is_everywhere(snapshot: Snapshot) -> None:
    found = matters(snapshot)
    shown, seen = squeezed(terminal(snapshot)), on_page(snapshot)
    told = json.loads(status_json.as_json(snapshot))["attention"]
    assert [matter["title"] for matter in told] == [matter.title for matter in found]
    assert [matter["commands"] for matter in told] == [list(matter.commands) for matter in found]
    for matter in found:
        assert squeezed(matter.title) in shown, "on the terminal"
        assert squeezed(matter.title) in seen, "on the page"
        for command in matter.commands:
            assert command in seen
            assert command in shown or command == f"{snapshot.command} status"


@pytest.mark.parametrize("snapshot", SNAPSHOTS)
def test_figures_are_the_same_everywhere(snapshot: Snapshot) -> None:
    told = json.loads(status_json.as_json(snapshot))
    assert metric(snapshot, "records") == {(name,): one["records"] for name, one in told["collections"].items()}
    assert metric(snapshot, "quota_left") == {(window,): calls for window, calls in told["quota"].items()}
    assert sum(metric(snapshot, "details_due").values()) == sum(one["due"] for one in told["collections"].values())
    assert metric(snapshot, "files")["kept",] == sum(one["files"] for one in told["files"]["kept"].values())
    assert metric(snapshot, "files")["due",] == told["files"]["due"]["files"]
    assert metric(snapshot, "disk_free_bytes") == {(disk,): room for disk, room in told["disk_free"].items()}
    assert metric(snapshot, "intents") == {(one["direction"], one["state"]): one["count"] for one in told["payments"]}
    if told["ledger"]:
        assert metric(snapshot, "unreadable_rows")[()] == told["ledger"]["unreadable"]
        assert metric(snapshot, "unmatched_payments")[()] == told["ledger"]["unmatched"]
    shown, seen = squeezed(terminal(snapshot)), on_page(snapshot)
    for name, one in told["collections"].items():
        row = rf"{name.replace('_', ' ')} [^A-Za-z]*{one['records']:,}"
        assert re.search(row, shown) or one["up_to_date_as_of"] is None, name
        assert f"{one['records']:,}" in seen, name
