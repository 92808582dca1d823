"""Precoro's answers change under payments: nothing is sent or decided by what is not understood, and all goes on
once an invoice is as it was."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from precoro_daemon.errors import AnswersChanged
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.mirror.rules.collections import COLLECTIONS
from precoro_daemon.mirror.rules.quarantine import Stage
from precoro_daemon.mirror.rules.shapes import ShapeChange
from precoro_daemon.mirror.sentinel import Sentinel
from precoro_daemon.payments.forecast import forecast_lap
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.needs import VITAL, lacking
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.sandbox.fault_kinds import reshape
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY
from tests.payments.scene import payments
from tests.payments.watched import Watched, learn, see
from tests.payments.world import HOUR, MINUTE, Life, carried_out_then_cut

RESHAPED = [
    (field, how)
    for field in ("status", "sum", "currency", "supplier", "logicType", "payments", "payments.sumPaid", "sumPaid")
    for how in ("missing", "object", "text")
    if (field, how) != ("currency", "text")
]
"""Text is what a currency is."""


@pytest.mark.parametrize(("field", "how"), RESHAPED)
@pytest.mark.asyncio
async def test_nothing_is_sent_or_decided_by_what_is_not_understood(field: str, how: str) -> None:
    shown = Watched.made()
    await learn(shown)
    invoices = [shown.invoice(), shown.invoice()]
    for invoice in invoices:
        shown.bank.person_pays(invoice, 4_000, DAY.isoformat())
        shown.pays(invoice, "60.00")
    shown.reshaped = (field, how)
    for _ in range(2):
        report = await shown.watched_lap(HOUR)
        assert isinstance(report.ended, AnswersChanged), field
        assert field.replace(".", "[].") in str(report.ended)
        assert {one.state for one in shown.intents} == {State.PLANNED}
    assert len(shown.calls) == 2  # one for each; the second lap did not even ask
    shown.reshaped = None
    await see(shown, invoices[0])
    assert (await shown.watched_lap(HOUR)).ended is None
    assert [payments(invoice) for invoice in invoices] == [[4_000, 6_000]] * 2
    assert {one.state for one in shown.intents} == {State.CONFIRMED}


@pytest.mark.parametrize(("field", "how"), RESHAPED)
@pytest.mark.asyncio
async def test_an_invoice_that_alone_lacks_something_stops_no_other(field: str, how: str) -> None:
    shown = Watched.made()
    await learn(shown)
    odd, *others = (shown.invoice() for _ in range(3))
    for invoice in (odd, *others):
        shown.bank.person_pays(invoice, 4_000, DAY.isoformat())
        shown.pays(invoice, "60.00")
    shown.reshaped, shown.odd = (field, how), odd
    report = await shown.watched_lap()
    assert report.ended is None
    [said] = report.failed
    assert f"invoice {odd.idn}" in said
    assert field.replace(".", "[].") in said
    assert [payments(invoice) for invoice in (odd, *others)] == [[4_000], [4_000, 6_000], [4_000, 6_000]]
    await _waits_alone(shown, odd)
    shown.reshaped = None
    assert not (await shown.watched_lap(HOUR)).failed
    assert payments(odd) == [4_000, 6_000]
    async with shown.life() as life:
        assert not await life.store.mirror.count_quarantined()


async def _waits_alone(shown: Watched, odd: Row) -> None:
    """It is kept with the document, read once an hour, and seen in the plan."""
    async with shown.life() as life:
        kept = await life.store.mirror.quarantined("invoices", str(odd.idn), Stage.PAYMENT)
        assert kept is not None
        assert str(odd.idn) in (kept.raw or "")
        forecast = await forecast_lap(life.store.journal, shown.job(life).access, Caps(), shown.job(life).stopped)
    [held] = [one for one in forecast.forecasts if one.fate == "held"]
    assert "not as of others" in held.reason
    [waiting] = [one for one in shown.intents if one.invoice_id == odd.id]
    assert waiting.state is State.PLANNED
    reads = len(shown.calls)
    assert (await shown.watched_lap(HOUR / 2)).failed
    assert len(shown.calls) == reads
    assert (await shown.watched_lap(HOUR)).failed
    assert len(shown.calls) == reads + 1
    assert payments(odd) == [4_000]


@pytest.mark.parametrize(
    ("field", "how"),
    [("payments", "missing"), ("payments", "object"), ("payments.sumPaid", "text"), ("sumPaid", "text")],
)
@pytest.mark.asyncio
async def test_what_an_odd_invoice_shows_takes_nothing_back(field: str, how: str) -> None:
    """Its detail came by way of the mirror, which keeps it as it is."""
    shown = Watched.made()
    await learn(shown)
    await shown.watched_lap(exporting=True)
    odd, other = shown.invoice(20_000), shown.invoice()
    shown.bank.person_pays(odd, 10_000, DAY.isoformat())
    assert not (await shown.watched_lap(HOUR, exporting=True)).failed
    shown.bank.person_pays(odd, 5_000, DAY.isoformat())
    shown.bank.person_pays(other, 10_000, DAY.isoformat())
    shown.reshaped, shown.odd = (field, how), odd
    async with shown.life() as life:
        await life.mirror(*shown.invoices)
        await mirrored_detail(shown, life, odd)
    report = await shown.watched_lap(HOUR, exporting=True)
    assert (report.ended, len(report.failed)) == (None, 1)
    assert [entry.amount for entry in shown.ledger.entries] == [100, 100]
    assert {one.state for one in shown.intents} == {State.CONFIRMED}
    shown.reshaped = None
    assert not (await shown.watched_lap(HOUR, exporting=True)).failed
    assert [entry.amount for entry in shown.ledger.entries] == [100, 100, 50]


async def mirrored_detail(shown: Watched, life: Life, row: Row) -> None:
    """The job of details has it as Precoro sends it now."""
    document = json.loads(shown.bank.company.details.raw(row))
    reshape(document, *shown.reshaped or ())
    raw = json.dumps(document)
    sentinel = Sentinel(life.store.shape_book, shown.bank.clock, VITAL)
    await sentinel.load()
    await sentinel.detailed(COLLECTIONS["invoices"], raw)
    await sentinel.keep()
    [known] = await life.store.mirror.known("invoices", [row.id])
    await life.store.mirror.save_detail(known.due, Detail(row.id, raw), at=shown.bank.clock.now())
    shown.bank.clock.time += MINUTE


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
    assert len(report.failed) == 1
    assert (shown.intents, shown.ledger.entries) == ([], [])
    shown.reshaped = None
    assert not (await shown.watched_lap(HOUR, exporting=True)).failed
    assert [entry.amount for entry in shown.ledger.entries] == [100]


def test_only_the_direction_that_goes_by_it_waits() -> None:
    change = ShapeChange("payments", False, "payDate", "missing", "", 1.0)
    assert lacking(Direction.TO_PRECORO, [change]) == ""
    assert lacking(Direction.TO_LEDGER, [change]) == "Precoro's answers changed: payments list: payDate is missing"
    assert lacking(Direction.TO_LEDGER, [change], {"payDate"}) == ""
    assert lacking(Direction.TO_LEDGER, [replace(change, only=7)]) == ""
    harmless = ShapeChange("invoices", False, "note", "missing", "", 1.0)
    assert not any(lacking(each, [harmless, replace(change, until=2.0)]) for each in Direction)
