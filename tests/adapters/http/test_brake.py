"""One address for many companies, in virtual time: their calls together keep to its rate, and each has its turn."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest

from precoro_daemon.adapters.http.brake import EgressBrake
from precoro_daemon.adapters.http.exchange import Answer
from precoro_daemon.errors import Stopped
from precoro_daemon.quota.limits import Limits
from tests.adapters.http.test_gate import GRANTED, body, get, get_all
from tests.adapters.http.virtual_line import VirtualLine, at_the_end_of
from tests.runtime.hours import LoopClock, in_virtual_time

FREE = Limits(per_second=0, per_minute=0, per_hour=0, per_day=0, same_get_per_minute=0, same_get_per_hour=0)


async def play(brake: EgressBrake | None, companies: int, calls: int, limits: Limits = GRANTED) -> list[list[float]]:
    """When the calls of each company arrived."""
    clock = LoopClock()
    lines = [VirtualLine(clock.now) for _ in range(companies)]

    async def company(line: VirtualLine) -> None:
        async with at_the_end_of(line, clock, limits, brake=brake) as (_, retrying):
            await get_all(retrying, 0, calls)

    async with anyio.create_task_group() as tasks:
        for line in lines:
            tasks.start_soon(company, line)
    return [[one.at for one in line.arrived] for line in lines]


@pytest.mark.parametrize(("limits", "rate"), [(GRANTED, 2.0), (FREE, 0.8)], ids=["limited", "not limited"])
def test_calls_of_all_companies_keep_to_the_rate_of_their_address(limits: Limits, rate: float) -> None:
    @in_virtual_time
    async def story() -> None:
        arrived = await play(EgressBrake(rate), companies=6, calls=20, limits=limits)
        every = sorted(at for company in arrived for at in company)
        assert min(after - before for before, after in pairwise(every)) >= 1 / rate - 1e-6
        assert every[-1] - every[0] == pytest.approx((len(every) - 1) / rate, abs=1), "none of it is left unused"
        for company in arrived if limits is GRANTED else ():
            assert max(after - before for before, after in pairwise(company)) <= 2 * 6 / rate, "each has its turn"

    story()


@in_virtual_time
async def test_a_rate_above_what_the_keys_allow_costs_nothing() -> None:
    braked = await play(EgressBrake(1000.0), companies=3, calls=20)
    alone = await play(None, companies=3, calls=20)
    for one, other in zip(braked, alone, strict=True):
        assert one[-1] - one[0] == pytest.approx(other[-1] - other[0], abs=0.1)


@in_virtual_time
async def test_workers_of_one_address_divide_its_rate_while_they_live() -> None:
    brake, at = EgressBrake(10.0), []

    async def call() -> None:
        await brake.wait()
        at.append(anyio.current_time())

    async with anyio.create_task_group() as tasks:
        for _ in range(40):
            tasks.start_soon(call)
        await anyio.sleep(1.05)
        first = len(at)
        brake.share(4)
        await anyio.sleep(4)
        second = len(at) - first
        brake.share(1)
    assert first == 11
    assert second in range(9, 13), "a quarter of the rate"
    assert at[-1] - at[first + second] == pytest.approx((40 - first - second - 1) / 10, abs=0.2)


@in_virtual_time
async def test_one_that_gives_up_holds_nobody() -> None:
    brake = EgressBrake(1.0)
    await brake.wait()
    for _ in range(5):
        with anyio.move_on_after(0.05):
            await brake.wait()
    began = anyio.current_time()
    await brake.wait()
    assert anyio.current_time() - began == pytest.approx(0.75, abs=0.01)


@in_virtual_time
async def test_what_waits_for_its_address_ends_with_the_gate() -> None:
    clock = LoopClock()
    line, ends = VirtualLine(clock.now), []
    async with at_the_end_of(line, clock, GRANTED, brake=EgressBrake(0.01)) as (throttled, retrying):
        answer: Answer = await throttled.send(get(1))
        assert answer.status == 200

        async def second() -> None:
            with pytest.raises(Stopped):
                await retrying.send(get(2), body)
            ends.append(clock.now())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(second)
            await anyio.sleep(5)
            began = clock.now()
            throttled.stop()
    assert ends == [pytest.approx(began, abs=0.1)]
    assert len(line.arrived) == 1
