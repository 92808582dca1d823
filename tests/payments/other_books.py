"""Odoo and a database as the accountant's side of what people on both sides do."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.databases import sqlite_books
from tests.contracts.ledgers.odoo_books import odoo_at
from tests.contracts.ledgers.odoo_database import CURRENCIES
from tests.contracts.ledgers.odoo_server import OdooServer
from tests.payments.books import DAY
from tests.payments.scene import Scene, scene
from tests.payments.test_online_ledgers import Entry, Side


@dataclass
class OdooSide:
    """People pay bills in euros by lines of the bank, the others by payments."""

    system: OdooServer = field(default_factory=OdooServer)

    def owes(self, bill: str, total: str, currency: str) -> None:
        self.system.database.bill(total, currency, number=int(bill))

    def pays(self, bill: str, amount: str) -> None:
        books, number = self.system.database, int(bill)
        if CURRENCIES[books.moves[number]["currency_id"]] == "EUR":
            books.bank_line(number, amount, day=DAY.isoformat())
        else:
            books.pay(number, amount, journal=9, day=DAY.isoformat())

    def undoes(self) -> None:
        self.system.database.cancel_payment(self._standing()[-1])

    def refuses(self) -> str:
        raise NotImplementedError

    def is_too_busy(self) -> None:
        raise NotImplementedError

    def entries(self) -> list[Entry]:
        rows = [self.system.database.payments[number] for number in self._standing()]
        return [(str(row["invoice_ids"][0]), row["amount"], CURRENCIES[row["currency_id"]]) for row in rows]

    def notes(self) -> list[str]:
        memos = [self.system.database.payments[number]["memo"] for number in self._standing()]
        return [memo[memo.find("Precoro ") :] for memo in memos if "Precoro " in memo]

    def _standing(self) -> list[int]:
        rows = self.system.database.payments.values()
        return [row["id"] for row in rows if row["state"] not in ("canceled", "cancel", "draft")]


@dataclass
class DatabaseSide:
    """A row that was undone stays, and amounts to nothing."""

    path: Path
    system: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(mishap=None))
    currencies: dict[str, str] = field(default_factory=dict)

    def owes(self, bill: str, total: str, currency: str) -> None:
        self.currencies[bill] = currency

    def pays(self, bill: str, amount: str) -> None:
        self._ask(
            "INSERT INTO payments (bill, amount, currency, paid_on, changed) VALUES (?, ?, ?, ?,"
            " (SELECT coalesce(max(changed), 0) + 1 FROM payments))",
            bill, amount, self.currencies[bill], DAY.isoformat(),
        )  # fmt: skip

    def undoes(self) -> None:
        self._ask(
            "UPDATE payments SET amount = '0', changed = (SELECT max(changed) + 1 FROM payments)"
            " WHERE id = (SELECT max(id) FROM payments WHERE amount <> '0')"
        )

    def refuses(self) -> str:
        raise NotImplementedError

    def is_too_busy(self) -> None:
        raise NotImplementedError

    def entries(self) -> list[Entry]:
        rows = self._ask("SELECT bill, amount, currency FROM payments WHERE amount <> '0'")
        return [(bill, Decimal(amount), currency) for bill, amount, currency in rows]

    def notes(self) -> list[str]:
        rows = self._ask("SELECT precoro_key FROM payments WHERE amount <> '0' AND precoro_key IS NOT NULL")
        return [f"Precoro {key}" for (key,) in rows]

    def _ask(self, sql: str, *values: object) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(sql, values).fetchall()


@asynccontextmanager
async def odoo() -> AsyncIterator[tuple[Side, Scene]]:
    side = OdooSide()
    with tempfile.TemporaryDirectory() as folder:
        async with serving(side.system.serve) as origin, odoo_at(origin, Path(folder)) as ledger:
            yield side, scene(ledger=ledger, match_by="external_id")


@asynccontextmanager
async def database() -> AsyncIterator[tuple[Side, Scene]]:
    with tempfile.TemporaryDirectory() as folder:
        async with sqlite_books(Path(folder)) as books, books.open() as ledger:
            yield DatabaseSide(Path(folder, "books.db")), scene(ledger=ledger, match_by="external_id")
