"""What every state store promises of webhooks (`ports.Deliveries`)."""

from __future__ import annotations

import pytest

from precoro_daemon.mirror.ports.deliveries import Delivery, DeliveryCounts
from tests.contracts.backends import Backend
from tests.contracts.listing import T0

pytestmark = pytest.mark.asyncio

ONE, TWO = Delivery(3, 1, 11), Delivery(2, 1, 12)


def named(batch: object) -> list[tuple[int, int, int | None]]:
    return [(one.type, one.id, one.idn) for one in batch]  # type: ignore[attr-defined]


async def test_what_was_noted_is_due_oldest_first_across_restarts(backend: Backend) -> None:
    async with backend.open() as store:
        assert await store.deliveries.next_due() is None
        assert await store.deliveries.note([TWO], at=T0) == []
        assert await store.deliveries.note([ONE], at=T0 + 1) == []
    async with backend.open() as store:
        assert named(await store.deliveries.due(now=T0 + 2, limit=9)) == [(2, 1, 12), (3, 1, 11)]
        assert named(await store.deliveries.due(now=T0 + 2, limit=1)) == [(2, 1, 12)]
        assert (await store.deliveries.next_due() or 0) <= T0


async def test_a_record_is_announced_any_number_of_times_and_due_once(backend: Backend) -> None:
    async with backend.open() as store:
        for number in range(5):
            await store.deliveries.note([ONE], at=T0 + number)
        [due] = await store.deliveries.due(now=T0 + 9, limit=9)
        assert due.came_at == T0 + 4
        assert await store.deliveries.counts(now=T0 + 9) == DeliveryCounts(1, 5, T0 + 4, 0)


async def test_one_that_comes_while_it_is_applied_is_due_again_after_a_minute(backend: Backend) -> None:
    async with backend.open() as store:
        await store.deliveries.note([ONE, TWO], at=T0)
        due = await store.deliveries.due(now=T0 + 10, limit=9)
        await store.deliveries.note([ONE], at=T0 + 11)
        await store.deliveries.settle(due, heard_at=T0 + 10, at=T0 + 12, outcome="refreshed")
        assert await store.deliveries.due(now=T0 + 71, limit=9) == []
        assert await store.deliveries.next_due() == T0 + 72
        assert named(await store.deliveries.due(now=T0 + 72, limit=9)) == [(3, 1, 11)]


async def test_one_that_a_wrong_clock_stamped_is_applied_once_and_the_next_one_counts(backend: Backend) -> None:
    async with backend.open() as store:
        await store.deliveries.note([ONE], at=T0 + 86_400)
        due = await store.deliveries.due(now=T0, limit=9)
        await store.deliveries.settle(due, heard_at=T0, at=T0 + 1, outcome="refreshed")
        assert await store.deliveries.next_due() is None
        await store.deliveries.note([ONE], at=T0 + 100)
        assert named(await store.deliveries.due(now=T0 + 100, limit=9)) == [(3, 1, 11)]


async def test_a_later_word_without_idn_does_not_forget_it(backend: Backend) -> None:
    async with backend.open() as store:
        await store.deliveries.note([ONE], at=T0)
        await store.deliveries.note([Delivery(3, 1)], at=T0 + 1)
        assert named(await store.deliveries.due(now=T0 + 2, limit=9)) == [(3, 1, 11)]


async def test_what_was_postponed_is_not_due_before(backend: Backend) -> None:
    async with backend.open() as store:
        await store.deliveries.note([ONE], at=T0)
        await store.deliveries.postpone([ONE], until=T0 + 65)
        assert await store.deliveries.due(now=T0 + 64, limit=9) == []
        assert named(await store.deliveries.due(now=T0 + 65, limit=9)) == [(3, 1, 11)]


async def test_too_many_that_wait_are_refused_and_those_applied_are_forgotten_in_the_end(backend: Backend) -> None:
    many = [Delivery(3, number) for number in range(10_005)]
    async with backend.open() as store:
        assert list(await store.deliveries.note(many, at=T0)) == many[10_000:]
        due = await store.deliveries.due(now=T0 + 1, limit=20_000)
        await store.deliveries.settle(due, heard_at=T0 + 1, at=T0 + 1, outcome="refreshed")
        assert await store.deliveries.note(many[10_000:], at=T0 + 2) == []
        await store.deliveries.settle(many[10_000:], heard_at=T0 + 3, at=T0 + 3, outcome="refreshed")
        assert backend.query("SELECT count(*) FROM deliveries") == [(10_000,)]
