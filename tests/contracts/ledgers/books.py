"""Accounting systems that have to keep the ledger's contract, with a way to look at each from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from precoro_daemon.payments.ports.ledger import Entry, Ledger
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, UnreadableRow

Created = tuple[str, Decimal, date]
"""A payment of ours as the books have it: our key, the amount, the day."""


class Books(Protocol):
    """One accounting system."""

    takes: bool
    """Whether payments can be created in it."""

    reads: bool

    def open(self) -> AbstractAsyncContextManager[Ledger]: ...

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31)) -> str:
        """Somebody records a payment; the key it has there."""
        ...

    async def change(self, key: str, amount: Decimal) -> None: ...

    async def spoil(self) -> None:
        """A payment is recorded that cannot be read."""
        ...

    async def created(self) -> list[Created]:
        """Our payments."""
        ...

    async def lose_next_answer(self) -> None:
        """The next create is carried out, but nobody hears of it."""
        ...

    async def vanish(self) -> None:
        """From now on it cannot be reached."""
        ...


Opening = Callable[[Path], AbstractAsyncContextManager[Books]]


def entry(key: str = "5f0c9a52-7a4b-5c9e-9d57-0d8f0b6c1a11", amount: str = "12.50", **changed: object) -> Entry:
    fields: dict[str, object] = {
        "currency": "EUR",
        "paid_on": date(2026, 1, 31),
        "payment_id": 7,
        "invoice_id": 45,
        "invoice_idn": "12",
        "invoice_number": "INV-2026/7 'ü'",
        "invoice_external_id": "901",
        "supplier_id": 3,
        "supplier_name": 'Büro "Nord" & Söhne; DROP TABLE',
    }
    return Entry(key=key, amount=Decimal(amount), **(fields | changed))  # type: ignore[arg-type]


@dataclass
class Read:
    """What one reading of the books brought, and where it goes on."""

    payments: list[LedgerPayment]
    unreadable: list[UnreadableRow]
    position: str | None
    batches: int
    undone: list[str] = field(default_factory=list)

    @property
    def amounts(self) -> dict[str, Decimal]:
        """By key, as the last word on each."""
        return {payment.key: payment.amount for payment in self.payments}


async def read_all(ledger: Ledger, position: str | None = None, stop_after: int | None = None) -> Read:
    found = Read([], [], position, 0)
    async with ledger.recorded(position) as batches:
        async for batch in batches:
            found.payments += batch.payments
            found.unreadable += batch.unreadable
            found.undone += [document.key for document in batch.undone]
            found.position = batch.position
            found.batches += 1
            if found.batches == stop_after:
                break
    return found


async def permitted(_: str) -> None:
    """A permit that nothing stands against."""


async def made(ledger: Ledger, one: Entry) -> str:
    """The ledger's id of the payment that is created."""
    return (await ledger.create(one, permitted)).key


async def found(ledger: Ledger, key: str) -> str | None:
    """The ledger's id of the payment that is found."""
    receipt = await ledger.find(key)
    return None if receipt is None else receipt.key


async def drain(iterator: AsyncIterator[object]) -> int:
    return len([one async for one in iterator])
