"""What of the ledger meets no invoice, cannot be read, or is read again: listed, said once, and never lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from precoro_daemon.errors import DecisionRefused, PermanentError
from precoro_daemon.payments.commands import Command, CommandHandler
from precoro_daemon.payments.forecast import LapForecast, forecast_lap
from precoro_daemon.payments.ledger_access import LedgerAccess
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.ledger_payments import UnreadableRow
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox import schema
from tests.payments.books import DAY
from tests.payments.scene import Scene, payments, scene
from tests.payments.world import HOUR

pytestmark = pytest.mark.asyncio

BAD = UnreadableRow("17", "amount: '1,0,0' is no plain number", "{}")


async def outlook(stage: Scene) -> LapForecast:
    async with stage.life() as life:
        job = stage.job(life)
        return await forecast_lap(life.store.journal, job.access, stage.caps, job.stopped)


async def decide(stage: Scene, kind: str, **given: object) -> str:
    async with stage.life() as life:
        handler = CommandHandler(Recorder(life.store.journal, stage.bank.clock), stage.job(life).access, marks=True)
        return await handler.execute(Command(kind, "somebody", **given))


async def whys(stage: Scene) -> dict[str, str]:
    return {one.payment.key: one.why for one in (await outlook(stage)).unmatched}


async def test_what_meets_no_invoice_is_listed_with_why() -> None:
    stage = scene()
    pending, paid = stage.invoice(status=schema.PENDING), stage.invoice(status=schema.PAID)
    stage.ledger.record("A", '="16"', "10.00")
    stage.ledger.record("E", "refund", "-10.00")
    stage.pays(pending, key="B")
    stage.pays(paid, key="C")
    stage.pays(pending, key="D", ours="6b5a1f1e-0000-5000-8000-00000000000b")
    await stage.lap()
    said = await whys(stage)
    assert said["A"] == "no invoice in the mirror is called '=\"16\"' (idn)"
    assert said["E"].endswith("as it is not above zero, it is never sent")
    assert said["B"] == "its invoice is pending approval and cannot be paid now"
    assert said["C"] == "its invoice is paid and cannot be paid now"
    assert said["D"].startswith("it carries a key of ours that this state does not know")


async def test_a_number_of_another_supplier_and_a_cancelled_invoice_are_named() -> None:
    stage = scene(match_by="number_and_supplier")
    first = next(iter(stage.bank.company["suppliers"]))
    mine = stage.invoice(invoiceNumber="2026-1", supplier=first)
    stage.invoice(invoiceNumber="2026-2", supplier=first, status=schema.CANCELED)
    stage.ledger.record("A", "2026-1", "100.00", supplier="Nobody & Sons")
    stage.ledger.record("B", "2026-1", "-100.00", supplier="Nobody & Sons")
    stage.ledger.record("C", "2026-2", "100.00", supplier=first.name)
    await stage.lap()
    said = await whys(stage)
    named = f"no invoice of this number is of the supplier 'Nobody & Sons'; Precoro has invoice {mine.idn}"
    assert said["A"] == f"{named} (id {mine.id}) of {first.name!r}"
    assert said["B"] == f"{said['A']}; as it is not above zero, it is never sent"
    assert said["C"] == "every invoice of that name was canceled or denied"


async def test_a_plan_says_why_a_payment_would_be_sent() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    [planned] = (await outlook(stage)).forecasts
    assert (planned.fate, planned.reason) == ("send", f"it fits what invoice {invoice.idn} still owes")


async def test_a_payment_that_waits_behind_another_one_names_it() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    stage.pays(invoice, "40.00", key="first")
    stage.pays(invoice, "60.00", key="second")
    await stage.lap()
    [one] = (await outlook(stage)).unmatched
    assert one.payment.key in ("first", "second")
    assert one.behind == stage.intent
    assert one.why.startswith(f"it waits behind payment {stage.intent.source} of invoice {invoice.idn}")


async def test_what_meets_no_invoice_is_logged_once() -> None:
    stage = scene()
    for number in range(7):
        stage.ledger.record(f"A-{number}", "no such", "10.00")
    with capture_logs() as logs:
        for _ in range(3):
            await stage.lap(after=HOUR)
        stage.ledger.change("A-3", invoice="nor this")
        await stage.lap(after=HOUR)
    said = [line for line in logs if line["event"] == "ledger_payments_unmatched"]
    assert [(line["count"], len(line["examples"])) for line in said] == [(7, 5), (1, 1)]
    assert "no invoice in the mirror is called 'nor this'" in said[1]["examples"][0]


async def test_what_we_made_ourselves_is_no_payment_without_an_invoice() -> None:
    stage = scene()
    await stage.export()
    stage.bank.clock.time += 10
    stage.bank.person_pays(stage.invoice(), 10_000, DAY.isoformat())
    await stage.export(after=HOUR)
    await stage.lap(after=HOUR)
    assert await whys(stage) == {}


async def test_very_many_new_payments_are_logged_by_their_number_and_what_is_held_by_itself() -> None:
    stage = scene(armed=False)
    for number in range(101):
        stage.pays(stage.invoice(), key=f"P-{number}")
    stage.pays(stage.invoice(), key="held", currency="USD")
    with capture_logs() as logs:
        await stage.lap()
    [together] = [one for one in logs if one["event"] == "payments_planned"]
    assert together["count"] == 101
    [held] = [one for one in logs if one["event"] == "payment_review_needed"]
    assert "payment held of" in held["payment"]
    assert not [one for one in logs if one["event"] == "payment_planned"]
    assert sum(one.state is State.PLANNED for one in stage.intents) == 101


async def test_what_cannot_be_read_is_logged_once_until_it_changes() -> None:
    stage = scene()
    stage.ledger.bad.append(BAD)
    with capture_logs() as logs:
        for _ in range(3):
            await stage.lap(after=HOUR)
        stage.ledger.bad[:] = [UnreadableRow("17", "day: '30 Feb' is no day", "{}")]
        await stage.lap(after=HOUR)
    said = [line["reason"] for line in logs if line["event"] == "ledger_payment_rejected"]
    assert said == [BAD.reason, "day: '30 Feb' is no day"]


async def test_what_is_gone_leaves_the_list_when_the_ledger_is_read_again() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice)
    stage.ledger.bad[:] = [BAD, UnreadableRow("18", "x", "{}")]
    await stage.lap()
    assert len((await outlook(stage)).unreadable) == 2
    stage.ledger.bad.pop()
    await stage.lap(after=HOUR)
    assert len((await outlook(stage)).unreadable) == 2, "nobody can tell yet"
    stage.bank.clock.time += HOUR
    assert await decide(stage, "reread") == "the whole ledger was read again; 1 row cannot be read"
    assert [row.key for row in (await outlook(stage)).unreadable] == ["17"]
    await stage.lap(after=HOUR)
    assert payments(invoice) == [10_000], "what is known is not made a second time"


@pytest.mark.parametrize("dismissed", [False, True])
async def test_what_held_a_payment_back_holds_it_though_its_file_is_gone(dismissed: bool) -> None:
    """It was a payment, then a row that nobody understands; then files were moved away, and all was read again."""
    stage = scene(armed=False)
    invoice = stage.invoice(status=schema.PENDING)
    stage.pays(invoice, key="17")
    await stage.lap()
    stage.ledger.bad.append(BAD)
    await stage.lap(after=HOUR)
    if dismissed:
        await decide(stage, "dismiss", ident="17")
    stage.ledger.bad.clear()
    stage.ledger.log.clear()
    stage.bank.company.edit(invoice, status=schema.APPROVED)
    stage.bank.clock.time += HOUR
    await decide(stage, "reread")
    await stage.lap(after=HOUR)
    assert stage.intents == []


async def test_what_is_dismissed_is_shown_again_only_if_it_changes() -> None:
    stage = scene()
    stage.ledger.bad.append(BAD)
    await stage.lap()
    await decide(stage, "dismiss", ident="17")
    await stage.lap(after=HOUR)
    assert (await outlook(stage)).unreadable == []
    with pytest.raises(DecisionRefused):
        await decide(stage, "dismiss", ident="17")
    stage.ledger.bad[:] = [UnreadableRow("17", "another reason", "{}")]
    await stage.lap(after=HOUR)
    assert [row.reason for row in (await outlook(stage)).unreadable] == ["another reason"]
    events = stage.database.execute("SELECT event FROM journal WHERE intent = '' ORDER BY seq DESC").fetchone()
    assert events["event"] == "dismiss"


async def read_by(stage: Scene, settings: str) -> None:
    async with stage.life() as life:
        store = life.store
        access = LedgerAccess(stage.ledger, store.ledger_payments, stage.bank.clock, "company", "idn", "", settings)
        await access.read()


async def position(stage: Scene) -> list[str]:
    rows = stage.database.execute("SELECT reason FROM journal WHERE event = 'reread' ORDER BY seq").fetchall()
    return [row["reason"] for row in rows]


async def test_other_settings_read_everything_again_once() -> None:
    stage = scene()
    before = len(await position(stage))
    stage.ledger.record("17", "no such", "10.00")
    await read_by(stage, "a")
    await read_by(stage, "a")
    assert len(await position(stage)) == before
    stage.ledger.bad.append(BAD)
    await read_by(stage, "b")
    assert stage.ledger.positions[-1] is None
    await read_by(stage, "b")
    assert stage.ledger.positions[-1] is not None
    stage.ledger.bad.clear()
    stage.bank.clock.time += HOUR
    await read_by(stage, "c")
    assert (await outlook(stage)).unreadable == []
    said = (await position(stage))[before:]
    assert said == ["ledger books: the settings by which it is read were changed"] * 2


async def test_what_an_earlier_version_could_not_read_is_read_again() -> None:
    """It did not note by which settings it read."""
    stage = scene()
    stage.ledger.record("17", "no such", "10.00")
    await stage.lap()
    await read_by(stage, "a")
    assert stage.ledger.positions[-1] is not None, "it had read everything"
    stage.database.execute("DELETE FROM positions WHERE name LIKE 'settings%'")
    stage.ledger.bad.append(BAD)
    await stage.lap()
    await read_by(stage, "a")
    assert stage.ledger.positions[-1] is None


async def test_what_was_refused_is_listed_until_a_person_decides() -> None:
    stage = scene()
    await stage.export()
    stage.bank.clock.time += 10
    stage.ledger.failures.append(PermanentError("there is nothing left to pay"))
    stage.bank.person_pays(stage.invoice(), 10_000, DAY.isoformat())
    await stage.export(after=HOUR)
    [refused] = (await outlook(stage)).forecasts
    assert (refused.fate, refused.reason) == ("refused", "there is nothing left to pay")
    await decide(stage, "drop", ident=stage.intent.id)
    assert stage.intent.state is State.REJECTED
    assert (await outlook(stage)).forecasts == []


async def test_what_is_undone_is_listed_also_while_another_payment_of_its_invoice_is_not_settled() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "40.00", key="first")
    await stage.lap()
    stage.pays(invoice, "70.00", key="second")  # more than is owed
    await stage.lap(after=HOUR)
    stage.ledger.change("first", amount=Decimal(0))
    await stage.lap(after=HOUR)
    review = {str(one.intent.source): one.reason for one in (await outlook(stage)).forecasts if one.fate == "review"}
    assert set(review) == {"first", "second"}
    assert "It was taken back there" in review["first"]
    [second] = [one for one in stage.intents if str(one.source) == "second"]
    await decide(stage, "drop", ident=second.id)
    await stage.lap(after=HOUR)
    assert {one.state for one in stage.intents} == {State.REVIEW, State.REJECTED}
