"""Precoro's answers change while the program runs: each change is news once, shown, and ends by itself."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from structlog.testing import capture_logs

from precoro_daemon.app.state_reading import read_snapshot
from precoro_daemon.mirror.rules.shapes import ShapeChange
from precoro_daemon.sandbox.rows import Row
from tests.mirror.stage import Stage, stage

pytestmark = pytest.mark.asyncio

COUNTS = {"invoices": 70}


def edited(shown: Stage, count: int = 8) -> list[Row]:
    rows = list(shown.sandbox.company["invoices"])[:count]
    for row in rows:
        shown.sandbox.company.edit(row, note="edited")
    return rows


async def changes(shown: Stage) -> list[ShapeChange]:
    stored = (await to_thread.run_sync(read_snapshot, shown.settings, "precoro-daemon")).stored
    assert stored is not None
    return list(stored.shape_changes)


def news(lines: Sequence[MutableMapping[str, Any]]) -> list[str]:
    return [change for line in lines if line["event"] == "shape_changed" for change in line["changes"]]


@pytest.mark.parametrize(
    ("field", "how", "said"),
    [
        ("netSum", "object", "invoices list: netSum is an object, no more a number"),
        ("currency", "missing", "invoices list: currency is missing"),
        ("vat", "added", "invoices list: vat is new (text)"),
    ],
)
async def test_a_change_is_told_once_and_ends(tmp_path: Path, field: str, how: str, said: str) -> None:
    with capture_logs() as log_lines:
        async with stage(tmp_path, size="empty", counts=COUNTS, limits=False) as shown:
            await shown.run("mirror_collections")
            await shown.run("mirror_collections")
            assert (news(log_lines), await changes(shown)) == ([], [])
            shown.sandbox.faults.add("reshaped", path=r"^/invoices\?", field=field, how=how, times=None)
            edited(shown)
            await shown.run("mirror_collections")
            first = news(log_lines)
            assert said in first
            edited(shown)
            await shown.run("mirror_collections")  # a process that was just started
            assert news(log_lines) == first
            [change] = [one for one in await changes(shown) if one.field == field]
            assert (str(change), change.breaks) == (said, how != "added")
            shown.sandbox.faults.clear()
            edited(shown)
            await shown.run("mirror_collections")
            [change] = [one for one in await changes(shown) if one.field == field]
            assert (change.breaks, change.until is None) == (False, how == "added")
            assert news(log_lines) == first


async def test_details_are_watched_too(tmp_path: Path) -> None:
    with capture_logs() as log_lines:
        async with stage(tmp_path, size="empty", counts=COUNTS, limits=False) as shown:
            await shown.run()
            shown.sandbox.faults.add("reshaped", path=r"^/invoices/", field="attachments", how="missing", times=None)
            edited(shown)
            await shown.run()
            assert news(log_lines) == ["invoices details: attachments is missing"]
            edited(shown)
            await shown.run()
            assert len(news(log_lines)) == 1


async def test_an_unknown_status_is_told_of_any_row_of_a_list(tmp_path: Path) -> None:
    with capture_logs() as log_lines:
        async with stage(tmp_path, size="empty", counts={"invoices": 300}, limits=False) as shown:
            oldest = min(shown.sandbox.company["invoices"], key=lambda row: row.created)
            shown.sandbox.company.edit(oldest, status=23)
            await shown.run("mirror_collections")
            await shown.run("mirror_collections")
            assert news(log_lines) == ["invoices list: status 23 is unknown"]
            assert len(shown.query("SELECT id FROM records WHERE status = 23")) == 1
