"""Exports of a run from outside: one works, one cannot, and the run says both."""

from __future__ import annotations

import json
from pathlib import Path

import anyio.to_thread
import pyarrow.parquet as pq
import pytest

from tests.system.program import NO_LIMITS
from tests.system.test_once import company, invoices_only

pytestmark = pytest.mark.asyncio


async def test_one_run_brings_every_export_up_to_date_that_can_go_on(tmp_path: Path) -> None:
    async with company(tmp_path, size="empty", counts={"invoices": 30}, limits=False) as (_, program):
        program.sections |= {
            "limits": NO_LIMITS,
            "mirror_collections": invoices_only(),
            "exports.lake": {"kind": "parquet", "directory": str(tmp_path / "lake"), "collections": ["invoices"]},
            "exports.lost": {"kind": "parquet", "directory": str(tmp_path / "missing" / "lake")},
        }
        done = await program.once()
        assert done.code == 3, "one export failed"
        failed = [event for event in done.events if event["event"] == "export_failed"]
        assert [(event["export"], "does not exist" in event["reason"]) for event in failed] == [("lost", True)]
        rows = await anyio.to_thread.run_sync(lambda: pq.read_table(tmp_path / "lake" / "invoices").num_rows)
        assert rows == program.query("SELECT count(*) FROM invoices")[0][0] > 0
        told = json.loads((await program.run("status", "--json")).stdout)
        behind = {name: one["changes_behind"] for name, one in told["exports"].items()}
        assert behind == {"lake": 0, "lost": None}
        assert "Exports: lake has everything; lost has not begun." in (await program.run("status")).stdout
        program.sections.pop("exports.lost")
        again = await program.once("--only", "follow_exports")
        assert again.code == 0
