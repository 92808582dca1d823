"""Payments of the ledger at Precoro: each story from the ledger to the bank and the journal."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from precoro_daemon.errors import AuthenticationError, FatalError, PermanentError, TemporaryError
from precoro_daemon.mirror.ports.precoro import Detail
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.ledger_payments import UnreadableRow
from precoro_daemon.payments.rules.states import State
from precoro_daemon.payments.rules.transitions import TABLE
from precoro_daemon.sandbox import schema
from tests.payments.books import DAY
from tests.payments.scene import payments, scene
from tests.payments.world import (
    HOUR,
    MINUTE,
    answered,
    arrived_twice,
    carried_out,
    carried_out_then,
    carried_out_then_cut,
    cut,
    late,
    no_connection,
    person_was_faster,
    sent_back_to_revision,
    slow_connection,
)

pytestmark = pytest.mark.asyncio

REFUSED = answered(400, {"code": 400, "errors": {"errors": {"payDate": ["This value is not valid."]}}})


async def test_a_payment_of_the_books_is_made_once_and_seen() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    assert payments(invoice) == [10_000]
    assert invoice.status == schema.PAID
    assert stage.intent.state is State.CONFIRMED
    [payment] = invoice.made("payments")
    assert payment.external_id == stage.intent.id
    assert datetime.fromtimestamp(payment.required, UTC).date() == DAY
    for _ in range(3):
        await stage.lap(after=20 * MINUTE)
    assert payments(invoice) == [10_000]
    assert stage.intent.seen
    assert stage.events == ["plan", "send", "accept", "see"]


async def test_a_payment_is_seen_in_the_detail_of_its_invoice_without_a_call() -> None:
    """Which the mirror fetches anyway, where the list of payments is scanned more seldom."""
    stage = scene(mirrors=False)
    invoice = stage.invoice()
    stage.pays(invoice)
    async with stage.life() as life:
        await life.mirror(invoice)
    await stage.lap()
    stage.calls.clear()
    async with stage.life() as life:
        await life.mirror(invoice, payments=False)
        [due] = await life.store.mirror.due_details(["invoices"], before=stage.bank.clock.now(), limit=9)
        detail = Detail(invoice.id, stage.bank.company.details.raw(invoice).decode())
        await life.store.mirror.save_detail(due, detail, at=stage.bank.clock.now())
    await stage.lap(after=20 * MINUTE)
    assert stage.intent.seen
    assert stage.calls == []


async def test_a_lap_with_nothing_to_do_asks_the_books_once_and_precoro_nothing() -> None:
    stage = scene()
    stage.pays(stage.invoice())
    await stage.lap()
    await stage.lap(after=HOUR)
    stage.calls.clear()
    stage.ledger.reads = 0
    report = await stage.lap(after=HOUR)
    assert (stage.calls, stage.ledger.reads, report.brought) == ([], 1, 0)


async def test_a_payment_costs_one_look_and_one_request() -> None:
    stage = scene()
    stage.pays(stage.invoice())
    await stage.lap()
    assert [call.split(" ")[0] for call in stage.calls] == ["GET", "POST"]


@pytest.mark.parametrize(
    ("paid", "sent"), [("99.99", 10_000), ("100.01", 10_000), ("99.98", 9_998), ("100.00", 10_000)]
)
async def test_a_cent_of_rounding_is_snapped_to_the_remainder_and_no_more(paid: str, sent: int) -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, paid)
    await stage.lap()
    assert payments(invoice) == [sent]


async def test_partial_payments_are_made_one_after_the_other() -> None:
    stage = scene()
    invoice = stage.invoice()
    for number, amount in enumerate(("30", "30.00", "40")):
        stage.pays(invoice, amount, paid_on=DAY + timedelta(days=number))
    await stage.lap()
    assert payments(invoice) == [3_000]
    for _ in range(3):
        await stage.lap(after=20 * MINUTE)
    assert payments(invoice) == [3_000, 3_000, 4_000]
    assert invoice.status == schema.PAID
    assert [intent.state for intent in stage.intents] == [State.CONFIRMED] * 3


async def test_an_answer_that_names_a_payment_of_before_is_no_proof_of_a_second_one() -> None:
    """A proxy or a server that takes the second of two equal instalments for a repeat of the first."""
    stage = scene()
    invoice = stage.invoice(10_000)
    stage.pays(invoice, "50.00")
    await stage.lap()
    [first] = invoice.made("payments")
    stage.pays(invoice, "50.00", paid_on=DAY + timedelta(days=1))
    said = json.loads(stage.bank.company.entries.raw(first))
    stage.posts.append(answered(201, said))
    await stage.lap(48 * HOUR)
    assert sorted(one.state for one in stage.intents) == [State.CONFIRMED, State.DOUBT]
    for _ in range(5):
        await stage.lap(HOUR)
    assert sorted(one.state for one in stage.intents) == [State.CONFIRMED, State.REVIEW]
    assert payments(invoice) == [5_000]


async def test_two_equal_payments_of_one_day_may_be_a_copy() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "50")
    stage.pays(invoice, "50")
    await stage.lap()
    await stage.lap(after=20 * MINUTE)
    assert payments(invoice) == [5_000]
    assert [intent.state for intent in stage.intents] == [State.CONFIRMED, State.REVIEW]
    assert "twice" in stage.intents[1].reason


async def test_a_row_that_comes_again_is_the_same_payment() -> None:
    stage = scene()
    invoice = stage.invoice()
    key = stage.pays(invoice, "40")
    stage.ledger.change(key)
    await stage.lap()
    stage.ledger.change(key)
    await stage.lap(after=20 * MINUTE)
    assert payments(invoice) == [4_000]


async def test_an_over_payment_waits_for_a_person() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "100.02")
    await stage.lap()
    assert payments(invoice) == []
    assert stage.intent.state is State.REVIEW
    assert stage.intent.reason == f"the ledger has 100.02, invoice {invoice.idn} owes 100.00 EUR"


@pytest.mark.parametrize("amount", ["-10", "0"])
async def test_what_takes_back_is_never_sent(amount: str) -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, amount)
    await stage.lap()
    assert stage.bank.posts == 0
    assert stage.intent.state is State.REVIEW
    assert f"for invoice {invoice.idn}: taken back or cancelled" in stage.intent.reason


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"currency": "USD"}, "the ledger says USD, invoice {idn} is in EUR"),
        ({"currency": "XXX"}, "the ledger says XXX"),
        ({"currency": ""}, "the ledger says no currency"),
        ({"supplier": "Somebody else"}, "the ledger names the supplier 'Somebody else'"),
    ],
)
async def test_what_does_not_fit_waits_for_a_person(more: dict[str, object], said: str) -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, **more)
    await stage.lap()
    assert stage.bank.posts == 0
    assert stage.intent.state is State.REVIEW
    assert said.format(idn=invoice.idn) in stage.intent.reason


async def test_the_currency_of_books_that_do_not_say_may_be_given() -> None:
    stage = scene(currency="EUR")
    invoice = stage.invoice()
    stage.pays(invoice, currency="")
    await stage.lap()
    assert payments(invoice) == [10_000]


async def test_a_supplier_may_be_named_in_any_of_its_ways() -> None:
    stage = scene()
    for name in ("name", "id"):
        invoice = stage.invoice()
        told = {"name": f"  {invoice.supplier.name.upper()} ", "id": str(invoice.supplier.id)}[name]
        stage.pays(invoice, supplier=told)
        await stage.lap(after=HOUR)
        assert payments(invoice) == [10_000]


async def test_an_amount_finer_than_a_cent_waits_for_a_person() -> None:
    stage = scene()
    stage.pays(stage.invoice(), "10.005")
    await stage.lap()
    assert stage.intent.state is State.REVIEW
    assert "finer than the coins" in stage.intent.reason


async def test_what_is_dated_in_the_future_is_sent_on_its_day() -> None:
    stage = scene()
    invoice = stage.invoice()
    later_day = datetime.fromtimestamp(stage.bank.clock.now(), UTC).date() + timedelta(days=2)
    stage.pays(invoice, paid_on=later_day)
    await stage.lap()
    await stage.lap(after=HOUR)
    assert stage.intent.state is State.PLANNED
    assert stage.told[1:] == [("postpone", f"it is dated {later_day}, which is still to come")]
    assert stage.calls == []
    await stage.lap(after=48 * HOUR)
    assert payments(invoice) == [10_000]


async def test_credit_notes_are_not_paid() -> None:
    stage = scene()
    note = stage.invoice(logic=schema.CREDIT_NOTE)
    stage.pays(note)
    await stage.lap()
    assert stage.bank.posts == 0
    assert "is a credit note" in stage.intent.reason


async def test_an_ambiguous_name_goes_to_review_and_never_to_a_guess() -> None:
    stage = scene(match_by="external_id")
    first = stage.invoice(external_id="A-1")
    second = stage.invoice(external_id="A-1", total=9_000)
    stage.ledger.record("17", "A-1", "100.00")
    await stage.lap()
    assert stage.bank.posts == 0
    assert stage.intent.state is State.REVIEW
    assert stage.intent.invoice_id is None
    assert f"ambiguous: 2 invoices bear that name: invoice {first.idn}" in stage.intent.reason
    assert str(second.idn) in stage.intent.reason


async def test_parts_of_a_split_that_share_their_number_are_ambiguous() -> None:
    stage = scene()
    parent = stage.invoice()
    part = stage.invoice(total=4_000)
    part.split_of, part.idn = parent, parent.idn
    stage.bank.company.touch(part)
    stage.pays(parent, "40.00")
    await stage.lap()
    assert stage.bank.posts == 0
    assert "ambiguous" in stage.intent.reason


async def test_a_part_of_a_split_is_not_paid_by_a_number_that_answers_with_another() -> None:
    stage = scene(match_by="id")
    parent = stage.invoice()
    part = stage.invoice(total=4_000)
    part.split_of, part.idn = parent, parent.idn
    stage.bank.company.touch(part)
    stage.ledger.record("17", str(part.id), "40.00")
    await stage.lap()
    assert stage.bank.posts == 0
    assert stage.intent.state is State.REVIEW
    assert "shares its number" in stage.intent.reason


async def test_an_invoice_number_counts_only_with_its_supplier() -> None:
    stage = scene(match_by="number_and_supplier")
    first, other = list(stage.bank.company["suppliers"])[:2]
    mine = stage.invoice(invoiceNumber="2026-1", supplier=first)
    stage.invoice(invoiceNumber="2026-1", supplier=other)
    stage.ledger.record("17", "2026-1", "100.00", supplier=first.name)
    stage.ledger.record("18", "2026-1", "100.00", supplier="nobody we know")
    stage.ledger.record("19", "2026-1", "100.00")
    await stage.lap()
    assert payments(mine) == [10_000]
    states = {str(intent.source): intent.state for intent in stage.intents}
    assert states == {"17": State.CONFIRMED, "19": State.REVIEW}
    [held] = [intent.reason for intent in stage.intents if intent.state is State.REVIEW]
    assert f"{mine.idn} (id {mine.id}) of {first.name!r}" in held, "what a person chooses from"
    assert "repost ID --invoice" in held


@pytest.mark.parametrize("status", [schema.PENDING, schema.ON_REVISE, schema.AWAITING_CONFIRMATION])
async def test_an_invoice_that_is_not_approved_yet_is_waited_for(status: int) -> None:
    stage = scene()
    invoice = stage.invoice(status=status)
    stage.pays(invoice)
    await stage.lap()
    assert stage.intents == []
    stage.bank.company.edit(invoice, status=schema.APPROVED)
    await stage.lap(after=HOUR)
    assert payments(invoice) == [10_000]


@pytest.mark.parametrize("status", [schema.CANCELED, schema.DENIED])
async def test_an_invoice_cancelled_since_the_mirror_saw_it_waits_for_a_person(status: int) -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice)
    stage.armed = False
    await stage.lap()
    stage.armed, stage.mirrors = True, False
    stage.bank.company.edit(invoice, status=status)
    await stage.lap(after=HOUR)
    assert stage.bank.posts == 0
    assert stage.intent.state is State.REVIEW
    assert f"invoice {invoice.idn} was" in stage.intent.reason


async def test_an_invoice_deleted_since_the_mirror_saw_it_waits_for_a_person() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    stage.bank.company.delete(invoice)
    stage.armed, stage.mirrors = True, False
    await stage.lap(after=HOUR)
    assert stage.bank.posts == 0
    assert stage.intent.state is State.REVIEW
    assert "gone from Precoro" in stage.intent.reason


async def test_a_payment_typed_by_a_person_is_not_made_again() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    stage.bank.person_pays(invoice, 4_000, DAY.isoformat())
    stage.armed = True
    await stage.lap(after=HOUR)
    assert payments(invoice) == [4_000]
    assert "it may be the same payment, entered by hand" in stage.intent.reason


@pytest.mark.parametrize("plan", [carried_out_then_cut, carried_out_then(500), carried_out_then(201)])
async def test_a_payment_whose_answer_is_lost_is_found_and_not_sent_again(plan: object) -> None:
    stage = scene(posts=[plan])
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    assert stage.intent.state is State.DOUBT
    await stage.lap(after=30)
    assert stage.intent.checks == 0, "a look within a minute is refused by Precoro"
    await stage.lap(after=40)
    assert payments(invoice) == [4_000]
    assert stage.intent.state is State.CONFIRMED
    assert stage.bank.posts == 1


async def test_a_request_that_was_lost_is_looked_for_three_times_and_left_to_a_person() -> None:
    stage = scene(posts=[cut])
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    for pause in (70, 250, 700):
        assert stage.intent.state is State.DOUBT
        await stage.lap(after=pause)
    assert stage.intent.state is State.REVIEW
    assert stage.intent.reason == "not there after 3 checks; it may still arrive"
    assert stage.facts("hold")["payments"] == "none"
    assert (stage.bank.posts, payments(invoice)) == (1, [])


async def test_a_guarded_repeat_is_made_only_where_two_cannot_both_fit() -> None:
    for amount, sent in (("60", [6_000]), ("40", [])):
        stage = scene(posts=[cut], repost="guarded")
        invoice = stage.invoice()
        stage.pays(invoice, amount)
        await stage.lap()
        for pause in (70, 250, 700, 60):
            await stage.lap(after=pause)
        assert payments(invoice) == sent


@pytest.mark.parametrize("seconds", [20 * MINUTE, 6 * HOUR])
@pytest.mark.parametrize("amount", ["60", "40", "100"])
async def test_a_request_that_arrives_hours_late_is_no_second_payment(seconds: float, amount: str) -> None:
    for repost in ("never", "guarded"):
        stage = scene(posts=[late(seconds)], repost=repost)
        invoice = stage.invoice()
        stage.pays(invoice, amount)
        for _ in range(30):
            await stage.lap(after=17 * MINUTE)
        assert payments(invoice) == [int(amount) * 100]
        assert stage.intent.state is State.CONFIRMED


async def test_a_doubt_keeps_other_payments_of_its_invoice_waiting() -> None:
    stage = scene(posts=[cut])
    invoice = stage.invoice()
    stage.pays(invoice, "40", "1")
    stage.pays(invoice, "50", "2")
    for _ in range(4):
        await stage.lap(after=10 * MINUTE)
    assert [str(intent.source) for intent in stage.intents] == ["1"]
    assert payments(invoice) == []


async def test_a_new_payment_without_our_id_goes_to_a_person() -> None:
    stage = scene(posts=[carried_out_then_cut], keep_external_id=False)
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    await stage.lap(after=70)
    assert stage.intent.state is State.REVIEW
    assert "a new payment of 40.00 without our id" in stage.intent.reason


async def test_two_new_payments_are_an_alarm() -> None:
    stage = scene(posts=[arrived_twice], keep_external_id=False)
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    stage.posts[:] = [lambda bank, request: (arrived_twice(bank, request), None)[1]]
    await stage.lap()
    report = await stage.lap(after=70)
    assert stage.intent.state is State.REVIEW
    assert any("2 new payments" in line for line in report.failed)


async def test_already_paid_is_no_success() -> None:
    """Somebody paid the rest while our request was on its way: the refusal speaks of their payment, not of ours."""
    stage = scene(posts=[person_was_faster(0)])
    invoice = stage.invoice()
    stage.bank.person_pays(invoice, 2_000, DAY.isoformat())
    stage.pays(invoice, "30")
    await stage.lap()
    assert stage.intent.state is State.DOUBT
    for pause in (70, 250, 700):
        await stage.lap(after=pause)
    assert stage.intent.state is State.REVIEW
    assert stage.intent.remote_id is None


async def test_already_paid_by_our_own_request_that_arrived_twice_is_found() -> None:
    stage = scene(posts=[arrived_twice])
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    assert stage.intent.state is State.DOUBT
    await stage.lap(after=70)
    assert stage.intent.state is State.CONFIRMED
    assert payments(invoice) == [10_000]


async def test_a_refusal_is_written_on_the_invoice() -> None:
    stage = scene(posts=[REFUSED])
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    assert stage.intent.state is State.REJECTED
    assert "payDate" in (invoice.log or "")
    assert stage.intent.reported
    await stage.lap(after=HOUR)
    assert stage.bank.posts == 1


async def test_a_refusal_after_a_doubt_is_a_doubt() -> None:
    stage = scene(posts=[cut, REFUSED], repost="guarded")
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    for pause in (70, 250, 700):
        await stage.lap(after=pause)
    assert stage.bank.posts == 2
    assert stage.intent.state is State.DOUBT


@pytest.mark.parametrize("plan", [no_connection, slow_connection])
async def test_what_provably_never_left_is_sent_later(plan: object) -> None:
    stage = scene(posts=[plan])
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    assert (stage.intent.state, stage.bank.posts) == (State.PLANNED, 0)
    await stage.lap(after=HOUR)
    assert payments(invoice) == [4_000]


async def test_a_documented_429_is_sent_later_and_one_of_a_proxy_is_a_doubt() -> None:
    body = {"error": "Too many requests for this endpoint", "RateLimit-Type": "Hourly limiter"}
    for plan, state in ((answered(429, body), State.PLANNED), (answered(429, b"<html>"), State.DOUBT)):
        stage = scene(posts=[plan])
        stage.pays(stage.invoice())
        await stage.lap()
        assert stage.intent.state is state


async def test_the_end_of_a_revision_race_is_a_refusal() -> None:
    stage = scene(posts=[sent_back_to_revision])
    stage.pays(stage.invoice())
    await stage.lap()
    assert stage.intent.state is State.REJECTED


async def test_a_refused_key_leaves_a_doubt_and_ends_the_lap() -> None:
    stage = scene(posts=[answered(401, {"code": 401})])
    for _ in range(3):
        stage.pays(stage.invoice())
    report = await stage.lap()
    assert isinstance(report.ended, AuthenticationError)
    assert sorted(intent.state for intent in stage.intents) == [State.DOUBT, State.PLANNED, State.PLANNED]


async def test_a_crash_after_the_request_was_carried_out_is_not_sent_again() -> None:
    """Whatever the step: the journal knew of it before it left."""
    step = 0
    while True:
        stage = scene()
        invoice = stage.invoice()
        stage.pays(invoice, "40")
        try:
            await stage.crashing_lap(step)
        except AssertionError:
            break
        for _ in range(4):
            await stage.lap(after=20 * MINUTE)
        assert payments(invoice) in ([4_000], []), step
        if not payments(invoice):
            assert stage.intent.state is State.REVIEW, step
        step += 1
    assert step > 6


async def test_a_lost_store_sends_nothing_again() -> None:
    """The new one starts disarmed, finds by the same ids what was sent, and goes on from there."""
    stage = scene()
    paid, open_ = stage.invoice(), stage.invoice()
    stage.pays(paid, "40")
    await stage.lap()
    lost = scene(armed=False)
    lost.bank, lost.ledger, lost.invoices = stage.bank, stage.ledger, stage.invoices
    lost.pays(open_, "70")
    await lost.lap(after=HOUR)
    assert payments(open_) == []
    assert {intent.state for intent in lost.intents} == {State.CONFIRMED, State.PLANNED}
    lost.armed = True
    await lost.lap(after=HOUR)
    assert (payments(paid), payments(open_)) == ([4_000], [7_000])


async def test_a_disarmed_store_plans_and_sends_nothing() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    stage.pays(invoice)
    for _ in range(3):
        await stage.lap(after=HOUR)
    assert stage.intent.state is State.PLANNED
    assert stage.bank.posts == 0
    assert len(stage.calls) == 1, "it is looked up once"


async def test_the_kill_switch_holds_everything_until_it_is_gone() -> None:
    stage = scene(stop_file=True)
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    assert (stage.intent.state, stage.bank.posts) == (State.PLANNED, 0)
    stage.stop_file = False
    await stage.lap(after=HOUR)
    assert payments(invoice) == [10_000]


async def test_caps_hold_back_what_is_above_them() -> None:
    stage = scene(caps=Caps(per_payment=Decimal(80)))
    small, large = stage.invoice(), stage.invoice()
    stage.pays(large, "80.01")
    stage.pays(small, "80.00")
    await stage.lap()
    assert (payments(large), payments(small)) == ([], [8_000])
    reasons = {intent.invoice_id: intent.reason for intent in stage.intents}
    assert reasons[large.id] == "80.01 is above the cap of 80.00 for one payment"


async def test_the_cap_of_a_day_counts_doubts_and_opens_after_a_day() -> None:
    stage = scene(caps=Caps(per_day=Decimal(150)), posts=[carried_out, cut])
    invoices = [stage.invoice() for _ in range(4)]
    for number, invoice in enumerate(invoices):
        stage.pays(invoice, "50", f"{number}")
    await stage.lap()
    assert sorted(intent.state for intent in stage.intents) == ["confirmed", "confirmed", "doubt", "planned"]
    await stage.lap(after=23 * HOUR)
    assert [intent.state for intent in stage.intents].count(State.PLANNED) == 1
    await stage.lap(after=2 * HOUR)
    assert [intent.state for intent in stage.intents].count(State.PLANNED) == 0


async def test_the_cap_of_a_lap() -> None:
    stage = scene(caps=Caps(per_lap=2))
    for _ in range(5):
        stage.pays(stage.invoice())
    for lap in (2, 4, 5):
        await stage.lap(after=HOUR)
        assert stage.bank.posts == lap


async def test_a_row_changed_before_it_was_sent_is_sent_as_it_is_now() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    key = stage.pays(invoice, "40")
    await stage.lap()
    stage.ledger.change(key, amount=Decimal("45.00"))
    stage.armed = True
    await stage.lap(after=HOUR)
    assert payments(invoice) == [4_500]
    assert "replan" in stage.events


async def test_a_row_taken_back_before_it_was_sent_is_not_sent_and_may_return() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    key = stage.pays(invoice, "40")
    await stage.lap()
    stage.ledger.change(key, amount=Decimal(0))
    stage.armed = True
    await stage.lap(after=HOUR)
    assert stage.intent.state is State.REJECTED
    assert stage.bank.posts == 0
    stage.ledger.change(key, amount=Decimal("41.00"))
    await stage.lap(after=HOUR)
    assert payments(invoice) == [4_100]


async def test_a_row_moved_to_another_invoice_before_it_was_sent() -> None:
    stage = scene(armed=False)
    wrong, right = stage.invoice(), stage.invoice()
    key = stage.pays(wrong, "40")
    await stage.lap()
    stage.ledger.change(key, invoice=str(right.idn))
    stage.armed = True
    await stage.lap(after=HOUR)
    await stage.lap(after=HOUR)
    assert (payments(wrong), payments(right)) == ([], [4_000])


@pytest.mark.parametrize("amount", ["30.00", "0", "-40"])
async def test_a_row_changed_after_it_was_sent_goes_to_a_person(amount: str) -> None:
    stage = scene()
    invoice = stage.invoice()
    key = stage.pays(invoice, "40")
    await stage.lap()
    stage.ledger.change(key, amount=Decimal(amount))
    for _ in range(3):
        await stage.lap(after=HOUR)
    assert payments(invoice) == [4_000]
    assert stage.intent.state is State.REVIEW
    assert "changed in the ledger after it was sent" in stage.intent.reason


async def test_a_row_corrected_while_it_was_held_is_judged_anew() -> None:
    stage = scene()
    invoice = stage.invoice()
    key = stage.pays(invoice, "40", currency="USD")
    await stage.lap()
    assert stage.intent.state is State.REVIEW
    stage.ledger.change(key, currency="EUR")
    await stage.lap(after=HOUR)
    assert payments(invoice) == [4_000]


async def test_a_payment_of_ours_cancelled_in_precoro_goes_to_a_person() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    [payment] = invoice.made("payments")
    stage.bank.company.edit(payment, status=schema.CANCELED)
    stage.bank.company.edit(invoice, paid=0, status=schema.APPROVED)
    await stage.lap(after=HOUR)
    assert stage.intent.state is State.REVIEW
    assert stage.intent.reason == f"payment {payment.id} was cancelled in Precoro"
    assert stage.bank.posts == 1


async def test_a_confirmed_payment_that_is_not_on_the_invoice_goes_to_a_person() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "40")
    await stage.lap()
    [payment] = invoice.made("payments")
    stage.bank.company.delete(payment)
    await stage.lap(after=5 * MINUTE)
    assert stage.intent.state is State.CONFIRMED
    await stage.lap(after=12 * MINUTE)
    assert stage.intent.state is State.REVIEW
    assert "is not on the invoice" in stage.intent.reason


async def test_an_id_that_the_post_did_not_keep_is_given_afterwards() -> None:
    stage = scene(keep_external_id=False)
    invoice = stage.invoice()
    stage.pays(invoice)
    await stage.lap()
    [payment] = invoice.made("payments")
    assert payment.external_id == stage.intent.id
    assert stage.intent.marked
    assert [call.split(" ")[0] for call in stage.calls] == ["GET", "POST", "PATCH"]


async def test_a_precoro_that_takes_only_numbers() -> None:
    for naming, kept in (("uuid", None), ("number", True)):
        stage = scene(numeric_external_ids=True, naming=naming)
        invoice = stage.invoice()
        stage.pays(invoice)
        await stage.lap()
        [payment] = invoice.made("payments")
        assert payment.external_id == (str(UUID(stage.intent.id).int % 10**18) if kept else None)
        assert stage.intent.marked, "what is refused once is not asked for again"


async def test_an_outage_of_precoro_loses_nothing() -> None:
    stage = scene(reads=[503] * 60)
    invoice = stage.invoice()
    stage.pays(invoice)
    report = await stage.lap()
    assert stage.intent.state is State.PLANNED
    assert any("503" in line for line in report.failed)
    stage.reads.clear()
    await stage.lap(after=HOUR)
    assert payments(invoice) == [10_000]


@pytest.mark.parametrize("error", [TemporaryError("the ledger do not answer"), PermanentError("nonsense")])
async def test_books_that_cannot_be_read_send_nothing_and_doubts_are_settled_all_the_same(error: Exception) -> None:
    stage = scene(posts=[carried_out_then_cut])
    first, second = stage.invoice(), stage.invoice()
    stage.pays(first)
    await stage.lap()
    stage.pays(second)
    stage.ledger.unreachable = error
    report = await stage.lap(after=HOUR)
    assert any("could not be read" in line for line in report.failed)
    assert stage.intent.state is State.CONFIRMED
    assert payments(second) == []


async def test_a_wrong_column_in_the_books_ends_the_lap() -> None:
    stage = scene()
    stage.ledger.unreachable = FatalError("there is no column paid_at")
    report = await stage.lap()
    assert isinstance(report.ended, FatalError)


async def test_rows_that_cannot_be_read_are_kept_aside_and_their_siblings_are_paid() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.ledger.bad.append(UnreadableRow("99", "amount: 'n/a' is no number", '{"amount": "n/a"}'))
    stage.pays(invoice)
    await stage.lap()
    assert payments(invoice) == [10_000]
    [row] = stage.database.execute("SELECT key, reason FROM unreadable_rows").fetchall()
    assert tuple(row) == ("99", "amount: 'n/a' is no number")


async def test_payments_for_invoices_precoro_does_not_have_wait_without_noise() -> None:
    stage = scene()
    stage.ledger.record("17", "nobody knows it", "100.00")
    report = await stage.lap()
    assert (stage.intents, report.failed) == ([], [])


async def test_the_attempt_tells_what_was_there_before() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.bank.person_pays(invoice, 2_000, "2026-01-01")
    stage.pays(invoice, "30")
    await stage.lap()
    [attempt] = stage.database.execute("SELECT * FROM attempts").fetchall()
    [known] = [row.id for row in invoice.made("payments") if row.total == 2_000]
    assert json.loads(attempt["known"]) == [known]
    assert (attempt["remainder"], attempt["amount"], attempt["outcome"]) == ("80.00", "30.00", "accepted")
    assert len(attempt["body"]) == 32
    assert attempt["server_time"] == int(stage.bank.clock.now())


async def test_an_intent_of_the_table_never_leaves_it() -> None:
    """Whatever the job did in these stories is in the journal, and nothing else is."""
    stage = scene(posts=[cut, carried_out_then_cut], repost="guarded")
    stage.pays(stage.invoice())
    for _ in range(8):
        await stage.lap(after=16 * MINUTE)
    assert set(stage.events) <= {row.event.name for row in TABLE}
    assert stage.intent.state is State.CONFIRMED
