"""A Precoro that reads `modifiedSince` in any time zone, and a mirror of one of its lists, in virtual time."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from precoro_daemon.adapters.state.sqlite.state import SqliteState
from precoro_daemon.mirror.ports.mirror import Mirror
from precoro_daemon.mirror.ports.precoro import Detail, ListRequest
from precoro_daemon.mirror.rules.collections import COLLECTIONS, Collection
from precoro_daemon.mirror.rules.cursors import Page
from precoro_daemon.mirror.rules.documents import Record, read_record
from precoro_daemon.mirror.rules.filters import Filter
from precoro_daemon.mirror.scanning import Lister, ScanReport, bring_up_to_date
from precoro_daemon.quota.limits import Lane
from precoro_daemon.status.progress import Silent

PAYMENTS = COLLECTIONS["payments"]
OVERLAP = 3600.0
PAGE = 50
BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC).timestamp()


_KNOWN = "SELECT id, data FROM records WHERE collection = 'payments'"


def text(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass
class Zoned:
    """`zone`: hours ahead of UTC. `dated`: it also writes `updateDate` in that zone, without saying so."""

    zone: float
    dated: bool = False
    time: float = BEGIN
    rows: dict[int, tuple[float, str]] = field(default_factory=dict)
    asked: list[float | None] = field(default_factory=list)

    def edit(self, number: int, note: str) -> None:
        self.rows[number] = (self.time, note)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds

    def anchor(self, server_time: float) -> None:
        """It is the server's own."""

    @property
    def offset(self) -> float:
        return self.zone * 3600

    def _record(self, number: int) -> Record:
        at, note = self.rows[number]
        date = text(at + self.offset if self.dated else at)
        return read_record(json.dumps({"id": number, "updateDate": date, "note": note}).encode())

    def _page(self, wanted: ListRequest, number: int) -> Page:
        since = -1e12 if wanted.since is None else float(int(wanted.since)) - self.offset
        ids = sorted((one for one, (at, _) in self.rows.items() if int(at) >= since), reverse=True)
        some = ids[(number - 1) * PAGE : number * PAGE]
        pages = max(1, -(-len(ids) // PAGE))
        records = [self._record(one) for one in some]
        return Page(number, records, total=len(ids), total_pages=pages, server_time=float(int(self.time)))

    @asynccontextmanager
    async def scan(self, wanted: ListRequest, lane: Lane, start: int) -> AsyncIterator[AsyncIterator[Sequence[Page]]]:
        self.asked.append(wanted.since)

        async def batches() -> AsyncIterator[Sequence[Page]]:
            number = start
            while True:
                page = self._page(wanted, number)
                yield [page]
                if page.is_last:
                    return
                number += 1

        yield batches()

    async def page(self, wanted: ListRequest, lane: Lane, number: int) -> Page:
        return self._page(wanted, number)

    async def probe(self, collection: Collection, lane: Lane) -> None:
        """Nobody asks."""

    async def measure(self, wanted: ListRequest, lane: Lane) -> int:
        return len(self.rows)

    async def detail(self, collection: Collection, key: int | str, lane: Lane) -> Detail:
        raise AssertionError("payments have none")


@dataclass
class Mirrored:
    there: Zoned
    mirror: Mirror
    path: Path

    async def poll(self, overlap: float = OVERLAP) -> ScanReport:
        lister = Lister(self.there, self.mirror, self.there, Silent(), max_vanished=0.2)
        return await bring_up_to_date(lister, PAYMENTS, Filter(), overlap, Lane.LISTS)

    def stale(self) -> list[int]:
        """Rows that are there, and that the mirror lacks or has otherwise."""
        with closing(sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True)) as connection:
            known = {number: json.loads(data)["note"] for number, data in connection.execute(_KNOWN)}
        return [number for number, (_, note) in self.there.rows.items() if known.get(number) != note]

    async def skew(self) -> float:
        return (await self.mirror.skew()).seconds


@asynccontextmanager
async def mirrored(there: Zoned, directory: Path) -> AsyncIterator[Mirrored]:
    path = directory / "state.db"
    async with SqliteState(path, "company").open() as store:
        yield Mirrored(there, store.mirror, path)


async def story(seed: int) -> None:
    """People work on a list, one or many rows at a time; after every scan the mirror has what the list has."""
    random = Random(seed)
    there = Zoned(random.randint(-48, 56) / 4, dated=random.random() < 0.3)
    for number in range(1, random.randint(0, 14) + 1):
        there.rows[number] = (there.time - 40_000 * number, "from before")
    with tempfile.TemporaryDirectory() as folder:
        async with mirrored(there, Path(folder)) as shown:
            await shown.poll()
            for _ in range(random.randint(1, 12)):
                for _ in range(random.randint(0, 6)):
                    there.time += random.randint(1, 7200)
                    _act(there, random)
                there.time += random.choice((60, 900, 3600, 30_000, 90_000))
                await shown.poll()
                assert shown.stale() == [], f"zone {there.zone}, dates of its own: {there.dated}"
            assert there.zone < 0 or await shown.skew() == 0.0, "nobody is alarmed without a reason"


def _act(there: Zoned, random: Random) -> None:
    numbers = sorted(there.rows, key=lambda number: there.rows[number], reverse=True)
    what = random.choice(("edit", "edit", "edit", "create", "delete"))
    if what == "create" or not numbers:
        there.edit(max(there.rows, default=0) + 1, f"made at {there.time}")
        return
    number = numbers[random.choice((0, 0, 1, 2, 5, 9)) % len(numbers)]
    if what == "edit":
        there.edit(number, f"edited at {there.time}")
    else:
        del there.rows[number]
