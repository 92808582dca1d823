"""Payments of Precoro in the ledger: each story from an invoice that is paid to the entry and the journal."""

from __future__ import annotations

from decimal import Decimal

import pytest

from precoro_daemon.errors import (
    DaemonError,
    DoubtfulError,
    FatalError,
    LedgerMisfit,
    PermanentError,
    SeveralFound,
    TemporaryError,
)
from precoro_daemon.payments.commands import Command, CommandHandler
from precoro_daemon.payments.ports.ledger import Capabilities, Entry
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.invoices import read_payment
from precoro_daemon.payments.rules.receipts import Bill
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox import schema
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY
from tests.payments.scene import Scene, payments, scene
from tests.payments.world import HOUR, MINUTE, carried_out_then_cut, late

pytestmark = pytest.mark.asyncio


def pay(stage: Scene, invoice: Row, cents: int = 10_000) -> None:
    stage.bank.person_pays(invoice, cents, DAY.isoformat())


async def begun(**given: object) -> Scene:
    """Exporting has begun on an empty company."""
    stage = scene(**given)
    await stage.export()
    stage.bank.clock.time += 10
    return stage


async def test_a_payment_made_in_precoro_appears_in_the_books_once() -> None:
    stage = await begun()
    invoice = stage.invoice(external_id="X-1", invoiceNumber="2026-7")
    pay(stage, invoice, 4_000)
    await stage.export(after=HOUR)
    [entry] = stage.ledger.entries
    [payment] = invoice.made("payments")
    assert (entry.amount, entry.currency, entry.paid_on) == (Decimal("40.00"), "EUR", DAY)
    assert (entry.payment_id, entry.invoice_id, entry.invoice_idn) == (payment.id, invoice.id, str(invoice.idn))
    assert (entry.invoice_number, entry.invoice_external_id) == ("2026-7", "X-1")
    assert (entry.supplier_id, entry.supplier_name) == (invoice.supplier.id, invoice.supplier.name)
    assert (stage.intent.state, stage.intent.remote_id) == (State.CONFIRMED, "B-0")
    pay(stage, invoice, 6_000)
    for _ in range(3):
        await stage.export(after=HOUR)
    assert [entry.amount for entry in stage.ledger.entries] == [Decimal(40), Decimal(60)]


async def test_what_was_paid_before_the_first_lap_is_known() -> None:
    stage = scene()
    paid, partly = stage.invoice(), stage.invoice()
    pay(stage, paid)
    pay(stage, partly, 4_000)
    stage.bank.clock.time += HOUR
    await stage.export()
    assert (stage.intents, stage.calls) == ([], [])
    pay(stage, partly, 6_000)  # in the very second in which the first lap looked
    await stage.export(after=HOUR)
    assert [entry.amount for entry in stage.ledger.entries] == [Decimal(60)]


async def test_what_was_paid_before_is_exported_where_that_is_wanted() -> None:
    stage = scene(adopt=False)
    pay(stage, stage.invoice())
    await stage.export()
    assert len(stage.ledger.entries) == 1


async def test_a_lap_with_nothing_to_do_calls_nobody() -> None:
    stage = await begun()
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    stage.calls.clear()
    report = await stage.export(after=HOUR)
    assert (stage.calls, report.brought) == ([], 0)


async def test_a_payment_of_ours_is_no_news_to_the_books() -> None:
    stage = await begun()
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap(after=HOUR)
    for _ in range(3):
        await stage.export(after=HOUR)
        await stage.lap(after=HOUR)
    assert payments(invoice) == [10_000]
    assert stage.ledger.entries == []
    assert len(stage.ledger.log) == 1


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("plan", [carried_out_then_cut, late(5 * MINUTE), late(6 * HOUR)])
async def test_no_echo_of_a_payment_whose_outcome_is_not_known_yet(plan: object, kept: bool) -> None:
    stage = await begun(posts=[plan], keep_external_id=kept)
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap(after=HOUR)
    assert stage.intent.state is State.DOUBT
    for pause in (10, 70, 5 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, 24 * HOUR):
        await stage.export(after=pause)
        await stage.lap()
    assert payments(invoice) == [4_000]
    assert stage.ledger.entries == []
    assert stage.intent.direction == "to_precoro", "nor is a person asked about it"


async def test_an_entry_of_ours_is_no_payment_to_precoro() -> None:
    for kept in (True, False):
        stage = await begun()
        stage.ledger.kept = kept
        invoice = stage.invoice()
        pay(stage, invoice, 4_000)
        for _ in range(3):
            await stage.export(after=HOUR)
            await stage.lap(after=HOUR)
        assert payments(invoice) == [4_000]
        assert len(stage.ledger.entries) == 1
        assert len(stage.intents) == 1


async def test_an_entry_whose_outcome_is_not_known_is_no_payment_to_precoro() -> None:
    stage = await begun()
    stage.ledger.kept, stage.ledger.late = False, True
    stage.ledger.failures.append(DoubtfulError("no answer"))
    invoice = stage.invoice()
    pay(stage, invoice, 4_000)
    await stage.export(after=HOUR)
    await stage.lap()
    assert stage.intent.state is State.DOUBT
    await stage.export(after=HOUR)
    await stage.lap()
    assert stage.intent.state is State.CONFIRMED
    assert (payments(invoice), len(stage.ledger.entries)) == ([4_000], 1)


async def test_a_lost_store_does_not_echo_what_an_earlier_one_sent() -> None:
    stage = await begun()
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap(after=HOUR)
    lost = scene(adopt=False)
    lost.bank, lost.ledger, lost.invoices = stage.bank, stage.ledger, stage.invoices
    await lost.lap(after=HOUR)
    await lost.export(after=HOUR)
    assert lost.ledger.entries == []


async def test_what_the_books_have_already_goes_to_a_person() -> None:
    stage = await begun()
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    pay(stage, invoice, 4_000)
    stage.armed = False
    await stage.lap(after=HOUR)
    stage.ledger.record("18", str(invoice.idn), "60.00")
    pay(stage, invoice, 6_000)
    async with stage.life() as life:
        await life.mirror(*stage.invoices)
    stage.armed = True
    await stage.lap(after=HOUR)
    await stage.export(after=HOUR)
    assert stage.ledger.entries == []
    held = [intent for intent in stage.intents if intent.direction == "to_ledger"]
    assert {intent.state for intent in held} <= {State.REVIEW}


async def test_a_payment_cancelled_in_precoro_is_reported_and_not_undone() -> None:
    stage = await begun()
    invoice = stage.invoice()
    pay(stage, invoice)
    await stage.export(after=HOUR)
    [payment] = invoice.made("payments")
    stage.bank.company.edit(payment, status=schema.CANCELED)
    stage.bank.company.edit(invoice, paid=0, status=schema.APPROVED)
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 1
    assert stage.intent.state is State.REVIEW
    assert stage.intent.reason == f"payment {payment.id} no longer stands in Precoro; the ledger has it as B-0"


async def test_a_payment_cancelled_before_it_was_recorded_is_not() -> None:
    stage = await begun(armed=False)
    invoice = stage.invoice()
    pay(stage, invoice)
    await stage.export(after=HOUR)
    assert stage.intent.state is State.PLANNED
    [payment] = invoice.made("payments")
    stage.bank.company.edit(payment, status=schema.CANCELED)
    stage.bank.company.edit(invoice, paid=0, status=schema.APPROVED)
    stage.armed = True
    await stage.export(after=HOUR)
    assert stage.ledger.entries == []
    assert stage.intent.state is State.REJECTED


async def test_a_deleted_invoice_is_reported() -> None:
    stage = await begun()
    invoice = stage.invoice()
    pay(stage, invoice)
    await stage.export(after=HOUR)
    stage.bank.company.delete(invoice)
    async with stage.life() as life:
        stage.database.execute("UPDATE records SET vanished_at = 1 WHERE id = ?", [invoice.id])
        stage.invoices.clear()
        assert life
    await stage.export(after=HOUR)
    assert stage.intent.state is State.REVIEW


async def test_paid_without_a_payment_to_be_seen_goes_to_a_person() -> None:
    stage = await begun()
    invoice = stage.invoice()
    stage.bank.company.edit(invoice, paid=10_000, status=schema.PAID)
    await stage.export(after=HOUR)
    assert stage.ledger.entries == []
    assert stage.intent.state is State.REVIEW
    assert stage.intent.reason == f"Precoro says 100.00 was paid on invoice {invoice.idn} and shows 0.00 of it"


async def test_the_day_of_a_payment_is_the_one_that_was_written() -> None:
    """Midnight east of Greenwich is the day before in UTC."""
    payment = read_payment('{"id": 1, "payDate": "2026-01-15T00:00:00+02:00"}')
    assert payment.day == DAY
    assert payment.days == {DAY, DAY.replace(day=14)}


async def test_an_answer_with_the_id_of_another_entry_is_no_proof_of_a_second_one() -> None:
    """Books, or something before them, that take the second of two equal payments for a repeat of the first."""
    stage = await begun()
    invoice = stage.invoice()
    pay(stage, invoice, 4_000)
    await stage.export(after=HOUR)
    stage.bank.person_pays(invoice, 4_000, "2026-02-15")
    stage.ledger.said.append({"key": "B-0", "paid_on": None})
    await stage.export(after=HOUR)
    assert [one.state for one in stage.intents] == [State.CONFIRMED, State.REVIEW]
    assert "B-0" in stage.intents[1].reason


async def test_books_that_do_not_answer_get_it_later() -> None:
    stage = await begun()
    stage.ledger.failures.append(TemporaryError("connection refused"))
    pay(stage, stage.invoice())
    report = await stage.export(after=HOUR)
    assert stage.intent.state is State.PLANNED
    assert any("connection refused" in line for line in report.failed)
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 1


async def test_books_that_refuse_it_say_so_on_the_invoice() -> None:
    stage = await begun()
    stage.ledger.failures.append(PermanentError("account 1200 is closed"))
    invoice = stage.invoice()
    pay(stage, invoice)
    await stage.export(after=HOUR)
    assert stage.intent.state is State.REJECTED
    assert "account 1200 is closed" in (invoice.log or "")


async def test_a_configuration_that_does_not_fit_ends_the_lap_and_loses_nothing() -> None:
    stage = await begun()
    stage.ledger.failures.append(FatalError("no such table"))
    pay(stage, stage.invoice())
    report = await stage.export(after=HOUR)
    assert isinstance(report.ended, FatalError)
    assert stage.intent.state is State.PLANNED


@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_doubt_is_repeated_in_books_that_recognise_a_repeat(carried_out: bool) -> None:
    stage = await begun()
    stage.ledger.late = carried_out
    stage.ledger.failures.append(DoubtfulError("no answer"))
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    assert stage.intent.state is State.DOUBT
    await stage.export(after=HOUR)
    assert (len(stage.ledger.entries), stage.intent.state) == (1, State.CONFIRMED)


@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_doubt_is_looked_up_in_books_that_can_be_asked(carried_out: bool) -> None:
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=True, create="plain", lookup="key")
    stage.ledger.late = carried_out
    stage.ledger.failures.append(DoubtfulError("no answer"))
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    for _ in range(4):
        await stage.export(after=20 * MINUTE)
    assert len(stage.ledger.entries) == int(carried_out)
    assert stage.intent.state is (State.CONFIRMED if carried_out else State.REVIEW)


async def test_a_doubt_goes_to_a_person_where_the_books_cannot_be_asked() -> None:
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=True, create="plain", lookup="none")
    stage.ledger.failures.append(DoubtfulError("no answer"))
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    await stage.export(after=HOUR)
    assert stage.intent.state is State.REVIEW


async def test_two_entries_under_one_key_of_ours_go_to_a_person_who_is_told_the_way_out() -> None:
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=True, create="plain", lookup="key")
    stage.ledger.late = True
    stage.ledger.failures.append(DoubtfulError("no answer"))
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    stage.ledger.entries.append(stage.ledger.entries[0])
    await stage.export(after=HOUR)
    assert stage.intent.state is State.REVIEW
    assert "2 payments under the key" in stage.intent.reason
    assert f"`payments adopt {stage.intent.id[:8]} --payment ID`" in stage.intent.reason
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 2


@pytest.mark.parametrize("bills", [False, True])
async def test_two_entries_under_one_key_of_ours_where_a_repeat_makes_nothing_new(bills: bool) -> None:
    """They are met by the repeat itself, or by the look before it: no lap after the other tries it again."""
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=True, create="idempotent", lookup="key", bills=bills)
    stage.ledger.kept = False
    stage.ledger.late = True
    stage.ledger.failures.append(DoubtfulError("no answer"))
    invoice = stage.invoice()
    stage.ledger.open[str(invoice.idn)] = Bill("501", Decimal(100), "EUR")
    pay(stage, invoice)
    await stage.export(after=HOUR)
    stage.ledger.entries.append(stage.ledger.entries[0])
    for _ in range(3):
        await stage.export(after=HOUR)
    assert (stage.intent.state, len(stage.ledger.entries)) == (State.REVIEW, 2)
    assert f"`payments adopt {stage.intent.id[:8]} --payment ID`" in stage.intent.reason
    assert stage.intent.attempts == (1 if bills else 2)


async def test_a_crash_at_any_step_records_it_once() -> None:
    step = 0
    while True:
        stage = await begun()
        pay(stage, stage.invoice())
        stage.bank.clock.time += HOUR
        try:
            await stage.crashing_lap(step, exporting=True)
        except AssertionError:
            break
        for _ in range(4):
            await stage.export(after=20 * MINUTE)
        assert len(stage.ledger.entries) == 1, step
        step += 1
    assert step > 4


async def test_caps_the_kill_switch_and_a_disarmed_store_hold_entries_back_too() -> None:
    for given in ({"caps": Caps(per_payment=Decimal(99))}, {"stop_file": True}, {"armed": False}):
        stage = await begun(**given)
        pay(stage, stage.invoice())
        await stage.export(after=HOUR)
        assert stage.ledger.entries == []
        assert stage.intent.state is State.PLANNED


async def test_an_invoice_that_was_gone_for_a_moment_takes_no_payment_with_it() -> None:
    """Nothing tells a 404 that passes from one that does not."""
    stage = scene(adopt=False, armed=False)
    invoice = stage.invoice()
    pay(stage, invoice, 4_000)
    await stage.export()
    stage.bank.clock.time += HOUR
    stage.bank.company.touch(invoice)
    stage.reads.append(404)
    await stage.export(after=HOUR)
    assert (stage.intent.state, stage.ledger.entries) == (State.REJECTED, [])
    stage.bank.clock.time += HOUR
    stage.bank.company.touch(invoice)
    stage.armed = True
    for _ in range(3):
        await stage.export(after=HOUR)
    assert [entry.amount for entry in stage.ledger.entries] == [Decimal(40)]


_NIL = "00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("said", "why", "remote_id"),
    [
        ({"currency": "USD"}, "the ledger recorded currency USD instead of EUR", "B-0"),
        ({"amount": Decimal(1)}, "the ledger recorded amount 1.00 instead of 100.00", "B-0"),
        ({"paid_on": DAY.replace(day=14)}, "the ledger recorded day 2026-01-14 instead of 2026-01-15", "B-0"),
        ({"invoice": "another"}, "the ledger recorded bill another instead of", "B-0"),
        ({"key": _NIL}, f"the ledger answered with '{_NIL}' where the id of the payment belongs", None),
        ({"key": "0"}, "the ledger answered with '0' where the id of the payment belongs", None),
        ({"key": "false"}, "the ledger answered with 'false' where", None),
        ({"key": " "}, "the ledger answered with ' ' where", None),
    ],
)
async def test_what_the_books_recorded_otherwise_is_no_success(
    said: dict[str, object], why: str, remote_id: str | None
) -> None:
    stage = await begun()
    stage.ledger.said.append(said)
    pay(stage, stage.invoice())
    for _ in range(4):
        await stage.export(after=HOUR)
        await stage.lap()
    assert (stage.intent.state, stage.intent.remote_id) == (State.REVIEW, remote_id)
    assert stage.intent.reason.startswith(why)
    assert stage.events[-2:] == ["send", "differ"]
    assert len(stage.ledger.entries) == 1


async def test_what_a_doubt_finds_otherwise_than_it_was_sent_is_no_success() -> None:
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=False, create="plain", lookup="key")
    stage.ledger.late = True
    stage.ledger.failures.append(DoubtfulError("no answer"))
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    stage.ledger.change("B-0", currency="USD")
    await stage.export(after=HOUR)
    assert (stage.intent.state, stage.intent.remote_id) == (State.REVIEW, "B-0")
    assert "the ledger recorded currency USD instead of EUR" in stage.intent.reason
    assert len(stage.ledger.entries) == 1


async def test_an_entry_that_comes_back_in_another_currency_goes_to_a_person() -> None:
    stage = await begun()
    stage.ledger.said.append(dict.fromkeys(("amount", "currency", "paid_on", "invoice")))  # its answer tells nothing
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    assert stage.intent.state is State.CONFIRMED
    stage.ledger.change("B-0", currency="USD")
    await stage.export(after=HOUR)
    assert stage.intent.state is State.REVIEW
    assert "100.00 USD" in stage.intent.reason


async def with_bills(invoice_open: str = "100.00", currency: str = "EUR", **given: object) -> tuple[Scene, Row]:
    """The ledger tells what is open on the bill of the only invoice."""
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=True, create="idempotent", lookup="key", bills=True)
    invoice = stage.invoice()
    stage.ledger.open[str(invoice.idn)] = Bill("501", Decimal(invoice_open), currency, **given)
    return stage, invoice


async def test_what_is_open_on_the_bill_is_read_before_each_entry() -> None:
    stage, invoice = await with_bills()
    pay(stage, invoice, 4_000)
    pay(stage, invoice, 6_000)
    await stage.export(after=HOUR)
    assert {entry.amount for entry in stage.ledger.entries} == {Decimal(40), Decimal(60)}


async def test_the_kill_switch_holds_an_entry_whose_bill_is_being_read() -> None:
    stage, invoice = await with_bills()
    pay(stage, invoice)

    def stop(_: object) -> None:
        stage.stop_file = True

    stage.ledger.meanwhile = stop
    await stage.export(after=HOUR)
    assert (stage.ledger.entries, stage.intent.state, stage.intent.attempts) == ([], State.PLANNED, 0)
    stage.ledger.meanwhile = repr
    stage.stop_file = False
    await stage.export(after=HOUR)
    assert [entry.amount for entry in stage.ledger.entries] == [100]


@pytest.mark.parametrize(
    ("unready", "state", "attempts"),
    [
        (TemporaryError("away"), State.PLANNED, 0),
        (LedgerMisfit("no such account"), State.PLANNED, 0),
        (PermanentError("no such bill"), State.REJECTED, 1),
        (SeveralFound("two under one key"), State.REVIEW, 1),
    ],
)
async def test_what_fails_before_the_permit_leaves_no_doubt(
    unready: DaemonError, state: State, attempts: int
) -> None:
    """The ledger prepares first: it reads the bill, renews its login. Only then is the permit asked for."""
    stage = await begun()
    pay(stage, stage.invoice())
    stage.ledger.unready.append(unready)
    await stage.export(after=HOUR)
    assert (stage.ledger.entries, stage.intent.state, stage.intent.attempts) == ([], state, attempts)
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == (state is State.PLANNED)


@pytest.mark.parametrize(("minutes", "by_hand"), [(1, "confirmed"), (6, "review")])
async def test_in_a_long_lap_nothing_is_recorded_by_what_the_books_said_long_ago(minutes: int, by_hand: str) -> None:
    """Where they take few payments a minute, somebody enters the next one by hand meanwhile."""
    stage = await begun()
    invoices = [stage.invoice(), stage.invoice()]
    for invoice in invoices:
        pay(stage, invoice)

    def enter(entry: Entry) -> None:
        stage.ledger.meanwhile = repr
        stage.bank.clock.time += minutes * MINUTE
        [other] = [str(one.idn) for one in invoices if one.id != entry.invoice_id]
        stage.ledger.record("by hand", other, "100.00")

    stage.ledger.meanwhile = enter
    await stage.export(after=HOUR)
    assert sorted(intent.state for intent in stage.intents) == ["confirmed", by_hand]


@pytest.mark.parametrize(
    ("bill", "why"),
    [
        (("60.00", "EUR"), "60.00 EUR is open on the bill in the ledger, and this payment is 100.00"),
        (("0", "EUR"), "0.00 EUR is open on the bill in the ledger, and this payment is 100.00"),
        (("100.00", "USD"), "the bill in the ledger is in USD, the payment in EUR"),
    ],
)
async def test_a_bill_that_does_not_take_the_payment_holds_it(bill: tuple[str, str], why: str) -> None:
    stage, invoice = await with_bills(*bill)
    pay(stage, invoice)
    await stage.export(after=HOUR)
    assert (stage.intent.state, stage.ledger.entries) == (State.REVIEW, [])
    assert stage.intent.reason.startswith(why)


async def test_a_payment_waits_for_a_bill_that_is_not_posted_or_not_there() -> None:
    stage, invoice = await with_bills(closed="it is a draft")
    pay(stage, invoice)
    for _ in range(2):
        await stage.export(after=HOUR)
    assert (stage.intent.state, stage.ledger.entries) == (State.PLANNED, [])
    assert stage.events == ["plan", "postpone"]
    assert stage.intent.reason == "its bill in the ledger takes no payment: it is a draft"
    del stage.ledger.open[str(invoice.idn)]
    await stage.export(after=HOUR)
    assert "it is not there (yet)" in stage.intent.reason
    stage.ledger.open[str(invoice.idn)] = Bill("501", Decimal(100), "EUR")
    await stage.export(after=HOUR)
    assert stage.intent.state is State.CONFIRMED


async def test_a_person_is_asked_once_where_somebody_else_paid_the_bill() -> None:
    stage, invoice = await with_bills("70.00")
    pay(stage, invoice, 4_000)
    await stage.export(after=HOUR)
    assert (stage.intent.state, stage.ledger.entries) == (State.REVIEW, [])
    assert "70.00 EUR is open on the bill in the ledger, and 100.00 should be" in stage.intent.reason
    await decide(stage, kind="repost", ident=stage.intent.id)
    await stage.export(after=HOUR)
    assert (stage.intent.state, len(stage.ledger.entries)) == (State.CONFIRMED, 1)


async def test_what_the_ledger_shows_as_paid_is_no_surprise_on_its_bill() -> None:
    stage, invoice = await with_bills("100.00")
    stage.pays(invoice, "30.00")
    pay(stage, invoice, 4_000)
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 1


@pytest.mark.parametrize("carried_out", [True, False])
async def test_a_repeat_is_not_held_by_the_bill_that_it_paid_itself(carried_out: bool) -> None:
    stage, invoice = await with_bills()
    stage.ledger.late, stage.ledger.kept = carried_out, False
    stage.ledger.failures.append(DoubtfulError("no answer"))
    pay(stage, invoice)
    await stage.export(after=HOUR)
    assert stage.intent.state is State.DOUBT
    await stage.export(after=HOUR)
    assert (stage.intent.state, len(stage.ledger.entries)) == (State.CONFIRMED, 1)


async def test_a_copy_of_what_we_made_from_the_books_asks_a_person() -> None:
    """Precoro's own connector brings the payment that we made already, without our id."""
    stage = await begun()
    invoice = stage.invoice()
    stage.pays(invoice, "40.00")
    await stage.lap(after=HOUR)
    pay(stage, invoice, 4_000)
    for _ in range(2):
        await stage.export(after=HOUR)
    assert stage.ledger.entries == []
    held = stage.intents[-1]
    assert (held.direction, held.state) == ("to_ledger", State.REVIEW)
    assert "may be a copy, brought by another program from the ledger, of payment" in held.reason
    await decide(stage, kind="repost", ident=held.id)
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 1, "a person said that it is another one"


async def test_a_copy_of_what_we_recorded_in_the_books_asks_a_person() -> None:
    stage = await begun()
    invoice = stage.invoice()
    pay(stage, invoice, 4_000)
    await stage.export(after=HOUR)
    stage.bank.clock.time += HOUR
    pay(stage, invoice, 4_000)  # with the day that we recorded
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 1
    assert [one.state for one in stage.intents] == [State.CONFIRMED, State.REVIEW]
    assert "which we recorded there" in stage.intents[-1].reason


async def test_two_equal_payments_of_a_person_are_both_recorded() -> None:
    stage = await begun()
    invoice = stage.invoice()
    pay(stage, invoice, 4_000)
    pay(stage, invoice, 4_000)
    for _ in range(2):
        await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 2


async def decide(stage: Scene, **given: object) -> str:
    async with stage.life() as life:
        handler = CommandHandler(Recorder(life.store.journal, stage.bank.clock), stage.job(life).access, marks=True)
        return await handler.execute(Command(**({"by": "somebody"} | given)))


async def test_arming_says_that_precoros_own_import_must_be_off() -> None:
    stage = await begun()
    assert "WARNING" not in await decide(stage, kind="arm")
    stage.invoice()
    await stage.export()
    stage.database.execute("UPDATE records SET data = json_set(data, '$.qboId', '901') WHERE collection = 'invoices'")
    said = await decide(stage, kind="arm")
    assert "knows 1 invoices from QuickBooks Online. Its import of payments must be off" in said


async def test_days_that_the_invoice_does_not_repeat_come_from_the_mirrored_payments() -> None:
    stage = scene(terse=True)
    before = stage.invoice()
    pay(stage, before, 4_000)
    stage.bank.clock.time += HOUR
    await stage.export()
    stage.bank.clock.time += 10
    pay(stage, before, 6_000)
    pay(stage, stage.invoice(), 3_000)
    await stage.export(after=HOUR)
    assert {(entry.amount, entry.paid_on) for entry in stage.ledger.entries} == {
        (Decimal(60), DAY),
        (Decimal(30), DAY),
    }
    assert {one.state for one in stage.intents} == {State.CONFIRMED}


async def test_a_payment_that_the_invoice_shows_in_part_waits_for_the_list_of_payments() -> None:
    stage = await begun(terse=True)
    stage.mirrors = False
    invoice = stage.invoice()
    pay(stage, invoice)
    async with stage.life() as life:
        await life.mirror(invoice, payments=False)
    await stage.export(after=HOUR)
    assert stage.intents == []
    stage.mirrors = True
    await stage.export(after=HOUR)
    assert (stage.intent.state, len(stage.ledger.entries)) == (State.CONFIRMED, 1)


async def test_a_payment_without_a_day_anywhere_goes_to_a_person() -> None:
    stage = await begun(terse=True)
    stage.mirrors = False
    invoice = stage.invoice()
    pay(stage, invoice)
    async with stage.life() as life:
        await life.mirror(invoice, payments=False)
    stage.database.execute("DELETE FROM cursors WHERE collection = 'payments'")  # nobody mirrors them
    await stage.export(after=HOUR)
    assert (stage.intent.state, stage.ledger.entries) == (State.REVIEW, [])
    assert "has no amount or day we can read" in stage.intent.reason
