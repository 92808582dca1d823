"""Precoro's answers change under payments: nothing is sent or decided by what is not understood, and all goes on
once an invoice is as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from precoro_daemon.errors import AnswersChanged
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.shapes import ShapeChange
from precoro_daemon.mirror.sentinel import Sentinel
from precoro_daemon.payments.answers_watched import Answers, WaitingJob, WatchedGateway
from precoro_daemon.payments.rules.needs import VITAL, lacking
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.runtime.job import LapReport
from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY
from tests.payments.scene import Scene, payments
from tests.payments.world import HOUR, Life, carried_out_then_cut, open_bank

RESHAPED = [
    (field, how)
    for field in ("status", "sum", "currency", "supplier", "logicType", "payments", "payments.sumPaid", "sumPaid")
    for how in ("missing", "object", "text")
    if (field, how) not in (("currency", "text"), ("payments", "object"))
]
"""Text is what a currency is; and with a payment that is none, no invoice is read at all."""


@dataclass
class Watched(Scene):
    """Jobs that watch Precoro's answers, as the program builds them. `reshaped`: how invoices are read"""

    reshaped: tuple[str, str] | None = None

    @classmethod
    def made(cls, **given: Any) -> Watched:
        return cls(open_bank(), **given)

    async def watched_lap(self, after: float = 0.0, *, exporting: bool = False) -> LapReport:
        """One lap, that many seconds later, in a process that was just started."""
        self.bank.clock.time += after
        self.bank.catch_up()
        async with self.life() as life:
            await life.store.journal.arm(self.bank.clock.now())
            await life.mirror(*self.invoices)
            life.wire.reshaped = self.reshaped
            return await (await self._watched_job(life, exporting=exporting)).lap()

    async def _watched_job(self, life: Life, *, exporting: bool) -> WaitingJob:
        job, store = self.job(life), life.store
        sentinel = Sentinel(store.shape_book, self.bank.clock, VITAL)
        await sentinel.load()
        answers = Answers(Direction.TO_LEDGER if exporting else Direction.TO_PRECORO, store.shape_book, sentinel)
        gateway = WatchedGateway(life.gateway, answers)
        if exporting:
            export = replace(self.export_job(life), gateway=gateway, adopt=False)
            return WaitingJob(export, answers)
        return WaitingJob(replace(job, reconciler=replace(job.reconciler, gateway=gateway)), answers)


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


@pytest.mark.parametrize(("field", "how"), RESHAPED)
@pytest.mark.asyncio
async def test_nothing_is_sent_or_decided_by_what_is_not_understood(field: str, how: str) -> None:
    shown = Watched.made()
    await learn(shown)
    invoice = shown.invoice()
    shown.bank.person_pays(invoice, 4_000, DAY.isoformat())
    shown.pays(invoice, "60.00")
    shown.reshaped = (field, how)
    for _ in range(2):
        report = await shown.watched_lap(HOUR)
        assert isinstance(report.ended, AnswersChanged), field
        assert field.replace(".", "[].") in str(report.ended)
        assert shown.intent.state is State.PLANNED
    assert len(shown.calls) == 1  # the second lap did not even ask
    shown.reshaped = None
    await see(shown, invoice)
    assert (await shown.watched_lap(HOUR)).ended is None
    assert payments(invoice) == [4_000, 6_000]
    assert shown.intent.state is State.CONFIRMED


@pytest.mark.parametrize("how", ["missing", "null", "object", "text"])
@pytest.mark.asyncio
async def test_a_doubt_is_not_sent_again_because_payments_do_not_show(how: str) -> None:
    shown = Watched.made(repost="guarded")
    await learn(shown)
    invoice = shown.invoice(13_000)
    shown.pays(invoice, "60.00")
    shown.posts.append(carried_out_then_cut)
    await shown.watched_lap()
    assert shown.intent.state is State.DOUBT
    shown.reshaped = ("payments", how)
    for _ in range(9):
        await shown.watched_lap(HOUR)
    assert payments(invoice) == [6_000]
    shown.reshaped = None
    await see(shown, invoice)
    for _ in range(9):
        await shown.watched_lap(HOUR)
    assert payments(invoice) == [6_000]
    # With a null Precoro says that there is none: a person is asked, and checks go on for some time only.
    assert shown.intent.state is (State.REVIEW if how == "null" else State.CONFIRMED)


@pytest.mark.parametrize("how", ["missing", "text"])
@pytest.mark.asyncio
async def test_an_export_waits_and_loses_nothing(how: str) -> None:
    shown = Watched.made()
    await learn(shown)
    await shown.watched_lap(exporting=True)
    invoice = shown.invoice()
    shown.bank.person_pays(invoice, 10_000, DAY.isoformat())
    shown.reshaped = ("payments", how)
    report = await shown.watched_lap(HOUR, exporting=True)
    assert isinstance(report.ended, AnswersChanged)
    assert (shown.intents, shown.ledger.entries) == ([], [])
    shown.reshaped = None
    await see(shown, invoice)
    assert (await shown.watched_lap(HOUR, exporting=True)).ended is None
    assert [entry.amount for entry in shown.ledger.entries] == [100]


def test_only_the_direction_that_goes_by_it_waits() -> None:
    change = ShapeChange("payments", False, "payDate", "missing", "", 1.0)
    assert lacking(Direction.TO_PRECORO, [change]) == ""
    assert lacking(Direction.TO_LEDGER, [change]) == "Precoro's answers changed: payments list: payDate is missing"
    assert lacking(Direction.TO_LEDGER, [change], {"payDate"}) == ""
    harmless = ShapeChange("invoices", False, "note", "missing", "", 1.0)
    assert not any(lacking(each, [harmless, replace(change, until=2.0)]) for each in Direction)
