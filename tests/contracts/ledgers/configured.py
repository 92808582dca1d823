"""Books that are reached through a configuration file, as users reach theirs: HTTP interfaces and folders."""

from __future__ import annotations

import csv
import itertools
import os
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import anyio

from precoro_daemon.app.ledger import open_ledger
from precoro_daemon.payments.ports.ledger import Ledger
from precoro_daemon.settings import Settings, load
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import TOKEN, Accounting, Keyed, Rpc, drop
from tests.contracts.ledgers.books import Books, Created

ACCESS = {"PRECORO_TOKEN": "s3cret-key", "PRECORO_EMAIL": "a@b.c", "PRECORO_DAEMON__PRECORO__REGION": "us"}

RPC = """
values = { database = "books", user = 2, journal = 7 }
ours_prefix = "Precoro "
error = "error"
[ledger.rest.read]
method = "POST"
path = "/jsonrpc"
rows = "result"
paging = "offset"
first = 0
start = "1970-01-01 00:00:00"
only = { payment_type = ["outbound"] }
void = { state = ["draft", "canceled", "cancelled", "rejected"] }
body = '''
{"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
  "{database}", "{user}", "{token}", "account.payment", "search_read",
  [[["payment_type", "=", "outbound"], ["partner_type", "=", "supplier"], ["write_date", ">=", "{position:text}"]]],
  {"fields": ["amount", "currency_id", "date", "memo", "state", "partner_id", "payment_type", "write_date",
              "reconciled_bill_ids"],
   "order": "write_date, id", "offset": "{offset}", "limit": "{size}"}]}}
'''
[ledger.rest.read.fields]
key = "id"
invoice = "reconciled_bill_ids.only"
amount = "amount"
currency = "currency_id.1"
paid_on = "date"
supplier = "partner_id.0"
ours = "memo"
position = "write_date"
[[ledger.rest.prepare]]
method = "POST"
path = "/jsonrpc"
take = { wizard = "result" }
body = '''
{"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
  "{database}", "{user}", "{token}", "account.payment.register", "create",
  [{"amount": "{amount}", "payment_date": "{paid_on}", "journal_id": "{journal}", "communication": "Precoro {key}"}],
  {"context": {"active_model": "account.move", "active_ids": ["{invoice_external_id:int}"]}}]}}
'''
[ledger.rest.create]
method = "POST"
path = "/jsonrpc"
id = "result.res_id"
body = '''
{"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
  "{database}", "{user}", "{token}", "account.payment.register", "action_create_payments", [["{wizard}"]]]}}
'''
[ledger.rest.find]
method = "POST"
path = "/jsonrpc"
rows = "result"
id = "id"
match = "memo"
body = '''
{"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": [
  "{database}", "{user}", "{token}", "account.payment", "search_read", [[["memo", "=", "Precoro {key}"]]],
  {"fields": ["memo"]}]}}
'''
"""
"""JSON-RPC by templates: the key is a part of the body, and errors come with a good status."""

KEYED = """
headers = { Authorization = "Bearer {token}" }
[ledger.rest.create]
method = "POST"
path = "/payments"
headers = { X-Key = "{key}" }
form = { bill = "{invoice_external_id}", "payment[amount]" = "{amount}", currency = "{currency}", day = "{paid_on}" }
id = "payment.number"
repeat = "safe"
[ledger.rest.read]
path = "/payments?since={position}&cursor={cursor}&limit={size}"
rows = "data"
paging = "cursor"
next = "page.after"
[ledger.rest.read.fields]
key = "number"
invoice = "bill"
amount = "amount"
currency = "currency"
paid_on = "day"
ours = "note"
position = "at"
"""


def with_small_pages(config: str) -> str:
    return config.replace("[ledger.rest.read]\n", "[ledger.rest.read]\nsize = 2\n")


SHAPES: dict[str, tuple[type[Accounting], str]] = {
    "rpc": (Rpc, with_small_pages(RPC)),
    "keyed": (Keyed, with_small_pages(KEYED)),
}


@asynccontextmanager
async def ledger_in(directory: Path, text: str) -> AsyncIterator[Ledger]:
    """The ledger of this configuration file."""
    settings = await anyio.to_thread.run_sync(configured, directory, text)
    async with open_ledger(settings) as ledger:
        assert ledger
        yield ledger


def write_secret(directory: Path, text: str = TOKEN) -> Path:
    path = directory / "token"
    path.write_text(text)
    path.chmod(0o600)
    return path


def configured(directory: Path, text: str) -> Settings:
    path = directory / "config.toml"
    path.write_text(text)
    return load(path, ACCESS)


@dataclass
class RestRequests:
    """Implements `Books`."""

    system: Accounting
    origin: str
    directory: Path
    config: str
    takes = True
    reads = True

    def open(self) -> AbstractAsyncContextManager[Ledger]:
        text = f'[ledger]\nkind = "rest"\nname = "books"\n[ledger.rest]\nbase_url = "{self.origin}"\ntimeout = "3s"\n'
        token = write_secret(self.directory)
        return ledger_in(self.directory, f'{text}token_file = "{token}"\n{self.config}')

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31), currency: str = "EUR") -> str:
        return str(self.system.add(invoice, amount, currency, day).id)

    async def change(self, key: str, amount: Decimal) -> None:
        self.system.change(int(key), amount)

    async def spoil(self) -> None:
        await self.pay("901", Decimal(1), currency="EURO")

    async def created(self) -> list[Created]:
        return [
            (payment.note.removeprefix("Precoro "), payment.amount, date.fromisoformat(payment.day))
            for payment in self.system.payments.values()
            if payment.note
        ]

    async def lose_next_answer(self) -> None:
        self.system.mishap = drop

    async def vanish(self) -> None:
        self.origin = "http://127.0.0.1:1"


@asynccontextmanager
async def rest_books(shape: str, directory: Path) -> AsyncIterator[Books]:
    kind, config = SHAPES[shape]
    system = kind()
    async with serving(system.serve) as origin:
        yield RestRequests(system, origin, directory, config)


@dataclass
class CsvBooks:
    """Implements `Books`: what comes in and what goes out are not the same payments."""

    directory: Path
    wire = None
    takes = True
    reads = True

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def open(self) -> AbstractAsyncContextManager[Ledger]:
        into, out = self.directory / "in", self.directory / "out"
        return ledger_in(
            self.directory,
            f"""
[ledger]
kind = "csv"
name = "books"
[ledger.csv]
in_directory = "{into}"
out_directory = "{out}"
columns = {{ key = "No", invoice = "Bill", amount = "Sum", currency = "Cur", paid_on = "Day" }}
""",
        )

    async def pay(self, invoice: str, amount: Decimal, day: date = date(2026, 1, 31), currency: str = "EUR") -> str:
        number = next(self._numbers)
        self.drop_file(number, f"P{number},{invoice},{amount:f},{currency},{day}\n")
        return f"P{number}"

    async def change(self, key: str, amount: Decimal) -> None:
        self.drop_file(next(self._numbers), f"{key},901,{amount:f},EUR,2026-01-31\n")

    def drop_file(self, number: int, rows: str) -> None:
        path = self.directory / "in" / f"{number}.csv"
        path.write_text(f"No,Bill,Sum,Cur,Day\n{rows}")
        past = time.time() - 10_000 + number
        os.utime(path, (past, past))

    async def spoil(self) -> None:
        await self.pay("901", Decimal(1), currency="EURO")

    async def created(self) -> list[Created]:
        rows: list[Created] = []
        for path in sorted((self.directory / "out").glob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                (row,) = csv.DictReader(file)
            rows.append((row["key"], Decimal(row["amount"]), date.fromisoformat(row["paid_on"])))
        return rows

    async def lose_next_answer(self) -> None:
        raise NotImplementedError

    async def vanish(self) -> None:
        for name in ("in", "out"):
            await anyio.Path(self.directory / name).rename(self.directory / f"{name}.away")


@asynccontextmanager
async def csv_books(directory: Path) -> AsyncIterator[Books]:
    for name in ("in", "out"):
        (directory / name).mkdir()
    yield CsvBooks(directory)
