"""What every state store promises as a budget book (`ports.BudgetBook`)."""

from __future__ import annotations

import time

import pytest

from tests.contracts.backends import Backend
from tests.contracts.listing import T0

HOUR = 3600.0


@pytest.mark.asyncio
async def test_a_new_book_is_empty(backend: Backend) -> None:
    async with backend.open() as store:
        assert await store.budget_book.load(0.0) == []
        assert await store.budget_book.load_closed() == {}
        assert await store.budget_book.load_refusal("key") is None


@pytest.mark.asyncio
async def test_it_knows_what_time_it_is(backend: Backend) -> None:
    """Here all have the same clock."""
    async with backend.open() as store:
        before, now, after = time.time(), await store.budget_book.now(), time.time()
    assert before - 0.1 <= now <= after + 0.1


@pytest.mark.asyncio
async def test_calls_survive_a_restart_oldest_first(backend: Backend) -> None:
    calls = [(T0, b"12345678"), (T0 + 1.25, b""), (T0 + 1.25, b"\x00" * 8), (T0 + 0.5, b"abcdefgh")]
    async with backend.open() as store:
        for at, key in calls:
            await store.budget_book.charge(at, key)
    async with backend.open() as store:
        assert await store.budget_book.load(0.0) == [calls[0], calls[3], calls[1], calls[2]]
        assert await store.budget_book.load(T0 + 1.25) == calls[1:3]


@pytest.mark.asyncio
async def test_a_refund_takes_back_one_call_and_no_other(backend: Backend) -> None:
    async with backend.open() as store:
        for key in (b"12345678", b"12345678", b""):
            await store.budget_book.charge(T0, key)
        await store.budget_book.refund(T0, b"12345678")
        await store.budget_book.refund(T0 + 1, b"")
        assert await store.budget_book.load(0.0) == [(T0, b"12345678"), (T0, b"")]


@pytest.mark.asyncio
async def test_one_call_is_moved_to_when_it_was_made_and_no_other(backend: Backend) -> None:
    async with backend.open() as store:
        for key in (b"12345678", b"12345678", b""):
            await store.budget_book.charge(T0, key)
        await store.budget_book.move(T0, b"12345678", T0 + 2.5)
        await store.budget_book.move(T0 + 1, b"", T0 + 9)
    async with backend.open() as store:
        assert await store.budget_book.load(0.0) == [(T0, b"12345678"), (T0, b""), (T0 + 2.5, b"12345678")]


@pytest.mark.asyncio
async def test_a_charge_is_durable_when_it_returns(backend: Backend) -> None:
    async with backend.open() as store:
        await store.budget_book.charge(T0, b"12345678")
        assert backend.query("SELECT at, key_hash FROM calls") == [(T0, b"12345678")]


@pytest.mark.asyncio
async def test_calls_before_a_time_are_forgotten_only_when_asked(backend: Backend) -> None:
    async with backend.open() as store:
        for hours in (0, 1, 2, 51):
            await store.budget_book.charge(T0 + hours * HOUR, b"")
        assert len(await store.budget_book.load(0.0)) == 4
        await store.budget_book.prune(T0 + HOUR)
        assert await store.budget_book.load(0.0) == [(T0 + hours * HOUR, b"") for hours in (1, 2, 51)]


@pytest.mark.asyncio
async def test_windows_that_opened_long_ago_are_forgotten_with_the_calls(backend: Backend) -> None:
    async with backend.open() as store:
        await store.budget_book.close("GET /invoices", T0)
        await store.budget_book.close("day", T0 + 2 * HOUR)
        await store.budget_book.prune(T0 + HOUR)
        assert await store.budget_book.load_closed() == {"day": T0 + 2 * HOUR}


@pytest.mark.asyncio
async def test_a_closed_window_survives_a_restart_and_the_last_word_counts(backend: Backend) -> None:
    async with backend.open() as store:
        await store.budget_book.close("day", T0 + 9)
        await store.budget_book.close("minute", T0 + 60)
        await store.budget_book.close("day", T0 + 5)
    async with backend.open() as store:
        assert await store.budget_book.load_closed() == {"day": T0 + 5, "minute": T0 + 60}


@pytest.mark.asyncio
async def test_refusals_of_a_key_survive_a_restart_until_cleared(backend: Backend) -> None:
    async with backend.open() as store:
        await store.budget_book.save_refusal("key", 1, T0)
        await store.budget_book.save_refusal("key", 2, T0 + 5)
    async with backend.open() as store:
        assert await store.budget_book.load_refusal("key") == (2, T0 + 5)
        assert await store.budget_book.load_refusal("other") is None
        await store.budget_book.clear_refusal()
        assert await store.budget_book.load_refusal("key") is None


@pytest.mark.asyncio
async def test_what_was_learned_is_kept_with_a_charge_or_a_closed_window_and_stays_until_there_is_news(
    backend: Backend,
) -> None:
    async with backend.open() as store:
        assert await store.budget_book.load_lessons() == {}
        await store.budget_book.charge(T0, b"12345678", None, {"at": T0, "least": 0.25})
        await store.budget_book.charge(T0 + 1, b"")
    async with backend.open() as store:
        assert await store.budget_book.load_lessons() == {"at": T0, "least": 0.25}
        await store.budget_book.close("day", T0 + HOUR, {"at": T0 + 2})
        await store.budget_book.close("hour", T0 + HOUR)
        assert await store.budget_book.load_lessons() == {"at": T0 + 2}
        assert set(await store.budget_book.load_closed()) == {"day", "hour"}
