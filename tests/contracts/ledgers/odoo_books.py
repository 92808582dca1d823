"""Odoo as books that keep the contract, in each version and over each protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from precoro_daemon.payments.ports.ledger import Ledger
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.books import Books, Created
from tests.contracts.ledgers.configured import ledger_in, write_secret
from tests.contracts.ledgers.odoo_database import OdooDatabase
from tests.contracts.ledgers.odoo_server import OdooServer, drop

ODOOS = {
    "odoo 16": (16, True),
    "odoo 18": (18, True),
    "odoo 18 without entries": (18, False),
    "odoo 19": (19, True),
}
"""The version, and whether payments have entries."""

SECTION = """
database = "company"
user = 2
journals = { EUR = 7, USD = "BNKUS" }
"""


def odoo_at(
    origin: str, directory: Path, section: str = SECTION, more: str = ""
) -> AbstractAsyncContextManager[Ledger]:
    """The ledger of this section. `more` is all that stands after it."""
    token = write_secret(directory)
    head = f'[ledger]\nkind = "odoo"\nname = "books"\n[ledger.odoo]\nbase_url = "{origin}"\ntimeout = "3s"\n'
    return ledger_in(directory, f'{head}token_file = "{token}"\n{section}\n{more}')


@dataclass
class OdooBooks:
    """Implements `Books`. All payments are of one bill, which is never paid whole."""

    server: OdooServer
    origin: str
    directory: Path
    takes = True
    reads = True
    amounts = ("0.01", "1", "10.10", "1234.56", "999999999999.99", "10000000000000.01")
    """What a currency with cents and a binary float can hold; Odoo pays nothing that is not above zero."""

    @property
    def database(self) -> OdooDatabase:
        return self.server.database

    def open(self) -> AbstractAsyncContextManager[Ledger]:
        return odoo_at(self.origin, self.directory)

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31)) -> str:
        """Of three where it should be of nothing, which Odoo does not have."""
        return f"{invoice}/payment-{self.database.pay(int(invoice), amount or Decimal(3), day=day)}"

    async def change(self, key: str, amount: Decimal) -> None:
        self.database.edit_payment(int(key.rpartition("-")[2]), amount)

    async def spoil(self) -> None:
        self.database.pay(self.database.bill(5, "EURO"), 5)

    async def created(self) -> list[Created]:
        ours = (one for one in self.database.payments.values() if "Precoro " in one["memo"])
        return [(one["memo"].rpartition(" ")[2], one["amount"], date.fromisoformat(one["date"])) for one in ours]

    async def lose_next_answer(self) -> None:
        self.server.mishap = drop

    async def vanish(self) -> None:
        self.origin = "http://127.0.0.1:1"


@asynccontextmanager
async def odoo_books(name: str, directory: Path) -> AsyncIterator[Books]:
    version, has_entries = ODOOS[name]
    server = OdooServer(OdooDatabase(version, has_entries))
    server.database.bill("50000000000000.00", number=901)
    async with serving(server.serve) as origin:
        yield OdooBooks(server, origin, directory)
