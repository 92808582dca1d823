"""What every state store promises as a book of laps (`runtime.ports.LapBook`)."""

from __future__ import annotations

import pytest

from precoro_daemon.runtime.ports import LapTimes, PastLap
from tests.contracts.backends import Backend
from tests.contracts.listing import T0

DAY = 86_400.0


@pytest.mark.asyncio
async def test_the_last_lap_stands_and_a_bad_one_keeps_the_last_good(backend: Backend) -> None:
    async with backend.open() as store:
        assert await store.lap_book.load() == {}
        await store.lap_book.save("lists", LapTimes(T0, T0 + 1, T0 + 1))
        await store.lap_book.save("lists", LapTimes(T0 + 60, T0 + 62, None))
    async with backend.open() as store:
        assert await store.lap_book.load() == {"lists": LapTimes(T0 + 60, T0 + 62, T0 + 1)}


@pytest.mark.asyncio
async def test_the_history_is_kept_for_90_days_in_the_order_of_time(backend: Backend) -> None:
    old, middle, new = (PastLap("lists", T0 + days * DAY, 1.5, days, 0) for days in (0, 40, 89))
    run = PastLap("", T0 + 89 * DAY, 3.0, 7, 2, "é" * 900)
    async with backend.open() as store:
        await store.lap_book.record(old)
        await store.lap_book.save("lists", LapTimes(T0, T0 + 1, None), middle)
        await store.lap_book.save("lists", LapTimes(T0 + 9, T0 + 10, None))
        await store.lap_book.record(new)
        await store.lap_book.record(run)
    async with backend.open() as store:
        *laps, last = await store.lap_book.history(T0)
        assert laps == [old, middle, new]
        assert (last.brought, last.failed, last.reason) == (7, 2, "é" * 500)
        assert await store.lap_book.history(T0 + 41 * DAY) == [new, last]
        await store.lap_book.record(PastLap("lists", T0 + 91 * DAY, 1.0))
        assert (await store.lap_book.history(0.0))[0] == middle
