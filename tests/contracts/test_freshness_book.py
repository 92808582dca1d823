"""What every state store promises as a freshness book (`quota.ports.FreshnessBook`)."""

from __future__ import annotations

import pytest

from precoro_daemon.quota.watched_hours import WatchedHour
from tests.contracts.backends import Backend

HOUR = 3600
BEGINS = 1_800_000_000 // HOUR * HOUR


def hour(collection: str, number: int, **facts: float) -> WatchedHour:
    return WatchedHour(collection, BEGINS + number * HOUR, **facts)  # type: ignore[arg-type]


@pytest.mark.asyncio
async def test_hours_add_up_and_survive_a_restart_in_the_order_of_time(backend: Backend) -> None:
    first = hour(
        "invoices", 1, seconds=600.5, changes=3, polled=2, scans=1, calls=2, delayed=2, delay=90.5, worst=60.0
    )
    more = hour("invoices", 1, seconds=99.5, changes=1, polled=1, scans=1, calls=1, delayed=1, delay=20.0, worst=20.0)
    async with backend.open() as store:
        assert await store.freshness_book.load(0.0) == []
        await store.freshness_book.add([first, hour("invoices", 0, seconds=3600.0)], forget_before=0.0)
        await store.freshness_book.add([more, hour("taxes", 1, seconds=5.0)], forget_before=0.0)
    async with backend.open() as store:
        assert await store.freshness_book.load(0.0) == [
            hour("invoices", 0, seconds=3600.0),
            hour(
                "invoices",
                1,
                seconds=700.0,
                changes=4,
                polled=3,
                scans=2,
                calls=3,
                delayed=3,
                delay=110.5,
                worst=60.0,
            ),
            hour("taxes", 1, seconds=5.0),
        ]
        assert await store.freshness_book.load(BEGINS + 1.0) == (await store.freshness_book.load(0.0))[1:]


@pytest.mark.asyncio
async def test_what_lies_far_back_is_forgotten(backend: Backend) -> None:
    async with backend.open() as store:
        await store.freshness_book.add([hour("invoices", number) for number in range(3)], forget_before=0.0)
        await store.freshness_book.add([hour("taxes", 0)], forget_before=BEGINS + HOUR + 0.5)
        assert await store.freshness_book.load(0.0) == [hour("invoices", 2)]


@pytest.mark.asyncio
async def test_an_hour_is_durable_when_it_is_added(backend: Backend) -> None:
    async with backend.open() as store:
        await store.freshness_book.add([hour("invoices", 0, changes=7)], forget_before=0.0)
        assert backend.query("SELECT collection, changes FROM watched_hours") == [("invoices", 7)]
