"""The examination of an account in every variant that a sandbox has: what is found out, kept, and written."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread

from precoro_daemon.app.doctor import advice, examine, follow_advice, forecast_calls
from precoro_daemon.app.examination import MOST_CALLS
from precoro_daemon.app.state_reading import read_snapshot
from precoro_daemon.errors import AuthenticationError, ConfigurationError
from precoro_daemon.sandbox import Quota
from precoro_daemon.status.facts import Fact
from tests.mirror.stage import Stage, stage

pytestmark = pytest.mark.asyncio

BY_PATH = Quota(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_scope="path")
COUNTS = {"invoices": 60, "suppliers": 5}


async def values(shown: Stage) -> dict[str, str]:
    shown.sections["mirror_collections"] = {"collections": ["invoices", "suppliers"]}
    return {fact.name: fact.value for fact in await examine(shown.settings)}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, {"list_order": "newest first by creation"}),
        ({"order": "created_asc"}, {"list_order": "oldest first by creation"}),
        ({"order": "updated_desc"}, {"list_order": "newest first by last change"}),
        ({"order": "updated_asc", "time_zone": -8.0}, {"time_zone": "UTC-8:00"}),
        ({"time_zone": 5.75}, {"time_zone": "UTC+5:45"}),
        ({"traps": False, "meta": "totals"}, {"list_totals": "total, total_pages"}),
        ({"meta": "has_next"}, {"list_totals": "has_next_page"}),
        ({"quota": BY_PATH, "limits": True, "time_scale": 30.0}, {"same_get_scope": "path"}),
    ],
)  # fmt: skip
async def test_what_is_found_out(tmp_path: Path, options: dict[str, Any], wanted: dict[str, str]) -> None:
    expected = {"same_get_scope": "url", "time_zone": "UTC", "attachment_sizes": "bytes", "webhooks": ""} | wanted
    async with stage(tmp_path, size="empty", counts=COUNTS, seed=3, **options) as shown:
        found = await values(shown)
        assert found.items() >= expected.items()
        assert len(shown.sandbox.journal) <= MOST_CALLS
        assert (shown.sandbox.limits.refusals.total() > 0) is (found["same_get_scope"] == "path")


@pytest.mark.parametrize(("quota", "found"), [(Quota(), "url"), (BY_PATH, "path")])
async def test_a_scope_that_is_set_already_is_tried_too(tmp_path: Path, quota: Quota, found: str) -> None:
    quota = replace(quota, per_second=0)
    async with stage(tmp_path, counts=COUNTS, quota=quota, limits=True, time_scale=60.0) as shown:
        shown.sections["limits"] = {"same_get_scope": "path"}
        facts = await values(shown)
        assert facts["same_get_scope"] == found
        assert [str(one) for one in advice(shown.settings, [Fact("same_get_scope", found, "", 1.0)])] == (
            ['[limits] same_get_scope = "url"'] if found == "url" else []
        )


async def test_facts_are_kept_and_shown(tmp_path: Path) -> None:
    async with stage(tmp_path, size="empty", counts=COUNTS, limits=False) as shown:
        assert await to_thread.run_sync(forecast_calls, shown.settings) == (MOST_CALLS, None)
        await values(shown)
        snapshot = await to_thread.run_sync(read_snapshot, shown.settings, "precoro-daemon")
        assert snapshot.stored is not None
        kept = {fact.name: fact for fact in snapshot.stored.facts}
        assert kept["time_zone"].value == "UTC"
        shown.sandbox.faults.add("500", times=None)
        again = {fact.name: fact for fact in await examine(shown.settings)}
        assert (again["time_zone"], again["list_order"]) == (kept["time_zone"], kept["list_order"])


async def test_a_company_without_rows_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, size="empty", counts={}, limits=False) as shown:
        facts = {fact.name: fact for fact in await examine(shown.settings)}
        assert "rows enough" in facts["list_order"].said
        assert not any(fact.value for fact in facts.values())


async def test_a_refused_key_is_said_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path, size="empty", counts=COUNTS, limits=False) as shown:
        shown.sandbox.faults.add("401", times=None)
        with pytest.raises(AuthenticationError):
            await examine(shown.settings)
        assert len(shown.sandbox.journal) <= 3


async def test_advice_is_written_into_the_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('# ours\n[limits]\nsame_get_scope = "url" # mine\n')
    path.chmod(0o640)
    async with stage(tmp_path, size="empty", limits=False) as shown:
        wanted = advice(
            shown.settings, [Fact("same_get_scope", "path", "", 1.0), Fact("limits", "per_minute=300", "", 1.0)]
        )
        await to_thread.run_sync(follow_advice, path, wanted)
        written = await to_thread.run_sync(path.read_text)
        assert written == '# ours\n[limits]\nper_minute = 300\nsame_get_scope = "path" # mine\n'
        assert stat.S_IMODE((await to_thread.run_sync(path.stat)).st_mode) == 0o640
        assert await to_thread.run_sync(os.listdir, tmp_path) == ["config.toml"]
        await to_thread.run_sync(path.write_text, 'limits = { same_get_scope = "url" }\n')
        with pytest.raises(ConfigurationError, match="by hand"):
            await to_thread.run_sync(follow_advice, path, wanted)
        assert await to_thread.run_sync(path.read_text) == 'limits = { same_get_scope = "url" }\n'
