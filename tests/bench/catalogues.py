"""A plan for a supplier's items, timed from inside: `python -m tests.bench.catalogues WHAT FOLDER COUNT`."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from precoro_daemon.adapters.host.clock import RealClock
from precoro_daemon.adapters.sources.files import FileSource, Format
from precoro_daemon.adapters.state.ports import Store
from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.catalogue.plan_items import PlanItems, Rules
from precoro_daemon.catalogue.rules.plan import Policy
from precoro_daemon.catalogue.rules.sheets import Reading
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.scanning import Lister
from precoro_daemon.status.progress import Silent

SUPPLIER = 7
COLUMNS = ("externalId", "sku", "name", "description", "price", "currency", "unit", "freeOfCharge", "hiddenInCatalog")
_DIFFER = 10
"""Every how many is to be changed."""


class NothingNew:
    """Implements as much of `Precoro` as a plan asks for: lists in which nothing changed."""

    @asynccontextmanager
    async def scan(self, *_: Any) -> AsyncIterator[AsyncIterator[Sequence[Page]]]:
        async def pages() -> AsyncIterator[Sequence[Page]]:
            yield [Page(1, (), total=0, total_pages=1, has_next=False, server_time=time.time())]

        yield pages()


def _row(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "externalId": f"ART-{number:07d}",
        "sku": f"{number:07d}-{number % 97:02d}",
        "name": f"Article {number} of a catalogue",
        "description": "As long as descriptions usually are: two lines or so of text that says what it is.",
        "price": f"{number % 9_000 + 1}.{number % 100:02d}",
        "currency": "EUR",
        "unit": ("pcs", "box", "kg")[number % 3],
        "freeOfCharge": False,
        "hiddenInCatalog": False,
        "createDate": "2026-01-01T10:00:00",
        "updateDate": "2026-02-01T10:00:00",
        "category": {"id": number % 20 + 1, "name": f"Category {number % 20}"},
        "supplier": {"id": SUPPLIER, "name": "Supplier"},
        "dataProductCustomFields": {
            "data": [{"id": number, "value": "red", "itemCustomField": {"id": 5, "name": "C"}}]
        },
    }


async def fill(folder: Path, count: int) -> float:
    async with SqliteState(folder / "state.db", "company").open() as store:

        def work(session: Any) -> None:
            connection = session.connection
            insert = (
                "INSERT INTO records (collection, id, version, wanted, first_seen_at, changed_at, data)"
                " VALUES (?, ?, randomblob(16), 1, 0, 0, ?)"
            )
            supplier = json.dumps({"id": SUPPLIER, "name": "Supplier", "enable": True, "currencies": ["EUR"]})
            connection.execute(insert, ("suppliers", SUPPLIER, supplier))
            rows = (("items", number, json.dumps(_row(number))) for number in range(1, count + 1))
            connection.executemany(insert, rows)
            for name in ("suppliers", "items", "units"):
                connection.execute(
                    "INSERT INTO cursors (collection, at, whole_at, pages, unproved, tries, filter)"
                    " VALUES (?, ?, 0, 1, 0, 0, '')",
                    (name, time.time()),
                )

        await store.catalogue._transactions.write(work)
    with (folder / "wanted.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(1, count + 1):
            row = _row(number) | ({"price": "0.01"} if number % _DIFFER == 0 else {})
            cells = (str(row[name]).lower() if isinstance(row[name], bool) else row[name] for name in COLUMNS)
            writer.writerow(list(cells))
    return 0.0


async def load(store: Store, source: FileSource) -> None:
    """Both sides into memory: rows as cells, items as values."""
    sheet = await source.read("")
    theirs = [item async for items in store.catalogue.items(SUPPLIER, {}) for item in items]
    assert len(theirs) == len(sheet.rows)


async def plan(store: Store, source: FileSource, count: int) -> None:
    lister = Lister(NothingNew(), store.mirror, RealClock(), Silent(), 0.2)  # type: ignore[arg-type]
    planner = PlanItems(lister, store.catalogue, store.change_log, store.custom_fields, {}, 3600.0)
    made = await planner.plan(source, str(SUPPLIER), Rules(Reading(), Policy(), 0.2))
    assert (len(made.plan.steps), made.plan.unchanged) == (count // _DIFFER, count - count // _DIFFER)


async def measure(what: str, folder: Path, count: int) -> float:
    source = FileSource(folder / "wanted.csv", Format())
    async with SqliteState(folder / "state.db", "company").open() as store:
        began = time.perf_counter()
        await (load(store, source) if what == "load" else plan(store, source, count))
        return time.perf_counter() - began


if __name__ == "__main__":
    what, where, many = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    seconds = asyncio.run(fill(where, many) if what == "fill" else measure(what, where, many))
    print(json.dumps({"seconds": seconds}))
