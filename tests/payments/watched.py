"""A company whose jobs of payments watch Precoro's answers, as the program builds them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.sentinel import Sentinel
from precoro_daemon.payments.answers_watched import Answers, WaitingJob, WatchedGateway
from precoro_daemon.payments.rules.needs import VITAL
from precoro_daemon.payments.rules.states import Direction
from precoro_daemon.payments.unfit_invoices import UnfitInvoices
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY
from tests.payments.scene import Scene
from tests.payments.world import Life, open_bank


@dataclass
class Watched(Scene):
    """Jobs that watch Precoro's answers, as the program builds them. `reshaped`: how invoices are read; `odd`: the
    one that alone is; `faulty`: those that Precoro answers with the
    status `fault`; `down`: it answers everything so;
    `listed`: by id, what list rows have besides; `noted`: the status that answers a PATCH, 0: it is carried out"""

    reshaped: tuple[str, str] | None = None
    odd: Row | None = None
    faulty: list[Row] = field(default_factory=list)
    fault: int = 500
    down: bool = False
    noted: int = 0
    listed: dict[int, str] = field(default_factory=dict)

    @classmethod
    def made(cls, **given: Any) -> Watched:
        return cls(open_bank(), **given)

    async def watched_lap(self, after: float = 0.0, *, exporting: bool = False) -> LapReport:
        """One lap, that many seconds later, in a process that was just started."""
        self.bank.clock.time += after
        self.bank.catch_up()
        async with self.life() as life:
            await life.store.journal.arm(self.bank.clock.now())
            life.listed, life.wire.noted = self.listed, self.noted
            await life.mirror(*self.invoices)
            life.wire.reshaped, life.wire.odd = self.reshaped, None if self.odd is None else self.odd.id
            life.wire.faulty, life.wire.fault, life.wire.down = {row.id for row in self.faulty}, self.fault, self.down
            return await (await self._watched_job(life, exporting=exporting)).lap()

    async def _watched_job(self, life: Life, *, exporting: bool) -> WaitingJob:
        job, store = self.job(life), life.store
        sentinel = Sentinel(store.shape_book, self.bank.clock, VITAL)
        await sentinel.load()
        unfit = UnfitInvoices(store.mirror, sentinel, self.bank.clock)
        answers = Answers(Direction.TO_LEDGER if exporting else Direction.TO_PRECORO, store.shape_book, unfit)
        gateway = WatchedGateway(life.gateway, answers)
        if exporting:
            export = replace(self.export_job(life), gateway=gateway, adopt=False, lacks=unfit.lacks)
            return WaitingJob(export, gateway)
        return WaitingJob(replace(job, reconciler=replace(job.reconciler, gateway=gateway)), gateway)


async def learn(shown: Scene) -> None:
    """What a mirror of some months knows of invoices."""
    supplier = next(iter(shown.bank.company["suppliers"]))
    facts = {"status": schema.APPROVED, "currency": "EUR", "supplier": supplier, "total": 10_000}
    rows = [shown.bank.company.create("invoices", **facts) for _ in range(12)]
    for row in rows[:6]:
        shown.bank.person_pays(row, 3_000, DAY.isoformat())
    for row in rows * 5:
        await see(shown, row)
    async with shown.life() as life:
        assert not await life.store.shape_book.changes()


async def see(shown: Scene, row: Row) -> None:
    """The mirror fetches a detail."""
    async with shown.life() as life:
        sentinel = Sentinel(life.store.shape_book, shown.bank.clock, VITAL)
        await sentinel.load()
        await sentinel.detailed(COLLECTIONS["invoices"], shown.bank.company.details.raw(row).decode())
        await sentinel.keep()
