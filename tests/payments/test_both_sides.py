"""The same payment on both sides: entered twice by people, come back as our own, changed where we made it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal

import pytest

from precoro_daemon.errors import DecisionRefused, DoubtfulError, TemporaryError
from precoro_daemon.payments.ports.ledger import Capabilities, Entry
from precoro_daemon.payments.recorder import Recorder
from precoro_daemon.payments.rules.caps import Caps
from precoro_daemon.payments.rules.events import Hold
from precoro_daemon.payments.rules.exports import Known, shares
from precoro_daemon.payments.rules.intents import Intent
from precoro_daemon.payments.rules.invoices import read_invoice
from precoro_daemon.payments.rules.ledger_payments import LedgerPayment, Undone
from precoro_daemon.payments.rules.sources import PrecoroPayment
from precoro_daemon.payments.rules.states import Direction, State
from precoro_daemon.sandbox import paying, schema
from precoro_daemon.sandbox.rows import Row
from tests.payments.books import DAY, MemoryLedger
from tests.payments.scene import Scene, payments, scene
from tests.payments.test_changing import decide, laps
from tests.payments.test_exporting import begun
from tests.payments.world import HOUR

pytestmark = pytest.mark.asyncio


def pay(stage: Scene, invoice: Row, cents: int = 4_000, day: date = DAY) -> None:
    stage.bank.person_pays(invoice, cents, day.isoformat())


async def both(stage: Scene, times: int = 3) -> None:
    for _ in range(times):
        await stage.lap(after=HOUR)
        await stage.export()


def states(stage: Scene) -> dict[str, list[str]]:
    """By direction, oldest first."""
    told: dict[str, list[str]] = {"to_precoro": [], "to_ledger": []}
    for intent in stage.intents:
        told[intent.direction].append(str(intent.state))
    return told


def in_books(stage: Scene) -> list[str]:
    return [str(row.amount) for row in stage.ledger.rows.values()]


# Entered on both sides


@pytest.mark.parametrize("apart", [-3, -1, 0, 1, 30])
@pytest.mark.parametrize("first", ["lap", "export"])
async def test_a_payment_entered_on_both_sides_is_a_persons_affair_whatever_its_days(apart: int, first: str) -> None:
    stage = await begun()
    invoice = stage.invoice(20_000)
    stage.pays(invoice, "40.00")
    pay(stage, invoice, day=DAY + timedelta(days=apart))
    if first == "export":
        await stage.export(after=HOUR)
    await both(stage)
    assert (payments(invoice), in_books(stage)) == ([4_000], ["40.00"])
    assert all(state == "review" for state in states(stage)["to_ledger"] + states(stage)["to_precoro"])


async def test_a_person_who_says_that_it_is_another_payment_is_asked_once() -> None:
    stage = scene()
    invoice = stage.invoice(20_000)
    pay(stage, invoice, day=DAY - timedelta(days=30))
    stage.pays(invoice, "40.00")
    await stage.lap(after=HOUR)
    assert stage.intent.state is State.REVIEW
    await decide(stage, "repost")
    pay(stage, invoice, day=DAY)  # before it is sent, somebody types it too
    await stage.lap()
    assert (stage.intent.state, payments(invoice)) == (State.REVIEW, [4_000, 4_000])
    await decide(stage, "repost")
    await laps(stage)
    assert (stage.intent.state, payments(invoice)) == (State.CONFIRMED, [4_000, 4_000, 4_000])


async def test_an_instalment_like_one_that_the_books_got_from_us_is_sent() -> None:
    stage = await begun()
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage, 1)
    stage.pays(invoice, "40.00", paid_on=DAY + timedelta(days=14))
    await both(stage)
    assert (payments(invoice), in_books(stage)) == ([4_000, 4_000], ["40.00", "40.00"])


async def test_of_the_same_day_it_may_be_a_copy_of_what_we_made_in_the_books() -> None:
    stage = await begun()
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage, 1)
    stage.pays(invoice, "40.00")
    await both(stage)
    assert (payments(invoice), states(stage)["to_precoro"]) == ([4_000], ["review"])


async def test_where_payments_are_only_exported_the_books_are_read_all_the_same() -> None:
    stage = await begun()
    invoice = stage.invoice()
    stage.pays(invoice, "40.00")
    pay(stage, invoice)
    await stage.export(after=HOUR)
    assert (stage.intent.state, stage.ledger.entries) == (State.REVIEW, [])
    await decide(stage, "repost")
    await stage.export(after=HOUR)
    assert (stage.intent.state, len(stage.ledger.entries)) == (State.CONFIRMED, 1)


async def test_nothing_is_entered_in_books_that_could_not_be_read() -> None:
    stage = await begun()
    invoice = stage.invoice()
    pay(stage, invoice)
    stage.ledger.unreachable = TemporaryError("no route")
    report = await stage.export(after=HOUR)
    assert (stage.ledger.entries, report.failed) == ([], ["the ledger books could not be read: no route"])
    stage.ledger.unreachable = None
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 1


async def test_books_that_cannot_be_read_get_what_they_are_due() -> None:
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=False, create="idempotent", lookup="key")
    stage.ledger.unreachable = TemporaryError("nobody should ask")
    pay(stage, stage.invoice())
    await stage.export(after=HOUR)
    assert len(stage.ledger.entries) == 1


@pytest.mark.parametrize("apart", [0, 1])
async def test_what_somebody_enters_by_hand_while_it_waits_is_not_entered_again(apart: int) -> None:
    stage = scene(armed=False)
    await stage.export()
    stage.bank.clock.time += 10
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage, 1)
    assert states(stage)["to_ledger"] == ["planned"]
    stage.pays(invoice, "40.00", paid_on=DAY + timedelta(days=apart))
    stage.armed = True
    await both(stage)
    assert (payments(invoice), in_books(stage)) == ([4_000], ["40.00"])


async def test_what_is_cancelled_in_precoro_while_it_waits_is_not_entered() -> None:
    stage = scene(armed=False)
    await stage.export()
    stage.bank.clock.time += 10
    invoice = stage.invoice(20_000)
    stage.pays(invoice, "40.00")
    pay(stage, invoice)
    await both(stage, 1)
    assert states(stage) == {"to_precoro": ["planned"], "to_ledger": ["review"]}
    paying.cancel(stage.bank.company, invoice.made("payments")[0])
    stage.armed = True
    await both(stage)
    assert states(stage)["to_ledger"] == ["rejected"]
    assert in_books(stage) == ["40.00"]


async def test_an_entry_found_after_its_payment_was_cancelled_is_told() -> None:
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=True, create="plain", lookup="key")
    stage.ledger.failures, stage.ledger.late = [DoubtfulError("no answer")], True
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await stage.export(after=HOUR)
    paying.cancel(stage.bank.company, invoice.made("payments")[0])
    await stage.export(after=30.0)
    assert stage.intent.state is State.DOUBT
    await stage.export(after=HOUR)
    assert stage.intent.state is State.REVIEW
    assert "no longer stands in Precoro; the ledger has it as B-0" in stage.intent.reason


# Our own entries


@pytest.mark.parametrize("apart", [0, 3])
async def test_our_entry_taken_back_and_made_again_in_the_books_is_never_paid(apart: int) -> None:
    stage = await begun()
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage, 1)
    stage.ledger.change("B-0", amount=Decimal(0))
    await both(stage, 1)
    assert states(stage) == {"to_precoro": [], "to_ledger": ["review"]}
    assert "it now says: payment B-0 of 0.00" in stage.intent.reason
    stage.ledger.change("B-0", amount=Decimal("40.00"), paid_on=DAY + timedelta(days=apart))
    await both(stage)
    assert payments(invoice) == [4_000]


@pytest.mark.parametrize("amount", ["40.00", "25.00"])
@pytest.mark.parametrize("same_bill", [True, False])
async def test_a_copy_of_our_entry_with_our_key_goes_to_a_person(amount: str, same_bill: bool) -> None:
    """Somebody pays next month's bill by copying this month's payment, memo and all."""
    stage = await begun()
    invoice, other = stage.invoice(20_000), stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage, 2)
    ours = stage.intent.id
    bill = invoice if same_bill else other
    stage.ledger.record("copy", str(bill.idn), amount, ours=ours, paid_on=DAY + timedelta(days=2))
    await both(stage)
    assert states(stage) == {"to_precoro": ["review"], "to_ledger": ["confirmed"]}
    [held] = [one for one in stage.intents if one.state is State.REVIEW]
    assert "carries the key of our own entry" in held.reason
    assert (len(stage.ledger.entries), payments(invoice), payments(other)) == (1, [4_000], [])


@pytest.mark.parametrize("change", [{"amount": Decimal("45.00")}, {"invoice": "another"}])
async def test_our_entry_changed_in_the_books_is_told_once(change: dict[str, object]) -> None:
    stage = await begun()
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage, 1)
    stage.ledger.change("B-0", **change)
    await both(stage)
    assert (stage.intent.state, payments(invoice)) == (State.REVIEW, [4_000])
    await decide(stage, "adopt")
    await both(stage)
    assert (stage.intent.state, stage.events.count("miss")) == (State.CONFIRMED, 1)


async def test_another_value_date_of_our_entry_is_the_books_affair() -> None:
    stage = await begun()
    pay(stage, stage.invoice(20_000))
    await both(stage, 1)
    stage.ledger.change("B-0", paid_on=DAY + timedelta(days=2))
    await both(stage)
    assert stage.intent.state is State.CONFIRMED


class Erp(MemoryLedger):
    """Takes what we enter, and books it under a number of its own, without our key, when the bank says so."""

    shift = 0

    def _create(self, entry: Entry) -> str:
        if all(one.key != entry.key for one in self.entries):
            self.entries.append(entry)
            day = entry.paid_on + timedelta(days=self.shift)
            self.log.append(
                LedgerPayment(f"ERP-{len(self.log)}", entry.invoice_idn, entry.amount, entry.currency, day)
            )
        return f"{entry.key}.csv"


@pytest.mark.parametrize("shift", [0, 2])
async def test_books_that_do_not_give_our_key_back_ask_a_person(shift: int) -> None:
    stage = scene()
    stage.ledger = Erp()
    stage.ledger.shift = shift
    await stage.export()
    stage.bank.clock.time += 10
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage)
    assert (payments(invoice), states(stage)["to_precoro"]) == ([4_000], ["review"])
    assert "may be our own entry" in stage.intents[-1].reason


@pytest.mark.parametrize("shift", [0, 2])
async def test_an_entry_of_a_lost_state_is_known_again_and_never_paid(shift: int) -> None:
    before = await begun()
    invoice = before.invoice(20_000)
    pay(before, invoice)
    await both(before, 1)
    before.ledger.change("B-0", paid_on=DAY + timedelta(days=shift))
    stage = scene(adopt=False)
    stage.bank, stage.ledger, stage.invoices = before.bank, before.ledger, before.invoices
    stage.ledger.capabilities = Capabilities(reads=True, create="plain", lookup="none")
    await both(stage)
    assert (payments(invoice), in_books(stage)) == ([4_000], ["40.00"])
    assert states(stage) == {"to_precoro": [], "to_ledger": ["confirmed"]}


async def test_what_another_company_made_in_the_same_books_is_no_payment_of_ours() -> None:
    stage = scene()
    invoice = stage.invoice(20_000)
    stage.ledger.record("901", str(invoice.idn), "40.00", ours="6b5a1f1e-0000-5000-8000-00000000000b")
    await laps(stage)
    assert (payments(invoice), stage.intents) == ([], [])


# What a person says


async def test_a_payment_is_not_adopted_by_the_number_that_people_see() -> None:
    stage = scene()
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    stage.pays(invoice, "40.00")
    await stage.lap(after=HOUR)
    [payment] = invoice.made("payments")
    with pytest.raises(DecisionRefused, match=f"that number has the id {payment.id}: give that"):
        await decide(stage, "adopt", payment=str(payment.idn))
    await decide(stage, "adopt", payment=str(payment.id))
    assert stage.intent.state is State.CONFIRMED


async def test_a_payment_is_adopted_once_and_for_its_own_invoice() -> None:
    stage = scene()
    invoice, elsewhere = stage.invoice(30_000), stage.invoice(30_000)
    pay(stage, invoice, 10_000)
    for _ in range(2):
        stage.pays(invoice, "100.00")
    stage.pays(elsewhere, "400.00")
    await laps(stage, 2)
    [payment] = invoice.made("payments")
    [first] = [one for one in stage.intents if str(one.source) == f"{invoice.idn}-0"]
    [other] = [one for one in stage.intents if one.invoice_id == elsewhere.id]
    await decide(stage, "adopt", ident=first.id, payment=str(payment.id))
    await laps(stage, 1)
    [second] = [one for one in stage.intents if str(one.source) == f"{invoice.idn}-1"]
    with pytest.raises(DecisionRefused, match="of the ledger, see"):
        await decide(stage, "adopt", ident=second.id, payment=str(payment.id))
    with pytest.raises(DecisionRefused, match="is for another invoice"):
        await decide(stage, "adopt", ident=other.id, payment=str(payment.id))


async def test_a_mistyped_payment_comes_back_and_can_be_put_right() -> None:
    stage = scene()
    invoice = stage.invoice(5_000)
    stage.pays(invoice, "100.00")
    await stage.lap(after=HOUR)
    await decide(stage, "adopt", payment="999999999")
    await laps(stage, 2)
    assert (stage.intent.state, stage.intent.reason) == (State.REVIEW, "payment 999999999 is not on the invoice")
    stage.bank.company.edit(invoice, total=10_000)
    with pytest.raises(DecisionRefused, match="if it is not there, use --force"):
        await decide(stage, "repost")
    await decide(stage, "repost", force=True)
    await laps(stage)
    assert payments(invoice) == [10_000]


async def test_what_was_cancelled_in_precoro_can_be_sent_anew() -> None:
    stage = scene()
    invoice = stage.invoice(20_000)
    key = stage.pays(invoice, "40.00")
    await stage.lap(after=HOUR)
    stage.ledger.change(key, amount=Decimal("45.00"))
    await laps(stage, 1)
    with pytest.raises(DecisionRefused, match="cancel that one there first"):
        await decide(stage, "repost")
    paying.cancel(stage.bank.company, invoice.made("payments")[0])
    await laps(stage, 1)
    await decide(stage, "repost")
    await laps(stage)
    assert (stage.intent.state, payments(invoice)) == (State.CONFIRMED, [4_500])


async def test_an_entry_is_adopted_only_if_the_books_have_it() -> None:
    stage = await begun()
    stage.ledger.capabilities = Capabilities(reads=True, create="plain", lookup="none")
    stage.ledger.failures, stage.ledger.late, stage.ledger.kept = [DoubtfulError("no answer")], True, False
    pay(stage, stage.invoice(20_000))
    await stage.export(after=HOUR)
    await stage.export(after=HOUR)
    assert stage.intent.state is State.REVIEW
    with pytest.raises(DecisionRefused, match="the ledger has no payment typo"):
        await decide(stage, "adopt", payment="typo")
    await decide(stage, "adopt", payment="B-0")
    assert stage.intent.state is State.CONFIRMED


async def test_a_planned_payment_can_be_dropped() -> None:
    stage = scene(caps=Caps(per_payment=Decimal(50)))
    invoice = stage.invoice(20_000)
    stage.pays(invoice, "100.00")
    stage.pays(invoice, "40.00")
    await laps(stage)
    await decide(stage, "drop")
    await laps(stage)
    assert (payments(invoice), states(stage)["to_precoro"]) == ([4_000], ["rejected", "confirmed"])


@pytest.mark.parametrize(("field", "amount"), [("payDate", "40.00"), ("sumPaid", "0")])
async def test_what_can_be_read_of_a_payment_is_what_a_person_decides(field: str, amount: str) -> None:
    payment = {"id": 9, "sumPaid": "40.00", "payDate": "2026-01-15T00:00:00+00:00", "createDate": "2026-01-15"}
    raw = {"id": 7, "idn": 1, "sum": "200.00", "sumPaid": "40.00", "payments": {"data": [payment | {field: "soon"}]}}
    [share, *_] = shares(read_invoice(json.dumps(raw)), Known((), (), (), (), 0.0))
    assert (share.kind, share.amount) == ("hold", Decimal(amount))


async def test_nothing_is_sent_that_amounts_to_nothing() -> None:
    stage = await begun()
    invoice = stage.invoice()
    draft = Intent(
        "7" * 8, Direction.TO_LEDGER, "books", PrecoroPayment(9), Decimal(0), "EUR", DAY, invoice.id, invoice.idn
    )
    async with stage.life() as life:
        await Recorder(life.store.journal, stage.bank.clock).plan(draft, Hold(), "no amount we can read")
    with pytest.raises(DecisionRefused, match=r"amounts to 0\.00"):
        await decide(stage, "repost")
    await decide(stage, "drop")
    assert stage.intent.state is State.REJECTED


@pytest.mark.parametrize("amount", ["33.3333333333333333", "1234567890123456.00"])
async def test_an_amount_of_more_digits_than_money_has_is_set_aside_and_stops_no_other(amount: str) -> None:
    stage = scene()
    strange, good = stage.invoice(), stage.invoice()
    stage.pays(strange, amount, key="strange")
    stage.pays(good, "100.00")
    await laps(stage)
    assert (payments(strange), payments(good)) == ([], [10_000])
    async with stage.life() as life:
        [row] = await life.store.ledger_payments.unreadable(stage.ledger.name)
    assert (row.key, row.reason) == ("strange", f"amount: {amount} has more digits than an amount of money")


async def test_zeros_of_a_wide_column_say_nothing() -> None:
    stage = scene()
    invoice = stage.invoice()
    stage.pays(invoice, "100.0000000000000000")
    await laps(stage)
    assert payments(invoice) == [10_000]


# What Precoro does not show


async def test_sums_that_precoro_hides_are_told_one_after_the_other() -> None:
    stage = await begun()

    def told() -> list[tuple[str, str]]:
        return sorted((str(one.amount), str(one.state)) for one in stage.intents)

    invoice = stage.invoice(50_000)
    stage.bank.company.edit(invoice, paid=10_000, status=schema.PARTLY_PAID)
    await stage.export(after=HOUR)
    await decide(stage, "drop")
    stage.bank.company.edit(invoice, paid=40_000)
    await stage.export(after=HOUR)
    assert told() == [("100.00", "rejected"), ("300.00", "review")]
    stage.bank.company.edit(invoice, paid=30_000)
    await stage.export(after=HOUR)
    assert told() == [("100.00", "rejected"), ("200.00", "review"), ("300.00", "rejected")]


async def test_a_payment_that_shows_up_after_its_sum_was_entered_by_hand_asks_a_person() -> None:
    stage = await begun()
    invoice = stage.invoice(50_000)
    stage.bank.company.edit(invoice, paid=10_000, status=schema.PARTLY_PAID)
    await stage.export(after=HOUR)
    await decide(stage, "repost")
    await stage.export(after=HOUR)
    assert in_books(stage) == ["100.00"]
    stage.bank.company.edit(invoice, paid=0, status=schema.APPROVED)
    pay(stage, invoice, 10_000)
    await stage.export(after=HOUR)
    assert (in_books(stage), states(stage)["to_ledger"]) == (["100.00"], ["confirmed", "review"])


async def test_the_payments_of_a_part_that_shares_its_number_are_a_persons_affair() -> None:
    stage = await begun()
    parent = stage.invoice()
    part = stage.invoice(total=4_000)
    part.split_of, part.idn = parent, parent.idn
    stage.bank.company.touch(part)
    pay(stage, part)
    await both(stage)
    assert states(stage)["to_ledger"] == ["review"]
    assert "shows 0.00 of it" in stage.intent.reason


# What is sent


async def test_the_cap_holds_for_what_is_really_sent() -> None:
    stage = scene(caps=Caps(per_payment=Decimal("100.00")))
    invoice = stage.invoice(10_001)
    stage.pays(invoice, "100.00")
    await laps(stage)
    assert (stage.intent.state, payments(invoice)) == (State.PLANNED, [])


async def test_an_invoice_that_got_another_number_is_still_found() -> None:
    stage = scene(match_by="id", armed=False)
    invoice = stage.invoice()
    stage.ledger.record("17", str(invoice.id), "100.00")
    await stage.lap()
    _renumber(stage, invoice)
    stage.armed = True
    await laps(stage)
    assert payments(invoice) == [10_000]


def _renumber(stage: Scene, invoice: Row) -> None:
    table = stage.bank.company["invoices"]
    for index in (found for found in vars(table).values() if isinstance(found, dict)):
        for name in [name for name, row in index.items() if row is invoice and str(name) == str(invoice.idn)]:
            index[type(name)(99_999)] = index.pop(name)
    invoice.idn = 99_999
    stage.bank.company.touch(invoice)


# What the books undo


async def test_a_document_undone_in_the_books_is_a_persons_affair_part_by_part() -> None:
    """Its payments reached Precoro; then one of its bills is unreconciled, and at last all of it is deleted."""
    stage = scene()
    first, second, third = (stage.invoice() for _ in range(3))
    stage.pays(first, key="50/1")
    stage.pays(second, key="50/2")
    stage.pays(third, key="500")
    await stage.lap()
    by_key = lambda: {str(one.source): one for one in stage.intents}  # noqa: E731
    assert {one.state for one in by_key().values()} == {State.CONFIRMED}
    stage.ledger.undone.append(Undone("50", ["50/2"]))
    for _ in range(2):
        await stage.lap(after=HOUR)
    assert [by_key()[key].state for key in ("50/1", "50/2", "500")] == ["review", "confirmed", "confirmed"]
    told = by_key()["50/1"]
    assert told.reason.startswith(
        "changed in the ledger after it was sent; the ledger now says: payment 50/1 of 0.00"
    )
    assert f"cancel payment {told.remote_id} in Precoro and `payments drop` this one" in told.reason
    stage.ledger.undone[:] = [Undone("50")]
    await stage.lap(after=HOUR)
    assert [by_key()[key].state for key in ("50/1", "50/2", "500")] == ["review", "review", "confirmed"]
    assert [payments(one) for one in (first, second, third)] == [[10_000]] * 3, "nothing is undone by itself"


async def test_a_row_undone_is_that_row_alone() -> None:
    """Who numbers payments of a file may call two of them 100 and 100/1."""
    stage = scene(armed=False)
    row, other = stage.invoice(), stage.invoice()
    stage.pays(row, key="100")
    stage.pays(other, key="100/1")
    await stage.lap()
    stage.ledger.undone.append(Undone("100", alone=True))
    stage.armed = True
    await stage.lap(after=HOUR)
    assert (payments(row), payments(other)) == ([], [10_000])


@pytest.mark.parametrize("kept", [True, False])
async def test_an_entry_of_ours_undone_in_the_books_is_a_persons_affair(kept: bool) -> None:
    stage = await begun()
    stage.ledger.kept = kept
    invoice = stage.invoice(20_000)
    pay(stage, invoice)
    await both(stage, 1)
    stage.ledger.undone.append(Undone("B-0"))
    await both(stage)
    assert states(stage) == {"to_precoro": [], "to_ledger": ["review"]}
    assert f"cancel payment {stage.intent.source} in Precoro and `payments drop` this one" in stage.intent.reason
    assert len(stage.ledger.entries) == 1


async def test_a_document_undone_before_it_was_sent_is_not_sent() -> None:
    stage = scene(armed=False)
    invoice = stage.invoice()
    stage.pays(invoice, key="50/1")
    await stage.lap()
    stage.ledger.undone.append(Undone("50"))
    stage.armed = True
    await stage.lap(after=HOUR)
    assert (payments(invoice), stage.intent.state) == ([], State.REJECTED)
