"""Whatever time zone Precoro reads `modifiedSince` in, every scan leaves the mirror as the list is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.mirror.zones import OVERLAP, Zoned, mirrored, story

pytestmark = pytest.mark.asyncio

TELLING = (0, 1, 4, 21, 28, 31, 32, 46)
"""In most of these stories rows are lost where nobody looks for what is missing."""


@pytest.mark.parametrize("seed", TELLING)
async def test_after_every_scan_the_mirror_is_as_the_list_is(seed: int) -> None:
    await story(seed)


async def busy(there: Zoned) -> None:
    """Ten rows of today, so that a scan asks no further back than today."""
    for number in range(1, 13):
        there.time += 60
        there.edit(number, "of today")
    there.time += 60


async def test_who_changes_the_overlap_begins_the_proof_anew(tmp_path: Path) -> None:
    there = Zoned(-8)
    for back in range(1, 50):
        there.rows[100 + back] = (there.time - 1800 * back, "from before")
    await busy(there)
    async with mirrored(there, tmp_path) as shown:
        await shown.poll()
        there.edit(1, "missed")
        there.time += 600
        first = await shown.poll()
        assert first.skew is not None
        assert first.skew.seconds == await shown.skew()
        assert 8 * 3600 <= first.skew.seconds <= 9 * 3600
        there.zone = 0
        there.time += 600
        there.asked.clear()
        await shown.poll()
        await shown.poll(overlap=OVERLAP + 60)
        behind, again = there.asked
        assert behind is not None
        assert again is not None
        assert again - behind > 8 * 3600 - 300
        assert shown.stale() == []


async def test_the_newest_rows_may_all_go_at_once(tmp_path: Path) -> None:
    """That is asked about once, alarms nobody, and is not asked again at every scan."""
    there = Zoned(0)
    for number in range(20, 100):
        there.rows[number] = (there.time - 90_000 * number, "from before")
    await busy(there)
    async with mirrored(there, tmp_path) as shown:
        await shown.poll()
        for number in range(1, 13):
            del there.rows[number]
        there.asked.clear()
        for _ in range(3):
            there.time += 600
            assert (await shown.poll()).skew is None
        assert len(there.asked) == 4
        assert (await shown.mirror.cursor("payments")).unproved == 1, "a census tells what else is gone"


async def test_an_import_of_many_rows_at_once_is_not_listed_again_and_again(tmp_path: Path) -> None:
    there = Zoned(0)
    for number in range(1, 400):
        there.edit(number, "imported")
    async with mirrored(there, tmp_path) as shown:
        pages = []
        for _ in range(3):
            pages.append((await shown.poll()).pages)
            there.time += 90_000
        assert pages == [8, 8, 1], "as long as the overlap reaches back to it, and no longer"
