"""Files, an HTTP interface by templates, and Business Central as the accountant's side of what people do."""

from __future__ import annotations

import csv
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from precoro_daemon.adapters.ledgers.business_central.payloads import document_number
from tests.adapters.http.stand_ins import serving
from tests.contracts.ledgers.accounting import Keyed
from tests.contracts.ledgers.business_central import BusinessCentral, central_at
from tests.contracts.ledgers.configured import SHAPES, RestRequests, ledger_in
from tests.payments.books import DAY
from tests.payments.scene import Scene, scene
from tests.payments.test_online_ledgers import Entry, Side

_FILES = """
[ledger]
kind = "csv"
name = "books"
[ledger.csv]
in_directory = "{0}/in"
out_directory = "{0}/out"
columns = {{ key = "No", invoice = "Bill", amount = "Sum", currency = "Cur", paid_on = "Day", ours = "Key" }}
[ledger.csv.out_columns]
key = "{{key}}"
bill = "{{invoice_external_id}}"
amount = "{{amount}}"
currency = "{{currency}}"
"""


@dataclass
class RestSide:
    """A payment that was undone stays, and amounts to nothing."""

    system: Keyed = field(default_factory=Keyed)
    currencies: dict[str, str] = field(default_factory=dict)

    def owes(self, bill: str, total: str, currency: str) -> None:
        self.currencies[bill] = currency

    def pays(self, bill: str, amount: str) -> None:
        self.system.add(bill, Decimal(amount), self.currencies[bill], DAY)

    def undoes(self) -> None:
        self.system.change([one.id for one in self._standing()][-1], Decimal(0))

    def refuses(self) -> str:
        raise NotImplementedError

    def is_too_busy(self) -> None:
        raise NotImplementedError

    def entries(self) -> list[Entry]:
        return [(one.bill, one.amount, one.currency) for one in self._standing()]

    def notes(self) -> list[str]:
        return [f"Precoro {one.note}" for one in self._standing() if one.note]

    def _standing(self) -> Iterator[Any]:
        return (one for one in self.system.payments.values() if one.amount)


@dataclass
class FilesSide:
    """The program at the other end takes our files up, each once, and exports all that it has, also with our key."""

    folder: Path
    system: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(mishap=None))
    currencies: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[str]] = field(default_factory=dict)
    exports: int = 0

    def __post_init__(self) -> None:
        for name in ("in", "out"):
            (self.folder / name).mkdir()

    def owes(self, bill: str, total: str, currency: str) -> None:
        self.currencies[bill] = currency

    def pays(self, bill: str, amount: str) -> None:
        self._take_up()
        self._keep(bill, amount, self.currencies[bill], "")
        self._export()

    def undoes(self) -> None:
        self._take_up()
        [*_, last] = [row for row in self.rows.values() if Decimal(row[2])]
        last[2] = "0"
        self._export()

    def refuses(self) -> str:
        raise NotImplementedError

    def is_too_busy(self) -> None:
        raise NotImplementedError

    def entries(self) -> list[Entry]:
        self._take_up()
        return [(row[1], Decimal(row[2]), row[3]) for row in self.rows.values() if Decimal(row[2])]

    def notes(self) -> list[str]:
        self._take_up()
        return [f"Precoro {row[5]}" for row in self.rows.values() if row[5] and Decimal(row[2])]

    def _take_up(self) -> None:
        for path in sorted((self.folder / "out").glob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                [row] = csv.DictReader(file)
            if path.name not in self.rows:
                self._keep(row["bill"], row["amount"], row["currency"], row["key"], path.name)

    def _keep(self, bill: str, amount: str, currency: str, ours: str, name: str = "") -> None:
        number = f"P{len(self.rows)}"
        self.rows[name or number] = [number, bill, amount, currency, DAY.isoformat(), ours]

    def _export(self) -> None:
        self.exports += 1
        path = self.folder / "in" / f"{self.exports}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([["No", "Bill", "Sum", "Cur", "Day", "Key"], *self.rows.values()])
        past = time.time() - 10_000 + self.exports
        os.utime(path, (past, past))


@dataclass
class CentralSide:
    """People post the journal now and then. What they undo there is in no list that the program may read."""

    system: BusinessCentral = field(default_factory=BusinessCentral)
    ours: Callable[[], Iterable[str]] = tuple

    def owes(self, bill: str, total: str, currency: str) -> None:
        self.system.invoice(total, currency, number=bill)

    def pays(self, bill: str, amount: str) -> None:
        self.system.post()

    def undoes(self) -> None:
        self.system.post()

    def refuses(self) -> str:
        raise NotImplementedError

    def is_too_busy(self) -> None:
        raise NotImplementedError

    def entries(self) -> list[Entry]:
        return [(line["appliesToInvoiceNumber"], line["amount"], "EUR") for line in self._lines()]

    def notes(self) -> list[str]:
        keys = {document_number(key): key for key in self.ours()}
        numbers = [line["externalDocumentNumber"] for line in self._lines()]
        return [f"Precoro {keys.get(number, number)}" for number in numbers]

    def _lines(self) -> list[dict[str, Any]]:
        return [*self.system.posted, *self.system.lines]


@asynccontextmanager
async def templates() -> AsyncIterator[tuple[Side, Scene]]:
    side = RestSide()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            serving(side.system.serve) as origin,
            RestRequests(side.system, origin, Path(folder), SHAPES["keyed"][1]).open() as ledger,
        ):
            yield side, scene(ledger=ledger, match_by="external_id")


@asynccontextmanager
async def files() -> AsyncIterator[tuple[Side, Scene]]:
    with tempfile.TemporaryDirectory() as folder:
        side = FilesSide(Path(folder))
        async with ledger_in(Path(folder), _FILES.format(folder)) as ledger:
            yield side, scene(ledger=ledger, match_by="external_id")


@asynccontextmanager
async def central() -> AsyncIterator[tuple[Side, Scene]]:
    side = CentralSide()
    with tempfile.TemporaryDirectory() as folder:
        more = 'bill_name = "number"'
        async with (
            serving(side.system.serve) as origin,
            central_at(origin, Path(folder), more) as ledger,
        ):
            stage = scene(ledger=ledger, match_by="external_id")
            side.ours = lambda: [one.id for one in stage.intents]
            yield side, stage
