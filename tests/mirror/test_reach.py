"""Precoro reads `modifiedSince` in another time zone: nothing is lost, it is told once, others pay no call."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.mirror.stage import Stage, stage
from tests.mirror.test_scanning import newest, pages_asked

pytestmark = pytest.mark.asyncio


def edit(shown: Stage, count: int, note: str, *, skip: int = 0) -> None:
    for row in newest(shown.sandbox)[skip : skip + count]:
        shown.sandbox.company.edit(row, note=note)


@pytest.mark.parametrize("zone", [-8.0, -1.25])
async def test_a_zone_behind_utc_costs_one_scan_and_no_row(tmp_path: Path, zone: float) -> None:
    async with stage(tmp_path, time_zone=zone) as shown:
        await shown.run()
        edit(shown, 12, "so many that the next scan does not ask back to an older row")
        await shown.run()
        assert shown.differences(counted=False) == []
        edit(shown, 13, "changed in the hours that the answer leaves out")
        with capture_logs() as logs:
            report = await shown.run()
        [found] = [line for line in logs if line["event"] == "skew_detected"]
        assert -zone * 3600 <= found["seconds"] <= 14 * 3600
        assert found["missed"] == 13
        assert [line for line in report.failed if "modifiedSince" in line]
        assert shown.differences(counted=False) == []
        edit(shown, 5, "changed once more")
        shown.sandbox.journal.clear()
        with capture_logs() as logs:
            report = await shown.run()
        assert shown.differences(counted=False) == []
        assert report.failed == []
        assert not [line for line in logs if line["event"] == "skew_detected"], "it is told once"
        assert pages_asked(shown).count(1) == 1, "and costs no second scan any more"


@pytest.mark.parametrize("zone", [0.0, 13.0])
async def test_a_zone_ahead_costs_nothing(tmp_path: Path, zone: float) -> None:
    async with stage(tmp_path, time_zone=zone) as shown:
        await shown.run()
        for count, skip in ((12, 0), (13, 5), (0, 0), (5, 0)):
            edit(shown, count, f"changed {count}", skip=skip)
            shown.sandbox.journal.clear()
            with capture_logs() as logs:
                assert (await shown.run()).failed == []
            assert shown.differences(counted=False) == []
            assert pages_asked(shown).count(1) == 1
            assert not [line for line in logs if line["event"] == "skew_detected"]
