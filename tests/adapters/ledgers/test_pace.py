"""As many calls as a vendor takes, and none that it refuses; in virtual time."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

import anyio
import pytest

from precoro_daemon.adapters.ledgers.pace import NotAsked, Pace
from tests.runtime.hours import in_virtual_time


@dataclass
class Vendor:
    """Counts each call when it arrives, strictly, in a minute that slides; a call arrives at any time on its way."""

    limit: int
    at_once: int
    dice: random.Random = field(default_factory=lambda: random.Random(5))
    arrivals: deque[float] = field(default_factory=deque)
    heard: list[float] = field(default_factory=list)
    refused: int = 0
    under_way: int = 0
    most: int = 0

    async def call(self, slowest: float) -> None:
        there, back = (self.dice.uniform(0, slowest / 2) for _ in range(2))
        await anyio.sleep(there)
        now = anyio.current_time()
        while self.arrivals and self.arrivals[0] <= now - 60:
            self.arrivals.popleft()
        self.refused += len(self.arrivals) >= self.limit
        self.arrivals.append(now)
        self.heard.append(now)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await anyio.sleep(back)
        self.under_way -= 1


async def _calls(pace: Pace, vendor: Vendor, count: int, slowest: float) -> None:
    for _ in range(count):
        async with pace.call():
            await vendor.call(slowest)


@pytest.mark.parametrize("slowest", [0.2, 1.0, 3.0])
@in_virtual_time
async def test_sixty_a_minute_are_used_and_none_is_refused(slowest: float):
    pace, vendor = Pace(60, 5, 90.0), Vendor(60, 5)
    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(_calls, pace, vendor, 60, slowest)
    five_rounds = vendor.heard[300] - vendor.heard[0]
    assert vendor.refused == 0
    assert vendor.most <= vendor.at_once
    assert 300 / (five_rounds / 60) >= 0.95 * 60


@in_virtual_time
async def test_a_few_calls_after_a_pause_do_not_wait():
    pace, vendor = Pace(60, 5, 90.0), Vendor(60, 5)
    begun = anyio.current_time()
    await _calls(pace, vendor, 59, 0.01)
    assert anyio.current_time() - begun < 1


@in_virtual_time
async def test_while_the_ledger_is_closed_calls_wait_or_fail_unsent():
    pace = Pace(None, None, 90.0)
    pace.close(42, "the ledger takes no more calls (limit: minute)")
    begun = anyio.current_time()
    async with pace.call():
        assert anyio.current_time() - begun == pytest.approx(42)
    pace.close(3600, "the ledger takes no more calls (limit: day)")
    with pytest.raises(NotAsked, match=r"limit: day\) for 3600 s") as told:
        async with pace.call():
            pass
    assert told.value.wait == pytest.approx(3600)
    await anyio.sleep(3600 - 80)
    async with pace.call():
        assert anyio.current_time() - begun >= 42 + 3600


@in_virtual_time
async def test_one_that_is_cancelled_holds_up_no_other():
    pace = Pace(2, 1, 90.0)
    with anyio.move_on_after(5):
        async with pace.call():
            await anyio.sleep(10)
    async with pace.call():
        pass
    begun = anyio.current_time()
    with anyio.move_on_after(10):
        async with pace.call():
            raise AssertionError("two a minute were made")
    async with pace.call():
        assert 59 < anyio.current_time() - begun < 61
