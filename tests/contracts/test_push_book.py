"""What every state store promises as a log of pushes (`exports.ports.PushBook`)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from precoro_daemon.exports.ports.pushes import Push
from precoro_daemon.exports.rules.pushing import new_push
from precoro_daemon.mirror.rules.change_log import Move
from tests.contracts.backends import Backend
from tests.contracts.listing import listed, record

pytestmark = pytest.mark.asyncio


def push(record: int, seq: int, **given: object) -> Push:
    return replace(new_push("shop", "invoices", record, seq, 1000.0), **given)  # type: ignore[arg-type]


async def test_it_is_kept_what_became_of_each(backend: Backend) -> None:
    one = push(1, 3, state="delivered", tried_at=5.0, attempts=2)
    two = push(2, 4, tried_at=6.0, attempts=1, due_at=70.5, answer="é" * 400)
    async with backend.open() as store:
        assert await store.push_book.known("shop", 0, 99) == set()
        await store.push_book.save("shop", [one, two])
        await store.push_book.save("other", [replace(one, state="dead")])
        await store.push_book.save("other", [])
    async with backend.open() as store:
        book = store.push_book
        assert await book.known("shop", 0, 3) == {one.id}
        assert await book.known("shop", 3, 99) == {two.id}
        kept = replace(two, answer="é" * 300)
        assert await book.listed("shop", dead=False, limit=9) == [kept, one]
        assert await book.listed("shop", dead=False, limit=1) == [kept]
        assert await book.due("shop", 70.0, 9) == []
        assert await book.due("shop", 71.0, 9) == [kept]
        assert await book.counts("shop") == {"delivered": 1, "waiting": 1}
        await book.save("shop", [replace(two, state="dead")])
        assert [each.id for each in await book.listed("shop", dead=True, limit=9)] == [two.id]


async def test_what_was_not_delivered_is_forgotten_once_the_record_went_out_again(backend: Backend) -> None:
    async with backend.open() as store:
        book = store.push_book
        await book.save("shop", [push(1, 1), push(1, 2, state="delivered"), push(2, 3, state="dead"), push(3, 4)])
        await book.save("shop", [push(1, 8, state="delivered"), push(2, 9), push(4, 10)])
        assert {one.seq for one in await book.listed("shop", dead=False, limit=99)} == {2, 4, 8, 9, 10}


async def test_a_log_is_as_long_as_it_may_be(backend: Backend) -> None:
    async with backend.open() as store:
        book = store.push_book
        await book.save("shop", [push(n, n, state="delivered", tried_at=float(n)) for n in range(1, 9)])
        await book.save("shop", [push(9, 9, tried_at=0.5), push(10, 10, state="dead", tried_at=0.5)])
        await book.forget("shop", 3.0, 99)
        assert await book.counts("shop") == {"delivered": 6, "waiting": 1, "dead": 1}
        await book.forget("shop", 0.0, 4)
        assert {one.seq for one in await book.listed("shop", dead=False, limit=99)} == {5, 6, 7, 8, 9, 10}


async def test_a_person_has_dead_ones_sent_again_or_dropped(backend: Backend) -> None:
    async with backend.open() as store:
        book = store.push_book
        await book.save("shop", [push(1, 1, state="dead"), push(2, 2), push(3, 3, state="delivered")])
        assert await book.revive("shop", 500.0) == 1
        assert [(one.record, one.since) for one in await book.due("shop", 500.0, 9)] == [(1, 500.0), (2, 1000.0)]
        assert await book.drop("shop", push(3, 3).id) == 0
        assert await book.drop("shop", push(2, 2).id) == 1
        await book.save("shop", [push(1, 1, state="dead")])
        assert await book.drop("shop", None) == 1
        assert await book.counts("shop") == {"delivered": 1}


async def test_one_that_stopped_goes_on_when_a_person_wants_it(backend: Backend) -> None:
    async with backend.open() as store:
        book = store.push_book
        assert await book.stopped("shop") == ""
        for go_on in (
            lambda: book.revive("shop", 1.0),
            lambda: book.rewind("shop", 0),
            lambda: book.stop("shop", ""),
        ):
            await book.stop("shop", "abc")
            assert await book.stopped("shop") == "abc"
            await go_on()
            assert await book.stopped("shop") == ""


async def test_it_goes_back_and_never_ahead(backend: Backend) -> None:
    async with backend.open() as store:
        book, feed = store.push_book, store.export_feed
        await listed(store.mirror, record(1), record(2))
        await feed.move(Move("shop", 0, 2), "note")
        assert not await book.rewind("shop", 3)
        assert (await feed.position("shop"), await feed.note("shop")) == (2, "note")
        assert await book.rewind("shop", 1)
        assert (await feed.position("shop"), await feed.note("shop")) == (1, None)
        assert await book.change_before(0.0) == 0
        assert await book.change_before(1e12) == 2
