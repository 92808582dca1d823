"""Xero and QuickBooks Online as books that keep the ledger's contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from precoro_daemon.payments.ports.ledger import Ledger
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import drop
from tests.contracts.ledgers.books import Books, Created
from tests.contracts.ledgers.configured import ledger_in, write_secret
from tests.contracts.ledgers.quickbooks import REALM, QuickBooks
from tests.contracts.ledgers.xero import TENANT, Xero

XERO = f"""
[ledger]
kind = "xero"
name = "books"
[ledger.xero]
tenant_id = "{TENANT}"
accounts = {{ EUR = "bank-eur", USD = "bank-usd" }}
"""
QUICKBOOKS = f"""
[ledger]
kind = "quickbooks"
name = "books"
[ledger.quickbooks]
realm_id = {REALM}
accounts = {{ EUR = 35, USD = "36", GBP = "41" }}
"""


def open_online(origin: str, directory: Path, config: str) -> AbstractAsyncContextManager[Ledger]:
    token = write_secret(directory)
    return ledger_in(directory, f'{config}base_url = "{origin}"\ntimeout = "3s"\ntoken_file = "{token}"\n')


@dataclass
class XeroBooks:
    """Implements `Books`. The bill that the contract's payments are for owes without end."""

    system: Xero
    origin: str
    directory: Path
    takes = True
    reads = True

    def open(self) -> AbstractAsyncContextManager[Ledger]:
        return open_online(self.origin, self.directory, XERO)

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31)) -> str:
        return self.system.pay(invoice, amount, str(day)).id

    async def change(self, key: str, amount: Decimal) -> None:
        self.system.change(key, amount=amount)

    async def spoil(self) -> None:
        self.system.pay("901", Decimal(1), "2026-01-31").currency = "EURO"

    async def created(self) -> list[Created]:
        ours = (one for one in self.system.payments.values() if one.reference)
        return [
            ((one.reference or "").removeprefix("Precoro "), one.amount, date.fromisoformat(one.day)) for one in ours
        ]

    async def lose_next_answer(self) -> None:
        self.system.mishap = drop

    async def vanish(self) -> None:
        self.origin = "http://127.0.0.1:1"


@dataclass
class QuickBooksBooks:
    """Implements `Books`, likewise."""

    system: QuickBooks
    origin: str
    directory: Path
    takes = True
    reads = True

    def open(self) -> AbstractAsyncContextManager[Ledger]:
        return open_online(self.origin, self.directory, QUICKBOOKS)

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31)) -> str:
        return f"{self.system.pay(invoice, amount, str(day)).id}/{invoice}"

    async def change(self, key: str, amount: Decimal) -> None:
        id_, _, bill = key.partition("/")
        self.system.change(id_, lines=[(amount, "Bill", bill)])

    async def spoil(self) -> None:
        self.system.pay("901", Decimal(1), "2026-01-31").currency = "EURO"

    async def created(self) -> list[Created]:
        ours = (one for one in self.system.payments.values() if one.note and one.lines)
        return [
            ((one.note or "").removeprefix("Precoro "), (one.lines or [])[0][0], date.fromisoformat(one.day))
            for one in ours
        ]

    async def lose_next_answer(self) -> None:
        self.system.mishap = drop

    async def vanish(self) -> None:
        self.origin = "http://127.0.0.1:1"


@asynccontextmanager
async def xero_books(directory: Path) -> AsyncIterator[Books]:
    system = Xero(largest_page=3)
    system.bill("901")
    async with serving(system.serve) as origin:
        yield XeroBooks(system, origin, directory)


@asynccontextmanager
async def quickbooks_books(directory: Path) -> AsyncIterator[Books]:
    system = QuickBooks()
    system.bill("901")
    async with serving(system.serve) as origin:
        yield QuickBooksBooks(system, origin, directory)
