"""What every ledger promises, whichever books stand behind it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import partial

import anyio
import pytest

from precoro_daemon.errors import (
    DaemonError,
    DoubtfulError,
    FatalError,
    PermanentError,
    SendingStopped,
    TemporaryError,
)
from precoro_daemon.payments.ports.ledger import Ledger
from tests.contracts.ledgers.books import Books, entry, found, made, permitted, read_all
from tests.contracts.ledgers.configured import CsvBooks
from tests.contracts.ledgers.conftest import Open

pytestmark = pytest.mark.asyncio

AMOUNTS = ["0.01", "-0.01", "0", "1", "10.10", "1234.567", "999999999999.99", "123456789012.345", "100000000000000"]


def skip_unless(condition: bool, reason: str) -> None:
    if not condition:
        pytest.skip(reason)


async def test_created_twice_one_after_the_other_is_one_payment(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.create != "none", "takes no payments")
        first = await made(ledger, entry())
        if ledger.capabilities.create == "idempotent":
            assert await made(ledger, entry()) == first
        assert await books.created() == [(entry().key, Decimal("12.50"), date(2026, 1, 31))]


async def test_created_by_two_at_the_same_time_is_one_payment(open_books: Open):
    async with open_books() as books, books.open() as one, books.open() as other:
        skip_unless(one.capabilities.create == "idempotent", "a second create makes a second payment")
        for round_ in range(5):
            ids: set[str] = set()
            async with anyio.create_task_group() as group:
                for ledger in (one, other, one, other):
                    group.start_soon(partial(_create_or_later, ledger, entry(f"key-{round_}"), ids))
            assert len(ids) == 1
        assert len(await books.created()) == 5


async def _create_or_later(ledger: Ledger, payment: object, ids: set[str]) -> None:
    while True:
        try:
            ids.add(await made(ledger, payment))  # type: ignore[arg-type]
        except TemporaryError:
            await anyio.sleep(0.01)
        else:
            return


async def test_nothing_is_recorded_before_its_permit_nor_without_it(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.create != "none", "takes no payments")
        there: list[int] = []

        async def note(_: str) -> None:
            # By a task of its own: to look into a folder blocks, and is not the ledger's doing.
            there.append(len(await asyncio.create_task(books.created())))

        async def refuse(_: str) -> None:
            await note("")
            raise SendingStopped("the kill switch is on")

        with pytest.raises(SendingStopped, match="kill switch"):
            await ledger.create(entry(), refuse)
        assert await books.created() == []
        await ledger.create(entry(), note)
        assert there == [0, 0]
        assert await _count(books, entry().key) == 1


async def test_a_lost_answer_is_a_doubt_and_the_next_try_settles_it(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.create != "none", "takes no payments")
        if getattr(books, "wire", True) is None:
            pytest.skip("there is no wire that could be cut")
        await books.lose_next_answer()
        with pytest.raises(DoubtfulError):
            await ledger.create(entry(), permitted)
        await _settles(books, ledger)


async def _settles(books: Books, ledger: Ledger, key: str = entry().key) -> None:
    """Whatever became of a create, the next look and the next try agree with the books."""
    before = await _count(books, key)
    there = await found(ledger, key) if ledger.capabilities.lookup == "key" else None
    if ledger.capabilities.lookup == "key":
        # A server may still be busy with what it was sent: between the two looks the payment may appear.
        assert there is not None if before else there is None or await _count(books, key)
    if there is None or ledger.capabilities.create == "idempotent":
        ids: set[str] = set()
        await _create_or_later(ledger, entry(key), ids)
        assert there is None or ids == {there}
    assert await _count(books, key) == 1


async def _count(books: Books, key: str) -> int:
    return [one for one, _, _ in await books.created()].count(key)


async def test_cancelled_at_any_moment_it_is_there_or_it_is_not(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.create == "idempotent", "a late arrival would be a second payment")
        for moment in range(12):
            with anyio.move_on_after(moment * 0.0007):
                await ledger.create(entry(f"key-{moment}"), permitted)
            await _settles(books, ledger, f"key-{moment}")


async def test_odd_texts_are_recorded_or_refused_and_stop_no_other(open_books: Open):
    odd = ["\0", "\ud800", "'; DROP TABLE payments; --", "%s {key} :key", "\r\nX-Evil: 1", "\u202e", "x" * 5000]
    async with open_books() as books, books.open() as ledger:
        for number, text in enumerate(odd):
            payment = entry(f"key-{number}", supplier_name=text, invoice_number=text)
            with suppress(PermanentError):
                await ledger.create(payment, permitted)
        await ledger.create(entry("last"), permitted)
        created = [key for key, _, _ in await books.created()]
        assert created[-1] == "last"
        assert len(created) == len(set(created)) >= len(odd) - 2


async def test_what_is_found_and_what_is_not(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.lookup == "key", "nobody can tell")
        assert await found(ledger, entry().key) is None
        identity = await made(ledger, entry())
        assert await found(ledger, entry().key) == identity
        assert await found(ledger, "another-key") is None


async def test_every_digit_of_an_amount_arrives(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        paid = {}
        skip_unless(ledger.capabilities.reads, "cannot be read")
        amounts: list[str] = getattr(books, "amounts", AMOUNTS)
        for number, amount in enumerate(map(Decimal, amounts)):
            paid[await books.pay("901", amount)] = amount
            await ledger.create(entry(f"key-{number}", amount=f"{amount:f}"), permitted)
        created = {key: amount for key, amount, _ in await books.created()}
        assert created == {f"key-{number}": Decimal(amount) for number, amount in enumerate(amounts)}
        found = (await read_all(ledger)).amounts
        assert {key: found[key] for key in paid} == paid
        assert sorted(found.values()) == sorted([*paid.values()] * (len(found) // len(paid)))


async def test_payments_come_as_the_books_have_them(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads, "cannot be read")
        key = await books.pay("901", Decimal("12.50"), date(2031, 12, 31))
        (payment,) = (await read_all(ledger)).payments
        assert (payment.key, payment.invoice, payment.paid_on) == (key, "901", date(2031, 12, 31))
        assert payment.currency in ("EUR", "")
        assert payment.ours is None


async def test_our_own_payments_are_known_when_they_come_back(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads and ledger.capabilities.create != "none", "goes one way")
        skip_unless(not isinstance(books, CsvBooks), "what went out does not come in by itself")
        identity = await made(ledger, entry())
        (payment,) = (await read_all(ledger)).payments
        assert (payment.key, payment.ours) == (identity, entry().key)


async def test_read_from_any_position_nothing_is_left_out(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads, "cannot be read")
        keys = [await books.pay("901", Decimal(number)) for number in range(1, 8)]
        whole = await read_all(ledger)
        assert list(whole.amounts) == keys
        for stop in range(1, whole.batches + 1):
            first = await read_all(ledger, stop_after=stop)
            second = await read_all(ledger, first.position)
            assert set(first.amounts) | set(second.amounts) == set(keys)


async def test_what_changed_comes_again_and_what_did_not_soon_stops_coming(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads, "cannot be read")
        keys = [await books.pay("901", Decimal(number)) for number in range(1, 8)]
        position = (await read_all(ledger)).position
        await books.change(keys[0], Decimal("99.99"))
        later = await read_all(ledger, position)
        assert later.amounts[keys[0]] == Decimal("99.99")
        quiet = await read_all(ledger, later.position)
        assert len(quiet.amounts) <= 2


async def test_one_that_cannot_be_read_stops_no_other(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads, "cannot be read")
        first = await books.pay("901", Decimal(1))
        await books.spoil()
        last = await books.pay("901", Decimal(2))
        found = await read_all(ledger)
        assert list(found.amounts) == [first, last]
        (bad,) = set(found.unreadable)
        assert "EURO" in bad.reason
        assert bad.key
        assert "EURO" in bad.raw


async def test_nothing_to_read_is_no_failure(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads, "cannot be read")
        assert (await read_all(ledger)).payments == []


async def test_out_of_reach_is_said_and_nothing_is_in_doubt(open_books: Open):
    async with open_books() as books:
        await books.vanish()
        async with books.open() as ledger:
            if ledger.capabilities.create != "none":
                with pytest.raises((TemporaryError, FatalError)):
                    await ledger.create(entry(), permitted)
            if ledger.capabilities.lookup != "none":
                with pytest.raises((TemporaryError, FatalError)):
                    await found(ledger, entry().key)
            if ledger.capabilities.reads:
                with pytest.raises((TemporaryError, FatalError)):
                    await read_all(ledger)


async def test_a_reader_that_goes_away_leaves_nothing_behind(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads, "cannot be read")
        for number in range(3):
            await books.pay("901", Decimal(number))
        with anyio.move_on_after(0.002):
            await read_all(ledger)
        async with ledger.recorded(None):
            pass
        with pytest.raises(RuntimeError, match="of the caller"):
            await _fail_while_reading(ledger)
        assert len((await read_all(ledger)).amounts) == 3


async def _fail_while_reading(ledger: Ledger) -> None:
    async with ledger.recorded(None) as batches:
        async for _ in batches:
            raise RuntimeError("of the caller")


async def test_create_while_reading(open_books: Open):
    async with open_books() as books, books.open() as ledger:
        skip_unless(ledger.capabilities.reads and ledger.capabilities.create != "none", "goes one way")
        await books.pay("901", Decimal(1))
        async with ledger.recorded(None) as batches:
            async for _ in batches:
                if not await books.created():
                    await ledger.create(entry(), permitted)
        assert len(await books.created()) == 1


async def test_its_name_and_its_errors_show_no_secret(open_books: Open):
    async with open_books() as books:
        await books.vanish()
        async with books.open() as ledger:
            told = [repr(ledger), str(ledger.capabilities), ledger.name]
            works = [lambda: ledger.create(entry(), permitted), lambda: read_all(ledger)][
                : 1 + ledger.capabilities.reads
            ]
            for work in works:
                try:
                    await work()
                except DaemonError as error:
                    told += [str(error), repr(error), repr(error.__cause__)]
            assert not [text for text in told if "p4ssword" in text]
