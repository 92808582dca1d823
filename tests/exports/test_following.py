"""Exports go on by themselves: none is stopped by another, and one that failed waits before it tries again."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from precoro_daemon.errors import DaemonError, FolderUnusable, StoreUnusable
from precoro_daemon.exports.follow_exports import FollowExports, Turn

pytestmark = pytest.mark.asyncio


@dataclass
class Clock:
    at: float = 1000.0

    def now(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


@dataclass
class Written:
    """An export of so many rows, which fails as often as it is told to."""

    name: str
    left: int = 5
    failures: list[DaemonError] = field(default_factory=list)

    async def behind(self) -> bool:
        return self.left > 0

    async def follow(self) -> int:
        if self.failures:
            raise self.failures.pop(0)
        rows, self.left = self.left, 0
        return rows


async def test_one_that_fails_stops_no_other_and_waits_longer_each_time() -> None:
    clock, full = Clock(), FolderUnusable("/srv/lake: no space left")
    bad, good = Written("lake", failures=[full, full]), Written("reports")
    job = FollowExports([Turn(bad), Turn(good)], clock)
    assert await job.due(clock.at)
    report = await job.lap()
    assert (report.brought, report.failed, report.ended) == (5, ["export lake: /srv/lake: no space left"], None)
    assert not await job.due(clock.at), "what failed in a round is not due again in it"
    good.left = 2
    assert await job.due(clock.at)
    assert (await job.lap()).brought == 2
    pauses = []
    while bad.left:
        began, round_at = clock.at, clock.at + 1
        while not await job.due(round_at):
            clock.at += 1
            round_at = clock.at
        pauses.append(clock.at - began)
        await job.lap()
    assert len(pauses) == 2
    assert 0 < pauses[0] < pauses[1]


async def test_the_next_turn_comes_when_its_time_has_come() -> None:
    clock, lake = Clock(), Written("lake")
    job = FollowExports([Turn(lake, every=900.0)], clock)
    await job.due(clock.at)
    await job.lap()
    lake.left = 1
    clock.at += 899
    assert not await job.due(clock.at)
    clock.at += 1
    assert await job.due(clock.at)


async def test_a_state_that_cannot_be_used_ends_the_lap() -> None:
    broken = StoreUnusable("the disk of the state is full")
    job = FollowExports([Turn(Written("lake", failures=[broken])), Turn(other := Written("reports"))], Clock())
    await job.due(1000.0)
    assert (await job.lap()).ended is broken
    assert other.left == 0
