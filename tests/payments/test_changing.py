"""The ledger change their mind: nothing is sent by what they no longer say, and nothing they say is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal

import pytest

from precoro_daemon.errors import DecisionRefused, TemporaryError
from precoro_daemon.payments.commands import Command, CommandHandler
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.ledger_payments import LedgerBatch, UnreadableRow
from precoro_daemon.payments.rules.states import State
from precoro_daemon.sandbox import schema
from tests.payments.scene import Scene, payments, scene
from tests.payments.world import HOUR, answered, cut, late

pytestmark = pytest.mark.asyncio

REFUSED = answered(400, {"code": 400, "errors": {"errors": {"payDate": ["This value is not valid."]}}})


async def decide(stage: Scene, kind: str, **given: object) -> str:
    """What a person types."""
    async with stage.life() as life:
        handler = CommandHandler(Recorder(life.store.journal, stage.bank.clock), stage.job(life).access, marks=True)
        return await handler.execute(Command(kind, "somebody", **{"ident": stage.intents[-1].id} | given))


async def laps(stage: Scene, times: int = 3) -> None:
    for _ in range(times):
        await stage.lap(after=HOUR)


async def held(stage: Scene, amount: str = "100.00", total: int = 5_000) -> str:
    """A payment that does not fit its invoice."""
    key = stage.pays(stage.invoice(total=total), amount)
    await stage.lap()
    assert stage.intent.state is State.REVIEW
    return key


async def to_be_repeated(*, arrives_after: float, hours: int) -> tuple[Scene, str]:
    """A payment that was looked for in vain and may be sent again, while its first request is still on its way."""
    stage = scene(posts=[late(arrives_after)], repost="guarded")
    key = stage.pays(stage.invoice(), "60.00")
    await stage.lap()
    stage.ledger.unreachable = TemporaryError("no route")
    await laps(stage, hours)
    assert (stage.intent.state, stage.intent.doubted) == (State.PLANNED, True)
    stage.ledger.unreachable = None
    return stage, key


async def test_what_is_voided_while_it_is_held_is_over_and_cannot_be_sent_by_hand() -> None:
    stage = scene()
    key = await held(stage)
    [invoice] = stage.invoices
    stage.ledger.change(key, amount=Decimal(0))
    await laps(stage)
    assert stage.intent.state is State.REJECTED
    assert "the ledger now says" in stage.intent.reason
    stage.bank.company.edit(invoice, total=10_000)
    with pytest.raises(DecisionRefused, match="took it back"):
        await decide(stage, "repost")
    await laps(stage)
    assert payments(invoice) == []


async def test_what_is_voided_in_the_moment_it_is_decided_cannot_be_sent_by_hand() -> None:
    """The ledger were read since, and the lap has not come to it."""
    stage = scene()
    key = await held(stage)
    stage.ledger.change(key, amount=Decimal(0))
    async with stage.life() as life:
        await stage.job(life).access.read()
    with pytest.raises(DecisionRefused, match="took it back"):
        await decide(stage, "repost")


async def test_a_held_payment_shows_what_the_books_say_by_now() -> None:
    stage = scene()
    key = await held(stage)
    stage.ledger.change(key, amount=Decimal("90.00"), currency="USD")
    await laps(stage)
    assert (stage.intent.state, stage.intent.amount, stage.intent.currency) == (State.REVIEW, Decimal(90), "USD")
    assert "the ledger says USD" in stage.intent.reason


async def test_an_ambiguous_payment_is_assigned_with_the_amount_it_has_by_now() -> None:
    stage = scene(match_by="external_id")
    first = stage.invoice(external_id="A-1")
    stage.invoice(external_id="A-1", total=9_000)
    stage.ledger.record("17", "A-1", "100.00")
    await stage.lap()
    stage.ledger.change("17", amount=Decimal("80.00"))
    await laps(stage)
    assert (stage.intent.state, stage.intent.amount) == (State.REVIEW, Decimal(80))
    await decide(stage, "repost", invoice=first.id)
    await laps(stage)
    assert payments(first) == [8_000]


async def test_an_ambiguous_payment_that_is_corrected_needs_nobody_any_more() -> None:
    stage = scene(match_by="external_id")
    stage.invoice(external_id="A-1")
    stage.invoice(external_id="A-1")
    right = stage.invoice(external_id="A-2")
    stage.ledger.record("17", "A-1", "100.00")
    await stage.lap()
    stage.ledger.change("17", invoice="A-2")
    await laps(stage)
    assert payments(right) == [10_000]


async def test_a_refused_payment_that_is_corrected_in_the_books_is_sent_again() -> None:
    stage = scene(posts=[REFUSED])
    key = stage.pays(stage.invoice(), "100.00")
    await laps(stage)
    assert stage.intent.state is State.REJECTED
    stage.ledger.change(key, amount=Decimal("70.00"))
    await laps(stage)
    assert payments(stage.invoices[0]) == [7_000]


async def test_a_doubtful_payment_is_sent_again_as_the_books_have_it_by_now() -> None:
    stage = scene(posts=[cut])
    key = stage.pays(stage.invoice(), "100.00")
    await laps(stage, 6)
    assert stage.intent.state is State.REVIEW
    stage.ledger.change(key, amount=Decimal("70.00"))
    await laps(stage)
    assert (stage.intent.state, stage.intent.amount) == (State.REVIEW, Decimal(100))
    await decide(stage, "repost", force=True)
    assert stage.intent.amount == Decimal(70)
    await laps(stage)
    assert payments(stage.invoices[0]) == [7_000]


@pytest.mark.parametrize("change", [{"amount": Decimal(0)}, {"invoice": "elsewhere"}])
async def test_what_may_be_on_its_way_is_not_taken_back_without_a_person(change: dict[str, object]) -> None:
    stage, key = await to_be_repeated(arrives_after=12 * HOUR, hours=4)
    stage.ledger.change(key, **change)
    await laps(stage)
    assert stage.intent.state is State.REVIEW
    assert "an earlier request may still arrive" in stage.intent.reason
    await laps(stage, 26)
    assert payments(stage.invoices[0]) == [6_000]
    assert "find" in stage.events, "when it arrived"
    assert stage.intent.state is State.REVIEW
    assert "changed in the ledger after it was sent" in stage.intent.reason


@pytest.mark.parametrize("state", ["planned", "review"])
async def test_what_moved_to_another_invoice_is_paid_there(state: str) -> None:
    stage = scene(armed=state == "review")
    wrong, right = stage.invoice(total=5_000), stage.invoice()
    key = stage.pays(wrong, "100.00" if state == "review" else "40.00")
    await stage.lap()
    assert stage.intent.state == state
    stage.ledger.change(key, invoice=str(right.idn))
    stage.armed = True
    await laps(stage)
    assert payments(wrong) == []
    assert payments(right) == [int(Decimal(stage.ledger.rows[key].amount) * 100)]


async def test_what_was_taken_back_and_then_moved_is_paid_there() -> None:
    stage = scene(armed=False)
    wrong, right = stage.invoice(), stage.invoice()
    key = stage.pays(wrong, "40")
    await stage.lap()
    stage.ledger.change(key, amount=Decimal(0))
    await stage.lap(after=HOUR)
    stage.ledger.change(key, amount=Decimal("40.00"), invoice=str(right.idn))
    stage.armed = True
    await laps(stage)
    assert (payments(wrong), payments(right)) == ([], [4_000])


async def test_what_moved_there_and_back_is_paid_where_it_began() -> None:
    stage = scene(armed=False)
    first, second = stage.invoice(), stage.invoice()
    key = stage.pays(first, "40")
    await stage.lap()
    for invoice in (second, first):
        stage.ledger.change(key, invoice=str(invoice.idn))
        await laps(stage, 2)
    stage.armed = True
    await laps(stage)
    assert (payments(first), payments(second)) == ([4_000], [])


async def test_what_a_person_dropped_and_the_books_moved_is_another_payment() -> None:
    stage = scene()
    key = await held(stage)
    right = stage.invoice()
    await decide(stage, "drop")
    stage.ledger.change(key, amount=Decimal("99.00"))
    await laps(stage)
    assert stage.intent.state is State.REJECTED, "it was dropped, whatever it amounts to"
    stage.ledger.change(key, invoice=str(right.idn))
    await laps(stage)
    assert payments(right) == [9_900]
    stage.ledger.change(key, invoice=str(stage.invoices[0].idn))
    await laps(stage)
    assert payments(stage.invoices[0]) == []


@pytest.mark.parametrize("step", range(1, 9))
async def test_killed_while_it_follows_the_books_it_loses_nothing(step: int) -> None:
    stage = scene(armed=False)
    wrong, right = stage.invoice(), stage.invoice()
    key = stage.pays(wrong, "40")
    await stage.lap()
    stage.ledger.change(key, invoice=str(right.idn))
    stage.armed = True
    await stage.crashing_lap(step)
    await laps(stage, 5)
    [last] = [intent for intent in stage.intents if intent.invoice_id == right.id]
    assert payments(wrong) == []
    assert payments(right) == [4_000] or (payments(right), last.state) == ([], State.REVIEW)


VOID = "amount: 'VOID' is no plain number"


@pytest.mark.parametrize("amount", ["40.00", "41.00"])
async def test_a_row_that_cannot_be_read_any_more_is_held_until_it_can(amount: str) -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    key = stage.pays(invoice, "40.00")
    await stage.lap()
    stage.ledger.bad.append(UnreadableRow(key, VOID, '{"amount": "VOID"}'))
    stage.armed = True
    await laps(stage)
    assert (stage.intent.state, payments(invoice)) == (State.REVIEW, [])
    assert "'VOID' is no plain number" in stage.intent.reason
    stage.ledger.bad.clear()
    stage.ledger.change(key, amount=Decimal(amount))
    await laps(stage)
    assert payments(invoice) == [int(Decimal(amount) * 100)]


async def test_a_row_that_is_garbled_for_good_keeps_no_other_payment_of_its_invoice_waiting() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    key = stage.pays(invoice, "40")
    await stage.lap()
    stage.ledger.bad.append(UnreadableRow(key, VOID, "{}"))
    stage.pays(invoice, "42")
    stage.armed = True
    await laps(stage)
    [garbled] = stage.intents
    await decide(stage, "drop", ident=garbled.id)
    await laps(stage)
    assert payments(invoice) == [4_200]


async def test_a_row_that_cannot_be_read_is_not_sent_by_hand_either() -> None:
    stage = scene()
    key = await held(stage)
    stage.ledger.bad.append(UnreadableRow(key, "amount: 'VOID' is no plain number", "{}"))
    await stage.lap(after=HOUR)
    with pytest.raises(DecisionRefused, match="cannot be read now: amount: 'VOID'"):
        await decide(stage, "repost")


async def test_a_payment_that_moved_is_not_sent_to_its_first_invoice_by_hand() -> None:
    stage = scene(armed=False)
    wrong, right = stage.invoice(), stage.invoice()
    key = stage.pays(wrong, "40")
    await stage.lap()
    first = stage.intent.id
    stage.ledger.change(key, invoice=str(right.idn))
    stage.armed = True
    await laps(stage)
    with pytest.raises(DecisionRefused, match="for another invoice now"):
        await decide(stage, "repost", ident=first)
    assert (payments(wrong), payments(right)) == ([], [4_000])


async def test_nothing_is_sent_by_an_invoice_that_was_read_long_ago() -> None:
    """The quota closed between the look and the request; meanwhile a person typed the payment."""
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "40.00")
    async with stage.life() as life:
        await life.store.journal.arm(stage.bank.clock.now())
        await life.mirror(invoice)
        looks = 0

        async def meanwhile() -> None:
            nonlocal looks
            if stage.calls[-1].startswith("GET /invoices/"):
                looks += 1
                if looks == 1:
                    stage.bank.after(600, lambda: stage.bank.person_pays(invoice, 4_000, "2026-01-15T00:00:00"))
                    stage.bank.clock.time += 2_400

        life.wire.meanwhile = meanwhile
        await stage.job(life).lap()
    assert payments(invoice) == [4_000]
    assert looks == 2
    assert "entered by hand" in stage.intent.reason


async def test_books_that_were_read_long_ago_are_read_again() -> None:
    stage = scene()
    for _ in range(3):
        stage.pays(stage.invoice(), "40.00")
    async with stage.life() as life:
        await life.store.journal.arm(stage.bank.clock.now())
        await life.mirror(*stage.invoices)

        async def meanwhile() -> None:
            if stage.calls[-1].startswith("GET /invoices/"):
                stage.bank.clock.time += 170
                for left in (await life.store.journal.in_state("to_precoro", State.PLANNED))[2:]:
                    stage.ledger.change(str(left.source), amount=Decimal(0))

        life.wire.meanwhile = meanwhile
        await stage.job(life).lap()
    assert sorted(map(payments, stage.invoices)) == [[], [4_000], [4_000]]
    assert stage.ledger.reads == 2


async def test_two_payments_of_an_invoice_that_are_cancelled_together_go_to_a_person_one_by_one() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    stage.pays(invoice, "30")
    await laps(stage)
    assert payments(invoice) == [4_000, 3_000]
    for payment in invoice.made("payments"):
        stage.bank.company.edit(payment, status=schema.CANCELED)
    stage.bank.company.edit(invoice, paid=0, status=schema.APPROVED)
    report = await stage.lap(after=HOUR)
    assert report.ended is None
    assert sorted(intent.state for intent in stage.intents) == [State.CONFIRMED, State.REVIEW]
    [asked] = [intent for intent in stage.intents if intent.state is State.REVIEW]
    await decide(stage, "drop", ident=asked.id)
    await stage.lap(after=HOUR)
    assert sorted(intent.state for intent in stage.intents) == [State.REJECTED, State.REVIEW]


async def test_two_payments_of_an_invoice_that_change_together_go_to_a_person_one_by_one() -> None:
    stage = scene()
    invoice = stage.invoice()
    keys = [stage.pays(invoice, "40")]
    await stage.lap()
    keys.append(stage.pays(invoice, "30"))
    await laps(stage)
    for key in keys:
        stage.ledger.change(key, amount=Decimal("1.00"))
    report = await stage.lap(after=HOUR)
    assert report.ended is None
    assert sorted(intent.state for intent in stage.intents) == [State.CONFIRMED, State.REVIEW]


async def test_an_outage_while_nothing_may_be_sent_ends_no_lap() -> None:
    stage = scene(reads=[503] * 60, armed=False)
    stage.pays(stage.invoice())
    report = await stage.lap()
    assert (report.ended, len(report.failed)) == (None, 1)


async def test_an_invoice_that_may_not_be_read_fails_alone() -> None:
    stage = scene()
    invoice, other = stage.invoice(), stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    [payment] = invoice.made("payments")
    stage.bank.company.delete(payment)
    stage.pays(other)
    stage.reads.extend([0, 403])
    report = await stage.lap(after=HOUR)
    assert report.ended is None
    assert payments(other) == [10_000]


@pytest.mark.parametrize("ident", ["", "a", "abc"])
async def test_too_little_of_an_id_decides_nothing(ident: str) -> None:
    stage = scene()
    await held(stage)
    with pytest.raises(DecisionRefused, match="give at least 4 characters"):
        await decide(stage, "drop", ident=ident)
    assert stage.intent.state is State.REVIEW


async def test_what_was_dropped_and_then_changed_is_reposted_as_the_books_have_it() -> None:
    stage = scene()
    key = await held(stage)
    await decide(stage, "drop")
    stage.ledger.change(key, amount=Decimal("60.00"))
    await laps(stage)
    stage.bank.company.edit(stage.invoices[0], total=20_000)
    await decide(stage, "repost")
    await laps(stage)
    assert payments(stage.invoices[0]) == [6_000]


@pytest.mark.parametrize("change", [{"amount": Decimal("60.00")}, {"invoice": "another"}])
async def test_what_a_former_version_accepted_without_a_word_is_not_sent_as_it_was(change: dict[str, object]) -> None:
    stage = scene()
    key = await held(stage)
    stage.ledger.change(key, **change)
    async with stage.life() as life:
        await stage.job(life).access.read()
    stage.database.execute("UPDATE ledger_payments SET carried = facts")
    stage.bank.company.edit(stage.invoices[0], total=20_000)
    if "invoice" in change:
        with pytest.raises(DecisionRefused, match="for another invoice now"):
            await decide(stage, "repost")
    else:
        await decide(stage, "repost")
    await laps(stage)
    assert payments(stage.invoices[0]) == ([] if "invoice" in change else [6_000])


@pytest.mark.parametrize("what", ["changed", "cancelled"])
async def test_what_a_person_took_for_done_without_an_invoice_may_change_too(what: str) -> None:
    stage = scene(match_by="external_id")
    first = stage.invoice(external_id="A-1")
    stage.invoice(external_id="A-1")
    stage.ledger.record("17", "A-1", "100.00")
    await stage.lap()
    stage.bank.person_pays(first, 10_000, "2026-01-15T00:00:00")
    [payment] = first.made("payments")
    await decide(stage, "adopt", payment=str(payment.id))
    await laps(stage)
    if what == "changed":
        stage.ledger.change("17", amount=Decimal("80.00"))
    else:
        stage.bank.company.edit(payment, status=schema.CANCELED)
    await laps(stage)
    assert stage.intent.state is State.REVIEW


async def test_what_may_be_there_and_moved_is_paid_there_once_a_person_dropped_it() -> None:
    stage = scene(posts=[cut])
    wrong, right = stage.invoice(), stage.invoice()
    key = stage.pays(wrong, "40.00")
    await laps(stage, 6)
    stage.ledger.change(key, invoice=str(right.idn))
    await laps(stage)
    with pytest.raises(DecisionRefused, match="for another invoice now"):
        await decide(stage, "repost", force=True)
    await decide(stage, "drop")
    await laps(stage)
    assert (payments(wrong), payments(right)) == ([], [4_000])


async def test_what_was_sent_and_moved_is_paid_there_once_it_is_undone_and_dropped() -> None:
    stage = scene()
    wrong, right = stage.invoice(), stage.invoice()
    key = stage.pays(wrong, "40.00")
    await laps(stage)
    stage.ledger.change(key, invoice=str(right.idn))
    await laps(stage)
    assert stage.intent.state is State.REVIEW
    [payment] = wrong.made("payments")
    stage.bank.company.edit(payment, status=schema.CANCELED)
    stage.bank.company.edit(wrong, paid=0, status=schema.APPROVED)
    await laps(stage)
    await decide(stage, "drop")
    await laps(stage)
    assert (payments(wrong), payments(right)) == ([], [4_000])


async def test_a_copy_that_is_taken_back_and_restored_is_still_a_copy() -> None:
    stage = scene()
    invoice = stage.invoice(total=30_000)
    stage.pays(invoice, "100.00", key="P1")
    await laps(stage)
    stage.pays(invoice, "100.00", key="P2")
    await laps(stage)
    for amount in ("0", "100.00"):
        stage.ledger.change("P2", amount=Decimal(amount))
        await laps(stage)
    assert payments(invoice) == [10_000]
    assert "one may be a copy" in stage.intents[-1].reason


@pytest.mark.parametrize("change", [{"paid_on": date(2026, 1, 16)}, {"amount": Decimal("100.01")}])
async def test_what_may_have_been_typed_by_a_person_is_not_sent_because_the_books_correct_it(
    change: dict[str, object],
) -> None:
    stage = scene()
    invoice = stage.invoice(total=30_000)
    stage.bank.person_pays(invoice, 10_000, "2026-01-15T00:00:00")
    key = stage.pays(invoice, "100.00")
    await laps(stage)
    assert stage.intent.state is State.REVIEW
    stage.ledger.change(key, **change)
    await laps(stage)
    assert payments(invoice) == [10_000]
    assert stage.intent.state is State.REVIEW


async def test_what_a_person_dropped_is_not_sent_because_it_came_back_and_changed() -> None:
    stage = scene()
    first, second = stage.invoice(total=30_000), stage.invoice()
    stage.bank.person_pays(first, 10_000, "2026-01-15T00:00:00")
    key = stage.pays(first, "100.00")
    await laps(stage)
    await decide(stage, "drop")
    stage.bank.company.edit(second, status=schema.DENIED)
    for change in ({"invoice": str(second.idn)}, {"invoice": str(first.idn)}, {"amount": Decimal("100.01")}):
        stage.ledger.change(key, **change)
        await laps(stage)
    assert payments(first) == [10_000]
    assert stage.intent.state is State.REVIEW


async def test_a_supplier_who_changed_means_another_invoice_of_that_number() -> None:
    stage = scene(match_by="number_and_supplier", armed=False)
    one, other = list(stage.bank.company["suppliers"])[:2]
    wrong = stage.invoice(supplier=one, invoiceNumber="N-1")
    right = stage.invoice(supplier=other, invoiceNumber="N-1")
    stage.ledger.record("17", "N-1", "100.00", supplier=one.name)
    await stage.lap()
    stage.ledger.change("17", supplier=other.name)
    stage.armed = True
    await laps(stage)
    assert (payments(wrong), payments(right)) == ([], [10_000])


async def test_a_supplier_who_is_called_otherwise_is_no_other_payment() -> None:
    stage = scene()
    invoice = stage.invoice()
    key = stage.pays(invoice, "40.00", supplier=invoice.supplier.name)
    await laps(stage)
    stage.ledger.change(key, supplier="Renamed GmbH")
    await laps(stage)
    assert stage.intent.state is State.CONFIRMED


async def test_what_is_found_with_another_amount_than_the_books_have_goes_to_a_person() -> None:
    stage = scene(posts=[late(2 * HOUR)])
    key = stage.pays(stage.invoice(), "100.00")
    await stage.lap()
    await laps(stage, 1)
    for _ in range(3):
        await stage.lap(after=600)
    assert stage.intent.state is State.REVIEW
    stage.ledger.change(key, amount=Decimal("70.00"))
    await stage.lap(after=60)
    await decide(stage, "repost", force=True)
    await laps(stage)
    assert payments(stage.invoices[0]) == [10_000]
    assert stage.intent.state is State.REVIEW
    assert "Precoro has 100.00, the ledger has 70.00" in stage.intent.reason


async def test_a_change_that_nobody_was_shown_is_told_after_a_payment_was_adopted() -> None:
    stage = scene(posts=[cut])
    invoice = stage.invoice()
    key = stage.pays(invoice, "100.00")
    await laps(stage, 6)
    stage.ledger.change(key, amount=Decimal("60.00"))
    await laps(stage)
    stage.bank.person_pays(invoice, 10_000, "2026-01-15T00:00:00")
    [payment] = invoice.made("payments")
    await decide(stage, "adopt", payment=str(payment.id))
    await laps(stage)
    assert stage.intent.state is State.REVIEW
    assert "60.00" in stage.intent.reason
    await decide(stage, "adopt")
    await laps(stage)
    assert stage.intent.state is State.CONFIRMED


async def test_a_reposted_payment_whose_first_request_may_arrive_is_not_taken_back_without_a_person() -> None:
    stage = scene(posts=[late(20 * HOUR)])
    key = stage.pays(stage.invoice(), "100.00")
    await laps(stage, 5)
    stage.stop_file = True
    await decide(stage, "repost", force=True)
    stage.ledger.change(key, amount=Decimal(0))
    stage.stop_file = False
    await laps(stage)
    assert stage.intent.state is State.REVIEW
    await laps(stage, 24)
    assert (payments(stage.invoices[0]), stage.intent.remote_id is None) == ([10_000], False)


async def test_books_that_are_read_slowly_are_read_once_a_lap() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice)
    async with stage.life() as life:
        await life.store.journal.arm(stage.bank.clock.now())
        await life.mirror(invoice)
        job = stage.job(life)
        read = stage.ledger.recorded

        @asynccontextmanager
        async def slowly(position: str | None) -> AsyncIterator[AsyncIterator[LedgerBatch]]:
            stage.bank.clock.time += 400
            async with read(position) as batches:
                yield batches

        stage.ledger.recorded = slowly  # type: ignore[method-assign]
        await job.lap()
    assert (stage.ledger.reads, payments(invoice)) == (1, [10_000])


AGAIN = (
    [{"amount": Decimal("100.01")}, {"amount": Decimal("100.02")}],
    [{"amount": Decimal(0)}, {"amount": Decimal("100.00"), "paid_on": date(2026, 1, 16)}],
    [{"invoice": "elsewhere"}, {"invoice": "back", "paid_on": date(2026, 1, 16)}],
)


@pytest.mark.parametrize("changes", AGAIN)
@pytest.mark.parametrize("dropped", [False, True])
async def test_what_a_person_was_asked_is_not_forgotten_whatever_the_books_do_in_turn(
    changes: list[dict[str, object]], *, dropped: bool
) -> None:
    stage = scene()
    invoice = stage.invoice(total=50_000)
    stage.bank.person_pays(invoice, 10_000, "2026-01-15T00:00:00")
    key = stage.pays(invoice, "100.00")
    await laps(stage)
    if dropped:
        await decide(stage, "drop")
    for change in changes:
        names = {"invoice": str(invoice.idn)} if change.get("invoice") == "back" else {}
        stage.ledger.change(key, **change | names)
        await laps(stage)
    assert payments(invoice) == [10_000]
    assert stage.intent.state in (State.REVIEW, State.REJECTED)


@pytest.mark.parametrize("change", [{"paid_on": date(2026, 1, 16)}, {"amount": Decimal("99.00")}])
async def test_what_was_dropped_without_an_invoice_stays_so_while_the_books_name_the_same(
    change: dict[str, object],
) -> None:
    stage = scene(match_by="external_id")
    first, second = stage.invoice(external_id="A-1"), stage.invoice(external_id="A-1")
    stage.ledger.record("17", "A-1", "100.00")
    await stage.lap()
    await decide(stage, "drop")
    stage.bank.company.edit(second, status=schema.DENIED)
    stage.ledger.change("17", **change)
    await laps(stage)
    assert payments(first) == []
    stage.invoice(external_id="A-2")
    stage.ledger.change("17", invoice="A-2")
    await laps(stage)
    assert [len(payments(one)) for one in stage.invoices] == [0, 0, 1]


async def test_a_row_that_is_garbled_for_a_moment_does_not_stop_the_looking_for_what_may_be_there() -> None:
    stage, key = await to_be_repeated(arrives_after=5 * HOUR, hours=3)
    stage.ledger.bad.append(UnreadableRow(key, VOID, "{}"))
    await stage.lap(after=600)
    stage.ledger.bad.clear()
    stage.ledger.change(key)
    stage.stop_file = True
    await laps(stage, 4)
    stage.stop_file = False
    await laps(stage)
    assert (stage.intent.state, payments(stage.invoices[0])) == (State.CONFIRMED, [6_000])


async def test_a_payment_that_a_person_assigned_may_be_reposted() -> None:
    stage = scene(match_by="external_id")
    first = stage.invoice(external_id="A-1", total=5_000)
    stage.invoice(external_id="A-1", total=9_000)
    stage.ledger.record("17", "A-1", "100.00")
    await stage.lap()
    lost = stage.intent
    await decide(stage, "repost", invoice=first.id)
    await laps(stage)
    [held_one] = [one for one in stage.intents if one.state is State.REVIEW]
    stage.bank.company.edit(first, total=10_000)
    await decide(stage, "drop", ident=held_one.id)
    await laps(stage)
    await decide(stage, "repost", ident=held_one.id)
    await laps(stage)
    assert payments(first) == [10_000]
    assert lost.id != held_one.id


async def test_what_changed_after_a_person_was_asked_is_told_after_the_adopting() -> None:
    stage = scene()
    key = stage.pays(stage.invoice(), "100.00")
    await laps(stage)
    stage.ledger.change(key, amount=Decimal("90.00"))
    await laps(stage)
    stage.ledger.change(key, amount=Decimal("10.00"))
    await laps(stage)
    await decide(stage, "adopt")
    await laps(stage)
    assert stage.intent.state is State.REVIEW
    assert "10.00" in stage.intent.reason


@pytest.mark.parametrize("attempt", [cut, None])
async def test_what_was_dropped_and_moves_later_is_paid_there(attempt: object) -> None:
    stage = scene(posts=[attempt] if attempt else [])
    wrong, right = stage.invoice(), stage.invoice()
    key = stage.pays(wrong, "100.00")
    await laps(stage, 6)
    if attempt is None:  # it was sent, and somebody undid it
        [payment] = wrong.made("payments")
        stage.bank.company.edit(payment, status=schema.CANCELED)
        stage.bank.company.edit(wrong, paid=0, status=schema.APPROVED)
        await laps(stage)
    await decide(stage, "drop")
    await laps(stage)
    stage.ledger.change(key, invoice=str(right.idn))
    await laps(stage)
    assert (payments(wrong), payments(right)) == ([], [10_000])


@pytest.mark.parametrize("step", range(1, 4))
async def test_killed_when_it_finds_another_amount_it_is_asked_about_all_the_same(step: int) -> None:
    stage = scene(posts=[late(2 * HOUR)])
    key = stage.pays(stage.invoice(), "100.00")
    await stage.lap()
    await laps(stage, 1)
    for _ in range(3):
        await stage.lap(after=600)
    stage.ledger.change(key, amount=Decimal("70.00"))
    await stage.lap(after=60)
    await decide(stage, "repost", force=True)
    stage.bank.clock.time += HOUR
    stage.bank.catch_up()
    await stage.crashing_lap(step)
    await laps(stage)
    assert payments(stage.invoices[0]) == [10_000]
    assert stage.intent.state is State.REVIEW


async def test_a_person_is_asked_where_what_an_invoice_hides_may_be_this_payment() -> None:
    """Another program's payment does not show, though one of a person does."""
    for hidden, state in ((3_000, State.CONFIRMED), (5_000, State.REVIEW)):
        stage = scene()
        invoice = stage.invoice(total=20_000)
        stage.bank.person_pays(invoice, 1_000, "2026-01-14")
        stage.bank.company.edit(invoice, paid=1_000 + hidden)
        stage.pays(invoice, "50.00")
        await stage.lap()
        assert stage.intent.state is state
    assert "is this payment among that?" in stage.intent.reason
    await decide(stage, "repost")
    await stage.lap(after=HOUR)
    assert payments(invoice) == [1_000, 5_000], "a person said that it is not"


async def test_a_row_that_was_in_doubt_and_grew_is_not_sent_beside_the_earlier_request() -> None:
    stage = scene(posts=[cut], repost="guarded")
    invoice = stage.invoice(total=6_000)
    key = stage.pays(invoice, "40.00")
    await stage.lap()
    stage.stop_file = True
    for pause in (70, 250, 700):
        await stage.lap(after=pause)
    assert stage.intent.state is State.PLANNED, "to be sent again, as soon as it may"
    stage.bank.company.edit(invoice, total=10_000)
    stage.ledger.change(key, amount=Decimal("60.00"))
    stage.stop_file = False
    for _ in range(2):
        await stage.lap(after=HOUR)
    assert (stage.intent.state, payments(invoice)) == (State.REVIEW, [])
    assert "two of it would both fit" in stage.intent.reason


async def test_a_cent_is_no_payment_of_nothing() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.bank.person_pays(invoice, 10_000, "2026-01-14")
    stage.bank.company.edit(invoice, status=schema.PARTLY_PAID)
    stage.pays(invoice, "0.01")
    await stage.lap()
    assert (stage.bank.posts, stage.intent.state) == (0, State.REVIEW)


async def test_a_supplier_with_a_bar_in_its_name_moves_no_payment_to_another_invoice() -> None:
    stage = scene()
    key = await held(stage)
    stage.ledger.change(key, supplier="A|B")
    await stage.lap(after=HOUR)
    stage.ledger.change(key, amount=Decimal("45.00"))
    stage.armed = False
    async with stage.life() as life:
        await stage.job(life).access.read()
        linked = await life.store.ledger_payments.linked("books", key)
    assert linked is not None
    assert (linked.changed, linked.moved) == (True, False)
